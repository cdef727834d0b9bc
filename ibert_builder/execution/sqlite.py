"""Real SQLite, which runs the queries of its dialect."""

from __future__ import annotations

import datetime
import functools
import json
import sqlite3
import uuid
from decimal import Decimal
from typing import Any

from ibert_builder.databases.model import Database
from ibert_builder.databases.row_sets import FULL, KINDS
from ibert_builder.execution.executors import OnCopies
from ibert_builder.execution.results import Result


class Sqlite:
    """A sample database in SQLite. Values of types that SQLite does not have are text or numbers there."""

    def __init__(self, database: Database) -> None:
        self._connection = sqlite3.connect(":memory:")
        for table in database.tables.values():
            self._connection.execute(f"CREATE TABLE {table.name} ({', '.join(table.columns)})")
            rows = [[_stored(value) for value in row] for row in table.rows]
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
        return Result(names, ("",) * len(names), cursor.fetchall())


def _stored(value: Any) -> Any:
    """A value as SQLite stores it: booleans as integers, decimals as floats, moments and nested values as text."""
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
    """A stored value with numbers as floats: SQLite's columns have no fixed types, so 3.0 and 3 are one value."""
    value = _stored(value)
    return float(value) if isinstance(value, int) and abs(value) < 2**53 else value


IN_SQLITE = OnCopies(
    copy=functools.lru_cache(maxsize=128)(Sqlite),
    comparable=_comparable,
    errors=(sqlite3.Error,),
    # Not the largest row sets: the more means are rounded, the likelier two engines' last digits part at a half.
    row_sets=tuple(number for number in FULL if KINDS[number].size <= 3),
)
