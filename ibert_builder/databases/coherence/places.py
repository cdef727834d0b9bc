"""What the names in a rule stand for: a column of a table, or a field of a nested one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import ibis.expr.datatypes as dt

from ibert_builder.databases.makers import typed
from ibert_builder.databases.spec import ColumnSpec, DatabaseSpec, Make
from ibert_builder.errors import unknown

FRAME = re.compile(r"\{(\w+)(?:\.(\w+))?\}")  # {column} or {column.field}


@dataclass(frozen=True)
class Place:
    """A column, or one field of a struct or JSON column.

    Attributes:
        dtype: None of a JSON field, which has no type of its own.
    """

    table: str
    column: str
    field: str | None
    spec: ColumnSpec
    make: Make
    dtype: dt.DataType | None

    def __str__(self) -> str:
        return f"{self.table}.{self.column}" + (f".{self.field}" if self.field else "")

    @property
    def is_date(self) -> bool:
        return self.dtype is not None and self.dtype.is_date()

    @property
    def is_moment(self) -> bool:
        return self.dtype is not None and (
            self.dtype.is_date() or self.dtype.is_timestamp() or self.dtype.is_time()
        )

    @property
    def is_time(self) -> bool:
        return self.dtype is not None and self.dtype.is_time()

    @property
    def is_number(self) -> bool:
        if self.dtype is None:
            return self.make.kind in ("integer", "number")
        return self.dtype.is_numeric() and not self.dtype.is_boolean()

    def typed(self, value: Any) -> Any:
        """A value of the YAML file as the rows have it."""
        return value if value is None or self.dtype is None else typed(value, self.dtype)


def place(spec: DatabaseSpec, name: str, table: str | None = None) -> Place:
    """The place that `table.column` or `table.column.field` names, or `column` or `column.field` of a given table.

    Raises:
        ValueError: there is none.
    """
    parts = name.split(".") if table is None else [table, *name.split(".")]
    owner, column = parts[0], parts[1] if len(parts) > 1 else ""
    field = parts[2] if len(parts) > 2 else None
    if owner not in spec.tables:
        raise ValueError(unknown("table", owner, spec.tables))
    columns = spec.tables[owner].columns
    if column not in columns:
        raise ValueError(unknown("column", column, columns))
    made = columns[column]
    dtype = dt.dtype(made.type)
    if field is None:
        return Place(owner, column, None, made, made.make, dtype)
    fields = made.make.struct or made.make.json_object
    if fields is None:
        raise ValueError(f"{owner}.{column} has no fields")
    if field not in fields:
        raise ValueError(unknown("field", field, fields))
    inner = dict(zip(dtype.names, dtype.types, strict=True))[field] if isinstance(dtype, dt.Struct) else None
    return Place(owner, column, field, made, fields[field], inner)


def reference(spec: DatabaseSpec, child: str, parent: str, by: str | None = None) -> str:
    """The column of a table that refers to another table: the one, or `by` of several.

    Raises:
        ValueError: there is none, or there are several and `by` is None.
    """
    for table in (child, parent):
        if table not in spec.tables:
            raise ValueError(unknown("table", table, spec.tables))
    found = [name for name, column in spec.tables[child].columns.items() if column.make.ref == parent]
    if by is not None:
        if by not in found:
            raise ValueError(unknown(f"reference of {child} to {parent}", by, found))
        return by
    if len(found) != 1:
        number = "several" if found else "no"
        raise ValueError(f"{child} has {number} references to {parent}" + (": add `by`" if found else ""))
    return found[0]


def filled(spec: DatabaseSpec, frame: str, table: str, alias: str, within: tuple[str, ...] = ()) -> str:
    """An SQL frame over columns and dimensions of a table, {name}, with each as an expression over `alias`.

    `within` are the dimensions that the frame is part of.

    Raises:
        ValueError: a name is neither, or a dimension depends on itself.
    """
    columns = spec.tables[table].columns
    model = spec.semantic_model
    dimensions = model.dimensions.get(table, {}) if model else {}

    def expression(match: re.Match[str]) -> str:
        name, field = match.groups()
        if name in within:
            raise ValueError(f"the dimension '{name}' depends on itself")
        if name in columns:
            return f'{alias}."{name}"' + (f".{field}" if field else "")
        if name in dimensions:
            return f"({filled(spec, dimensions[name].sql, table, alias, (*within, name))})"
        raise ValueError(unknown("column or dimension", name, (*columns, *dimensions)))

    return FRAME.sub(expression, frame)
