"""The parts of a SELECT, as its syntax tree has them."""

from __future__ import annotations

from sqlglot import exp


def projections(query: exp.Expression, name: str) -> list[exp.Expression]:
    """What a column of a query's result is, in each side of a set operation; empty where that is not known."""
    if isinstance(query, exp.Subquery):
        return projections(query.unnest(), name)
    if isinstance(query, exp.SetOperation):
        place = next((i for i, p in enumerate(query.selects) if p.alias_or_name == name), None)
        sides = [side.unnest() for side in (query.left, query.right)]
        if place is None or not all(isinstance(side, exp.Query) for side in sides):
            return []
        found = [projections(side, side.selects[place].alias_or_name) for side in sides]
        return [p for side in found for p in side] if all(found) else []
    if not isinstance(query, exp.Select):
        return []
    return [p for p in query.selects if p.alias_or_name == name][:1]


def joins_of(select: exp.Expression) -> list[exp.Join]:
    return select.args.get("joins") or []


def sources_of(select: exp.Expression) -> list[str]:
    """The aliases of what a SELECT reads, in order."""
    start = select.args.get("from_")
    first = [start.this.alias_or_name] if start is not None else []
    return [*first, *(join.alias_or_name for join in joins_of(select))]


def missing_sides(select: exp.Expression, joins: int | None = None) -> set[str]:
    """The aliases of the sources that the outer joins among the first `joins`, or all, may fill with NULLs."""
    before = sources_of(select)[:1]
    missing: set[str] = set()
    for join in joins_of(select)[:joins]:
        if join.side in ("RIGHT", "FULL"):
            missing.update(before)
        if join.side in ("LEFT", "FULL"):
            missing.add(join.alias_or_name)
        before.append(join.alias_or_name)
    return missing


def has_subtotals(select: exp.Expression) -> bool:
    """Whether a SELECT groups by ROLLUP, CUBE or GROUPING SETS."""
    group = select.args.get("group")
    return group is not None and any(group.args.get(kind) for kind in ("rollup", "cube", "grouping_sets"))


def group_keys(select: exp.Expression | None) -> list[exp.Expression]:
    """The expressions that a SELECT groups by; none where it does not say them or has subtotals."""
    if select is None or has_subtotals(select) or not select.args.get("group"):
        return []
    keys: list[exp.Expression] = select.args["group"].expressions
    return keys


def conjuncts(condition: exp.Expression) -> list[exp.Expression]:
    """The parts of a conjunction."""
    if isinstance(condition, exp.Paren):
        return conjuncts(condition.this)
    if isinstance(condition, exp.And):
        return [*conjuncts(condition.this), *conjuncts(condition.expression)]
    return [condition]
