"""Mutants that differ in a column that nothing reads."""

from __future__ import annotations

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

from ibert_builder.audit.mutants import Mutant
from ibert_builder.audit.query_properties.query import Query


def unused(query: Query, mutant: Mutant) -> bool:
    """A column of a subquery that nothing reads may hold anything."""
    projection = mutant.node
    while projection.parent is not None and not isinstance(projection.parent, exp.Select):
        projection = projection.parent
    select = projection.parent
    return (
        isinstance(select, exp.Select)
        and any(p is projection for p in select.selects)
        and _is_read_by_name(select)
        and not query.twins.get(id(mutant.node))  # its copies in other clauses would change too
        and not select.args.get("distinct")
        and not _decides_number_of_rows(projection, select)
        and not _is_read(query, select, projection.alias_or_name)
    )


def _is_read_by_name(select: exp.Select) -> bool:
    """Whether a SELECT is a CTE or stands in FROM or a join, so that its columns are read by their names."""
    holder = select.parent
    return isinstance(holder, exp.CTE) or (
        isinstance(holder, exp.Subquery) and isinstance(holder.parent, exp.From | exp.Join)
    )


def _decides_number_of_rows(projection: exp.Expression, select: exp.Select) -> bool:
    """Whether a projection multiplies the rows, or makes one of them all."""
    if projection.find(exp.Unnest, exp.Explode):
        return True
    return not select.args.get("group") and any(
        not isinstance(found.parent, exp.Window) for found in projection.find_all(exp.AggFunc)
    )


def _is_read(query: Query, select: exp.Select, name: str) -> bool:
    """Whether a column is, or may be, the projection of that name."""
    for column in query.tree.find_all(exp.Column):
        if name not in [part.name for part in column.parts]:
            continue
        source = query.source_of(column)
        if source is None or (isinstance(source, Scope) and source.expression is select):
            return True
    return False
