"""A loaded sample database: tables, columns, references and rows."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any, Literal

import ibis
import ibis.expr.datatypes as dt

from ibert_builder.databases.spec import Make

SPLITS = ("train", "validation", "test")
Role = Literal["key", "reference", "category", "flag", "plain"]


def split_by_number(number: int) -> str:
    """Of every ten, the second goes to validation, the third to test and the rest to train."""
    return {1: SPLITS[1], 2: SPLITS[2]}.get(number % 10, SPLITS[0])


@dataclass(frozen=True)
class Column:
    """A column of a sample table; `role` keeps identifiers out of sums, and free text out of GROUP BY."""

    table: str
    name: str
    dtype: dt.DataType = field(compare=False)
    type_class: str
    role: Role
    label: str
    nullable: bool
    make: Make = field(compare=False)


@dataclass(frozen=True)
class Reference:
    """A foreign key: `child.column` holds keys of `parent`."""

    child: str
    column: str
    parent: str
    key: str


@dataclass(frozen=True)
class Table:
    name: str
    row: str
    plural: str
    key: str
    columns: dict[str, Column]
    rows: list[tuple[Any, ...]] = field(repr=False)

    @functools.cached_property
    def schema(self) -> ibis.Schema:
        return ibis.schema({name: column.dtype for name, column in self.columns.items()})

    @functools.cached_property
    def values(self) -> dict[str, list[Any]]:
        """Per column, its values in row order, NULLs included."""
        return {name: [row[i] for row in self.rows] for i, name in enumerate(self.columns)}


@dataclass(frozen=True)
class Database:
    name: str
    domain: str
    split: str
    tables: dict[str, Table]
    references: tuple[Reference, ...]

    def __hash__(self) -> int:
        return hash(self.name)
