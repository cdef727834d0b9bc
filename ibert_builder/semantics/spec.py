"""The semantic model of a sample database, as its YAML declares it under `semantic_model`."""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from ibert_builder.semantics.kinds import Kind
from ibert_builder.semantics.nouns import noun, verbs
from ibert_builder.semantics.rules import Rule
from ibert_builder.yaml_source import Strict


def _is_noun(text: str) -> str:
    noun(text)
    return text


def _is_verb_phrase(text: str | list[str]) -> str | list[str]:
    verbs(text)
    return text


NounText = Annotated[str, AfterValidator(_is_noun)]
VerbText = Annotated[str | list[str], AfterValidator(_is_verb_phrase)]
# Frames over columns and dimensions of one table, as in phrases: {amount}.
SqlText = Annotated[str, Field(min_length=1)]
IbisText = Annotated[str, Field(min_length=1)]


class EntitySpec(Strict):
    """What a row of a table is."""

    table: str
    noun: NounText | None = Field(None, description="if not the entity's name")
    person: bool = Field(False, description="`who` rather than `that`")
    display: list[str] = Field(
        min_length=1, max_length=5, description="the columns that show a row to a person, its key first"
    )
    time: str | None = Field(None, description="the column that says when it happened or began")


class FieldSpec(Strict):
    """What a field of a nested column is."""

    kind: Kind
    noun: NounText | None = None
    unit: str | None = None
    values: dict[Any, str] | None = None


class ColumnMeaning(Strict):
    """What a column says about a row."""

    kind: Kind
    noun: NounText | None = Field(None, description="if not the column's name: `some stock`, `list price`")
    unit: NounText | None = Field(
        None, description="of a number, singular: `kg`, `day`, `point`; money has the model's currency"
    )
    within: str | None = Field(
        None, description="a column that each of its values has one value of: a city's country"
    )
    missing: Literal["unknown", "none", "not_yet", "not_applicable"] | None = Field(
        None, description="what NULL means"
    )
    values: dict[Any, str] | None = Field(
        None, description="how values are said, if not as they are; of an ordinal, all of them in their order"
    )
    clause: VerbText | None = Field(
        None, description="says that a row has the value {v}, or that it happened {when}: `lives|live in {v}`"
    )
    holds: VerbText | None = Field(None, description="of a flag that is true: `is|are active`")
    fails: VerbText | None = Field(None, description="of a flag that is false")
    known: VerbText | None = Field(None, description="says that it is not NULL: `has|have an email address`")
    unknown: VerbText | None = Field(
        None, description="says that it is NULL: `has|have not been shipped yet`"
    )
    fields: dict[str, FieldSpec] | None = Field(None, description="of a nested column")

    @model_validator(mode="after")
    def _fits_kind(self) -> ColumnMeaning:
        if (self.holds is not None) != (self.kind == "flag") or (self.fails is None) != (self.holds is None):
            raise ValueError("a flag, and nothing else, has both `holds` and `fails`")
        if self.clause is not None and not any(
            "{v}" in form or "{when}" in form for form in _forms(self.clause)
        ):
            raise ValueError("a clause has {v} or {when}")
        return self


def _forms(text: str | list[str]) -> list[str]:
    return [text] if isinstance(text, str) else text


class ReferenceSpec(Strict):
    """What a foreign key says, read from both ends."""

    to: str = Field(description="an entity")
    up: str = Field(description="of a row of the child: `placed by {parent}`")
    down: VerbText = Field(description="of a row of the parent: `has|have placed {child}`")
    never: VerbText | None = Field(
        None, description="of a parent without any: `has|have never placed {child}`; without it each has some"
    )
    missing: str | None = Field(None, description="what a row without a parent is: guest order")
    dangling: str | None = Field(
        None, description="why a key may point to no row; without it each points to one"
    )

    @model_validator(mode="after")
    def _has_nouns(self) -> ReferenceSpec:
        for key, text, wanted in (
            ("up", self.up, "{parent}"),
            ("down", self.down, "{child}"),
            ("never", self.never, "{child}"),
        ):
            if text is not None and not all(wanted in form for form in _forms(text)):
                raise ValueError(f"`{key}` has {wanted}")
        return self


class DimensionSpec(Strict):
    """A computed column of a table."""

    kind: Kind
    type: str = Field(description="its Ibis type")
    sql: SqlText
    ibis: IbisText
    noun: NounText | None = Field(None, description="if not the dimension's name")
    unit: NounText | None = None
    values: dict[Any, str] | None = None


class SegmentSpec(Strict):
    """A named condition on the rows of a table."""

    sql: SqlText
    ibis: IbisText
    clause: VerbText = Field(description="says that it holds: `took more than 5 days to ship`")
    fails: VerbText | None = Field(None, description="says that it is known not to hold")


class MeasureSpec(Strict):
    """A named aggregate over the rows of a table."""

    table: str
    agg: Literal["sum", "average", "median", "min", "max", "count", "count_distinct", "share"]
    expr: str | None = Field(
        None, description="a column or dimension; `share` has a segment instead, `count` nothing"
    )
    where: str | None = Field(None, description="a segment of the table that it is restricted to")
    noun: NounText = Field(
        description="what it is: `order`, `some revenue`, `shipping delay`; a count's is counted"
    )
    fill: Literal[0] | None = Field(None, description="what it is where there are no rows")

    @model_validator(mode="after")
    def _has_expression(self) -> MeasureSpec:
        if (self.expr is None) != (self.agg in ("count", "share")):
            raise ValueError("`count` and `share` have no `expr`, all others do")
        if self.agg == "share" and self.where is None:
            raise ValueError("`share` is that of a segment in `where`")
        return self


class MetricSpec(Strict):
    """A named ratio of two measures of one table."""

    numerator: str
    denominator: str
    noun: NounText | None = Field(None, description="if not the metric's name")
    percent: bool = False


class SequenceSpec(Strict):
    """Rows that follow one another, so that previous rows, running totals and moving averages mean something."""

    table: str
    by: str | None = Field(
        None, description="the column that says which sequence a row belongs to; without it there is one"
    )
    order: list[str] = Field(min_length=1, description="the columns of a total order; the last one is a key")
    noun: NounText = Field(description="of one row: `reading`")
    of: str | None = Field(None, description="whose: `sensor`")


class SemanticModel(Strict):
    """What a database is about.

    `columns` and `dimensions` and `segments` are by table, `references` by `table.column`.
    """

    as_of: datetime.date = Field(
        description="today, for its rows: nothing in them is later unless it is planned"
    )
    currency: str | None = Field(None, description="of all amounts and prices")
    entities: dict[str, EntitySpec] = Field(min_length=2)
    columns: dict[str, dict[str, ColumnMeaning]]
    references: dict[str, ReferenceSpec] = {}
    dimensions: dict[str, dict[str, DimensionSpec]] = {}
    segments: dict[str, dict[str, SegmentSpec]] = {}
    measures: dict[str, MeasureSpec] = {}
    metrics: dict[str, MetricSpec] = {}
    sequences: dict[str, SequenceSpec] = {}
    coherence: list[Rule] = []
