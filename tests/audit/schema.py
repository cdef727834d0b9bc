"""Two tables to ask, and random rows of theirs."""

from __future__ import annotations

import random

import duckdb

from ibert_builder.audit.query_properties.query import Query
from ibert_builder.databases.row_sets import KINDS
from ibert_builder.execution.results import Result

COLUMNS = {
    "parent": {"id": "int64", "kind": "string", "label": "string", "size": "int64"},
    "child": {
        "id": "int64",
        "parent_id": "int64",
        "x": "int64",
        "y": "int64",
        "note": "string",
        "day": "date",
    },
}
KEYS = {"parent": "id", "child": "id"}

_TYPES = {"int64": "BIGINT", "string": "VARCHAR", "date": "DATE"}
_VALUES = {
    "int64": (None, 0, 1, 2, 3, 5, 6),
    "string": (None, "", "a", "ab", "ba", "A"),
    "date": (None, "2024-02-29", "2024-03-01", "infinity", "-infinity"),
}
MOST_ROWS = 6


def resolved(sql: str) -> Query:
    return Query(sql, COLUMNS, KEYS)


class RandomRows:
    """As many row sets of the two tables as an engine has, with unique keys, any NULLs and few values; some are empty."""

    def __init__(self, seed: int) -> None:
        self._connections = {}
        rng = random.Random(seed)
        for rows in range(len(KINDS)):
            tables = {name: _rows(columns, rng) for name, columns in COLUMNS.items()}
            for backwards in (False, True):
                self._connections[rows, backwards] = _filled(tables, backwards)

    def run_sql(self, sql: str, rows: int = 0, backwards: bool = False) -> Result:
        relation = self._connections[rows, backwards].sql(sql)
        return Result(tuple(relation.columns), tuple(map(str, relation.types)), relation.fetchall())


def _rows(columns: dict[str, str], rng: random.Random) -> list[tuple[object, ...]]:
    count = rng.randrange(MOST_ROWS + 1)
    keys = rng.sample(range(MOST_ROWS + 1), count)
    return [(key, *(rng.choice(_VALUES[kind]) for kind in [*columns.values()][1:])) for key in keys]


def _filled(tables: dict[str, list[tuple[object, ...]]], backwards: bool) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": 1})
    for name, columns in COLUMNS.items():
        declared = ", ".join(f"{column} {_TYPES[kind]}" for column, kind in columns.items())
        connection.execute(f"CREATE TABLE {name} ({declared})")
        for row in tables[name][:: -1 if backwards else 1]:
            connection.execute(f"INSERT INTO {name} VALUES ({', '.join('?' * len(row))})", row)
    return connection
