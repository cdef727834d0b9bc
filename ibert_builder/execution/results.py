"""Results of queries, and how to tell whether two of them are the same answer."""

from __future__ import annotations

import functools
import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

FLOAT_TOLERANCE = 1e-9  # relative


@dataclass(frozen=True)
class Result:
    """What a query returned: column names, DuckDB type names without their widths, and rows."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def is_ordered(sql: str) -> bool:
    """Whether a query orders its result: its outermost SELECT has an ORDER BY."""
    depth, outermost = 0, []
    for part in re.split(r"('(?:[^']|'')*'|\"[^\"]*\"|[()])", sql):
        depth += (part == "(") - (part == ")")
        outermost.append(part if depth == 0 else "")
    return "ORDER BY" in "".join(outermost).upper()


_WIDTHS = (
    (re.compile(r"\bU?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)\b"), "INTEGER"),
    (re.compile(r"\bFLOAT\b"), "DOUBLE"),
    (re.compile(r"\bDECIMAL\(\d+,\s*\d+\)"), "DECIMAL"),
    (re.compile(r"\bTIMESTAMP_(S|MS|NS)\b"), "TIMESTAMP"),
)


@functools.lru_cache(maxsize=1024)
def without_width(duckdb_type: str) -> str:
    """A DuckDB type without its width: whether a count has 32 or 64 bits does not matter to the answer."""
    for pattern, mask in _WIDTHS:
        duckdb_type = pattern.sub(mask, duckdb_type)
    return duckdb_type


def difference(expected: Result, found: Result, ordered: bool) -> str | None:
    """How two results differ, or None where they are the same answer.

    The same answer has the same column names and types (widths aside) and the same rows equally often (floats to a
    relative tolerance, NULL equal to NULL), in the same order if `ordered`.
    """
    if expected.columns != found.columns:
        return "columns"
    if expected.types != found.types:
        return "types"
    if len(expected.rows) != len(found.rows):
        return "row_count"
    return None if same_rows(expected.rows, found.rows, ordered) else "values"


Rows = list[tuple[Any, ...]]


def same_rows(left: Rows, right: Rows, ordered: bool) -> bool:
    """Whether two lists hold the same rows equally often, and in the same order if `ordered`."""
    if len(left) != len(right):
        return False
    if left == right:
        return True
    if not ordered:
        left, right = sorted(left, key=_sort_key), sorted(right, key=_sort_key)
    return all(map(_same, left, right))


def _sort_key(row: tuple[Any, ...]) -> str:
    return repr([_digits(cell) if isinstance(cell, float | int | Decimal) else cell for cell in row])


def _digits(number: float | int | Decimal) -> str:
    """A number as text, whatever its class; fractions have few digits, so that rounding noise does not change the order."""
    if isinstance(number, int) or number % 1 == 0:
        return str(int(number))
    return f"{number:.6g}"


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, float) and isinstance(right, float):
        return math.isclose(left, right, rel_tol=FLOAT_TOLERANCE, abs_tol=1e-12) or (
            math.isnan(left) and math.isnan(right)
        )
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(_same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    return bool(left == right)
