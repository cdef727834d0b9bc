"""A phrase with its slots filled: an expression known in Ibis, in SQL and in English."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ibert_builder.semantics.nouns import Noun, Verbs, verbs
from ibert_builder.templating.english import ROWS
from ibert_builder.templating.frames import Language, Piece, Placeholder
from ibert_builder.templating.phrases import Phrase
from ibert_builder.templating.values import (
    CANONICAL,
    ColumnValue,
    FieldValue,
    LiteralValue,
    Style,
    TableValue,
)


@dataclass(frozen=True)
class PhraseValue:
    """A phrase with its slots filled: an expression known in all three languages."""

    phrase: Phrase
    arguments: Mapping[str, Any]
    type_class: str
    owner: TableValue
    kind: str | None = None  # what its values are, if that is known
    unit: Noun | None = None
    words: Mapping[Any, str] = field(default_factory=dict, compare=False)  # how its values are said

    @property
    def alias(self) -> str:
        return self.phrase.alias.render(self._fill_alias)

    def _fill_alias(self, place: Placeholder) -> Piece:
        if place.slot in ROWS:
            return Piece(_identifier(self._called(place.slot)))
        value = self.arguments[place.slot]
        return Piece(value.alias if hasattr(value, "alias") else _identifier(value))

    def render(self, language: Language, place: Placeholder, style: Style) -> Piece:
        if place.spec == "alias":
            return Piece(self.alias)
        if language == "en":
            return Piece(self._in_english(place.spec, style))
        frame = self.phrase.frames[language]
        spec = place.spec

        def fill(inner: Placeholder) -> Piece:
            value = self.arguments[inner.slot]
            # A prefix given from outside goes down to every column, unless the phrase itself says otherwise.
            takes_prefix = isinstance(value, ColumnValue | PhraseValue | TableValue)
            passed = Placeholder(inner.slot, inner.part, spec) if takes_prefix and not inner.spec else inner
            return value.render(language, passed, style)

        styled = frame.lower if language == "sql" and style.keywords_lower else frame
        return Piece(styled.render(fill), frame.shape)

    def _in_english(self, spec: str | None, style: Style) -> str:
        def fill(place: Placeholder) -> Piece:
            if place.slot in ROWS:
                return Piece(self._called(place.slot))
            value = self.arguments[place.slot]
            is_number = isinstance(value, LiteralValue) and not isinstance(value, FieldValue)
            if is_number and place.spec is None and not says and self._mentions(value.unit):
                place = Placeholder(place.slot, place.part, "bare")
            return value.render("en", place, style)

        frames, says = self.phrase.frames, self._clause is not None
        if "it" not in frames:
            text = frames["en"].render(fill)
            if self.owner.table.entity.person:
                text = text.replace(f"{self._called('rows')} that ", f"{self._called('rows')} who ")
            return f"the {text}" if spec == "the" else text
        clause = self._clause
        if clause is not None:
            said = clause.one if spec == "it" else clause.many
            what = frames["says"].render(fill)
            text = ("it " if spec == "it" else "that ") + said.replace("{v}", what).replace("{when}", what)
        else:
            text = frames["it" if spec == "it" else "en"].render(fill)
        if text.startswith("it "):
            return f"the {self._called('row')} {text.removeprefix('it ')}"
        is_person = self.owner.table.entity.person
        return f"who {text.removeprefix('that ')}" if is_person and text.startswith("that ") else text

    def _called(self, slot: str) -> str:
        """What {rows} or {row} of the table are called."""
        return self.owner.table.noun.many if slot == "rows" else self.owner.table.noun.one

    def _mentions(self, unit: Noun | None) -> bool:
        """Whether the noun of {x} has the unit in it: the number of seats is 5, not 5 seats."""
        value = self.arguments.get("x")
        if unit is None or not isinstance(value, ColumnValue | PhraseValue):
            return False
        words = value.render("en", Placeholder("", None, None), CANONICAL).text.split()
        return unit.one in words or unit.many in words

    @property
    def _clause(self) -> Verbs | None:
        """What the column says of a row, if the condition is one on a column that says something."""
        value = self.arguments.get("x")
        if (
            "says" not in self.phrase.frames
            or not isinstance(value, ColumnValue)
            or not value.column.meaning.clause
        ):
            return None
        return verbs(value.column.meaning.clause)


def _identifier(value: Any) -> str:
    option = getattr(value, "option", value)
    text = str(getattr(value, "value", option["en"] if isinstance(option, dict) else option))
    return "".join(c if c.isalnum() else "_" for c in text.lower()).strip("_") or "x"
