"""Nested SELECTs made one where that says the same; `nesting` says when it does."""

from __future__ import annotations

from sqlglot import exp

from ibert_builder.dialects.base import Dialect
from ibert_builder.tidy.nesting import Nesting, can_merge
from ibert_builder.tidy.scopes import (
    as_named,
    binds_looser,
    has_window,
    is_bare,
    is_grouped,
    output_names,
    source_of,
)


def unwrap(tree: exp.Query, dialect: Dialect) -> exp.Query:
    """The query in `SELECT * FROM (query)`; `SELECT * FROM (a UNION b) ORDER BY x` is `a UNION b ORDER BY x`."""
    while (
        isinstance(tree, exp.Select)
        and is_bare(tree, "order", "limit", "offset")
        and not tree.args.get("with_")
    ):
        source = source_of(tree)
        if not isinstance(source, exp.Subquery) or not isinstance(source.this, exp.Query):
            break
        inner, names = source.this, output_names(source.this)
        whole = [
            (e.name if isinstance(e, exp.Column) and e.table == source.alias else None)
            for e in tree.expressions
        ]
        if whole != names and [type(e) for e in tree.expressions] != [exp.Star]:
            break
        if not is_bare(tree):
            keys = tree.args["order"].expressions if tree.args.get("order") else []
            simple = all(isinstance(key.this, exp.Column) and key.this.table == source.alias for key in keys)
            if not isinstance(inner, exp.SetOperation) or not simple or not dialect.orders_unions:
                break
            if inner.args.get("order") or inner.args.get("limit"):
                break
            for key in keys:
                key.this.set("table", None)
            for clause in ("order", "limit", "offset"):
                inner.set(clause, tree.args.get(clause))
        tree = inner
    return tree


def merge_down(outer: exp.Select, dialect: Dialect) -> None:
    """Merge the SELECT in FROM into this one, as long as that says the same."""
    while True:
        source = source_of(outer)
        if (
            not isinstance(source, exp.Subquery)
            or not isinstance(source.this, exp.Select)
            or source.args.get("pivots")
        ):
            return
        inner = source.this
        if inner.args.get("with_") or not can_merge(Nesting(outer, inner, source.alias, dialect)):
            return
        _merge(outer, inner, source.alias)


def _merge(outer: exp.Select, inner: exp.Select, alias: str) -> None:
    outputs = {e.alias_or_name: e.unalias() for e in inner.expressions}
    was_grouped, had_windows = is_grouped(inner), any(has_window(e) for e in inner.expressions)
    final = {e.alias_or_name for e in outer.expressions if isinstance(e.unalias(), exp.Column)}
    # An outer projection `t1.total` must keep its name once it is an expression.
    outer.set("expressions", [as_named(e) for e in outer.expressions])
    computed = {name for name, e in outputs.items() if not isinstance(e, exp.Column)}
    order = outer.args.get("order")
    if order is not None:
        for column in list(order.find_all(exp.Column)):
            if (
                column.table == alias
                and column.name in final & computed
                and isinstance(column.parent, exp.Ordered)
            ):
                column.set("table", None)
    condition = outer.args.get("where")
    if condition is not None and had_windows:
        for column in list(condition.find_all(exp.Column)):
            if column.table == alias and column.name in final & computed:
                column.set("table", None)  # QUALIFY may use the name that the projection gives
    outer.args["from_"].set("this", source_of(inner))
    for column in [c for c in outer.find_all(exp.Column) if c.table == alias]:
        replacement = outputs[column.name].copy()
        column.replace(
            exp.paren(replacement, copy=False) if binds_looser(replacement, column.parent) else replacement
        )
    if condition is not None and (was_grouped or had_windows):
        outer.set("where", None)
        clause, kind = ("having", exp.Having) if was_grouped else ("qualify", exp.Qualify)
        outer.set(clause, kind(this=condition.this))
    for name in ("where", "having", "qualify"):
        below, above = inner.args.get(name), outer.args.get(name)
        if below is not None:
            both = exp.and_(below.this, above.this, copy=False) if above is not None else below.this
            outer.set(name, type(below)(this=both))
    if inner.args.get("joins"):
        outer.set("joins", [*inner.args["joins"], *(outer.args.get("joins") or [])])
    for clause in ("group", "order", "limit", "offset", "distinct"):
        if inner.args.get(clause) is not None and outer.args.get(clause) is None:
            outer.set(clause, inner.args[clause])


def merge_joined(select: exp.Select) -> None:
    """`JOIN (SELECT * FROM b WHERE p) AS b ON q` is `JOIN b ON q WHERE p`, or `ON q AND p` in joins that keep all rows."""
    joins = select.args.get("joins") or []
    for index, join in enumerate(joins):
        if not (isinstance(join.this, exp.Subquery) and isinstance(join.this.this, exp.Select)):
            continue
        alias, inner = join.this.alias, join.this.this
        outputs = {e.alias_or_name: e.unalias() for e in inner.expressions}
        columns = [column for column in select.find_all(exp.Column) if column.table == alias]
        where = inner.args.get("where")
        if not (
            _only_filters_a_table(inner)
            and join.args.get("on")
            and not any(other.side in ("RIGHT", "FULL") for other in joins)
            and {column.name for column in columns} <= set(outputs)
        ):
            continue
        select.set("expressions", [as_named(e) for e in select.expressions])
        join.set("this", source_of(inner))
        for column in columns:
            column.replace(outputs[column.name].copy())
        if where is None:
            continue
        if any(other.side or other.kind in ("SEMI", "ANTI") for other in joins[index:]):
            join.set("on", exp.and_(join.args["on"], where.this, copy=False))
        else:
            above = select.args.get("where")
            both = exp.and_(above.this, where.this, copy=False) if above is not None else where.this
            select.set("where", exp.Where(this=both))


def _only_filters_a_table(inner: exp.Select) -> bool:
    """Whether it gives columns of a table as they are, filtered by its own columns alone."""
    columns = [e.unalias() for e in inner.expressions]
    where = inner.args.get("where")
    return (
        isinstance(source_of(inner), exp.Table)
        and is_bare(inner, "where")
        and not inner.args.get("with_")
        and all(isinstance(e, exp.Column) and not isinstance(e.this, exp.Star) for e in columns)
        and (where is None or where.find(exp.Query) is None)
    )
