"""Rows made coherent: each rule repairs the rows that break it, until none does."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from ibert_builder.databases.coherence import moments, references, values
from ibert_builder.databases.coherence.rows import Rows
from ibert_builder.semantics import rules

TURNS = 40  # through all rules, since the repair of one may break another

Repair = Callable[[Any, Rows, random.Random, int], None]
REPAIRS: dict[type, Repair] = {
    rules.Lifecycle: values.lifecycle,
    rules.KnownWhen: values.known_when,
    rules.Order: moments.order,
    rules.NotBefore: moments.not_before,
    rules.Until: moments.until,
    rules.OpenRecent: moments.open_recent,
    rules.Children: references.children,
    rules.Total: references.total,
    rules.Computed: references.computed,
    rules.Lookup: values.lookup,
    rules.Near: references.near,
    rules.Requires: references.requires,
    rules.NullsWith: values.nulls_with,
    rules.TextFrom: values.text_from,
    rules.Set: values.set_,
    rules.Unique: references.unique,
    rules.Holds: values.holds,
}


class Contradiction(ValueError):
    """A rule cannot be made to hold.

    Attributes:
        index: which of the model's rules it is.
    """

    def __init__(self, problem: str, index: int) -> None:
        super().__init__(problem)
        self.index = index


def repair(rows: Rows) -> None:
    """Change rows until every rule of their semantic model holds; those that break none stay as they are.

    Raises:
        Contradiction: a rule does not fit the values that its columns can have, or the other rules.
    """
    model = rows.spec.semantic_model
    declared = list(enumerate(model.coherence)) if model else []
    rngs = [random.Random(f"{rows.spec.name}/coherence/{index}") for index, _ in declared]
    tables = [[t for t in rows.spec.tables if t in _first_words(rule.model_dump())] for _, rule in declared]
    held: dict[int, list[int]] = {}  # by rule, how often its tables were changed when it last held
    for turn in range(TURNS):
        changed = []
        for index, rule in declared:
            before = [rows.changes[table] for table in tables[index]]
            if held.get(index) == before:
                continue
            try:
                REPAIRS[type(rule)](rule, rows, rngs[index], turn)
            except ValueError as error:
                raise Contradiction(f"the rows cannot be made: {error}", index) from error
            if [rows.changes[table] for table in tables[index]] == before:
                held[index] = before
            else:
                changed.append(index)
        if not changed:
            return
    others = ", ".join(str(index) for index in changed[:-1])
    raise Contradiction(
        f"the rule cannot hold together with others of the list: {others or 'none'}", changed[-1]
    )


def _first_words(declared: Any) -> set[str]:
    """The first words of all texts in a rule, among them the names of the tables that it is about."""
    if isinstance(declared, dict):
        return _first_words([*declared, *declared.values()])
    if isinstance(declared, (list, tuple)):
        return set().union(*map(_first_words, declared))
    return {str(declared).partition(".")[0]}
