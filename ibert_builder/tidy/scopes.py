"""Who stands where in a query: its sources, their columns, and which of them a column means."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp
from sqlglot.optimizer.scope import traverse_scope

Columns = Mapping[str, tuple[str, ...]]  # table name to column names


def resolved(tree: exp.Query) -> list[tuple[exp.Column, exp.Table | exp.Subquery]]:
    """The qualified columns of a query, each with the table or subquery in FROM or JOIN that it comes from.

    That may stand in its own SELECT or, for a column of a correlated subquery, in one around it.
    """
    found = []
    for scope in traverse_scope(tree):
        sources = {source.alias_or_name: source for source in sources_of(scope.expression)}
        for column in (*scope.columns, *scope.stars):
            source = sources.get(column.table) if isinstance(column, exp.Column) else None
            if isinstance(source, exp.Table | exp.Subquery):
                found.append((column, source))
    return found


def source_of(select: exp.Expression | None) -> exp.Expression | None:
    """What stands in FROM."""
    clause = select.args.get("from_") if select is not None else None
    return clause.this if clause is not None else None


_CLAUSES = (
    "where",
    "group",
    "having",
    "qualify",
    "order",
    "limit",
    "offset",
    "distinct",
    "joins",
    "laterals",
)


def is_bare(select: exp.Select, *but: str) -> bool:
    """Whether a SELECT has no clauses after FROM, but perhaps these."""
    return not any(select.args.get(clause) for clause in _CLAUSES if clause not in but)


def output_names(query: exp.Expression) -> list[str]:
    """The names of a query's columns, in order."""
    if isinstance(query, exp.SetOperation):
        return output_names(query.this)
    if isinstance(query, exp.Subquery):
        return output_names(query.this)
    return [e.alias_or_name for e in query.expressions]


def columns_of(source: exp.Expression, tables: Columns, tree: exp.Query) -> list[str] | None:
    """The columns of a source of a query, in order; None where they are not known."""
    if isinstance(source, exp.Table):
        ctes = {cte.alias: cte.this for cte in tree.find_all(exp.CTE)}
        if source.name in ctes:
            return output_names(ctes[source.name])
        return list(tables[source.name]) if source.name in tables else None
    if isinstance(source, exp.Subquery) and isinstance(source.this, exp.Query):
        return output_names(source.this)
    return None


def sources_of(select: exp.Expression | None) -> list[exp.Expression]:
    """The sources in FROM and JOIN; none where it is not a SELECT."""
    first = source_of(select)
    joins = select.args.get("joins") or () if select is not None else ()
    return ([first] if first is not None else []) + [join.this for join in joins]


def has_window(node: exp.Expression | None) -> bool:
    return node is not None and node.find(exp.Window) is not None


def is_grouped(select: exp.Select) -> bool:
    """Whether a SELECT gives one row a group, or one in all."""
    aggregates = [a for e in select.expressions for a in e.find_all(exp.AggFunc) if a.parent_select is select]
    return select.args.get("group") is not None or any(not a.find_ancestor(exp.Window) for a in aggregates)


ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.DPipe, exp.Neg)
COMPARISON = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.In, exp.Is, exp.Like)


def binds_looser(inner: exp.Expression, outer: exp.Expression | None) -> bool:
    """Whether an expression needs parentheses as an operand of the other."""
    if isinstance(inner, ARITHMETIC):
        return isinstance(outer, (*ARITHMETIC, exp.Cast, exp.Bracket, exp.Not))
    if isinstance(outer, exp.Connector):
        return isinstance(inner, exp.Connector) and type(inner) is not type(outer)
    loose = isinstance(inner, (*COMPARISON, exp.Connector, exp.Not, exp.Case, exp.Binary))
    return loose and isinstance(outer, exp.Binary | exp.Unary | exp.Between | exp.In | exp.Cast | exp.Bracket)


def as_named(projection: exp.Expression) -> exp.Expression:
    """A projection that keeps its name whatever takes the column's place."""
    return (
        exp.alias_(projection, projection.name, quoted=True)
        if isinstance(projection, exp.Column)
        else projection
    )
