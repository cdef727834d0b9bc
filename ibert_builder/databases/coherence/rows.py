"""The rows of a database while they are repaired: columns of values, found by place and by reference."""

from __future__ import annotations

import functools
import json
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import duckdb
import ibis.expr.datatypes as dt

from ibert_builder.databases.coherence.places import Place, place, reference
from ibert_builder.databases.duckdb_tables import arrow_table, typed_columns
from ibert_builder.databases.makers import later, make_value
from ibert_builder.databases.spec import DatabaseSpec

ATTEMPTS = 200  # at a value that meets a condition
ROW = "_row"  # the number of a row, in SQL


@functools.lru_cache(maxsize=64)
def ranks(database: str, table: str, column: str, count: int) -> list[int]:
    """The random order of a table's rows that its references to itself follow: a row refers to rows of lower rank only."""
    rank = list(range(count))
    random.Random(f"{database}/{table}/{column}/rank").shuffle(rank)
    return rank


class Rows:
    """The values of every column, in row order, and what rules do with them.

    Attributes:
        changes: how many values of each table were changed so far.
    """

    def __init__(
        self,
        spec: DatabaseSpec,
        made: dict[str, dict[str, list[Any]]],
        connection: duckdb.DuckDBPyConnection,
    ) -> None:
        self.spec, self.made = spec, made
        self.changes = dict.fromkeys(made, 0)
        self._connection = connection
        self._by_key: dict[str, dict[Any, int]] = {}

    def place(self, name: str, table: str | None = None) -> Place:
        return place(self.spec, name, table)

    def key(self, table: str) -> Place:
        return self.place(self.spec.tables[table].key, table)

    def reference(self, child: str, parent: str, by: str | None = None) -> Place:
        return self.place(reference(self.spec, child, parent, by), child)

    def indices(self, table: str) -> range:
        return range(self.spec.tables[table].rows)

    def get(self, place: Place, i: int) -> Any:
        value = self.made[place.table][place.column][i]
        if place.field is None or value is None:
            return value
        return (json.loads(value) if isinstance(value, str) else value)[place.field]

    def values(self, place: Place) -> list[Any]:
        if place.field is None:
            return list(self.made[place.table][place.column])
        return [self.get(place, i) for i in self.indices(place.table)]

    def set(self, place: Place, i: int, value: Any) -> None:
        """Change a value; a field of a nested value that is NULL stays as it is."""
        column = self.made[place.table][place.column]
        if place.field is not None:
            if column[i] is None:
                return
            if isinstance(column[i], str):
                value = json.dumps({**json.loads(column[i]), place.field: value})
            else:
                value = {**column[i], place.field: value}
        if column[i] != value:
            column[i] = value
            self.changes[place.table] += 1

    # --- references

    def row_of(self, table: str, key: Any) -> int | None:
        """The row of a table that has a key."""
        if table not in self._by_key:  # once, as no rule changes a key
            self._by_key[table] = {own: i for i, own in enumerate(self.values(self.key(table)))}
        return None if key is None else self._by_key[table].get(key)

    def parents(self, link: Place) -> Iterator[tuple[int, int]]:
        """Each row whose reference points to a row, with that row."""
        for i, key in enumerate(self.values(link)):
            parent = self.row_of(str(link.make.ref), key)
            if parent is not None:
                yield i, parent

    def may_refer(self, link: Place, i: int, parent: int) -> bool:
        """Whether a row may refer to another one: within a table, only to one of lower rank, so never in a circle."""
        if link.make.ref != link.table:
            return True
        rank = ranks(self.spec.name, link.table, link.column, len(self.indices(link.table)))
        return rank[parent] < rank[i]

    # --- new values

    def redrawn(
        self,
        place: Place,
        i: int,
        rng: random.Random,
        fits: Callable[[Any], bool] = lambda _: True,
        own: Mapping[str, Any] | None = None,
    ) -> Any:
        """Another value as the column makes them, never NULL, which meets a condition.

        `own` are values that the row has instead of its own in other columns.

        Raises:
            ValueError: there is none.
        """
        present = [value for value in self.values(place) if value is not None]
        taken = present if place.spec.unique and place.field is None else []
        for _ in range(ATTEMPTS):
            value = self._drawn(place, i, rng, present, own or {})
            if value is not None and value not in taken and fits(value):
                return value
        raise ValueError(f"{place} has no other value that fits in row {i + 1}")

    def _drawn(
        self, place: Place, i: int, rng: random.Random, present: list[Any], own: Mapping[str, Any]
    ) -> Any:
        if place.make.ref:
            keys = self.values(self.key(place.make.ref))
            # As often as not one that is in use, so that popular rows stay popular.
            key = rng.choice(present if present and rng.random() < 0.5 else keys)
            parent = self.row_of(place.make.ref, key)
            return key if parent is not None and self.may_refer(place, i, parent) else None
        if place.make.after:
            start = own.get(place.make.after.column, self.made[place.table][place.make.after.column][i])
            drawn = later(start, rng.uniform(*place.make.after.days), place.dtype) if place.dtype else None
            return drawn if drawn is not None or not present else rng.choice(present)
        return make_value(place.make, place.dtype or dt.string, rng, i, present, place.spec.ties)

    # --- SQL

    def query(self, sql: str, *tables: str) -> list[tuple[Any, ...]]:
        """The result of a query over tables as they are now, in which `_row` is the number of a row.

        Raises:
            ValueError: the query fails.
        """
        return self._fetched(sql, {table: self.made[table] for table in tables})

    def breaking(
        self,
        table: str,
        condition: str,
        drafts: Sequence[int] | None = None,
        drawn: Mapping[str, list[Any]] | None = None,
    ) -> list[int]:
        """The numbers of the rows of `table`, called `t`, in which a condition is false.

        With `drafts`, each is a row of that number with the values in `drawn`, and those that break the condition are given
        by their place in the list.

        Raises:
            ValueError: the query fails.
        """
        made: Mapping[str, list[Any]] = self.made[table]
        if drafts is not None:
            made = {name: [column[i] for i in drafts] for name, column in made.items()} | dict(drawn or {})
        sql = f"SELECT _row FROM {table} AS t WHERE NOT ({condition}) ORDER BY 1"
        return [i for (i,) in self._fetched(sql, {table: made})]

    def _fetched(self, sql: str, tables: Mapping[str, Mapping[str, list[Any]]]) -> list[tuple[Any, ...]]:
        """The result of a query over tables that have the columns it is about, their keys, and `_row`."""
        words, views = set(re.findall(r"\w+", sql)), []
        try:
            for table, made in tables.items():
                spec = self.spec.tables[table]
                dtypes = {n: dt.dtype(c.type) for n, c in spec.columns.items() if n in words or n == spec.key}
                numbers = {ROW: list(range(len(made[spec.key])))}
                dtypes[ROW] = dt.int64
                self._connection.register(f"_{table}", arrow_table(dtypes, {**made, **numbers}))
                views.append(f"{table} AS (SELECT {typed_columns(dtypes)} FROM _{table})")
            return self._connection.execute(f"WITH {', '.join(views)} {sql}").fetchall()
        except duckdb.Error as error:
            raise ValueError(str(error).splitlines()[0]) from error
        finally:
            for table in tables:
                self._connection.unregister(f"_{table}")
