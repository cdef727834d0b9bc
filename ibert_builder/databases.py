"""Sample databases: what `templates/_databases/*.yaml` says, checked and filled with rows.

A database has a domain, a split it belongs to (every database belongs to exactly one) and related tables. Rows are
made by `rows.make_rows` from the `make` of each column, seeded by names alone, so they are the same everywhere.
"""

from __future__ import annotations

import functools
import re
import string
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import duckdb
import ibis
import ibis.expr.datatypes as dt
import pyarrow as pa
from pydantic import Field, FiniteFloat, model_validator

from ibert_builder.errors import InputError, unknown
from ibert_builder.types import type_class
from ibert_builder.yaml_source import Source, Strict, read_folder

SPLITS = ("train", "validation", "test")
Range = tuple[FiniteFloat, FiniteFloat]
Few = Annotated[int, Field(ge=0, le=100)]
Weight = Annotated[FiniteFloat, Field(gt=0)]
Places = Annotated[int, Field(ge=-9, le=9)]


class TextMake(Strict):
    """Strings from patterns: `#` is a digit, `?` a capital letter, `{part}` one of the words of that part."""

    patterns: list[str] = Field(min_length=1)
    parts: dict[str, Annotated[list[str], Field(min_length=1)]] = {}

    @model_validator(mode="after")
    def _only_parts(self) -> TextMake:
        for pattern in self.patterns:
            for _, part, spec, conversion in string.Formatter().parse(pattern):
                if part is not None and (part not in self.parts or spec or conversion):
                    raise ValueError(
                        unknown("part", part, self.parts)
                        if not spec
                        else f"'{pattern}': a part has no format"
                    )
        return self


class AfterMake(Strict):
    """A date or timestamp some time after another column of the same row (NULL where that one is NULL)."""

    column: str
    days: Range


class ArrayMake(Strict):
    of: Make
    length: tuple[Few, Few] = (0, 4)


class MapMake(Strict):
    keys: list[str] = Field(min_length=1)
    values: Make


class Make(Strict):
    """How the values of a column are made: exactly one of the keys below."""

    serial: int | None = Field(None, description="1, 2, 3, ... from this number on, in shuffled row order")
    ref: str | None = Field(
        None, description="a key of that table; a few rows point to no row, a few rows are never pointed to"
    )
    choice: (
        Annotated[list[Any], Field(min_length=1)] | Annotated[dict[Any, Weight], Field(min_length=1)] | None
    ) = Field(None, description="one of these values, or value: weight")
    integer: tuple[int, int] | None = Field(None, description="[lowest, highest]")
    number: tuple[FiniteFloat, FiniteFloat, Places] | None = Field(
        None, description="[lowest, highest, decimal places]"
    )
    date: tuple[str, str] | None = Field(None, description="[first, last], ISO dates")
    timestamp: tuple[str, str] | None = Field(None, description="[first, last], ISO dates; times are drawn")
    time: tuple[int, int] | None = Field(None, description="[first, last] hour of the day")
    minutes: tuple[int, int] | None = Field(None, description="an interval of [least, most] minutes")
    text: TextMake | None = None
    after: AfterMake | None = None
    array: ArrayMake | None = None
    struct: dict[str, Make] | None = None
    map: MapMake | None = None
    json_object: dict[str, Make] | None = Field(None, alias="json")
    uuid: Literal[True] | None = None
    bytes: Few | None = Field(None, description="that many bytes")

    @model_validator(mode="after")
    def _exactly_one(self) -> Make:
        if len(self.model_fields_set) != 1:
            raise ValueError(
                f"expected exactly one way of making values, found {sorted(self.model_fields_set) or 'none'}"
            )
        return self

    @property
    def kind(self) -> str:
        return next(iter(self.model_fields_set))

    @property
    def options(self) -> Any:
        return getattr(self, self.kind)


class ColumnSpec(Strict):
    type: str = Field(description="an Ibis type, such as int64, decimal(10, 2) or array<string>")
    make: Make
    nulls: float = Field(0.0, ge=0, le=0.6, description="share of NULLs")
    empty: float = Field(0.0, ge=0, le=0.3, description="share of empty strings")
    unique: bool = False
    label: str | None = Field(None, description="what people call it, if not the name with spaces")
    unit: str | None = None

    @model_validator(mode="after")
    def _known_type(self) -> ColumnSpec:
        try:
            dt.dtype(self.type)
        except Exception as error:
            raise ValueError(f"'{self.type}' is no Ibis type") from error
        return self


class TableSpec(Strict):
    row: str = Field(description="what one row is, singular: order, support ticket")
    plural: str | None = Field(None, description="what several rows are, if not `row` with an s")
    rows: int = Field(ge=40, le=200)
    key: str = Field(description="the column that identifies a row")
    columns: dict[str, ColumnSpec] = Field(min_length=2)


class DatabaseSpec(Strict):
    """A file in `templates/_databases`."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    domain: str
    split: Literal["train", "validation", "test"]
    tables: dict[str, TableSpec] = Field(min_length=2, max_length=5)


Role = Literal["key", "reference", "category", "flag", "plain"]


@dataclass(frozen=True)
class Column:
    """A column of a sample table. `role` keeps identifiers out of sums and free text out of GROUP BY."""

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


def _role(name: str, spec: ColumnSpec, table: TableSpec) -> Role:
    if name == table.key:
        return "key"
    if spec.make.ref:
        return "reference"
    kind = type_class(dt.dtype(spec.type))
    if kind == "boolean":
        return "flag"
    few = spec.make.choice is not None and len(spec.make.choice) <= 12
    return "category" if few and kind in ("string", "integer") else "plain"


def _build(source: Source) -> Database:
    from ibert_builder.rows import make_rows

    spec = source.parse(DatabaseSpec)
    references = []
    for table_name, table in spec.tables.items():
        at = ("tables", table_name)
        if table.key not in table.columns:
            raise source.error(unknown("column", table.key, table.columns), (*at, "key"))
        for name, column in table.columns.items():
            here = (*at, "columns", name)
            if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
                raise source.error(f"expected a lower_case column name, found '{name}'", here)
            parent, after = column.make.ref, column.make.after
            if parent is not None:
                if parent not in spec.tables:
                    raise source.error(unknown("table", parent, spec.tables), (*here, "make", "ref"))
                references.append(Reference(table_name, name, parent, spec.tables[parent].key))
            if after is not None and after.column not in table.columns:
                raise source.error(
                    unknown("column", after.column, table.columns), (*here, "make", "after", "column")
                )
    try:
        rows = make_rows(spec)
    except (
        ValueError,
        TypeError,
        ArithmeticError,
        LookupError,
        AttributeError,
    ) as error:  # a make of another type
        raise source.error(f"the rows cannot be made: {error}", ("tables",)) from error
    tables = {
        table_name: Table(
            name=table_name,
            row=table.row,
            plural=table.plural or f"{table.row}s",
            key=table.key,
            columns={
                name: Column(
                    table=table_name,
                    name=name,
                    dtype=dt.dtype(column.type),
                    type_class=type_class(dt.dtype(column.type)),
                    role=_role(name, column, table),
                    label=column.label or name.replace("_", " "),
                    nullable=column.nulls > 0 or column.make.kind == "after",
                    make=column.make,
                )
                for name, column in table.columns.items()
            },
            rows=rows[table_name],
        )
        for table_name, table in spec.tables.items()
    }
    return Database(spec.name, spec.domain, spec.split, tables, tuple(references))


def _prove(source: Source, database: Database, connection: duckdb.DuckDBPyConnection) -> None:
    """Make the tables, so that a name or value that cannot be is found where it stands."""
    from ibert_builder.engine import write_tables

    try:
        write_tables(connection, database)
    except (duckdb.Error, pa.ArrowException, ValueError, TypeError, ArithmeticError, AttributeError) as error:
        raise source.error(f"the tables cannot be made: {error}", ("tables",)) from error


def load_databases(folder: Path) -> dict[str, Database]:
    """Read every database of a folder, by name.

    Table names are unique over all databases, so that no code can be taken for that of another database, and no
    input text can occur in two splits.

    Raises:
        InputError: a file is not as it should be, or a name is used twice.
    """
    databases: dict[str, Database] = {}
    owner: dict[str, str] = {}
    connection = duckdb.connect(config={"threads": 1})
    for source in read_folder(folder):
        database = _build(source)
        if database.name in databases:
            raise source.error(f"there is another database named '{database.name}'", ("name",))
        for table in database.tables:
            if table in owner:
                raise source.error(
                    f"database '{owner[table]}' has a table of this name too", ("tables", table)
                )
            owner[table] = database.name
        _prove(source, database, connection)
        databases[database.name] = database
    if not databases:
        raise InputError("no databases here (expected *.yaml files)", file=folder)
    return databases
