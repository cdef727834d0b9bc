"""The little language in which phrases and templates declare their slots.

| declaration | what fills the slot |
|---|---|
| `string` | an expression of that class: a column or a phrase |
| `column numeric` | a column of that class |
| `column category` | a column of that role: `category` (a few different strings or integers), `flag`, `key`, `reference` or `plain`; or any `nullable` column |
| `2-4 columns` | that many different columns, in the order of the table |
| `aggregate numeric`, `window any` | an expression made by an aggregate or window phrase |
| `value of x` | a value that expression `x` really takes; also `low`, `middle` and `high` (by rank) and `values` (two or three of them) |
| `prefix of x`, `suffix of x`, `part of x` | a piece of one of its strings |
| `element of x`, `field of x`, `key of x` | an element of its arrays, a field of its structs, a key of its maps or JSON objects |
| a list | one of its items: plain values, or texts as `{ibis: ..., sql: ..., en: ...}` |

In templates with several tables, declarations of columns and expressions end in `of TABLE`. The long form is a mapping: `{is: numeric of t, only: [PHRASE, ...], avoid: [PHRASE, ...], depth: 2}`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field, model_validator

from ibert_builder.databases.type_classes import CLASSES, is_class
from ibert_builder.errors import unknown
from ibert_builder.yaml_source import Strict

ROLES = ("category", "flag", "key", "reference", "plain", "nullable")
LITERALS = ("value", "low", "middle", "high", "values", "prefix", "suffix", "part", "element", "field", "key")

_LITERAL = re.compile(rf"({'|'.join(LITERALS)}) of (\w+)")
_COLUMNS = re.compile(r"(\d)-(\d) columns(?: ([\w<>]+))?(?: of (\w+))?")
_KINDS: dict[str | None, Literal["column", "scalar", "aggregate", "window"]] = {
    None: "scalar",
    "column": "column",
    "aggregate": "aggregate",
    "window": "window",
}
_EXPRESSION = re.compile(r"(?:(column|aggregate|window) )?([\w<>]+)(?: of (\w+))?")


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
        wanted: its class or role; for a literal, how it is drawn.
        of: the table or slot it is drawn from.
        count: the fewest and the most columns.
        options: of a choice.
        only, avoid: names of phrases and of groups of phrases.
        depth: how deep phrases may nest; None to draw it.
    """

    kind: Literal["column", "columns", "scalar", "aggregate", "window", "literal", "choice"]
    wanted: str = "any"
    of: str | None = None
    count: tuple[int, int] = (1, 1)
    options: tuple[Any, ...] = ()
    only: frozenset[str] = frozenset()
    avoid: frozenset[str] = frozenset()
    depth: int | None = None


def parse_slot(declaration: SlotDeclaration) -> Slot:
    """Parse a declaration.

    Raises:
        ValueError: it is not a valid declaration; the message says what was expected.
    """
    if isinstance(declaration, SlotSpec):
        slot = parse_slot(declaration.declaration)
        return Slot(
            slot.kind, slot.wanted, slot.of, slot.count, slot.options,
            frozenset(declaration.only), frozenset(declaration.avoid), declaration.depth,
        )  # fmt: skip
    if isinstance(declaration, list):
        if not declaration:
            raise ValueError("a list of options is empty")
        return Slot("choice", options=tuple(declaration))
    if match := _LITERAL.fullmatch(declaration):
        return Slot("literal", match[1], match[2])
    if match := _COLUMNS.fullmatch(declaration):
        low, high = int(match[1]), int(match[2])
        if not 1 <= low <= high:
            raise ValueError(f"'{declaration}' does not ask for one or more columns")
        return Slot("columns", _class(match[3] or "any"), match[4], (low, high))
    if match := _EXPRESSION.fullmatch(declaration):
        kind, wanted, of = match.groups()
        return Slot(_KINDS[kind], _class(wanted, ROLES if kind == "column" else ()), of)
    raise ValueError(
        f"'{declaration}' is not a valid slot (expected one such as `numeric`, `column string`, `2-4 columns`, `value of x`)"
    )


def _class(word: str, roles: tuple[str, ...] = ()) -> str:
    if word not in roles and not is_class(word):
        raise ValueError(unknown("class", word, {*CLASSES, *roles}))
    return word
