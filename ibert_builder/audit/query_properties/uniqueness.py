"""Which rows cannot come twice, taking for granted only that keys are unique."""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

from ibert_builder.audit.query_properties.query import Query
from ibert_builder.audit.query_properties.structure import conjuncts, group_keys, joins_of


def is_unique(query: Query, nodes: Iterable[exp.Expression], select: exp.Expression | None) -> bool:
    """Whether no two rows of a SELECT (before DISTINCT and LIMIT) agree in all of the expressions."""
    if not isinstance(select, exp.Select) or any(select.find_all(exp.Unnest, exp.Explode, exp.Lateral)):
        return False
    plain = [node.unalias() for node in nodes]
    if select.args.get("group"):
        keys = group_keys(select)
        return bool(keys) and all(key in plain and not key.is_int for key in keys)  # a number is a position
    if any(isinstance(p.unalias(), exp.AggFunc) for p in select.selects):
        return True  # one row
    return _determine_sources(query, [node for node in plain if isinstance(node, exp.Column)], select)


def has_no_repeats(query: Query, relation: exp.Expression) -> bool:
    """Whether a query gives no row twice."""
    relation = relation.unnest()
    distinct = relation.args.get("distinct")
    if isinstance(relation, exp.SetOperation):
        return bool(distinct)
    if not isinstance(relation, exp.Select):
        return False
    is_plain_distinct = distinct is not None and not distinct.args.get("on")
    return is_plain_distinct or is_unique(query, relation.selects, relation)


def _determine_sources(query: Query, columns: list[exp.Column], select: exp.Select) -> bool:
    """Whether the columns fix the row of every source: its key is among them, or follows from a join by key."""
    scope = query.scope_of(select)
    start = select.args.get("from_")
    if scope is None or start is None:
        return False
    joins = {join.alias_or_name: join for join in joins_of(select)}
    if any(join.side in ("RIGHT", "FULL") for join in joins.values()):
        return False
    waiting = [start.this.alias_or_name, *(a for a, j in joins.items() if j.kind not in ("SEMI", "ANTI"))]
    fixed: set[str] = set()
    while waiting:
        for alias in waiting:
            mine = [c for c in columns if c.table == alias] + _joined_to(alias, joins.get(alias), fixed)
            if _fix_row(query, mine, scope.sources.get(alias)):
                break
        else:
            return False
        fixed.add(alias)
        waiting.remove(alias)
    return True


def _joined_to(alias: str, join: exp.Join | None, fixed: set[str]) -> list[exp.Column]:
    """The columns of a joined source that equal columns of sources whose rows are fixed."""
    condition = join.args.get("on") if join is not None else None
    if condition is None:
        return []
    equal = [part for part in conjuncts(condition) if isinstance(part, exp.EQ)]
    pairs = [pair for e in equal for pair in ((e.this, e.expression), (e.expression, e.this))]
    return [
        one
        for one, other in pairs
        if isinstance(one, exp.Column) and one.table == alias
        and isinstance(other, exp.Column) and other.table in fixed
    ]  # fmt: skip


def _fix_row(query: Query, columns: list[exp.Column], source: exp.Table | Scope | None) -> bool:
    """Whether columns of a source hold its key, or what makes the rows of a subquery unique."""
    if any(query.is_key(column) for column in columns):
        return True
    if not isinstance(source, Scope) or not isinstance(source.expression, exp.Select):
        return False
    names = {column.name for column in columns}
    inner = source.expression
    return is_unique(query, [p for p in inner.selects if p.alias_or_name in names], inner)
