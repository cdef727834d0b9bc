"""SQLite itself, to execute queries in its dialect."""

from __future__ import annotations

import datetime
import functools
import json
import sqlite3
import uuid
from decimal import Decimal
from typing import Any

from ibert_builder.databases.model import Database
from ibert_builder.databases.row_sets import FULL, KINDS, row_set
from ibert_builder.execution.engine import Engine
from ibert_builder.execution.results import Result, difference


class Sqlite:
    """A sample database in SQLite; values that SQLite has no type for are stored as text or numbers."""

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
            names, ("",) * len(names), [tuple(_comparable(cell) for cell in row) for row in cursor.fetchall()]
        )


@functools.lru_cache(maxsize=128)
def sqlite_for(database: Database) -> Sqlite:
    """The SQLite copy of a database in this process."""
    return Sqlite(database)


# The row sets to run SQLite's queries on. Not the largest ones: the more means are rounded, the more likely two engines
# round one of them differently.
_IN_SQLITE = tuple(number for number in FULL if KINDS[number].size <= 3)


def differs_in_sqlite(engine: Engine, duckdb_sql: str, sqlite_sql: str, ordered: bool) -> str | None:
    """How the answers of the two engines differ on the first row set where they do, or None if they agree on all.

    Raises:
        sqlite3.Error, duckdb.Error: a query does not run.
    """
    for rows in _IN_SQLITE:
        expected = in_plain_values(engine.run_sql(duckdb_sql, rows))
        found = sqlite_for(row_set(engine.database, rows)).run(sqlite_sql)
        if different := difference(expected, found, ordered):
            return f"row set {rows}: {different}"
    return None


def in_plain_values(result: Result) -> Result:
    """A DuckDB result, in the values that SQLite would give."""
    return Result(
        result.columns,
        ("",) * len(result.columns),
        [tuple(_comparable(cell) for cell in row) for row in result.rows],
    )


def plain(value: Any) -> Any:
    """A value as SQLite stores it: booleans as integers, decimals as floats, dates, times and nested values as text."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        value = value.replace(tzinfo=None)  # the session is in UTC, and so are the rows
    if isinstance(value, datetime.date | datetime.time | datetime.timedelta | uuid.UUID):
        return str(value)
    if isinstance(value, list | dict):
        return json.dumps(value, default=str)
    return value


def _comparable(value: Any) -> Any:
    """A plain value with numbers as floats: SQLite has no fixed column types, so 3.0 and 3 are the same value."""
    value = plain(value)
    return float(value) if isinstance(value, int) and abs(value) < 2**53 else value
