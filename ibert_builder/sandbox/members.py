"""What code may reach through a dot, by the kind of the object before it, decided when the code runs.

The check of the syntax tree knows names only, and the same name means `agg` of an Ibis table or the `agg` of a DataFrame
that takes the name of any method. So every attribute that code reads is looked up here. Kinds that are not listed
have nothing to offer.
"""

from __future__ import annotations

import datetime
import functools
from collections.abc import Mapping
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
from ibis.backends import BaseBackend
from ibis.expr.builders import Builder
from ibis.expr.types.groupby import GroupedTable
from ibis.expr.types.temporal import DayOfWeek

from ibert_builder.errors import ForbiddenCode, unknown
from ibert_builder.sandbox.policy import FORBIDDEN_METHODS

# Kinds of Ibis: the check of the syntax tree has been through their names.
_EXPRESSIONS = (ir.Expr,)
_PARTS = (Builder, DayOfWeek, GroupedTable)

_TYPES = (dt.DataType, ibis.Schema)
_NAMES_OF_TYPES = frozenset(
    [
        "fields", "get", "items", "keys", "name_at_position", "names", "nullable", "precision", "scale", "types", "unit",
        "value_type", "values",
        *(name for name in dir(dt.DataType) if name.startswith("is_")),
    ]
)  # fmt: skip

# Nothing that writes, evaluates text, or takes the name of a method.
_MEMBERS: Mapping[type, frozenset[str]] = {
    BaseBackend: frozenset(
        [
            "compile", "create_table", "create_view", "disconnect", "drop_table", "drop_view", "execute", "get_schema",
            "insert", "list_databases", "list_tables", "name", "read_csv", "read_json", "read_parquet", "sql", "table",
            "to_pandas", "to_pyarrow", "truncate_table",
        ]
    ),
    pd.DataFrame: frozenset(["columns", "dtypes", "empty", "head", "index", "shape", "size", "tail"]),
    pd.Series: frozenset(["dtype", "empty", "head", "index", "name", "shape", "size", "tail"]),
    pa.Table: frozenset(["column_names", "nbytes", "num_columns", "num_rows", "schema", "shape"]),
    pa.RecordBatch: frozenset(["nbytes", "num_columns", "num_rows", "schema"]),
    pa.RecordBatchReader: frozenset(["read_all", "read_next_batch", "schema"]),
    pa.Schema: frozenset(["names", "types"]),
    str: frozenset(
        [
            "capitalize", "casefold", "count", "endswith", "find", "index", "isalnum", "isalpha", "isdigit", "islower",
            "isupper", "join", "lower", "lstrip", "removeprefix", "removesuffix", "replace", "rfind", "rsplit", "rstrip",
            "split", "startswith", "strip", "swapcase", "title", "upper",
        ]
    ),
    list: frozenset(["copy", "count", "index"]),
    tuple: frozenset(["count", "index"]),
    dict: frozenset(["copy", "get", "items", "keys", "values"]),
    datetime.datetime: frozenset(["date", "day", "hour", "isoformat", "minute", "month", "second", "year"]),
    datetime.date: frozenset(["day", "isoformat", "month", "year"]),
    datetime.timedelta: frozenset(["days", "seconds", "total_seconds"]),
    **dict.fromkeys(_TYPES, _NAMES_OF_TYPES),
}  # fmt: skip


@functools.cache
def public_methods() -> frozenset[str]:
    """The methods of expressions that stay within expressions."""
    kinds = [kind for kind in vars(ir).values() if isinstance(kind, type) and issubclass(kind, ir.Expr)]
    kinds += [*_PARTS, type(ibis._)]
    names = {name for kind in kinds for name in dir(kind) if not name.startswith("_")}
    return frozenset(names | _NAMES_OF_TYPES) - FORBIDDEN_METHODS


@functools.cache
def methods_of_types() -> frozenset[str]:
    """Methods of data types and schemas alone. No column is taken for one of them, since they lead to NumPy and pandas."""
    kinds = [kind for kind in vars(dt).values() if isinstance(kind, type) and issubclass(kind, dt.DataType)]
    kinds.append(ibis.Schema)
    return (
        frozenset(name for kind in kinds for name in dir(kind) if callable(getattr(kind, name, None)))
        - public_methods()
    )


def member(owner: Any, name: str, line: int) -> Any:
    """The attribute of an object that code reads in a line.

    Raises:
        ForbiddenCode: objects of this kind do not offer it.
        AttributeError: they have no such attribute at all.
    """
    kind = type(owner)
    if issubclass(kind, _EXPRESSIONS):
        return getattr(owner, name)
    if issubclass(kind, type(ibis._)):  # what comes of it is not seen here
        allowed = name not in FORBIDDEN_METHODS and name not in methods_of_types()
    elif issubclass(kind, _PARTS):
        allowed = name not in FORBIDDEN_METHODS
    else:
        allowed = name in _members(kind) or not (hasattr(kind, name) or hasattr(owner, name))
    if not allowed:
        why = unknown(f"attribute of a {kind.__name__}", name, _members(kind) - {name})
        raise ForbiddenCode(f"{why} (line {line} of the code)")
    return getattr(owner, name)


def _members(kind: type) -> frozenset[str]:
    return next((names for known, names in _MEMBERS.items() if issubclass(kind, known)), frozenset())
