"""Seeded draws of literals: from the values that an expression really takes, so that rows lie on every boundary."""

from __future__ import annotations

import datetime
import random
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ibert_builder.databases.model import Column
from ibert_builder.databases.round_values import round_values
from ibert_builder.databases.spec import Make
from ibert_builder.databases.type_classes import type_class
from ibert_builder.execution.engine import Engine
from ibert_builder.semantics.nouns import noun
from ibert_builder.templating.frames import Placeholder
from ibert_builder.templating.phrase_value import PhraseValue
from ibert_builder.templating.slots import NoFit
from ibert_builder.templating.values import CANONICAL, ColumnValue, FieldValue, LiteralValue

_BARE = Placeholder("", None, None)
# Where among the values, sorted, a literal lies: the shares at which the range begins and ends.
_RANKS = {"value": (0.08, 0.92), "low": (0.1, 0.4), "middle": (0.3, 0.7), "high": (0.6, 0.9)}
_RANKED = ("integer", "float", "decimal", "date", "timestamp")
FEW = 8  # different values that people know by heart, and type as they are
AS_SEEN = 3  # how much more often a round value is drawn that occurs than one that does not
LONG_WORD = 4  # letters of a word that people search for


@dataclass(frozen=True)
class LiteralSampler:
    """Draws literals, with one seeded generator, from columns and expressions over the tables of one engine."""

    engine: Engine
    rng: random.Random

    def draw(self, how: str, source: ColumnValue | PhraseValue) -> LiteralValue:
        """Draw a literal, in one of the ways that `slots.LITERALS` lists, from a column or expression.

        Raises:
            NoFit: the source does not have enough different values.
        """
        if how in ("element", "field") or how.endswith("key"):
            return self._nested(how, source)
        values = self._values(source)
        if how in ("prefix", "suffix", "part"):
            return LiteralValue(self._piece(how, values), "string")
        if how == "values":
            if len(values) < 3:
                raise NoFit("fewer than three different values")
            count = self.rng.choice((2, 3))
            return self._of(source, tuple(sorted(self.rng.sample(values, count), key=values.index)))
        if len(values) < 2:
            raise NoFit("fewer than two different values")
        if how == "value" and (
            source.type_class not in _RANKED or source.kind in ("identifier", "foreign_key")
        ):
            return self._of(source, self.rng.choice(values))
        return self._of(source, self._ranked(how, values))

    @staticmethod
    def _of(source: ColumnValue | PhraseValue, value: Any) -> LiteralValue:
        return LiteralValue(value, source.type_class, source.unit, source.words)

    def _ranked(self, how: str, values: list[Any]) -> Any:
        """Draw a value from a range of the values, in ascending order: a round one if people would round it."""
        first, last = (min(int(share * len(values)), len(values) - 1) for share in _RANKS[how])
        if len(values) > FEW:
            options = [v for v in round_values(values) if values[first] <= v <= values[last]]
            if options:
                seen = set(values)
                return self.rng.choices(options, weights=[AS_SEEN if v in seen else 1 for v in options])[0]
        return self.rng.choice(_plain_ones(values[first : max(last, first + 1)]))

    def _values(self, source: ColumnValue | PhraseValue) -> list[Any]:
        if isinstance(source, ColumnValue):
            return self.engine.values(source.owner.table.name, source.column.name)
        return self.engine.values(source.owner.table.name, source.render("sql", _BARE, CANONICAL).text)

    def _piece(self, how: str, values: list[Any]) -> str:
        """Draw a word of one of the strings: its first, its last, or any that is long enough to be searched for."""
        texts = [text for text in values if isinstance(text, str) and text.strip()]
        self.rng.shuffle(texts)
        for text in texts:
            words = re.findall(r"[^\W_]+", text)
            if how == "part":
                words = [word for word in words if len(word) >= LONG_WORD and not word.isdigit()]
            if not words:
                continue
            word = {"prefix": words[0], "suffix": words[-1], "part": self.rng.choice(words)}[how]
            stands = {"prefix": text.startswith(word), "suffix": text.endswith(word), "part": True}[how]
            if stands and len(word) > 1:
                return word
        raise NoFit("no string has a word to look for")

    def _nested(self, how: str, source: ColumnValue | PhraseValue) -> LiteralValue:
        if not isinstance(source, ColumnValue):
            raise NoFit(f"no {how} of an expression")
        column = source.column
        if how == "field":
            fields = list(zip(column.dtype.names, column.dtype.types, strict=True))
            name, kind = self.rng.choice(
                [(n, k) for n, k in fields if not hasattr(column.dtype, n)] or fields
            )
            return _field(column, name, type_class(kind))
        if how.endswith("key"):
            return self._key(column, how.removesuffix("key").strip())
        elements = [
            e for value in source.owner.table.values[column.name] for e in value or () if e is not None
        ]
        if len(set(elements)) < 2:
            raise NoFit("fewer than two different elements")
        return LiteralValue(self.rng.choice(elements), column.type_class[len("array<") : -1])

    def _key(self, column: Column, of: str) -> FieldValue:
        make = column.make
        if make.map is not None:
            return _field(column, self.rng.choice(make.map.keys), column.type_class[len("map<") : -1])
        keys = [key for key, made in (make.json_object or {}).items() if of in ("", _json_type(made))]
        if not keys:
            raise NoFit("the column has no such keys")
        return _field(column, self.rng.choice(keys), "json")


def _field(column: Column, name: str, kind: str) -> FieldValue:
    """A field of a struct, or a key of a map or JSON object, with what the column says of it."""
    said = (column.meaning.fields or {}).get(name)
    if said is None:
        return FieldValue(name, kind, noun=noun(name.replace("_", " ")))
    unit = noun(said.unit) if said.unit else None
    return FieldValue(
        name, kind, unit, said.values or {}, said.kind, noun=noun(said.noun or name.replace("_", " "))
    )


def _json_type(make: Make) -> str:
    """What the values under a key of a JSON object are: text, number or flag."""
    example = next(iter(make.choice)) if make.choice is not None else 0
    return {bool: "flag", int: "number"}.get(type(example), "text")


def _plain_ones(values: list[Any]) -> list[Any]:
    """The values that a person would type, if there are any: midnight, not 08:01:31; 57.5, not 57.48333."""
    if isinstance(values[0], datetime.datetime):
        return [value for value in values if value.time() == datetime.time()] or values
    if isinstance(values[0], float):
        return sorted({float(f"{value:.3g}") for value in values})  # nobody types 3.3000001907348633
    if isinstance(values[0], Decimal):
        return [value for value in values if abs(value.as_tuple().exponent) <= 4] or values
    return values
