"""How a failure is described: an exception's message, made the same on every machine, or how two results differ."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ibert_builder.execution.results import Result

LINES, WIDTH = 32, 300  # of a message that is kept

_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}\b")
_PATH = re.compile(r"(?<![\w/:.])/(?:[\w.+-]+/)+[\w.+-]+")
_TABLE = re.compile(r"(r\d+ := DatabaseTable: \w+)\n.+?(?=\n\n)", re.DOTALL)
_SET = re.compile(r"\{('[^'{}]*'(?:, '[^'{}]*')+)\}")

WORDINGS = (
    "{where}expected {subject}{expected}{unit}, got {found}.",
    "{where}the code gives {subject}{found} instead of {expected}{unit}.",
    "{where}it should give {subject}{expected}{unit} but gives {found}.",
)


@dataclass(frozen=True)
class Contrast:
    """The first difference of two results: `{where}, {subject}{expected}{unit}`."""

    expected: str
    found: str
    where: str = ""
    subject: str = ""
    unit: str = ""


def message(error: BaseException) -> str:
    """`Class: message`: without addresses and paths, sets in order, bounded in length."""
    text = str(error)
    if isinstance(error, SyntaxError) and error.lineno:
        text = f"{error.msg} (line {error.lineno})"
    text = _PATH.sub("<path>", _ADDRESS.sub("0x...", text))
    text = _SET.sub(lambda match: "{" + ", ".join(sorted(match[1].split(", "))) + "}", text)
    text = _TABLE.sub(_Once(), text)
    lines = text.rstrip().splitlines()
    lines = [line if len(line) <= WIDTH else f"{line[: WIDTH - 4]} ..." for line in lines]
    if len(lines) > LINES:
        lines = [*lines[: LINES - LINES // 3], "...", *lines[-(LINES // 3) :]]
    return f"{type(error).__name__}: " + "\n".join(lines)


class _Once:
    """Keeps only the first copy of a table's schema, which Ibis prints with every expression over the table."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def __call__(self, match: re.Match[str]) -> str:
        seen = match[0] in self._seen
        self._seen.add(match[0])
        return f"{match[1]}\n  ..." if seen else match[0]


def contrast(expected: Result, found: Result, ordered: bool, draw: float) -> str:
    """How a result differs from the expected one, in one sentence; `draw` of [0, 1) picks its wording."""
    first = _first_difference(expected, found, ordered)
    text = WORDINGS[int(draw * len(WORDINGS))].format_map(vars(first))
    return text[0].upper() + text[1:]


def _first_difference(expected: Result, found: Result, ordered: bool) -> Contrast:
    if expected.columns != found.columns:
        return Contrast(", ".join(expected.columns), ", ".join(found.columns), subject="the columns ")
    left, right = expected.rows, found.rows
    if len(left) != len(right):
        return Contrast(str(len(left)), str(len(right) or "none"), unit=" row" if len(left) == 1 else " rows")
    if len(left) == 1:
        return _cell("", expected, left[0], right[0])
    if ordered:
        index = next((i for i, rows in enumerate(zip(left, right, strict=True)) if rows[0] != rows[1]), 0)
        return _cell(f"in row {index + 1}, ", expected, left[index], right[index])
    if key := _key_width(left, right):
        partners = {repr(row[:key]): row for row in right}
        changed = min((row for row in left if row != partners[repr(row[:key])]), key=repr)
        cells = zip(expected.columns[:key], changed[:key], strict=True)
        named = " and ".join(f"{column} {_value(cell)}" for column, cell in cells)
        return _cell(f"for {named}, ", expected, changed, partners[repr(changed[:key])])
    texts = [Counter(map(repr, rows)) for rows in (left, right)]
    by_text = {repr(row): row for row in (*left, *right)}
    only = [_row(by_text[min((one - other).elements())]) for one, other in (texts, reversed(texts))]
    return Contrast(only[0], only[1], subject="the row ")


def _key_width(left: list[tuple[Any, ...]], right: list[tuple[Any, ...]]) -> int:
    """How many leading columns are a key of both results and have the same values in both; 0 if none are."""
    for width in range(1, len(left[0])):
        keys = [{repr(row[:width]) for row in rows} for rows in (left, right)]
        if keys[0] == keys[1] and len(keys[0]) == len(left):
            return width
    return 0


def _cell(where: str, result: Result, left: tuple[Any, ...], right: tuple[Any, ...]) -> Contrast:
    index = next((i for i, cells in enumerate(zip(left, right, strict=True)) if cells[0] != cells[1]), 0)
    name = result.columns[index]
    # The name of an unnamed expression, such as `Mean(amount)`, says nothing that the code does not say.
    subject = f"{name} = " if name.isidentifier() else ""
    return Contrast(_value(left[index]), _value(right[index]), where, subject)


def _row(row: tuple[Any, ...]) -> str:
    return f"({', '.join(map(_value, row))})"


def _value(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return f"'{value}'"
    if isinstance(value, float):
        return f"{value:.8g}"
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value) if not isinstance(value, datetime.timedelta) else f"{value.total_seconds():.0f} seconds"
