"""Mutants of a query: copies with one small mistake each, of the kinds that people and models make.

The families follow the mutation operators of SQLMutation (Tuya, Suárez-Cabal, de la Riva, "Mutating database queries",
2007), with windows, set operations and string patterns added.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlglot import exp

from ibert_builder.audit.operators import clauses, conditions, values, windows
from ibert_builder.audit.operators.rebuild import with_args
from ibert_builder.audit.query_properties.query import DIALECT, Query

Operator = Callable[[exp.Expression], Iterator[exp.Expression]]

OPERATORS: dict[str, tuple[Operator, ...]] = {
    "comparison": (conditions.relation, conditions.literal, conditions.between, conditions.in_list),
    "logic": (conditions.connector, conditions.negation),
    "null": (conditions.is_null, conditions.coalesce, conditions.null_safe),
    "aggregate": (values.aggregate, values.distinct),
    "arithmetic": (values.arithmetic,),
    "join": (clauses.join,),
    "clause": (clauses.conjunct, clauses.clause),
    "order": (clauses.sort, clauses.sort_key),
    "grouping": (clauses.grouping,),
    "string": (values.pattern, values.case, values.text),
    "window": (windows.window, clauses.window_order, windows.ranking),
    "set": (clauses.set_operation,),
}
FAMILIES = (*OPERATORS, "column")  # the last one has to know the tables


@dataclass(frozen=True)
class Mutant:
    """A query in which `node` of the original became `replacement`."""

    family: str
    operator: str
    sql: str
    node: exp.Expression
    replacement: exp.Expression


def mutants(query: Query) -> list[Mutant]:
    """Every mutant of a query, no text twice."""
    found: dict[str, Mutant] = {}
    for node in [node for node in query.tree.walk() if id(node) not in query.copies]:
        for family, operator, replacement in _replacements(query, node):
            text = _text_with(query, node, replacement)
            found.setdefault(text, Mutant(family, operator, text, node, replacement))
    found.pop(query.tree.sql(DIALECT), None)
    return list(found.values())


def _replacements(query: Query, node: exp.Expression) -> Iterator[tuple[str, str, exp.Expression]]:
    """What may stand in the place of a node, each with its family and operator."""
    for family, operators in OPERATORS.items():
        for operator in operators:
            for replacement in operator(node):
                yield family, operator.__name__, replacement
    for replacement in _peer(query, node):
        yield "column", "peer", replacement


def _peer(query: Query, node: exp.Expression) -> Iterator[exp.Expression]:
    """The next column of the same table and type."""
    table = query.table_of(node) if isinstance(node, exp.Column) else None
    if table is not None and node.name in query.columns[table]:
        types = query.columns[table]
        names = [name for name, kind in types.items() if kind == types[node.name]]
        if len(names) > 1:
            yield with_args(node, this=exp.to_identifier(names[(names.index(node.name) + 1) % len(names)]))


def _text_with(query: Query, node: exp.Expression, replacement: exp.Expression) -> str:
    """The query's text with a node replaced, and with it the copies that its alias stands for."""
    if node is query.tree:
        return replacement.sql(DIALECT)
    twins = query.twins.get(id(node), ())
    places = [(node, replacement), *((twin, replacement.copy()) for twin in twins)]
    for old, new in places:
        old.replace(new)
    text = query.tree.sql(DIALECT)
    for old, new in places:
        new.replace(old)
    return text
