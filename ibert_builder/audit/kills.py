"""Whether sample rows tell a query's mutants from it, and counts of how many they do."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import duckdb

from ibert_builder.audit.equivalence import equivalence
from ibert_builder.audit.mutants import Mutant, mutants
from ibert_builder.audit.query_properties.query import Query
from ibert_builder.databases.row_sets import KINDS
from ibert_builder.execution.engine import Engine
from ibert_builder.execution.proofs import ORDER_SENSITIVE
from ibert_builder.execution.results import Result, is_ordered, same_rows


@dataclass
class Kills:
    """What became of mutants.

    Attributes:
        killed, alive, equivalent, invalid: how many, by family.
        by_first: how many of those killed the first row set kills.
        rules: how many of those that are equivalent each rule proves.
        survivors: (family, operator, query, mutant) of those alive.
    """

    killed: Counter[str] = field(default_factory=Counter)
    alive: Counter[str] = field(default_factory=Counter)
    equivalent: Counter[str] = field(default_factory=Counter)
    invalid: Counter[str] = field(default_factory=Counter)
    by_first: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    survivors: list[tuple[str, str, str, str]] = field(default_factory=list)
    queries: int = 0

    def add(self, other: Kills) -> None:
        for name in ("killed", "alive", "equivalent", "invalid", "by_first", "rules"):
            getattr(self, name).update(getattr(other, name))
        self.survivors.extend(other.survivors)
        self.queries += other.queries


@dataclass(frozen=True)
class _Answer:
    """What a query gives on one row set, with the rows as they are and reversed."""

    forward: Result
    backward: Result


class Trial:
    """One query against its mutants."""

    def __init__(self, query: Query, engine: Engine) -> None:
        self._engine = engine
        self._sql = query.sql
        self._answers: dict[int, _Answer | None] = {}
        order = query.tree.args.get("order")
        names = [p.alias_or_name for p in query.tree.selects]
        self._is_ordered = order is not None
        self._keys: list[int] | None = None
        if order is not None and all(key.this.name in names for key in order.expressions):
            self._keys = [names.index(key.this.name) for key in order.expressions]

    def killer(self, mutant: Mutant) -> int | None:
        """The first row set on which a mutant gives another result, or None.

        Raises:
            duckdb.Error: the mutant is not a valid query.
        """
        for rows in range(len(KINDS)):
            answer = self._answer(rows)
            if answer is None:
                continue
            try:
                differs = self._differs(answer, mutant.sql, rows)
            except duckdb.Error:
                if rows == 0:
                    raise
                differs = True  # the query itself fails on none of these rows
            if differs:
                return rows
        return None

    def _answer(self, rows: int) -> _Answer | None:
        """The query's own results; None where they are an accident of row order, or the query fails on these rows."""
        if rows not in self._answers:
            try:
                answer = _Answer(*(self._engine.run_sql(self._sql, rows, way) for way in (False, True)))
            except duckdb.Error:
                self._answers[rows] = None
            else:
                alike = self._same(answer.forward, answer.backward)
                self._answers[rows] = answer if alike else None
        return self._answers[rows]

    def _differs(self, answer: _Answer, sql: str, rows: int) -> bool:
        found = self._engine.run_sql(sql, rows)
        if self._same(answer.forward, found):
            # A mutant without ORDER BY may give the same rows in any order, so let it be told by the reversed one.
            return (
                self._is_ordered
                and not is_ordered(sql)
                and not self._same(answer.forward, Result(found.columns, found.types, found.rows[::-1]))
            )
        # A mutant that picks rows by their place may differ by accident, so it has to differ both ways.
        return not ORDER_SENSITIVE.search(sql) or not self._same(
            answer.backward, self._engine.run_sql(sql, rows, backwards=True)
        )

    def _same(self, one: Result, other: Result) -> bool:
        """Whether two results hold the same values, whatever the names and types of their columns.

        Rows that tie may come in any order. So where the query sorts by columns that it shows, their order is compared;
        where it sorts by others, the order of whole rows.
        """
        if not self._is_ordered:
            return same_rows(one.rows, other.rows, ordered=False)
        if self._keys is None:
            return same_rows(one.rows, other.rows, ordered=True)
        if len(one.columns) != len(other.columns):
            return False
        left, right = ([tuple(row[i] for i in self._keys) for row in result.rows] for result in (one, other))
        return same_rows(left, right, ordered=True) and same_rows(one.rows, other.rows, ordered=False)


def kill(query: Query, engine: Engine) -> Kills:
    """Try every mutant of a query."""
    kills, trial = Kills(queries=1), Trial(query, engine)
    for mutant in mutants(query):
        try:
            killer = trial.killer(mutant)
        except duckdb.Error:
            kills.invalid[mutant.family] += 1
            continue
        if killer is not None:
            kills.killed[mutant.family] += 1
            kills.by_first[mutant.family] += killer == 0
        elif rule := equivalence(query, mutant):
            kills.equivalent[mutant.family] += 1
            kills.rules[rule] += 1
        else:
            kills.alive[mutant.family] += 1
            kills.survivors.append((mutant.family, mutant.operator, query.sql, mutant.sql))
    return kills
