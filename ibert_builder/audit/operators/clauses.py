"""Mistakes in the clauses of a query: joins, conditions, order, grouping, set operations."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from ibert_builder.audit.operators.rebuild import as_kind, with_args


def join(node: exp.Expression) -> Iterator[exp.Expression]:
    """A join of another kind."""
    if not isinstance(node, exp.Join) or not (node.args.get("on") or node.args.get("using")):
        return
    side, kind = node.side.upper(), node.kind.upper()
    if node.method or kind not in ("", "INNER", "OUTER", "SEMI", "ANTI"):
        return
    if kind in ("SEMI", "ANTI"):
        yield with_args(node, kind="ANTI" if kind == "SEMI" else "SEMI")
        return
    for other in ("", "LEFT", "RIGHT", "FULL"):
        if other != side:
            yield with_args(node, side=other or None, kind=None)


def conjunct(node: exp.Expression) -> Iterator[exp.Expression]:
    """One of several conditions left out."""
    if isinstance(node, exp.Where | exp.Having | exp.Qualify | exp.Join):
        condition = node.args.get("on") if isinstance(node, exp.Join) else node.this
        parts = list(condition.flatten()) if isinstance(condition, exp.And) else []
        for i in range(len(parts)):
            rest = exp.and_(*(part.copy() for j, part in enumerate(parts) if j != i))
            yield with_args(node, **{"on" if isinstance(node, exp.Join) else "this": rest})


def clause(node: exp.Expression) -> Iterator[exp.Expression]:
    """A clause left out."""
    if isinstance(node, exp.Query):
        for name in ("where", "having", "qualify", "order", "limit", "offset", "distinct"):
            if node.args.get(name) and (name != "distinct" or isinstance(node, exp.Select)):
                yield with_args(node, **{name: None})


def sort(node: exp.Expression) -> Iterator[exp.Expression]:
    """A sort key of a query or an aggregate turned round, or its NULLs put at the other end."""
    if isinstance(node, exp.Ordered) and not _is_in_window(node):
        yield from _turned(node)


def window_order(node: exp.Expression) -> Iterator[exp.Expression]:
    """The same in a window."""
    if isinstance(node, exp.Ordered) and _is_in_window(node):
        yield from _turned(node)


def _is_in_window(key: exp.Ordered) -> bool:
    return key.parent is not None and isinstance(key.parent.parent, exp.Window)


def _turned(key: exp.Ordered) -> Iterator[exp.Expression]:
    descending, first = bool(key.args.get("desc")), bool(key.args.get("nulls_first"))
    yield with_args(key, desc=not descending)
    yield with_args(key, nulls_first=not first)


def sort_key(node: exp.Expression) -> Iterator[exp.Expression]:
    """One of several sort keys left out."""
    if isinstance(node, exp.Order) and len(node.expressions) > 1 and not isinstance(node.parent, exp.Window):
        for i in range(len(node.expressions)):
            yield with_args(node, expressions=[e.copy() for j, e in enumerate(node.expressions) if j != i])


def grouping(node: exp.Expression) -> Iterator[exp.Expression]:
    """A grouping key left out; where it is shown, any value of the group is shown instead."""
    if not isinstance(node, exp.Select) or not node.args.get("group"):
        return
    keys = node.args["group"].expressions
    for i, key in enumerate(keys):
        copy = node.copy()
        rest = [k.copy() for j, k in enumerate(keys) if j != i]
        copy.set("group", exp.Group(expressions=rest) if rest else None)
        shown = node.expressions[int(key.this) - 1].unalias() if key.is_int else key
        for place in [*copy.expressions, *filter(None, (copy.args.get("having"), copy.args.get("order")))]:
            for found in list(place.walk()):
                if found == shown and not found.find_ancestor(exp.AggFunc):
                    found.replace(exp.AnyValue(this=shown.copy()))
        for projection in copy.expressions:
            if isinstance(projection, exp.AnyValue):
                projection.replace(exp.alias_(projection.copy(), shown.output_name))
        yield copy


def set_operation(node: exp.Expression) -> Iterator[exp.Expression]:
    """Another set operation, or the same with or without ALL."""
    if isinstance(node, exp.SetOperation):
        for kind in (exp.Union, exp.Intersect, exp.Except):
            if not isinstance(node, kind):
                yield as_kind(node, kind)
        yield with_args(node, distinct=not node.args.get("distinct"))
