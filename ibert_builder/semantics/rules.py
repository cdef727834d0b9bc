"""Facts about the rows of a sample database that always hold, as its YAML declares them: a closed list of rules.

Columns are named `table.column`. Each rule is known by its first key.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, FiniteFloat, Tag

from ibert_builder.yaml_source import Strict

ColumnName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?$")]
Span = tuple[FiniteFloat, FiniteFloat]


class Lifecycle(Strict):
    """The states of a status, and which follows which; other states do not occur."""

    lifecycle: ColumnName
    steps: list[Annotated[str, Field(pattern=r"^\S+ > \S+$")]] = Field(min_length=1)


class KnownWhen(Strict):
    """A column has a value in rows where another column has one of some values, and is NULL in all others."""

    known_when: ColumnName
    by: str = Field(description="a column of the same table: a status, flag or category")
    values: list[Any] = Field(alias="in", min_length=1)
    share: float = Field(1.0, gt=0, le=1, description="of those rows in which it is known; 1 for all")


class Order(Strict):
    """The second column is never before the first, and so long after it."""

    order: tuple[ColumnName, ColumnName]
    after: Span = Field(description="the least and the most units that it comes after")
    unit: Literal["minutes", "hours", "days"] = "days"


class NotBefore(Strict):
    """A moment of a child row is never before a moment of its parent row."""

    not_before: ColumnName
    parent: ColumnName
    by: str | None = Field(None, description="the reference to the parent, if there are several")


class Until(Strict):
    """Columns in which nothing is later than the model's `as_of`."""

    until: Literal["as_of"]
    columns: list[ColumnName] = Field(min_length=1)


class OpenRecent(Strict):
    """Most rows in an open state are recent."""

    open_recent: ColumnName
    states: list[Any] = Field(min_length=1)
    time: str = Field(description="the column of the same table that says when")
    days: int = Field(gt=0)
    share: float = Field(
        gt=0, le=1, description="of the rows in those states that lie within so many days before `as_of`"
    )


class Children(Strict):
    """Every row of a table has so many rows of another that refer to it."""

    children: str
    of: str
    at_least: int = Field(1, ge=1)
    by: str | None = Field(None, description="the reference, if there are several")


class Total(Strict):
    """A column is the sum of an expression over the rows that refer to its row."""

    total: ColumnName
    of: str = Field(description="the child table")
    sql: str = Field(
        description="an expression over the child's columns, {column}: {quantity} * {unit_price}"
    )
    times: str | None = Field(
        None, description="a factor: an expression over columns of the row itself, {column}"
    )
    round_to: int | None = Field(None, alias="round")


class Computed(Strict):
    """A column is an expression over others of its row; where it is NULL it stays so."""

    computed: ColumnName
    sql: str = Field(description="an expression over columns of the table, {column}")


class Lookup(Strict):
    """The value of a column depends on another column of the row: the one value, or one of a list."""

    lookup: ColumnName
    by: str
    map: dict[Any, Any] = Field(
        min_length=1, description="a value of the other column to what this one may be"
    )


class Near(Strict):
    """A number of a child row lies near one of its parent row."""

    near: ColumnName
    parent: ColumnName
    factor: Span
    round_to: int = Field(2, alias="round")
    by: str | None = Field(None, description="the reference to the parent, if there are several")


class Requires(Strict):
    """A value occurs only in rows where a condition holds, on the row itself or on a parent of it."""

    requires: ColumnName
    value: Any
    then: ColumnName = Field(description="a column of the same table or of a parent")
    values: list[Any] = Field(alias="in", min_length=1, description="what that column then is")


class NullsWith(Strict):
    """Columns of a table that are NULL in the same rows."""

    nulls_with: list[ColumnName] = Field(min_length=2)


class TextFrom(Strict):
    """A part of a text is the first word of another column of the row, in lower case: ada.17@example.org of Ada Ito."""

    text_from: ColumnName
    column: str
    part: str = Field(description="a part of the column's text patterns")


class Set(Strict):
    """An array without duplicates."""

    set: ColumnName


class Unique(Strict):
    """Columns whose values together occur once."""

    unique: list[ColumnName] = Field(min_length=2)


class Holds(Strict):
    """Any other condition on single rows; the rows that break it are made anew, so it must hold for many as they are."""

    holds: str = Field(description="an SQL condition over the columns of a table")
    table: str


def _first_key(data: Any) -> str | None:
    """Which rule it is."""
    return str(next(iter(data if isinstance(data, dict) else type(data).model_fields), None))


Rule = Annotated[
    Annotated[Lifecycle, Tag("lifecycle")]
    | Annotated[KnownWhen, Tag("known_when")]
    | Annotated[Order, Tag("order")]
    | Annotated[NotBefore, Tag("not_before")]
    | Annotated[Until, Tag("until")]
    | Annotated[OpenRecent, Tag("open_recent")]
    | Annotated[Children, Tag("children")]
    | Annotated[Total, Tag("total")]
    | Annotated[Computed, Tag("computed")]
    | Annotated[Lookup, Tag("lookup")]
    | Annotated[Near, Tag("near")]
    | Annotated[Requires, Tag("requires")]
    | Annotated[NullsWith, Tag("nulls_with")]
    | Annotated[TextFrom, Tag("text_from")]
    | Annotated[Set, Tag("set")]
    | Annotated[Unique, Tag("unique")]
    | Annotated[Holds, Tag("holds")],
    Discriminator(
        _first_key,
        custom_error_type="unknown_rule",
        custom_error_message="is not a rule; the first key says which: lifecycle, known_when, order, not_before, until, open_recent, children, total, computed, lookup, near, requires, nulls_with, text_from, set, unique, holds",
    ),
]
