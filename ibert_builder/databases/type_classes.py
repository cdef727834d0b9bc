"""The type classes that slots ask for, and which data types satisfy them.

A class is a word such as `integer` or `array<string>`. The words on the left of `WIDER` are unions of the words on
their right; every other word stands for itself.
"""

from __future__ import annotations

import ibis.expr.datatypes as dt

WIDER: dict[str, tuple[str, ...]] = {
    "numeric": ("integer", "float", "decimal"),
    "temporal": ("date", "timestamp"),
    "comparable": ("integer", "float", "decimal", "string", "date", "timestamp"),
    "scalar": ("integer", "float", "decimal", "string", "date", "timestamp", "boolean"),
}
PLAIN = (
    "integer", "float", "decimal", "string", "boolean", "date", "timestamp", "time", "timestamptz", "interval", "uuid",
    "binary", "json", "array", "struct", "map",
)  # fmt: skip
CLASSES = (*PLAIN, *WIDER, "any")


def type_class(dtype: dt.DataType) -> str:
    """The class of an Ibis data type: `decimal(10, 2)` is a `decimal`, `array<int64>` an `array<integer>`."""
    if dtype.is_array():
        return f"array<{type_class(dtype.value_type)}>"
    if dtype.is_map():
        return f"map<{type_class(dtype.value_type)}>"
    if dtype.is_timestamp() and dtype.timezone:
        return "timestamptz"  # kept apart: its results depend on the session's time zone
    tests = {
        "boolean": dtype.is_boolean, "integer": dtype.is_integer, "float": dtype.is_floating,
        "decimal": dtype.is_decimal, "string": dtype.is_string, "date": dtype.is_date, "timestamp": dtype.is_timestamp,
        "time": dtype.is_time, "interval": dtype.is_interval, "uuid": dtype.is_uuid, "binary": dtype.is_binary,
        "json": dtype.is_json, "struct": dtype.is_struct,
    }  # fmt: skip
    return next((name for name, test in tests.items() if test()), "other")


def fits(found: str, wanted: str) -> bool:
    """Whether every value of class `found` may stand where `wanted` is asked for."""
    if wanted == "any" or found == wanted or set(WIDER.get(found, (found,))) <= set(WIDER.get(wanted, ())):
        return True
    if "<" in found:
        outer, inner = found[:-1].split("<", 1)
        if "<" not in wanted:
            return outer == wanted
        wanted_outer, wanted_inner = wanted[:-1].split("<", 1)
        return outer == wanted_outer and fits(inner, wanted_inner)
    return False


def is_class(word: str) -> bool:
    if word.endswith(">") and "<" in word:
        outer, inner = word[:-1].split("<", 1)
        return outer in ("array", "map") and is_class(inner)
    return word in CLASSES
