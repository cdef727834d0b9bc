"""Further row sets of a sample database: the same tables, with rows that break the accidental patterns of the first set.

One set of rows lets some wrong queries pass by luck: no row lies just above a limit, two columns move together, a
column has no NULL, no text contains another, no group has a single row. So the further sets have different sizes, the
values of each column are redistributed over the rows, and a share of them is changed: to NULL, to the value of a similar
column, or to a neighbouring one (a number plus one, the next day, two texts joined). Keys stay unique and never NULL.
The rules of coherence hold for the first set alone: on rows that obey them, a query that leaves out half of a condition
may give the same result as the right one, so the further sets break them on purpose.
That several sets tell queries apart better than one is the finding of Zhong, Yu and Klein, "Semantic Evaluation for
Text-to-SQL with Distilled Test Suites" (2020).
"""

from __future__ import annotations

import calendar
import datetime
import functools
import itertools
import random
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import ibis.expr.datatypes as dt

from ibert_builder.databases.model import Column, Database, Table
from ibert_builder.databases.round_values import round_values


@dataclass(frozen=True)
class Kind:
    """What a row set is like.

    Attributes:
        size: rows relative to the first set. Small sets have groups of one row and few ranks; large ones have every
            value as it is, moved up and moved down.
        few: a random choice of columns has one value or a few, which makes ties.
    """

    size: float
    few: bool = False

    @property
    def is_full(self) -> bool:
        """Whether it has every value of the first set."""
        return self.size >= 1 and not self.few


KINDS = (
    Kind(1.0), Kind(2.0), Kind(3.0), Kind(0.25), Kind(1.0, few=True), Kind(0.12), Kind(3.0), Kind(0.5, few=True),
    Kind(0.18, few=True), Kind(2.0, few=True), Kind(0.1), Kind(0.3, few=True), Kind(3.0),
    Kind(8.0), Kind(8.0),
)  # fmt: skip
# On each of these, different queries are likely to differ.
FULL = tuple(i for i, kind in enumerate(KINDS) if kind.is_full)
FEWEST = 4  # rows of a table
NULLS = 0.1  # share of values that become NULL, in every column but the key
EMPTY = 0.05  # share of texts that become empty, of numbers that become zero
LIKE = 0.15  # share of values taken from another column of the row that has the same type, if any
ROUND = 0.06  # share of dates that lie a round number of days before the last one
MOVED = 0.3  # share of values that are moved a little
DANGLING = 0.1  # share of references that point to no row
REFERRED = 0.7  # share of rows that references point to
_CAPS = (1, 2, 3, 6, None)  # how many different values a column has in a set of few values


@functools.lru_cache(maxsize=1024)
def row_set(database: Database, number: int) -> Database:
    """The database with its own rows (0) or with a further, seeded set of rows (1 to `len(KINDS) - 1`)."""
    if number == 0:
        return database
    rngs = {name: random.Random(f"{database.name}/{name}/{number}") for name in database.tables}
    keys = {
        name: _keys(table, max(FEWEST, round(KINDS[number].size * len(table.rows))), rngs[name])
        for name, table in database.tables.items()
    }
    parents = {(r.child, r.column): r.parent for r in database.references}
    tables = {}
    for name, table in database.tables.items():
        references = {
            c: _references(keys[parents[name, c]], rngs[name]) for c in table.columns if (name, c) in parents
        }
        tables[name] = _dealt(table, keys[name], references, number, rngs[name])
    return replace(database, tables=tables)


def _keys(table: Table, count: int, rng: random.Random) -> list[Any]:
    keys = list(table.values[table.key])
    strange = _strangers(keys, rng)
    keys.extend(next(strange) for _ in range(count - len(keys)))
    rng.shuffle(keys)
    return keys[:count]


def _strangers(keys: list[Any], rng: random.Random) -> Iterator[Any]:
    """Values of the same form as the keys that are not among them, each once."""
    if isinstance(keys[0], int):
        yield from itertools.count(max(keys) + 1)
    known = set(keys)
    while True:
        if isinstance(keys[0], uuid.UUID):
            key: Any = uuid.UUID(int=rng.getrandbits(128), version=4)
        else:
            digits = [rng.choice("0123456789") if c.isdigit() else c for c in rng.choice(keys)]
            key = "".join(digits) + rng.choice("ABCDEFGHJK")
        if key not in known:
            known.add(key)
            yield key


def _references(keys: list[Any], rng: random.Random) -> Callable[[], Any]:
    referred = keys[: max(1, round(REFERRED * len(keys)))]
    strange = _strangers(keys, rng)
    return lambda: next(strange) if rng.random() < DANGLING else rng.choice(referred)


def _dealt(
    table: Table, keys: list[Any], references: dict[str, Callable[[], Any]], number: int, rng: random.Random
) -> Table:
    columns: dict[str, list[Any]] = {}
    kept: dict[str, list[bool]] = {}
    for name, column in table.columns.items():
        if name == table.key:
            columns[name] = keys
        elif name in references:
            columns[name] = [None if rng.random() < NULLS else references[name]() for _ in keys]
        else:
            dealt = _values(column, table.values[name], len(keys), KINDS[number], rng)
            columns[name], kept[name] = [v for v, _ in dealt], [k for _, k in dealt]
    for name in kept:
        _relate(table, name, columns, kept[name], rng)
    return replace(table, rows=list(zip(*(columns[name] for name in table.columns), strict=True)))


def _values(
    column: Column, values: list[Any], count: int, kind: Kind, rng: random.Random
) -> list[tuple[Any, bool]]:
    """Values drawn in turn from a column's own and the round ones between them, which queries are likely to name.

    They are shuffled, each with whether it has to stay as it is.
    """
    rounds = round_values(values)
    several = values + rng.sample(rounds, min(len(rounds), len(values) // 2))
    pool = rng.sample(several, len(several))[: rng.choice(_CAPS) if kind.few else None]
    dealt = []
    for i in range(count):
        value, turn = pool[i % len(pool)], i // len(pool) % 3
        if turn == 0 and kind.is_full and i < len(pool):
            dealt.append((value, True))
            continue
        if not kind.few and (turn or rng.random() < MOVED):
            # In the second round every value moves up, in the third down.
            value = _moved(value, column, pool, (rng.choice((1, -1)), 1, -1)[turn], rng)
        if rng.random() < NULLS:
            value = None
        elif rng.random() < EMPTY:
            value = _EMPTY.get(column.type_class, value)
        dealt.append((value, False))
    rng.shuffle(dealt)
    return dealt


def _relate(
    table: Table, name: str, columns: dict[str, list[Any]], kept: list[bool], rng: random.Random
) -> None:
    """Set some values to, or a round step from, the value of a similar column in their row or the column's highest."""
    column, values = table.columns[name], columns[name]
    steps = _STEPS.get(column.type_class, ())
    peers = [
        other.name
        for other in table.columns.values()
        if other is not column
        and other.type_class == column.type_class
        and not {other.kind, column.kind} & {"identifier", "foreign_key", "flag"}
    ]
    last = max((value for value in values if value is not None), default=None) if steps else None
    for i, value in enumerate(values):
        if not steps or kept[i]:
            continue
        if peers and rng.random() < LIKE and (like := columns[rng.choice(peers)][i]) is not None:
            values[i] = _within(like + rng.choice(steps), column.dtype, value)
        elif column.type_class in ("date", "timestamp") and value is not None and rng.random() < ROUND:
            values[i] = last - rng.choice(steps)


def _moved(value: Any, column: Column, pool: list[Any], sign: int, rng: random.Random) -> Any:
    move = _MOVES.get(column.type_class)
    if value is None or move is None:
        return value
    return _within(
        move(value, [other for other in pool if other is not None], sign, rng), column.dtype, value
    )


def _within(value: Any, dtype: dt.DataType, otherwise: Any) -> Any:
    """The value if the type can hold it, or else `otherwise`."""
    if dtype.is_integer():
        return value if dtype.bounds.lower <= value <= dtype.bounds.upper else otherwise
    if dtype.is_decimal():
        whole = (dtype.precision or 18) - (dtype.scale or 0)
        value = Decimal(str(value)).quantize(Decimal(1).scaleb(-(dtype.scale or 0)))
        return value if abs(value) < Decimal(10) ** whole else otherwise
    return value


def _days(*counts: int) -> tuple[datetime.timedelta, ...]:
    return tuple(datetime.timedelta(days=count) for count in counts)


# By how much a value differs from that of the similar column it is taken from.
_STEPS: dict[str, tuple[Any, ...]] = {
    "integer": (0, 0, 1, -1),
    "float": (0, 0, 1, -1),
    "decimal": (0, 0, 1, -1),
    "string": ("",),
    "date": _days(0, 0, 1, 7, 14, 30, 60, 90, 180, 365),
    "timestamp": _days(0, 0, 1, 7, 14, 30, 60, 90, 180, 365),
}
_EMPTY: dict[str, Any] = {"string": "", "integer": 0, "float": 0.0, "decimal": Decimal(0)}


def _number(value: Any, present: list[Any], sign: int, rng: random.Random) -> Any:
    return value + sign * (1 if isinstance(value, int) or rng.random() < 0.7 else type(value)("0.5"))


def _day(value: Any, present: list[Any], sign: int, rng: random.Random) -> Any:
    step = rng.choice(("day", "day", "month", "year"))
    if step == "day":
        return value + datetime.timedelta(days=sign)
    year, month = divmod(value.year * 12 + value.month - 1 + sign * (12 if step == "year" else 1), 12)
    day = min(value.day, calendar.monthrange(year, month + 1)[1])
    return value.replace(year=year, month=month + 1, day=day)


def _moment(value: Any, present: list[Any], sign: int, rng: random.Random) -> Any:
    if rng.random() < 0.5:
        return _day(value, present, sign, rng)
    return value + sign * datetime.timedelta(**{rng.choice(("hours", "minutes", "seconds")): 1})


def _text(value: str, present: list[str], sign: int, rng: random.Random) -> str:
    other = rng.choice(present)
    return rng.choice(
        (
            f"{value} {other}",
            f"{other}{value}",
            value.upper(),
            value.lower(),
            f" {value}",
            f"{value} ",
            value[1:],
        )
    )


def _struct(value: dict[str, Any], present: list[Any], sign: int, rng: random.Random) -> dict[str, Any]:
    return {**value, rng.choice(list(value)): None}


_MOVES: dict[str, Callable[..., Any]] = {
    "integer": _number, "float": _number, "decimal": _number, "date": _day, "timestamp": _moment, "string": _text,
    "struct": _struct,
}  # fmt: skip
