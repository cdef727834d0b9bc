"""What has been drawn around a draw: it must neither repeat nor undo that."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ibert_builder.semantics.kinds import TRAITS
from ibert_builder.templating.phrase_value import PhraseValue
from ibert_builder.templating.values import ColumnList, ColumnValue, JoinValue

ColumnKey = tuple[str, str]  # table slot, column


@dataclass(frozen=True)
class Scope:
    """The values around a draw, as far as they matter to it. Scopes do not change; `plus` makes a wider one.

    Attributes:
        used: the columns that occur.
        settled: those that a condition, a grouping or a join gives one value, so that nothing else is to be asked of them.
        conditioned: those that a condition is about.
        conditions: the conditions that rows already meet.
    """

    used: frozenset[ColumnKey] = frozenset()
    settled: frozenset[ColumnKey] = frozenset()
    conditioned: frozenset[ColumnKey] = frozenset()
    conditions: tuple[PhraseValue, ...] = ()

    def plus(self, values: Iterable[Any]) -> Scope:
        """This scope and values that were drawn in it."""
        scope = self
        for value in values:
            scope = scope._with(value)
        return scope

    def _with(self, value: Any) -> Scope:
        columns = columns_in(value)
        is_condition = isinstance(value, PhraseValue) and value.type_class == "boolean"
        classing = {(v.owner.slot, v.column.name) for v in leaves(value) if v.kind in TRAITS["group"]}
        settles = classing if is_condition or isinstance(value, ColumnValue | JoinValue) else set()
        return Scope(
            self.used | columns,
            self.settled | settles,
            self.conditioned | (columns if is_condition else frozenset()),
            (*self.conditions, value) if is_condition else self.conditions,
        )


EMPTY = Scope()


def leaves(value: Any) -> list[ColumnValue]:
    """The columns in a value."""
    if isinstance(value, ColumnValue):
        return [value]
    if isinstance(value, ColumnList | JoinValue):
        return list(value.columns)
    if isinstance(value, PhraseValue):
        return [leaf for argument in value.arguments.values() for leaf in leaves(argument)]
    return []


def columns_in(value: Any) -> frozenset[ColumnKey]:
    return frozenset((leaf.owner.slot, leaf.column.name) for leaf in leaves(value))
