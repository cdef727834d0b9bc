"""A loaded sample database: tables, columns, references and rows."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

import ibis
import ibis.expr.datatypes as dt

from ibert_builder.databases.spec import Make
from ibert_builder.semantics.nouns import Noun
from ibert_builder.semantics.spec import (
    ColumnMeaning,
    DimensionSpec,
    EntitySpec,
    MeasureSpec,
    MetricSpec,
    SegmentSpec,
)

SPLITS = ("train", "validation", "test")


def split_by_number(number: int) -> str:
    """Of every ten, the second goes to validation, the third to test and the rest to train."""
    return {1: SPLITS[1], 2: SPLITS[2]}.get(number % 10, SPLITS[0])


@dataclass(frozen=True)
class Column:
    """A column of a sample table.

    Attributes:
        meaning: what it says about a row; its kind keeps identifiers out of sums, and free text out of GROUP BY.
        noun: what it is called.
        unit: of its numbers.
    """

    table: str
    name: str
    dtype: dt.DataType = field(compare=False)
    type_class: str
    meaning: ColumnMeaning = field(compare=False)
    noun: Noun
    unit: Noun | None
    nullable: bool
    make: Make = field(compare=False)

    @property
    def kind(self) -> str:
        return self.meaning.kind


@dataclass(frozen=True)
class Reference:
    """A foreign key: `child.column` holds keys of `parent`."""

    child: str
    column: str
    parent: str
    key: str


@dataclass(frozen=True)
class Table:
    """A sample table: its columns and rows, and what is said of them.

    Attributes:
        entity: what a row is.
        noun: what a row is called.
        dimensions, segments, measures, metrics: computed columns, conditions and aggregates that have names.
    """

    name: str
    key: str
    columns: dict[str, Column]
    rows: list[tuple[Any, ...]] = field(repr=False)
    entity: EntitySpec
    noun: Noun
    dimensions: dict[str, DimensionSpec] = field(default_factory=dict)
    segments: dict[str, SegmentSpec] = field(default_factory=dict)
    measures: dict[str, MeasureSpec] = field(default_factory=dict)
    metrics: dict[str, MetricSpec] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash(self.name)

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
