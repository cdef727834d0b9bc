"""How single values are made: one function per way of making them, as `Make` declares."""

from __future__ import annotations

import datetime
import json
import random
import uuid
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import ibis.expr.datatypes as dt

from ibert_builder.databases.spec import Make, TextMake

Row = dict[str, Any]


def later(start: Any, days: float, dtype: dt.DataType) -> Any:
    """The moment so many days after another one, as a date or timestamp; None after None."""
    if start is None:
        return None
    if dtype.is_date():
        start = start.date() if isinstance(start, datetime.datetime) else start
        return start + datetime.timedelta(days=int(days))
    start = (
        start if isinstance(start, datetime.datetime) else datetime.datetime.combine(start, datetime.time())
    )
    return start + datetime.timedelta(minutes=int(days * 1440))


def make_value(
    make: Make,
    dtype: dt.DataType,
    rng: random.Random,
    i: int = 0,
    earlier: Sequence[Any] = (),
    ties: float = 0.0,
) -> Any:
    """The value number `i` of a column: of a number or moment, a share `ties` of values repeats one of the earlier ones."""
    if make.kind in ("integer", "number", "date", "timestamp") and earlier and rng.random() < ties:
        return rng.choice(earlier)
    return _MAKERS[make.kind](make.options, dtype, rng, i)


def _serial(start: int, dtype: dt.DataType, rng: random.Random, i: int) -> Any:
    return start + i


def _choice(options: Any, dtype: dt.DataType, rng: random.Random, i: int) -> Any:
    if isinstance(options, dict):
        return typed(rng.choices(list(options), weights=list(options.values()))[0], dtype)
    return typed(rng.choice(options), dtype)


def typed(value: Any, dtype: dt.DataType) -> Any:
    """A number as a value of a type; other values as they are."""
    if dtype.is_decimal():
        return Decimal(str(value)).quantize(Decimal(1).scaleb(-(dtype.scale or 0)))
    if dtype.is_floating():
        return float(value)
    return value


def _integer(bounds: tuple[int, int], dtype: dt.DataType, rng: random.Random, i: int) -> Any:
    return typed(rng.randint(*bounds), dtype)


def _number(bounds: tuple[float, float, int], dtype: dt.DataType, rng: random.Random, i: int) -> Any:
    low, high, places = bounds
    scale = 10**places
    return typed(rng.randint(round(low * scale), round(high * scale)) / scale, dtype)


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


def _text(make: TextMake, dtype: dt.DataType, rng: random.Random, i: int) -> str:
    return make_text(make, rng, {})


def make_text(make: TextMake, rng: random.Random, given: dict[str, str]) -> str:
    """A text from one of the patterns; some parts may be given."""
    words = {part: rng.choice(options) for part, options in make.parts.items()} | given
    text = rng.choice(make.patterns).format_map(words)
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
    return "".join(
        str(rng.randint(0, 9)) if c == "#" else rng.choice(letters) if c == "?" else c for c in text
    )


def _array(make: Any, dtype: Any, rng: random.Random, i: int) -> list[Any]:
    length = rng.randint(*make.length)
    values: list[Any] = []
    for index in range(length):
        values.append(make_value(make.of, dtype.value_type, rng, index))
    return values


def _struct(fields: dict[str, Make], dtype: Any, rng: random.Random, i: int) -> Row:
    types = dict(zip(dtype.names, dtype.types, strict=True))
    if list(fields) != list(types):
        raise ValueError(f"the struct type has the fields {list(types)}, its make has {list(fields)}")
    return {name: make_value(make, types[name], rng, i) for name, make in fields.items()}


def _map(make: Any, dtype: Any, rng: random.Random, i: int) -> Row:
    keys = [key for key in make.keys if rng.random() < 0.7] or make.keys[:1]
    return {key: make_value(make.values, dtype.value_type, rng, i) for key in keys}


def _json(fields: dict[str, Make], dtype: dt.DataType, rng: random.Random, i: int) -> str:
    return json.dumps({name: make_value(make, dt.string, rng, i) for name, make in fields.items()})


def _uuid(_: bool, dtype: dt.DataType, rng: random.Random, i: int) -> uuid.UUID:
    return uuid.UUID(int=rng.getrandbits(128), version=4)


def _bytes(length: int, dtype: dt.DataType, rng: random.Random, i: int) -> bytes:
    return rng.randbytes(length)


_MAKERS: dict[str, Callable[..., Any]] = {
    "serial": _serial, "choice": _choice, "integer": _integer, "number": _number, "date": _date,
    "timestamp": _timestamp, "time": _time, "minutes": _minutes, "text": _text, "array": _array, "struct": _struct,
    "map": _map, "json_object": _json, "uuid": _uuid, "bytes": _bytes,
}  # fmt: skip
