"""The little language in which phrases and templates declare their slots.

| declaration | what fills the slot |
|---|---|
| `string` | an expression of that class: a column or a phrase |
| `numeric summable` | one of that class whose values are what a kind or trait says (`semantics.kinds`) |
| `column numeric`, `column category`, `column integer ordinal` | a column of that class, of that kind or trait, or of both |
| `column nullable`, `column numeric signed` | a column with NULLs, with negative numbers |
| `column temporal timeline` | the column that says when a row happened, which puts rows in order |
| `column numeric in minute` | a column of that class and unit |
| `column numeric like x` | another column of the class, kind and unit of the column in slot `x` |
| `column date after x` | another moment of the class, which follows the one in slot `x` |
| `2-4 columns`, `1-3 columns numeric` | that many different columns, in the order of the table |
| `aggregate numeric`, `window any` | an expression made by an aggregate or window phrase, or a measure of the table |
| `value of x` | a value that expression `x` really takes; also `low`, `middle` and `high` (by rank) and `values` (two or three of them) |
| `prefix of x`, `suffix of x`, `part of x` | a piece of one of its strings |
| `element of x`, `field of x`, `key of x` | an element of its arrays, a field of its structs, a key of its maps or JSON objects |
| `text key of x`, `number key of x`, `flag key of x` | a key of its JSON objects whose values are such |
| a list | one of its items: plain values, or texts as `{ibis: ..., sql: ..., en: ...}` |

In templates with several tables, declarations of columns and expressions end in `of TABLE`. The long form is a mapping: `{is: numeric of t, only: [PHRASE, ...], avoid: [PHRASE, ...], depth: 2}`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import Field, model_validator

from ibert_builder.databases.type_classes import CLASSES, is_class
from ibert_builder.errors import unknown
from ibert_builder.semantics.kinds import KINDS, TRAITS, is_meaning
from ibert_builder.yaml_source import Strict

NULLABLE = "nullable"
SIGNED = "signed"
TIMELINE = "timeline"
OF_VALUES = (NULLABLE, SIGNED, TIMELINE)  # what is asked of a column beside kinds and traits
LITERALS = ("value", "low", "middle", "high", "values", "prefix", "suffix", "part", "element", "field", "key", "text key", "number key",
            "flag key")  # fmt: skip

_LITERAL = re.compile(rf"({'|'.join(LITERALS)}) of (\w+)")
_COLUMNS = re.compile(r"(\d)-(\d) columns(?: ([\w<>]+(?: [\w]+)?))?(?: of (\w+))?")
_KINDS: dict[str | None, Literal["column", "scalar", "aggregate", "window"]] = {
    None: "scalar",
    "column": "column",
    "aggregate": "aggregate",
    "window": "window",
}
_EXPRESSION = re.compile(
    r"(?:(column|aggregate|window) )?([\w<>]+(?: (?!of |like |after |in )\w+)?)(?: in (\w+))?(?: (like|after) (\w+))?(?: of (\w+))?"
)


class SlotSpec(Strict):
    """The long form of a slot."""

    declaration: str = Field(alias="is")
    only: list[str] = Field([], description="the phrases (or phrase groups) that may be drawn at the top")
    avoid: list[str] = Field([], description="phrases (or groups) that may not be drawn at the top")
    depth: int | None = Field(None, ge=1, le=3, description="how deep phrases may nest; drawn by default")

    @model_validator(mode="after")
    def _parses(self) -> SlotSpec:
        parse_slot(self.declaration)
        return self


class NoFit(Exception):
    """Nothing in the database fits a slot, this time."""


SlotDeclaration = str | list[Any] | SlotSpec


@dataclass(frozen=True)
class Slot:
    """A parsed declaration.

    Attributes:
        kind: what fills the slot.
        wanted: its class; for a literal, how it is drawn.
        meaning: its kind or trait, or one of `OF_VALUES`; None for whatever people put in such a place.
        like: the slot with a column of the same kind and unit.
        of: the table or slot it is drawn from.
        count: the fewest and the most columns.
        unit: of its numbers.
        after: the slot with the moment that it follows.
        options: of a choice.
        only, avoid: names of phrases and of groups of phrases.
        depth: how deep phrases may nest; None to draw it.
    """

    kind: Literal["column", "columns", "scalar", "aggregate", "window", "literal", "choice"]
    wanted: str = "any"
    meaning: str | None = None
    like: str | None = None
    of: str | None = None
    count: tuple[int, int] = (1, 1)
    options: tuple[Any, ...] = ()
    unit: str | None = None
    after: str | None = None
    only: frozenset[str] = frozenset()
    avoid: frozenset[str] = frozenset()
    depth: int | None = None


def parse_slot(declaration: SlotDeclaration) -> Slot:
    """Parse a declaration.

    Raises:
        ValueError: it is not a valid declaration; the message says what was expected.
    """
    if isinstance(declaration, SlotSpec):
        return replace(
            parse_slot(declaration.declaration),
            only=frozenset(declaration.only),
            avoid=frozenset(declaration.avoid),
            depth=declaration.depth,
        )
    if isinstance(declaration, list):
        if not declaration:
            raise ValueError("a list of options is empty")
        return Slot("choice", options=tuple(declaration))
    if match := _LITERAL.fullmatch(declaration):
        return Slot("literal", match[1], of=match[2])
    if match := _COLUMNS.fullmatch(declaration):
        low, high = int(match[1]), int(match[2])
        if not 1 <= low <= high:
            raise ValueError(f"'{declaration}' does not ask for one or more columns")
        wanted, meaning = _class_and_meaning(match[3] or "any")
        return Slot("columns", wanted, meaning, of=match[4], count=(low, high))
    if match := _EXPRESSION.fullmatch(declaration):
        kind, words, unit, how, other, of = match.groups()
        wanted, meaning = _class_and_meaning(words)
        if kind in ("aggregate", "window") and (meaning or other):
            raise ValueError(f"'{declaration}': the result of an {kind} phrase has a class, and no kind")
        like, after = (other if how == key else None for key in ("like", "after"))
        return Slot(_KINDS[kind], wanted, meaning, like, of, unit=unit, after=after)
    raise ValueError(
        f"'{declaration}' is not a valid slot (expected one such as `numeric`, `column string`, `2-4 columns`, `value of x`)"
    )


def _class_and_meaning(words: str) -> tuple[str, str | None]:
    """`numeric summable` apart; either may be missing."""
    wanted, meaning = "any", None
    for index, word in enumerate(words.split()):
        if is_class(word) and index == 0:
            wanted = word
        elif is_meaning(word) or word in OF_VALUES:
            if meaning is not None:
                raise ValueError(f"'{words}' names two kinds, expected a class and a kind")
            meaning = word
        else:
            raise ValueError(unknown("class or kind", word, {*CLASSES, *KINDS, *TRAITS, *OF_VALUES}))
    return wanted, meaning
