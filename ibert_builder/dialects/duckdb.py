"""DuckDB: the templates' SQL, and the engine that proves."""

from __future__ import annotations

from ibis.backends.sql.compilers import DuckDBCompiler
from sqlglot.dialects import DuckDB

from ibert_builder.dialects.base import Dialect
from ibert_builder.execution.executors import InEngine

DUCKDB = Dialect(
    name="duckdb",
    grammar=DuckDB,
    executor=InEngine(),
    compiler=DuckDBCompiler,
    has_qualify=True,
    groups_by_alias=True,
    has_escape_strings=True,
    day="MAKE_DATE",
    moment="MAKE_TIMESTAMP",
)
