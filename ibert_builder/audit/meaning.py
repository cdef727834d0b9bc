"""What a query does with columns that their kinds forbid: sums of prices, patterns on statuses, days added to euros.

The findings come from the query's own syntax tree and from the semantic model, not from what drew the query.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import duckdb
from sqlglot import exp

from ibert_builder.audit.query_properties.query import Query
from ibert_builder.databases.model import Column, Database
from ibert_builder.databases.row_sets import FULL
from ibert_builder.execution.engine import Engine
from ibert_builder.semantics.kinds import TRAITS

FEWEST = 3  # groups, before an aggregate can be said to be the same in all

# Which kinds an aggregate or predicate is for. Extremes are also for what has an order in time or by name.
PERMITTED: dict[str, tuple[tuple[type[exp.Expression], ...], frozenset[str]]] = {
    "sum": ((exp.Sum,), TRAITS["summable"]),
    "average": ((exp.Avg, exp.Median, exp.Stddev, exp.Variance), TRAITS["averageable"]),
    "extreme": (
        (exp.Min, exp.Max),
        TRAITS["measurable"] | TRAITS["moment"] | {"name", "ordinal", "time_of_day", "free_text"},
    ),
    "pattern": (
        (exp.Like, exp.ILike, exp.StartsWith, exp.EndsWith, exp.Contains, exp.RegexpLike),
        TRAITS["text"] | {"tags", "record"},
    ),
}
_ORDERS = (exp.GT, exp.GTE, exp.LT, exp.LTE)


@dataclass
class Meanings:
    """What was found in queries, by name, and how many queries could have had it."""

    asked: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    examples: list[tuple[str, str]] = field(default_factory=list)  # name, query

    def add(self, other: Meanings) -> None:
        self.asked.update(other.asked)
        self.found.update(other.found)
        self.examples.extend(other.examples)

    def note(self, name: str, is_found: bool, sql: str) -> None:
        self.asked[name] += 1
        if is_found:
            self.found[name] += 1
            self.examples.append((name, sql))


def meanings(query: Query, engine: Engine) -> Meanings:
    """What a query does that its columns' kinds forbid, or that says nothing."""
    found = Meanings()
    reader = _Reader(query, engine.database)
    for name, (nodes, kinds) in PERMITTED.items():
        used = [c for node in query.tree.find_all(*nodes) for c in reader.measured(node.this)]
        if used:
            found.note(name, any(column.kind not in kinds for column in used), query.sql)
    found.note("mixed units", any(reader.mixed_units()), query.sql)
    for select in query.tree.find_all(exp.Select):
        conjuncts = _conjuncts(select.args.get("where"))
        if len(conjuncts) > 1:
            found.note("repeated column", _repeats(conjuncts), query.sql)
        keys = {c.sql() for c in (select.args["group"].expressions if select.args.get("group") else ())}
        if keys and conjuncts:
            found.note("repeated group key", any(_settled(c) in keys for c in conjuncts), query.sql)
    if _aggregates(query):
        found.note("constant aggregate", _is_constant(query, engine), query.sql)
    return found


class _Reader:
    """Finds the columns of the database behind those of a query."""

    def __init__(self, query: Query, database: Database) -> None:
        self._query, self._database = query, database

    def measured(self, node: exp.Expression | None) -> list[Column]:
        """The columns whose values an aggregate or predicate takes as they are: bare, or in branches of a condition."""
        if isinstance(node, exp.Column):
            return self._origin(node, 8)
        if isinstance(node, exp.Paren | exp.Distinct | exp.Round):
            return [c for each in (node.expressions or [node.this]) for c in self.measured(each)]
        if isinstance(node, exp.Case):
            branches = [*(branch.args["true"] for branch in node.args["ifs"]), node.args.get("default")]
            return [c for branch in branches for c in self.measured(branch)]
        if isinstance(node, exp.Coalesce):
            return self.measured(node.this)
        return []

    def _origin(self, column: exp.Column, deep: int) -> list[Column]:
        if table := self._query.table_of(column):
            return [self._database.tables[table].columns[column.name]]
        origins = self._query.origins(column) if deep else []
        return [
            c
            for o in origins
            if isinstance(o.unalias(), exp.Column)
            for c in self._origin(o.unalias(), deep - 1)
        ]

    def mixed_units(self) -> Iterator[bool]:
        """For every sum, difference or comparison of two columns, whether their units differ."""
        for node in self._query.tree.find_all(exp.Add, exp.Sub, *_ORDERS):
            left, right = (self.measured(side) for side in (node.left, node.right))
            if left and right and left[0].type_class != "interval" and right[0].type_class != "interval":
                yield left[0].unit != right[0].unit


def _conjuncts(where: exp.Expression | None) -> list[exp.Expression]:
    return (
        list(where.this.flatten())
        if where is not None and isinstance(where.this, exp.And)
        else [where.this]
        if where
        else []
    )


def _columns(node: exp.Expression) -> frozenset[str]:
    return frozenset(column.sql() for column in node.find_all(exp.Column))


def _repeats(conjuncts: list[exp.Expression]) -> bool:
    """Whether two of the conditions are about the same columns, unless they are the two ends of a range."""
    seen: dict[frozenset[str], exp.Expression] = {}
    for conjunct in conjuncts:
        columns = _columns(conjunct)
        other = seen.get(columns)
        if (
            columns
            and other is not None
            and not (isinstance(conjunct, _ORDERS) and isinstance(other, _ORDERS))
        ):
            return True
        seen[columns] = conjunct
    return False


def _settled(condition: exp.Expression) -> str | None:
    """The column that a condition leaves one value, if it is one of that kind."""
    condition = condition.unnest()
    if isinstance(condition, exp.EQ | exp.Like | exp.Is | exp.Column):
        column = condition if isinstance(condition, exp.Column) else condition.this
        return str(column.sql()) if isinstance(column, exp.Column) else None
    return None


def _aggregates(query: Query) -> list[int]:
    """The positions of the aggregates among what a grouped query shows."""
    tree = query.tree
    if not isinstance(tree, exp.Select) or not tree.args.get("group"):
        return []
    return [
        i for i, shown in enumerate(tree.selects) if shown.find(exp.AggFunc) and not shown.find(exp.Window)
    ]


def _is_constant(query: Query, engine: Engine) -> bool:
    """Whether an aggregate is the same in all groups on all full row sets."""
    constant = set(_aggregates(query))
    told = False
    for rows in FULL:
        if not constant:
            break
        try:
            result = engine.run_sql(query.sql, rows)
        except duckdb.Error:
            continue
        if len(result.rows) >= FEWEST:
            told = True
            constant = {i for i in constant if len({str(row[i]) for row in result.rows}) == 1}
    return told and bool(constant)
