"""Mistakes in conditions: comparisons and their bounds, logic, NULL."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from ibert_builder.audit.operators.rebuild import as_kind, with_args

_COMPARISONS: dict[type[exp.Expression], tuple[type[exp.Expression], ...]] = {
    exp.GT: (exp.GTE, exp.LT),
    exp.GTE: (exp.GT, exp.LTE),
    exp.LT: (exp.LTE, exp.GT),
    exp.LTE: (exp.LT, exp.GTE),
    exp.EQ: (exp.NEQ,),
    exp.NEQ: (exp.EQ,),
}
_NULL_SAFE: dict[type[exp.Expression], type[exp.Expression]] = {
    exp.NullSafeEQ: exp.EQ,
    exp.NullSafeNEQ: exp.NEQ,
    exp.NEQ: exp.NullSafeNEQ,
}


def relation(node: exp.Expression) -> Iterator[exp.Expression]:
    """A comparison with its bound taken the other way, or turned round."""
    if not isinstance(node.parent, exp.Join):  # nobody gets a join condition the wrong way round
        yield from (as_kind(node, kind) for kind in _COMPARISONS.get(type(node), ()))


def literal(node: exp.Expression) -> Iterator[exp.Expression]:
    """A number one above or below the one compared with."""
    if isinstance(node, exp.Literal) and not node.is_string and _is_compared(node):
        places = len(node.this.partition(".")[2])
        value = float(node.this)
        for other in (value + 1, value - 1):
            yield exp.Literal.number(f"{other:.{places}f}")


def _is_compared(node: exp.Expression) -> bool:
    parent = node.parent
    if isinstance(parent, exp.Neg):
        parent = parent.parent
    return isinstance(parent, (*_COMPARISONS, exp.Between, exp.In))


def between(node: exp.Expression) -> Iterator[exp.Expression]:
    """A range without one of its bounds."""
    if isinstance(node, exp.Between):
        this, low, high = (node.args[name].copy() for name in ("this", "low", "high"))
        yield exp.paren(
            exp.and_(exp.GT(this=this, expression=low), exp.LTE(this=this.copy(), expression=high))
        )
        yield exp.paren(
            exp.and_(exp.GTE(this=this, expression=low), exp.LT(this=this.copy(), expression=high))
        )


def in_list(node: exp.Expression) -> Iterator[exp.Expression]:
    """A list without one of its values."""
    if isinstance(node, exp.In) and len(node.expressions) > 1:
        for i in range(len(node.expressions)):
            yield with_args(node, expressions=[e.copy() for j, e in enumerate(node.expressions) if j != i])


def connector(node: exp.Expression) -> Iterator[exp.Expression]:
    """OR for AND, and the other way round."""
    if isinstance(node, exp.And) and not isinstance(node.parent, exp.Join):
        yield exp.paren(as_kind(node, exp.Or))
    elif isinstance(node, exp.Or):
        yield exp.paren(as_kind(node, exp.And))


def negation(node: exp.Expression) -> Iterator[exp.Expression]:
    """A NOT left out, or one too many."""
    if isinstance(node, exp.Not) and not isinstance(node.this, exp.Is):
        yield exp.paren(node.this.copy())
    elif isinstance(node, exp.In | exp.Exists) and not isinstance(node.parent, exp.Not):
        yield exp.not_(node.copy())
    elif isinstance(node, exp.Case):
        for branch in node.args["ifs"]:
            if isinstance(branch.this, exp.Predicate):
                copy = node.copy()
                twin = copy.args["ifs"][node.args["ifs"].index(branch)]
                twin.set("this", exp.not_(twin.this.copy()))
                yield copy


def is_null(node: exp.Expression) -> Iterator[exp.Expression]:
    """IS NULL for IS NOT NULL, and the other way round."""
    if isinstance(node, exp.Not) and isinstance(node.this, exp.Is):
        yield node.this.copy()
    elif isinstance(node, exp.Is) and not isinstance(node.parent, exp.Not):
        yield exp.not_(node.copy())


def coalesce(node: exp.Expression) -> Iterator[exp.Expression]:
    """COALESCE or NULLIF forgotten."""
    if isinstance(node, exp.Coalesce | exp.Nullif):
        yield node.this.copy()


def null_safe(node: exp.Expression) -> Iterator[exp.Expression]:
    """A comparison that is NULL-safe for one that is not, or the other way round."""
    if other := _NULL_SAFE.get(type(node)):
        yield as_kind(node, other)
