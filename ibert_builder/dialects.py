"""The SQL dialects that Ibis compiles to, and real SQLite to run one of them."""

from __future__ import annotations

import datetime
import functools
import json
import sqlite3
import uuid
from decimal import Decimal
from typing import Any

import ibis
import ibis.backends.sql.compilers as compilers
import sqlglot
from sqlglot.errors import SqlglotError

from ibert_builder.databases import Database
from ibert_builder.engine import Result

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
    return str(compiler(dialect).to_sqlglot(table).sql(grammar(dialect)))


def to_duckdb(sql: str, dialect: str) -> str:
    """A query of a dialect as DuckDB SQL, by sqlglot.

    Raises:
        SqlglotError: sqlglot cannot read it.
    """
    parsed = sqlglot.parse(sql, read=grammar(dialect), error_level=sqlglot.ErrorLevel.RAISE)
    if len(parsed) != 1 or parsed[0] is None:
        raise SqlglotError("expected one query")
    return str(parsed[0].sql("duckdb"))


class Sqlite:
    """A sample database in real SQLite, with what SQLite has no type for as text or numbers."""

    def __init__(self, database: Database) -> None:
        self._connection = sqlite3.connect(":memory:")
        for table in database.tables.values():
            self._connection.execute(f"CREATE TABLE {table.name} ({', '.join(table.columns)})")
            rows = [[plain(value) for value in row] for row in table.rows]
            self._connection.executemany(
                f"INSERT INTO {table.name} VALUES ({', '.join('?' * len(table.columns))})", rows
            )

    def run(self, sql: str) -> Result:
        """Execute a query.

        Raises:
            sqlite3.Error: it does not run.
        """
        cursor = self._connection.execute(sql)
        names = tuple(column[0] for column in cursor.description)
        return Result(
            names, ("",) * len(names), [tuple(plain(cell) for cell in row) for row in cursor.fetchall()]
        )


@functools.lru_cache(maxsize=32)
def sqlite_for(database: Database) -> Sqlite:
    """The SQLite copy of a database in this process."""
    return Sqlite(database)


def in_plain_values(result: Result) -> Result:
    """A DuckDB result in the values that SQLite has for it."""
    return Result(
        result.columns,
        ("",) * len(result.columns),
        [tuple(plain(cell) for cell in row) for row in result.rows],
    )


def plain(value: Any) -> Any:
    """A value as SQLite stores it: booleans as integers, decimals as floats, moments and nested values as text."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime.date | datetime.time | datetime.timedelta | uuid.UUID):
        return str(value)
    if isinstance(value, list | dict):
        return json.dumps(value, default=str)
    if isinstance(value, float) and value.is_integer():
        return int(value)  # SQLite has no fixed column types: 3.0 and 3 are one value
    return value
