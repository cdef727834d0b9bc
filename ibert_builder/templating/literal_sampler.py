"""Seeded draws of literals: from the values that an expression really takes, so that rows lie on every boundary."""

from __future__ import annotations

import datetime
import random
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ibert_builder.databases.spec import Make
from ibert_builder.databases.type_classes import type_class
from ibert_builder.execution.engine import Engine
from ibert_builder.templating.frames import Placeholder
from ibert_builder.templating.slots import NoFit
from ibert_builder.templating.values import CANONICAL, ColumnValue, LiteralValue, PhraseValue, TableValue

_BARE = Placeholder("", None, None)
# Where among the values, sorted, a literal is drawn from: the shares at which the range begins and ends.
_RANKS = {"value": (0.05, 0.95), "low": (0.1, 0.4), "middle": (0.3, 0.7), "high": (0.6, 0.9)}
_RANKED = ("integer", "float", "decimal", "date", "timestamp")


@dataclass(frozen=True)
class LiteralSampler:
    """Draws literals, with one seeded generator, from columns and expressions over the tables of one engine."""

    engine: Engine
    rng: random.Random

    def draw(self, how: str, source: Any) -> LiteralValue:
        """Draw a literal, in one of the ways that `slots.LITERALS` lists, from a column or expression.

        Raises:
            NoFit: the source does not have enough different values.
        """
        if how in ("element", "field", "key"):
            return self._nested(how, source)
        values = self._values(source)
        if how in ("prefix", "suffix", "part"):
            return LiteralValue(self._piece(how, values), "string")
        kind = source.type_class
        if how == "values":
            if len(values) < 3:
                raise NoFit("fewer than three different values")
            count = self.rng.choice((2, 3))
            return LiteralValue(tuple(sorted(self.rng.sample(values, count), key=values.index)), kind)
        if len(values) < 2:
            raise NoFit("fewer than two different values")
        if how == "value" and kind not in _RANKED:
            return LiteralValue(self.rng.choice(values), kind)
        values = _round_ones(values)
        first, last = (int(share * len(values)) for share in _RANKS[how])
        return LiteralValue(self.rng.choice(values[first : max(last, first + 1)]), kind)

    def _values(self, source: Any) -> list[Any]:
        if isinstance(source, ColumnValue):
            return self.engine.values(source.owner.table.name, source.column.name)
        owner = next(iter(_owners(source)))
        return self.engine.values(owner.table.name, source.render("sql", _BARE, CANONICAL).text)

    def _piece(self, how: str, values: list[Any]) -> str:
        """Draw a piece of one of the strings that has letters, digits and inner spaces only."""
        texts = [text for text in values if isinstance(text, str) and text.strip()]
        self.rng.shuffle(texts)
        for text in texts:
            length = self.rng.randint(2, 4)
            words = [word for word in text.split() if word.isalnum() and len(word) >= 2]
            piece = {
                "prefix": text[:length],
                "suffix": text[-length:],
                "part": self.rng.choice(words)[: length + 2] if words else text[:length],
            }[how]
            if piece.strip() == piece and piece.replace(" ", "").isalnum():
                return piece
        raise NoFit("no string has a piece of letters and digits")

    def _nested(self, how: str, source: Any) -> LiteralValue:
        if not isinstance(source, ColumnValue):
            raise NoFit(f"no {how} of an expression")
        column = source.column
        if how == "field":
            fields = list(zip(column.dtype.names, column.dtype.types, strict=True))
            name, kind = self.rng.choice(
                [(n, k) for n, k in fields if not hasattr(column.dtype, n)] or fields
            )
            return LiteralValue(name, type_class(kind))
        if how == "key":
            return self._key(column.make, column.type_class)
        elements = [
            e for value in source.owner.table.values[column.name] for e in value or () if e is not None
        ]
        if len(set(elements)) < 2:
            raise NoFit("fewer than two different elements")
        return LiteralValue(self.rng.choice(elements), column.type_class[len("array<") : -1])

    def _key(self, make: Make, kind: str) -> LiteralValue:
        if make.map is not None:
            return LiteralValue(self.rng.choice(make.map.keys), kind[len("map<") : -1])
        if make.json_object is not None:
            return LiteralValue(self.rng.choice(list(make.json_object)), "json")
        raise NoFit("the column has no keys")


def _owners(value: Any) -> Sequence[TableValue]:
    if isinstance(value, ColumnValue):
        return [value.owner]
    if isinstance(value, PhraseValue):
        return [owner for argument in value.arguments.values() for owner in _owners(argument)]
    return []


def _round_ones(values: list[Any]) -> list[Any]:
    """The values that a person would type, if there are enough: midnight, not 08:01:31; 57.5, not 57.48333."""
    if isinstance(values[0], datetime.datetime):
        plain = [value for value in values if value.time() == datetime.time()]
    elif isinstance(values[0], float | Decimal):
        plain = [value for value in values if abs(Decimal(str(value)).as_tuple().exponent) <= 4]  # type: ignore[arg-type]
        if len(plain) < 3 and isinstance(values[0], float):
            return sorted({float(f"{value:.3g}") for value in values})  # nobody types 3.3000001907348633
    else:
        plain = values
    return plain if len(plain) >= 3 else values
