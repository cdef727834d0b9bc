"""The SQL dialects that Ibis compiles to, and real SQLite to run one of them."""

from __future__ import annotations

import functools
from typing import Any

import ibis
import ibis.backends.sql.compilers as compilers
import sqlglot
from ibis.backends.sql.compilers.base import SQLGlotCompiler
from sqlglot import exp
from sqlglot.errors import SqlglotError

# By Ibis's own names. Importing the compilers registers Ibis's variants of the dialects with sqlglot.
COMPILERS: dict[str, Any] = {
    "duckdb": compilers.DuckDBCompiler,
    "postgres": compilers.PostgresCompiler,
    "mysql": compilers.MySQLCompiler,
    "sqlite": compilers.SQLiteCompiler,
    "bigquery": compilers.BigQueryCompiler,
    "snowflake": compilers.SnowflakeCompiler,
    "trino": compilers.TrinoCompiler,
    "clickhouse": compilers.ClickHouseCompiler,
    "mssql": compilers.MSSQLCompiler,
    "oracle": compilers.OracleCompiler,
    "databricks": compilers.DatabricksCompiler,
    "datafusion": compilers.DataFusionCompiler,
}


DIALECTS = tuple(COMPILERS)


@functools.cache
def compiler(dialect: str) -> Any:
    return COMPILERS[dialect]()


def grammar(dialect: str) -> type[sqlglot.Dialect]:
    """The sqlglot dialect that Ibis prints this dialect with."""
    return compiler(dialect).dialect


def compile_for(expression: ibis.Expr, dialect: str) -> str:
    """The SQL that Ibis compiles an expression to.

    Raises:
        Exception: of many classes, where the dialect cannot say it.
    """
    table = (
        expression.unbind().as_table()
        if not isinstance(expression, ibis.expr.types.Table)
        else expression.unbind()
    )
    if dialect == "postgres":
        # Its own to_sqlglot casts JSON and maps to text for the Python client.
        return str(SQLGlotCompiler.to_sqlglot(compiler(dialect), table).sql(grammar(dialect)))
    return str(compiler(dialect).to_sqlglot(table).sql(grammar(dialect)))


# Functions that sqlglot leaves as they are: what DuckDB calls them. It need not be exact, since the compiler's query and
# the tidied one both go this way; it must only tell different arguments apart.
_IN_DUCKDB = {
    "arrow_cast": "CAST({0} AS TIMESTAMP)",
    "avgif": "AVG({0}) FILTER (WHERE {1})",
    "array_element": "LIST_EXTRACT({0}, {1})",
    "cardinality": "LEN({0})",
    "datefromparts": "MAKE_DATE({0}, {1}, {2})",
    "datetime2fromparts": "MAKE_TIMESTAMP({0}, {1}, {2}, {3}, {4}, {5})",
    "empty": "{0} = ''",
    "from_iso8601_date": "CAST({0} AS DATE)",
    "from_iso8601_timestamp": "CAST({0} AS TIMESTAMP)",
    "ieee_divide": "({0}) / ({1})",
    "isnotnull": "({0}) IS NOT NULL",
    "isnull": "({0}) IS NULL",
    "laginframe": "LAG({*})",
    "leadinframe": "LEAD({*})",
    "map_contains_key": "MAP_CONTAINS({0}, {1})",
    "mapcontains": "MAP_CONTAINS({0}, {1})",
    "maxif": "MAX({0}) FILTER (WHERE {1})",
    "minif": "MIN({0}) FILTER (WHERE {1})",
    "parsedatetimebesteffort": "CAST({0} AS TIMESTAMP)",
    "regexp_match": "REGEXP_MATCHES({0}, {1})",
    "stddevpop": "STDDEV_POP({0})",
    "stddevsamp": "STDDEV_SAMP({0})",
    "stdev": "STDDEV_SAMP({0})",
    "stdevp": "STDDEV_POP({0})",
    "sumif": "SUM({0}) FILTER (WHERE {1})",
    "timefromparts": "MAKE_TIME({0}, {1}, {2})",
    "to_variant": "{0}",
    "todate": "CAST({0} AS DATE)",
    "todayofmonth": "DAY({0})",
    "todayofweek": "ISODOW({0})",
    "todayofyear": "DAYOFYEAR({0})",
    "tohour": "HOUR({0})",
    "toisoweek": "WEEK({0})",
    "tominute": "MINUTE({0})",
    "tomonth": "MONTH({0})",
    "toquarter": "QUARTER({0})",
    "toyear": "YEAR({0})",
    "try_divide": "({0}) / ({1})",
    "varpop": "VAR_POP({0})",
    "varsamp": "VAR_SAMP({0})",
}


def to_duckdb(sql: str, dialect: str) -> str:
    """A query of a dialect as DuckDB SQL, by sqlglot.

    Raises:
        SqlglotError: sqlglot cannot read it.
    """
    try:
        parsed = sqlglot.parse(sql, read=grammar(dialect), error_level=sqlglot.ErrorLevel.RAISE)
        if len(parsed) != 1 or parsed[0] is None:
            raise SqlglotError("expected one query")
        return str(parsed[0].transform(_in_duckdb, dialect).sql("duckdb"))
    except (
        AttributeError,
        IndexError,
        KeyError,
        TypeError,
        ValueError,
    ) as error:  # sqlglot trips over some trees
        raise SqlglotError(f"{type(error).__name__}: {error}") from error


def _in_duckdb(node: exp.Expression, dialect: str) -> exp.Expression:
    if isinstance(node, exp.StrToDate | exp.TsOrDsToDate | exp.StrToTime) and isinstance(
        node.this, exp.Literal
    ):
        return exp.cast(node.this, "DATE" if len(node.this.name) == 10 else "TIMESTAMP")  # 'FXYYYY-MM-DD'
    if isinstance(node, exp.TimestampTrunc | exp.DateTrunc) and isinstance(node.this, exp.Literal):
        return exp.cast(node.this, "DATE")
    if isinstance(node, exp.Pad):
        node.set("expression", exp.cast(node.expression, "INT"))  # DuckDB's LPAD takes no BIGINT
        return node
    if (
        dialect == "mssql"
        and isinstance(node, exp.Add)
        and any(isinstance(side, exp.Literal) and side.is_string for side in (node.left, node.right))
    ):
        return exp.DPipe(this=node.this, expression=node.expression)
    name = node.name.lower() if isinstance(node, exp.Anonymous | exp.AnonymousAggFunc) else ""
    if name in ("sumif", "avgif", "minif", "maxif") or name in _IN_DUCKDB:
        arguments = [argument.sql("duckdb") for argument in node.expressions]
        template = _IN_DUCKDB[name].replace("{*}", ", ".join(arguments))
        try:
            return sqlglot.parse_one(template.format(*arguments), read="duckdb")
        except IndexError:
            return node
    return node
