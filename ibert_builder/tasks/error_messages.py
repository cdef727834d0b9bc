"""What is said about a failure: an exception's own message, made the same on every machine, or how two results differ."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from decimal import Decimal
from typing import Any

from ibert_builder.engine import Result

LINES, WIDTH = 28, 300  # what is kept of a message; the dumps of deep expressions can be longer

_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}\b")
_PATH = re.compile(r"(?<![\w/:.])/(?:[\w.+-]+/)+[\w.+-]+")
_SET = re.compile(r"\{('[^'{}]*'(?:, '[^'{}]*')+)\}")

WORDINGS = (
    "{where}expected {expected}, got {found}.",
    "{where}the code gives {found} instead of {expected}.",
    "{where}it should give {expected} but gives {found}.",
)


def message(error: BaseException) -> str:
    """`Class: message`, as Python prints it last: without addresses and paths, sets in order, long ones cut in the middle."""
    text = f"{error.msg} (line {error.lineno})" if isinstance(error, SyntaxError) and error.lineno else str(error)
    text = _PATH.sub("<path>", _ADDRESS.sub("0x...", text))
    text = _SET.sub(lambda match: "{" + ", ".join(sorted(match[1].split(", "))) + "}", text)
    lines = [line if len(line) <= WIDTH else line[: WIDTH - 4] + " ..." for line in text.rstrip().splitlines()]
    if len(lines) > LINES:
        lines = [*lines[: LINES - LINES // 3], "...", *lines[-(LINES // 3) :]]
    return f"{type(error).__name__}: " + "\n".join(lines)


def contrast(expected: Result, found: Result, ordered: bool, draw: float) -> str:
    """How a result differs from the expected one, in one sentence; `draw`, from [0, 1), chooses its wording."""
    where, wanted, given = _first_difference(expected, found, ordered)
    text = WORDINGS[int(draw * len(WORDINGS))].format(where=f"{where}, " if where else "", expected=wanted, found=given)
    return text[0].upper() + text[1:]


def _first_difference(expected: Result, found: Result, ordered: bool) -> tuple[str, str, str]:
    """Where two different results differ, what is there in the one, and what in the other."""
    if expected.columns != found.columns:
        return "", f"the columns {', '.join(expected.columns)}", ", ".join(found.columns)
    if len(expected.rows) != len(found.rows):
        return "", _rows(len(expected.rows)), str(len(found.rows) or "none")
    left, right = expected.rows, found.rows
    if len(left) == 1:
        return _cell("", expected, left[0], right[0])
    if ordered:
        index = next((i for i, rows in enumerate(zip(left, right, strict=True)) if rows[0] != rows[1]), 0)
        return _cell(f"in row {index + 1}", expected, left[index], right[index])
    key = _key_width(left, right)
    if key:
        partners = {row[:key]: row for row in right}
        changed = sorted((row for row in left if row != partners[row[:key]]), key=repr)
        if changed:
            named = " and ".join(f"{c} {_value(v)}" for c, v in zip(expected.columns[:key], changed[0], strict=False))
            return _cell(f"for {named}", expected, changed[0], partners[changed[0][:key]])
    only_left = sorted((Counter(map(repr, left)) - Counter(map(repr, right))).elements())
    only_right = sorted((Counter(map(repr, right)) - Counter(map(repr, left))).elements())
    by_text = {repr(row): row for row in (*left, *right)}
    return "", f"the row {_row(by_text[only_left[0]])}", f"{_row(by_text[only_right[0]])}"


def _key_width(left: list[tuple[Any, ...]], right: list[tuple[Any, ...]]) -> int:
    """How many leading columns tell the rows of both results apart and have the same values in both; 0 if none do."""
    for width in range(1, len(left[0])):
        keys = [{repr(row[:width]) for row in rows} for rows in (left, right)]
        if keys[0] == keys[1] and len(keys[0]) == len(left) and _hashable(left[0][:width]):
            return width
    return 0


def _hashable(cells: tuple[Any, ...]) -> bool:
    return not any(isinstance(cell, list | dict) for cell in cells)


def _cell(where: str, result: Result, left: tuple[Any, ...], right: tuple[Any, ...]) -> tuple[str, str, str]:
    index = next((i for i, cells in enumerate(zip(left, right, strict=True)) if cells[0] != cells[1]), 0)
    name = result.columns[index]
    # The name of an unnamed expression, such as `Mean(amount)`, says nothing that the code does not say.
    return where, f"{name} {_value(left[index])}" if name.isidentifier() else _value(left[index]), _value(right[index])


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


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
