"""Rows for sample databases: seeded by names alone, and made to tell wrong queries from right ones.

Ties, NULLs, empty strings, dangling references and unreferenced rows are drawn on purpose: only on data that has them
does it show when a query has `>` for `>=`, an inner join for a left join, or COUNT(x) for COUNT(*).
"""

from __future__ import annotations

import datetime
import json
import random
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import ibis.expr.datatypes as dt

from ibert_builder.databases.spec import ColumnSpec, DatabaseSpec, Make, TableSpec

TIES = 0.3  # share of numbers and moments that repeat an earlier one of their column
DANGLING = 0.05  # share of references that point to no row
UNREFERENCED = 0.12  # share of rows that no reference points to

Row = dict[str, Any]


def make_rows(spec: DatabaseSpec) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of every table as tuples in column order: Python values of the column's type, None for NULL."""
    keys = {name: _keys(spec.name, name, table) for name, table in spec.tables.items()}
    return {name: _table_rows(spec, name, table, keys) for name, table in spec.tables.items()}


def _keys(database: str, name: str, table: TableSpec) -> list[Any]:
    rng = random.Random(f"{database}/{name}/{table.key}")
    column = table.columns[table.key]
    if column.make.ref or column.make.after:
        raise ValueError(f"the key {name}.{table.key} cannot depend on other rows")
    keys = _distinct(
        lambda i: _value(column.make, dt.dtype(column.type), rng, i, []), table.rows, f"{name}.{table.key}"
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


def _table_rows(
    spec: DatabaseSpec, name: str, table: TableSpec, keys: dict[str, list[Any]]
) -> list[tuple[Any, ...]]:
    made: dict[str, list[Any]] = {table.key: keys[name]}
    waiting = [column for column in table.columns if column != table.key]
    while waiting:
        ready = [c for c in waiting if (after := table.columns[c].make.after) is None or after.column in made]
        if not ready:
            raise ValueError(f"{name}: the columns {waiting} depend on one another in a circle")
        for column in ready:
            made[column] = _column(spec.name, name, column, table.columns[column], table.rows, keys, made)
            waiting.remove(column)
    return list(zip(*(made[column] for column in table.columns), strict=True))


def _column(
    database: str,
    table: str,
    name: str,
    spec: ColumnSpec,
    count: int,
    keys: dict[str, list[Any]],
    made: dict[str, list[Any]],
) -> list[Any]:
    rng = random.Random(f"{database}/{table}/{name}")
    dtype = dt.dtype(spec.type)
    if spec.make.ref:
        values = _references(keys[spec.make.ref], count, rng)
    elif spec.make.after:
        low, high = spec.make.after.days
        values = [_later(start, rng.uniform(low, high), dtype) for start in made[spec.make.after.column]]
    elif spec.unique:
        values = _distinct(lambda i: _value(spec.make, dtype, rng, i, []), count, f"{table}.{name}")
    else:
        values = []
        for i in range(count):
            values.append(_value(spec.make, dtype, rng, i, values))
    # At least one NULL and one empty string where any are asked for: the share of a small table may round to zero.
    for share, value in ((spec.empty, ""), (spec.nulls, None)):
        if share:
            for i in rng.sample(range(count), max(1, round(share * count))):
                values[i] = value
    return values


def _references(keys: list[Any], count: int, rng: random.Random) -> list[Any]:
    pointed_to = keys[: max(2, round(len(keys) * (1 - UNREFERENCED)))]
    popular = pointed_to[: max(1, len(pointed_to) // 3)]
    values = [rng.choice(popular if rng.random() < 0.5 else pointed_to) for _ in range(count)]
    if isinstance(keys[0], int):
        for i in rng.sample(range(count), max(1, round(DANGLING * count))):
            values[i] = max(keys) + rng.randint(1, 9)
    return values


def _later(start: Any, days: float, dtype: dt.DataType) -> Any:
    if start is None:
        return None
    if dtype.is_date():
        start = start.date() if isinstance(start, datetime.datetime) else start
        return start + datetime.timedelta(days=int(days))
    start = (
        start if isinstance(start, datetime.datetime) else datetime.datetime.combine(start, datetime.time())
    )
    return start + datetime.timedelta(minutes=int(days * 1440))


def _value(make: Make, dtype: dt.DataType, rng: random.Random, i: int, earlier: list[Any]) -> Any:
    if make.kind in ("integer", "number", "date", "timestamp") and earlier and rng.random() < TIES:
        return rng.choice(earlier)
    return _MAKERS[make.kind](make.options, dtype, rng, i)


def _serial(start: int, dtype: dt.DataType, rng: random.Random, i: int) -> Any:
    return start + i


def _choice(options: Any, dtype: dt.DataType, rng: random.Random, i: int) -> Any:
    if isinstance(options, dict):
        return _typed(rng.choices(list(options), weights=list(options.values()))[0], dtype)
    return _typed(rng.choice(options), dtype)


def _typed(value: Any, dtype: dt.DataType) -> Any:
    if dtype.is_decimal():
        return Decimal(str(value)).quantize(Decimal(1).scaleb(-(dtype.scale or 0)))
    if dtype.is_floating():
        return float(value)
    return value


def _integer(bounds: tuple[int, int], dtype: dt.DataType, rng: random.Random, i: int) -> Any:
    return _typed(rng.randint(*bounds), dtype)


def _number(bounds: tuple[float, float, int], dtype: dt.DataType, rng: random.Random, i: int) -> Any:
    low, high, places = bounds
    scale = 10**places
    return _typed(rng.randint(round(low * scale), round(high * scale)) / scale, dtype)


def _date(bounds: tuple[str, str], dtype: dt.DataType, rng: random.Random, i: int) -> datetime.date:
    first, last = (datetime.date.fromisoformat(bound) for bound in bounds)
    return first + datetime.timedelta(days=rng.randint(0, (last - first).days))


def _timestamp(bounds: tuple[str, str], dtype: dt.DataType, rng: random.Random, i: int) -> datetime.datetime:
    first, last = (datetime.datetime.fromisoformat(bound) for bound in bounds)
    seconds = int((last - first).total_seconds())
    # Some at midnight, where queries draw limits; most on the minute, as people book; the rest to the second, as machines log.
    step = rng.choices((86400, 60, 1), weights=(1, 5, 3))[0]
    return first + datetime.timedelta(seconds=rng.randint(0, seconds) // step * step)


def _time(bounds: tuple[int, int], dtype: dt.DataType, rng: random.Random, i: int) -> datetime.time:
    return datetime.time(rng.randint(*bounds), rng.choice((0, 15, 30, 45)))


def _minutes(bounds: tuple[int, int], dtype: dt.DataType, rng: random.Random, i: int) -> datetime.timedelta:
    return datetime.timedelta(minutes=rng.randint(*bounds))


def _text(make: Any, dtype: dt.DataType, rng: random.Random, i: int) -> str:
    words = {part: rng.choice(options) for part, options in make.parts.items()}
    text = rng.choice(make.patterns).format_map(words)
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
    return "".join(
        str(rng.randint(0, 9)) if c == "#" else rng.choice(letters) if c == "?" else c for c in text
    )


def _array(make: Any, dtype: Any, rng: random.Random, i: int) -> list[Any]:
    length = rng.randint(*make.length)
    values: list[Any] = []
    for index in range(length):
        values.append(_value(make.of, dtype.value_type, rng, index, []))
    return values


def _struct(fields: dict[str, Make], dtype: Any, rng: random.Random, i: int) -> Row:
    types = dict(zip(dtype.names, dtype.types, strict=True))
    if list(fields) != list(types):
        raise ValueError(f"the struct type has the fields {list(types)}, its make has {list(fields)}")
    return {name: _value(make, types[name], rng, i, []) for name, make in fields.items()}


def _map(make: Any, dtype: Any, rng: random.Random, i: int) -> Row:
    keys = [key for key in make.keys if rng.random() < 0.7] or make.keys[:1]
    return {key: _value(make.values, dtype.value_type, rng, i, []) for key in keys}


def _json(fields: dict[str, Make], dtype: dt.DataType, rng: random.Random, i: int) -> str:
    return json.dumps({name: _value(make, dt.string, rng, i, []) for name, make in fields.items()})


def _uuid(_: bool, dtype: dt.DataType, rng: random.Random, i: int) -> uuid.UUID:
    return uuid.UUID(int=rng.getrandbits(128), version=4)


def _bytes(length: int, dtype: dt.DataType, rng: random.Random, i: int) -> bytes:
    return rng.randbytes(length)


_MAKERS: dict[str, Callable[..., Any]] = {
    "serial": _serial, "choice": _choice, "integer": _integer, "number": _number, "date": _date,
    "timestamp": _timestamp, "time": _time, "minutes": _minutes, "text": _text, "array": _array, "struct": _struct,
    "map": _map, "json_object": _json, "uuid": _uuid, "bytes": _bytes,
}  # fmt: skip
