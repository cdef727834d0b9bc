"""Seeded draws: columns and nested phrases for the slots of a template."""

from __future__ import annotations

import random
from collections.abc import Set
from dataclasses import dataclass, field
from typing import Any

from ibert_builder.databases.model import Database
from ibert_builder.databases.type_classes import fits
from ibert_builder.dialects.duckdb import DUCKDB
from ibert_builder.execution.engine import Engine
from ibert_builder.templating.frames import Placeholder
from ibert_builder.templating.literal_sampler import LiteralSampler
from ibert_builder.templating.phrases import Phrase, Phrasebook
from ibert_builder.templating.slots import ROLES, NoFit, Slot
from ibert_builder.templating.values import (
    CANONICAL,
    ChoiceValue,
    ColumnList,
    ColumnValue,
    PhraseValue,
    TableValue,
)

NESTED_COLUMN = 0.75  # how often a slot inside a phrase is a column where a phrase would be possible too
TELLING = (0.08, 0.92)  # the share of rows for which a predicate should hold
PREDICATES = 10  # how many are tried until one is telling
DEEP = 0.35  # how often phrases nest, unless the template says how deep

_BARE = Placeholder("", None, None)


@dataclass
class Sampler:
    """Draws from one database, with one seeded generator, for one template."""

    database: Database
    engine: Engine
    phrasebook: Phrasebook
    rng: random.Random
    dialect: str = DUCKDB.name  # in which every phrase must be expressible
    _used: set[tuple[str, str]] = field(default_factory=set)
    _settled: set[tuple[str, str]] = field(default_factory=set)

    def slot(self, slot: Slot, owner: TableValue | None, bound: dict[str, Any]) -> Any:
        """Draw a value for a slot, from the table `owner` or from the values bound so far.

        Raises:
            NoFit: nothing fits.
        """
        if slot.kind == "choice":
            return ChoiceValue(self.rng.choice(slot.options))
        if slot.kind == "literal":
            return LiteralSampler(self.engine, self.rng).draw(slot.wanted, bound[str(slot.of)])
        assert owner is not None
        self._used = set().union(*(_columns_in(value) for value in bound.values()))
        self._settled = set().union(*(_columns_in(value) for value in bound.values() if _settles(value)))
        if slot.kind == "column":
            return self.column(slot.wanted, owner, self._columns_of(bound))
        if slot.kind == "columns":
            return self.columns(slot, owner)
        depth = slot.depth or (2 if self.rng.random() < DEEP else 1)
        if slot.kind == "scalar" and slot.wanted == "boolean":
            return self._predicate(owner, depth, slot.only, slot.avoid)
        return self.phrase(slot.kind, slot.wanted, owner, depth, slot.only, slot.avoid)

    def _predicate(
        self, owner: TableValue, depth: int, only: frozenset[str], avoid: frozenset[str]
    ) -> PhraseValue:
        """Draw a boolean phrase that is true of some rows and false of others: no other tells two queries apart.

        Two conditions on one column often say the same thing twice or contradict each other, and so do a condition on
        a column and a grouping by it; they are the second choice.
        """
        for attempt in range(PREDICATES):
            value = self.phrase("scalar", "boolean", owner, depth, only, avoid)
            if attempt < PREDICATES // 2 and _columns_in(value) & self._settled:
                continue
            true, false = self.engine.shares(owner.table.name, value.render("sql", _BARE, CANONICAL).text)
            if TELLING[0] <= true <= TELLING[1] and false > 0:
                return value
        raise NoFit(f"no telling predicate over {owner.table.name}")

    @staticmethod
    def _columns_of(bound: dict[str, Any]) -> set[tuple[str, str]]:
        return {(v.owner.slot, v.column.name) for v in bound.values() if isinstance(v, ColumnValue)}

    def column(
        self, wanted: str, owner: TableValue, taken: Set[tuple[str, str]] = frozenset()
    ) -> ColumnValue:
        """Draw a column of a role or class. Keys are not quantities: they are drawn by role or as `any` only."""
        names = {name for _, name in taken}  # in other tables too: a result has each name once
        options = [column for column in owner.table.columns.values() if column.name not in names]
        if wanted in ROLES:
            options = [
                column
                for column in options
                if column.role == wanted or (wanted == "nullable" and column.nullable)
            ]
        else:
            options = [
                c
                for c in options
                if fits(c.type_class, wanted) and (wanted == "any" or c.role not in ("key", "reference"))
            ]
        if not options:
            raise NoFit(f"no {wanted} column in {owner.table.name}")
        # A column in use elsewhere is the second choice: AVG(x) GROUP BY x says little, x = 1 AND x = 2 nothing.
        fresh = [column for column in options if (owner.slot, column.name) not in self._used]
        return ColumnValue(owner, self.rng.choice(fresh or options))

    def columns(self, slot: Slot, owner: TableValue) -> ColumnList:
        options = [column for column in owner.table.columns.values() if fits(column.type_class, slot.wanted)]
        low, high = slot.count
        if len(options) < low:
            raise NoFit(f"fewer than {low} {slot.wanted} columns in {owner.table.name}")
        chosen = self.rng.sample(range(len(options)), self.rng.randint(low, min(high, len(options))))
        return ColumnList(tuple(ColumnValue(owner, options[i]) for i in sorted(chosen)))

    def phrase(
        self,
        kind: str,
        wanted: str,
        owner: TableValue,
        depth: int,
        only: frozenset[str] = frozenset(),
        avoid: frozenset[str] = frozenset(),
        inside: frozenset[str] = frozenset(),
    ) -> PhraseValue:
        """Draw a phrase of a kind that gives `wanted`, with its slots filled; `inside` are the groups it is nested in."""
        options = [
            phrase
            for phrase in self.phrasebook.giving(kind, wanted)
            if (not only or phrase.name in only or phrase.group in only)
            and phrase.name not in avoid
            and phrase.group not in avoid
            and not (inside and (phrase.top_only or phrase.group in inside))
            and self.dialect not in phrase.not_in
        ]
        while options:
            phrase = self.rng.choices(options, weights=[option.weight for option in options])[0]
            try:
                return self.fill(phrase, wanted, owner, depth, inside)
            except NoFit:
                options.remove(phrase)
        raise NoFit(f"no {kind} phrase gives {wanted} over {owner.table.name}")

    def fill(
        self, phrase: Phrase, wanted: str, owner: TableValue, depth: int, inside: frozenset[str] = frozenset()
    ) -> PhraseValue:
        """Draw values for the slots of a phrase."""
        arguments: dict[str, Any] = {}
        for name, slot in phrase.takes.items():
            if slot.kind in ("scalar", "aggregate"):
                takes = phrase.argument_class(name, wanted)
                if takes is None:
                    raise NoFit(f"{phrase.name} cannot give {wanted}")
                arguments[name] = self._operand(slot.kind, takes, phrase, owner, depth, inside, arguments)
            elif slot.kind == "column" and phrase.gives == f"={name}":
                narrowed = phrase.argument_class(name, wanted)
                arguments[name] = self.column(narrowed or slot.wanted, owner, self._columns_of(arguments))
            else:
                arguments[name] = self.slot(slot, owner, arguments)
        gives = phrase.gives
        if gives.startswith("="):
            gives = arguments[gives[1:]].type_class
            if not fits(gives, wanted):
                raise NoFit(f"{phrase.name} gives {gives} here, not {wanted}")
        return PhraseValue(phrase, arguments, gives)

    def _operand(
        self,
        kind: str,
        wanted: str,
        phrase: Phrase,
        owner: TableValue,
        depth: int,
        inside: frozenset[str],
        bound: dict[str, Any],
    ) -> Any:
        nested = inside | {phrase.group}
        taken = self._columns_of(bound)
        if kind == "aggregate":
            return self.phrase(kind, wanted, owner, max(1, depth - 1), inside=nested)
        if wanted == "boolean":  # a bare flag reads badly as a condition: "where verified flag"
            return self.phrase("scalar", wanted, owner, max(1, depth - 1), inside=nested)
        if depth > 1 and self.rng.random() > NESTED_COLUMN:
            for _ in range(4):
                try:
                    value = self.phrase("scalar", wanted, owner, depth - 1, inside=nested)
                except NoFit:
                    break
                if not any(value == other for other in bound.values()) and not _columns_in(value) & taken:
                    return value
        return self.column(wanted, owner, taken)


def _columns_in(value: Any) -> set[tuple[str, str]]:
    if isinstance(value, ColumnValue):
        return {(value.owner.slot, value.column.name)}
    if isinstance(value, PhraseValue):
        return set().union(*(_columns_in(argument) for argument in value.arguments.values()))
    return set()


def _settles(value: Any) -> bool:
    """Whether a value is a condition on its columns, or a column to group by."""
    if isinstance(value, PhraseValue):
        return value.type_class == "boolean"
    return isinstance(value, ColumnValue) and value.column.role in ("category", "flag", "reference")
