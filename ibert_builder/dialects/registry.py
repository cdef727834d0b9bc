"""The dialects by name, in the order in which they are drawn and listed."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from ibert_builder.dialects.base import Dialect
from ibert_builder.dialects.bigquery import BIGQUERY
from ibert_builder.dialects.clickhouse import CLICKHOUSE
from ibert_builder.dialects.databricks import DATABRICKS
from ibert_builder.dialects.datafusion import DATAFUSION
from ibert_builder.dialects.duckdb import DUCKDB
from ibert_builder.dialects.mssql import MSSQL
from ibert_builder.dialects.mysql import MYSQL
from ibert_builder.dialects.oracle import ORACLE
from ibert_builder.dialects.postgres import POSTGRES
from ibert_builder.dialects.redshift import REDSHIFT
from ibert_builder.dialects.snowflake import SNOWFLAKE
from ibert_builder.dialects.sqlite import SQLITE
from ibert_builder.dialects.trino import TRINO
from ibert_builder.errors import unknown

DIALECTS: dict[str, Dialect] = {
    "duckdb": DUCKDB,
    "postgres": POSTGRES,
    "mysql": MYSQL,
    "sqlite": SQLITE,
    "bigquery": BIGQUERY,
    "snowflake": SNOWFLAKE,
    "trino": TRINO,
    "clickhouse": CLICKHOUSE,
    "mssql": MSSQL,
    "oracle": ORACLE,
    "databricks": DATABRICKS,
    "datafusion": DATAFUSION,
    "redshift": REDSHIFT,
}


def compiled() -> tuple[str, ...]:
    """The names of the dialects that Ibis compiles to."""
    return tuple(name for name, dialect in DIALECTS.items() if dialect.compiler is not None)


def portable() -> tuple[str, ...]:
    """The names of the dialects that a query can be put in, since their functions are known."""
    return tuple(name for name, dialect in DIALECTS.items() if dialect.functions is not None)


def _known(name: str) -> str:
    if name not in DIALECTS:
        raise ValueError(unknown("dialect", name, DIALECTS))
    return name


def _list_names(schema: dict[str, Any]) -> None:
    schema["enum"] = list(DIALECTS)


# A dialect's name in YAML: checked against the records when it is read, and listed in the JSON schemas.
DialectName = Annotated[str, AfterValidator(_known), Field(json_schema_extra=_list_names)]
