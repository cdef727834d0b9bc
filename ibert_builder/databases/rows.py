"""Rows for sample databases: seeded by names alone, and made to tell wrong queries from right ones.

Ties, NULLs, empty strings, dangling references and unreferenced rows are drawn on purpose, where the database declares
them: only on data that has them does it show when a query has `>` for `>=`, an inner join for a left join, or COUNT(x)
for COUNT(*). What the semantic model says about rows under `coherence` then holds: see `coherence.repair`.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import duckdb
import ibis.expr.datatypes as dt

from ibert_builder.databases.coherence.repair import repair
from ibert_builder.databases.coherence.rows import Rows, ranks
from ibert_builder.databases.makers import later, make_value
from ibert_builder.databases.spec import ColumnSpec, DatabaseSpec, TableSpec

DANGLING = 0.05  # share of references that point to no row, where any do
UNREFERENCED = 0.12  # share of rows that no reference points to, where there are any
ATTEMPTS = 200  # at a key that no row has

Columns = dict[str, list[Any]]


def make_rows(spec: DatabaseSpec, connection: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of every table as tuples in column order: Python values of the column's type, None for NULL.

    The connection works out rules with SQL in them, and is left as it was.

    Raises:
        ValueError: the values cannot be made; `coherence.repair.Contradiction` if the rules cannot be made to hold.
    """
    keys = {name: _keys(spec.name, name, table) for name, table in spec.tables.items()}
    made = {name: _table_columns(spec, name, table, keys) for name, table in spec.tables.items()}
    repair(Rows(spec, made, connection))
    return {
        name: list(zip(*(made[name][column] for column in table.columns), strict=True))
        for name, table in spec.tables.items()
    }


def _keys(database: str, name: str, table: TableSpec) -> list[Any]:
    rng = random.Random(f"{database}/{name}/{table.key}")
    column = table.columns[table.key]
    if column.make.ref or column.make.after:
        raise ValueError(f"the key {name}.{table.key} cannot depend on other rows")
    keys = _distinct(
        lambda i: make_value(column.make, dt.dtype(column.type), rng, i), table.rows, f"{name}.{table.key}"
    )
    rng.shuffle(keys)
    return keys


def _distinct(draw: Callable[[int], Any], count: int, what: str) -> list[Any]:
    values: dict[Any, None] = {}
    for attempt in range(count * 50):
        values.setdefault(draw(attempt if attempt < count else len(values)))
        if len(values) == count:
            return list(values)
    raise ValueError(
        f"{what} should be unique, but its make gives only {len(values)} different values for {count} rows"
    )


def _table_columns(spec: DatabaseSpec, name: str, table: TableSpec, keys: dict[str, list[Any]]) -> Columns:
    made: Columns = {table.key: keys[name]}
    waiting = [column for column in table.columns if column != table.key]
    while waiting:
        ready = [c for c in waiting if (after := table.columns[c].make.after) is None or after.column in made]
        if not ready:
            raise ValueError(f"{name}: the columns {waiting} depend on one another in a circle")
        for column in ready:
            made[column] = _column(spec, name, column, keys, made)
            waiting.remove(column)
    return made


def _column(
    database: DatabaseSpec, table: str, name: str, keys: dict[str, list[Any]], made: Columns
) -> list[Any]:
    rng = random.Random(f"{database.name}/{table}/{name}")
    spec, count = database.tables[table].columns[name], database.tables[table].rows
    dtype = dt.dtype(spec.type)
    if spec.make.ref:
        values = _references(database, table, name, keys, rng)
    elif spec.make.after:
        low, high = spec.make.after.days
        values = [later(start, rng.uniform(low, high), dtype) for start in made[spec.make.after.column]]
    elif spec.unique:
        values = _distinct(lambda i: make_value(spec.make, dtype, rng, i), count, f"{table}.{name}")
    else:
        values = []
        for i in range(count):
            values.append(make_value(spec.make, dtype, rng, i, values, spec.ties))
    # At least one NULL and one empty string where any are asked for: the share of a small table may round to zero.
    for share, value in ((spec.empty, ""), (spec.nulls, None)):
        if share:
            for i in rng.sample(range(count), max(1, round(share * count))):
                values[i] = value
    return values


def _references(
    database: DatabaseSpec, table: str, name: str, keys: dict[str, list[Any]], rng: random.Random
) -> list[Any]:
    spec, count = database.tables[table].columns[name], database.tables[table].rows
    parent = str(spec.make.ref)
    dangles, leaves_out = _declared(database, f"{table}.{name}")
    if parent == table:
        values = _ancestors(keys[table], ranks(database.name, table, name, count), rng)
        if not spec.nulls:
            raise ValueError(f"{table}.{name} refers to its own table, so its first rows need `nulls`")
    else:
        pointed_to = keys[parent][: max(2, round(len(keys[parent]) * (1 - UNREFERENCED * leaves_out)))]
        popular = pointed_to[: max(1, len(pointed_to) // 3)]
        values = [rng.choice(popular if rng.random() < 0.5 else pointed_to) for _ in range(count)]
    if dangles:
        key = database.tables[parent].columns[database.tables[parent].key]
        for i in rng.sample(range(count), max(1, round(DANGLING * count))):
            values[i] = _key_of_no_row(keys[parent], key, rng)
    return values


def _declared(database: DatabaseSpec, reference: str) -> tuple[bool, bool]:
    """Whether some keys of a reference point to no row, and whether to some rows none points."""
    model = database.semantic_model
    if model is None:
        return True, True
    meaning = model.references.get(reference)
    return (False, False) if meaning is None else (meaning.dangling is not None, meaning.never is not None)


def _ancestors(keys: list[Any], rank: list[int], rng: random.Random) -> list[Any]:
    """References of a table to itself that form trees: each row refers to one of lower rank, the lowest to none."""
    ordered = sorted(range(len(keys)), key=rank.__getitem__)
    values: list[Any] = [None] * len(keys)
    for position, i in enumerate(ordered[1:], start=1):
        # Half of them to the first third, so that some rows have many rows below them.
        among = position if rng.random() < 0.5 else max(1, position // 3)
        values[i] = keys[ordered[rng.randrange(among)]]
    return values


def _key_of_no_row(keys: list[Any], column: ColumnSpec, rng: random.Random) -> Any:
    """A key of the same form as those of a table, which none of its rows has."""
    if isinstance(keys[0], int):
        return max(keys) + rng.randint(1, 9)
    for _ in range(ATTEMPTS):
        key = make_value(column.make, dt.dtype(column.type), rng)
        if key not in keys:
            return key
    raise ValueError(
        "a reference cannot dangle: every key that the `make` of the referred table gives is in use"
    )
