"""Seeded draws: columns and nested phrases for the slots of a template."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any

from ibert_builder.databases.model import Column, Database
from ibert_builder.databases.type_classes import fits
from ibert_builder.dialects.duckdb import DUCKDB
from ibert_builder.execution.engine import Engine
from ibert_builder.semantics.kinds import TRAITS, has_meaning
from ibert_builder.templating.frames import Placeholder
from ibert_builder.templating.literal_sampler import LiteralSampler
from ibert_builder.templating.named import named
from ibert_builder.templating.phrase_value import PhraseValue
from ibert_builder.templating.phrases import Phrase, Phrasebook
from ibert_builder.templating.scope import EMPTY, ColumnKey, Scope, columns_in
from ibert_builder.templating.slots import NULLABLE, OF_VALUES, TIMELINE, NoFit, Slot
from ibert_builder.templating.values import (
    CANONICAL,
    ChoiceValue,
    ColumnList,
    ColumnValue,
    FieldValue,
    TableValue,
)

NESTED_COLUMN = 0.75  # how often a slot inside a phrase is a column where a phrase would be possible too
TELLING = (0.08, 0.92)  # the share of rows for which a predicate should hold
PREDICATES = 16  # how many are tried until one is telling
FOLLOWS = 0.95  # the share of rows in which one moment is to follow another
DEEP = 0.3  # how often phrases nest, unless the template says how deep

# How often a named expression of the table is drawn where it has any: people ask for what has a name.
NAMED = {"segments": 0.4, "dimensions": 0.2, "measures": 0.5, "metrics": 0.25}

_BARE = Placeholder("", None, None)


@dataclass(frozen=True)
class Sampler:
    """Draws from one database, with one seeded generator, for one template."""

    database: Database
    engine: Engine
    phrasebook: Phrasebook
    rng: random.Random
    dialect: str = DUCKDB.name  # in which every phrase must be expressible

    def slot(self, slot: Slot, owner: TableValue | None, bound: dict[str, Any], around: Scope = EMPTY) -> Any:
        """Draw a value for a slot, from the table `owner` or from the values bound so far, in the scope around them.

        Raises:
            NoFit: nothing fits.
        """
        if slot.kind == "choice":
            return ChoiceValue(self.rng.choice(slot.options))
        if slot.kind == "literal":
            return LiteralSampler(self.engine, self.rng).draw(slot.wanted, bound[str(slot.of)])
        assert owner is not None
        scope = around.plus(bound.values())
        if slot.kind == "column":
            return self.column(slot, owner, bound, scope)
        if slot.kind == "columns":
            return self.columns(slot, owner, scope)
        depth = slot.depth or (2 if self.rng.random() < DEEP else 1)
        if slot.kind == "scalar" and slot.wanted == "boolean":
            return self.condition(slot, owner, depth, scope)
        return self.phrase(slot, owner, depth, scope)

    def condition(
        self, slot: Slot, owner: TableValue, depth: int, scope: Scope, inside: frozenset[str] = frozenset()
    ) -> PhraseValue:
        """Draw a boolean phrase that is true of some rows and false of others: no other tells two queries apart.

        It is not about a column that another condition or a grouping is about, and neither implies nor excludes
        another condition.

        Raises:
            NoFit: there is none, at least not among so many.
        """
        for _ in range(PREDICATES):
            value = self.phrase(slot, owner, depth, scope, inside)
            if not columns_in(value) & (scope.settled | scope.conditioned) and self._tells(value, scope):
                return value
        raise NoFit(f"no telling predicate over {owner.table.name}")

    def _tells(self, value: PhraseValue, scope: Scope) -> bool:
        true, false = self._truths(value)
        rows = len(value.owner.table.rows)
        if not (TELLING[0] * rows <= true.bit_count() <= TELLING[1] * rows and false):
            return False
        others = [self._truths(other)[0] for other in scope.conditions if other.owner == value.owner]
        return all((true & other).bit_count() > 1 and true | other not in (true, other) for other in others)

    def _truths(self, value: PhraseValue) -> tuple[int, int]:
        return self.engine.truths(value.owner.table.name, value.render("sql", _BARE, CANONICAL).text)

    def column(self, slot: Slot, owner: TableValue, bound: dict[str, Any], scope: Scope) -> ColumnValue:
        """Draw a column of a class and meaning.

        Raises:
            NoFit: there is none that is not bound already, or settled.
        """
        # In other tables too: a result has each name once.
        taken = {value.column.name for value in bound.values() if isinstance(value, ColumnValue)}
        like = bound[slot.like] if slot.like else None
        options = [
            column
            for column in owner.table.columns.values()
            if column.name not in taken
            and (owner.slot, column.name) not in scope.settled
            and _suits(owner, column, slot)
            and (like is None or _alike(column, like))
            and (slot.after is None or _follows(owner, column, bound[slot.after]))
        ]
        if not options:
            raise NoFit(f"no {slot.wanted} {slot.meaning or 'column'} in {owner.table.name}")
        # A column in use elsewhere is the second choice: AVG(x) GROUP BY x says little.
        fresh = [column for column in options if (owner.slot, column.name) not in scope.used]
        return ColumnValue(owner, self.rng.choice(fresh or options))

    def columns(self, slot: Slot, owner: TableValue, scope: Scope) -> ColumnList:
        """Draw several columns, in the order of the table."""
        options = [
            column
            for column in owner.table.columns.values()
            if _suits(owner, column, slot) and (owner.slot, column.name) not in scope.settled
        ]
        low, high = slot.count
        if len(options) < low:
            raise NoFit(f"fewer than {low} {slot.wanted} columns in {owner.table.name}")
        chosen = self.rng.sample(range(len(options)), self.rng.randint(low, min(high, len(options))))
        return ColumnList(tuple(ColumnValue(owner, options[i]) for i in sorted(chosen)))

    def phrase(
        self, slot: Slot, owner: TableValue, depth: int, scope: Scope, inside: frozenset[str] = frozenset()
    ) -> PhraseValue:
        """Draw an expression of a slot's class and meaning; `inside` are the groups of phrases that it is nested in.

        Raises:
            NoFit: nothing over the table is what the slot asks for.
        """
        if value := self._named(slot, owner, scope, inside):
            return value
        options = [
            phrase
            for phrase in self.phrasebook.giving(slot.kind, slot.wanted)
            if _allowed(phrase, slot)
            and not (inside and (phrase.top_only or phrase.group in inside))
            and self.dialect not in phrase.not_in
        ]
        while options:
            phrase = self.rng.choices(options, weights=[option.weight for option in options])[0]
            try:
                return self.fill(phrase, slot, owner, depth, scope, inside)
            except NoFit:
                options.remove(phrase)
        raise NoFit(f"no {slot.kind} phrase gives {slot.wanted} over {owner.table.name}")

    def _named(
        self, slot: Slot, owner: TableValue, scope: Scope, inside: frozenset[str]
    ) -> PhraseValue | None:
        """A named expression of the table, if it has any that fits and it is its turn."""
        for group in _GROUPS[slot.kind, slot.wanted == "boolean"]:
            if self.rng.random() >= NAMED[group] or group in inside:
                continue
            values = [
                value
                for value in named(owner, group)
                if _allowed(value.phrase, slot)
                and _gives(value, slot)
                and not columns_in(value) & scope.settled
                and not _conditioned_in(value) & scope.used
            ]
            if values:
                return self.rng.choices(values, weights=[value.phrase.weight for value in values])[0]
        return None

    def fill(
        self,
        phrase: Phrase,
        wanted: Slot,
        owner: TableValue,
        depth: int,
        scope: Scope,
        inside: frozenset[str] = frozenset(),
    ) -> PhraseValue:
        """Draw values for the slots of a phrase that is to give what is wanted.

        Raises:
            NoFit: it cannot, over this table.
        """
        arguments: dict[str, Any] = {}
        for name, slot in phrase.takes.items():
            if slot.kind in ("scalar", "aggregate", "column"):
                takes = phrase.argument_class(name, wanted.wanted)
                if takes is None:
                    raise NoFit(f"{phrase.name} cannot give {wanted.wanted}")
                passes = phrase.means == f"={name}" and slot.meaning is None
                slot = replace(slot, wanted=takes, meaning=wanted.meaning if passes else slot.meaning)
            if slot.kind in ("scalar", "aggregate"):
                arguments[name] = self._operand(slot, phrase, owner, depth, scope, inside, arguments)
            else:
                arguments[name] = self.slot(slot, owner, arguments, scope)
        source = arguments.get((phrase.means or "").removeprefix("="))
        if not isinstance(source, ColumnValue | PhraseValue | FieldValue):
            source = None
        gives = arguments[phrase.gives[1:]].type_class if phrase.gives.startswith("=") else phrase.gives
        value = PhraseValue(
            phrase,
            arguments,
            gives,
            owner,
            source.kind if source else phrase.means,
            source.unit if source else None,
            source.words if source else {},
        )
        if not _gives(value, wanted):
            raise NoFit(f"{phrase.name} does not give {wanted.wanted} {wanted.meaning or ''} here")
        return value

    def _operand(
        self,
        slot: Slot,
        phrase: Phrase,
        owner: TableValue,
        depth: int,
        scope: Scope,
        inside: frozenset[str],
        bound: dict[str, Any],
    ) -> Any:
        nested, within = inside | {phrase.group}, scope.plus(bound.values())
        if slot.kind == "aggregate":
            return self.phrase(slot, owner, max(1, depth - 1), within, nested)
        if slot.wanted == "boolean":  # a bare flag reads badly as a condition: "where verified flag"
            return self.condition(slot, owner, max(1, depth - 1), within, nested)
        if depth > 1 and self.rng.random() > NESTED_COLUMN:
            for _ in range(4):
                try:
                    value = self.phrase(slot, owner, depth - 1, within, nested)
                except NoFit:
                    break
                if not columns_in(value) & frozenset().union(*map(columns_in, bound.values())):
                    return value
        return self.column(slot, owner, bound, within)


_GROUPS: dict[tuple[str, bool], tuple[str, ...]] = {
    ("scalar", False): ("dimensions",),
    ("scalar", True): ("segments",),
    ("aggregate", False): ("metrics", "measures"),
    ("aggregate", True): (),
    ("window", False): (),
    ("window", True): (),
}


def _suits(owner: TableValue, column: Column, slot: Slot) -> bool:
    if not fits(column.type_class, slot.wanted):
        return False
    if slot.unit is not None and (column.unit is None or column.unit.one != slot.unit):
        return False
    if slot.meaning == TIMELINE:
        return column.name == owner.table.entity.time
    if slot.meaning not in OF_VALUES:
        return has_meaning(column.kind, slot.meaning, slot.wanted)
    if not has_meaning(column.kind, None, slot.wanted):
        return False
    values = owner.table.values[column.name]
    return column.nullable if slot.meaning == NULLABLE else any(v is not None and v < 0 for v in values)


def _alike(column: Column, other: ColumnValue) -> bool:
    """Whether two columns are of one kind and unit, so that they can be compared, added or subtracted."""
    moments = TRAITS["moment"]
    same = column.kind == other.kind or {column.kind, other.kind} <= moments
    return same and column.unit == other.unit


def _follows(owner: TableValue, column: Column, other: ColumnValue) -> bool:
    """Whether a moment follows another one of its type, in all rows but a few."""
    if column.type_class != other.column.type_class or not {column.kind, other.kind} <= TRAITS["moment"]:
        return False
    values = owner.table.values
    pairs = [(a, b) for a, b in zip(values[other.column.name], values[column.name], strict=True) if a and b]
    return sum(a <= b for a, b in pairs) >= FOLLOWS * len(pairs) > 0


def _conditioned_in(value: PhraseValue) -> frozenset[ColumnKey]:
    """The columns that the conditions within a measure or metric are about."""
    inner = [argument for argument in value.arguments.values() if isinstance(argument, PhraseValue)]
    return frozenset().union(
        *(columns_in(i) if i.type_class == "boolean" else _conditioned_in(i) for i in inner)
    )


def _allowed(phrase: Phrase, slot: Slot) -> bool:
    names = {phrase.name, phrase.group}
    if phrase.frames["sql"].text == "COUNT(*)":
        names.add("row_count")  # whatever its table calls it
    return (not slot.only or bool(names & slot.only)) and not names & slot.avoid


def _gives(value: PhraseValue, slot: Slot) -> bool:
    if not fits(value.type_class, slot.wanted):
        return False
    if slot.meaning is None and (value.kind is None or slot.only):  # who names phrases knows what they give
        return True
    if value.kind is None:
        return False
    return has_meaning(value.kind, slot.meaning, slot.wanted)
