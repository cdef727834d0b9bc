"""Sample databases as `templates/_databases/*.yaml` declares them.

A database has a domain, the one split it belongs to, and related tables. `rows.make_rows` makes their rows from the
`make` of each column, seeded by names alone, so they are the same everywhere.
"""

from __future__ import annotations

import string
from typing import Annotated, Any, Literal

import ibis.expr.datatypes as dt
from pydantic import Field, FiniteFloat, model_validator

from ibert_builder.errors import unknown
from ibert_builder.semantics.spec import SemanticModel
from ibert_builder.yaml_source import Strict

Range = tuple[FiniteFloat, FiniteFloat]
Few = Annotated[int, Field(ge=0, le=100)]
Weight = Annotated[FiniteFloat, Field(gt=0)]
Places = Annotated[int, Field(ge=-9, le=9)]
Short = Annotated[str, Field(max_length=1_000)]


class TextMake(Strict):
    """Strings from patterns: `#` is a digit, `?` a capital letter, `{part}` one of the words of that part."""

    patterns: list[Short] = Field(min_length=1)
    parts: dict[str, Annotated[list[Short], Field(min_length=1)]] = {}

    @model_validator(mode="after")
    def _only_parts(self) -> TextMake:
        for pattern in self.patterns:
            for _, part, spec, conversion in string.Formatter().parse(pattern):
                if part is not None and (part not in self.parts or spec or conversion):
                    has_format = f"'{pattern}': a part has no format"
                    raise ValueError(has_format if spec else unknown("part", part, self.parts))
        return self


class AfterMake(Strict):
    """A date or timestamp some days after another column of the same row; NULL where that column is NULL."""

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
        None,
        description="a key of that table; a few references point to no row, and to a few rows none points",
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
    ties: float = Field(
        0.3, ge=0, le=0.9, description="share of numbers and moments that repeat an earlier one of the column"
    )

    @model_validator(mode="after")
    def _known_type(self) -> ColumnSpec:
        try:
            dt.dtype(self.type)
        except Exception as error:
            raise ValueError(f"'{self.type}' is not an Ibis type") from error
        return self


class TableSpec(Strict):
    rows: int = Field(ge=40, le=200)
    key: str = Field(description="the column that identifies a row")
    columns: dict[str, ColumnSpec] = Field(min_length=2)


class DatabaseSpec(Strict):
    """A file in `templates/_databases`."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    domain: str
    split: Literal["train", "validation", "test"]
    tables: dict[str, TableSpec] = Field(min_length=2, max_length=5)
    semantic_model: SemanticModel | None = None
