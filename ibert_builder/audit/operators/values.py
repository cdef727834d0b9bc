"""Mistakes in what is computed: aggregates, arithmetic, strings."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from ibert_builder.audit.operators.rebuild import as_kind, with_args

_AGGREGATES: dict[type[exp.Expression], tuple[type[exp.Expression], ...]] = {
    exp.Sum: (exp.Avg, exp.Max),
    exp.Avg: (exp.Sum, exp.Min),
    exp.Min: (exp.Max,),
    exp.Max: (exp.Min,),
    exp.Count: (exp.Sum,),
    exp.Median: (exp.Avg,),
}
_ARITHMETIC: dict[type[exp.Expression], tuple[type[exp.Expression], ...]] = {
    exp.Add: (exp.Sub,),
    exp.Sub: (exp.Add,),
    exp.Mul: (exp.Div,),
    exp.Div: (exp.Mul,),
    exp.Mod: (exp.Mul,),
    exp.IntDiv: (exp.Div,),
}
_CASES: dict[type[exp.Expression], type[exp.Expression]] = {
    exp.Upper: exp.Lower,
    exp.Lower: exp.Upper,
    exp.ILike: exp.Like,
    exp.Like: exp.ILike,
}


def aggregate(node: exp.Expression) -> Iterator[exp.Expression]:
    """Another aggregate of the same values."""
    if isinstance(node, exp.Count) and isinstance(node.this, exp.Star | exp.Distinct):
        return
    for kind in _AGGREGATES.get(type(node), ()):
        yield kind(this=node.this.copy())


def distinct(node: exp.Expression) -> Iterator[exp.Expression]:
    """DISTINCT forgotten in an aggregate, or needless there."""
    if not isinstance(node, exp.Count | exp.Sum | exp.Avg):
        return
    if isinstance(node.this, exp.Distinct):
        yield with_args(node, this=node.this.expressions[0])
    elif not isinstance(node.this, exp.Star):
        yield with_args(node, this=exp.Distinct(expressions=[node.this.copy()]))


def arithmetic(node: exp.Expression) -> Iterator[exp.Expression]:
    """Another operation on the same numbers."""
    yield from (
        kind(this=node.this.copy(), expression=node.expression.copy())
        for kind in _ARITHMETIC.get(type(node), ())
    )


def pattern(node: exp.Expression) -> Iterator[exp.Expression]:
    """A text that begins, ends or is where another kind of match was asked for."""
    if isinstance(node, exp.Like | exp.ILike) and isinstance(node.expression, exp.Literal):
        text = node.expression.this
        core = text.strip("%")
        for other in (f"{core}%", f"%{core}", f"%{core}%", core):
            if other != text:
                yield with_args(node, expression=exp.Literal.string(other))
    elif isinstance(node, exp.StartsWith | exp.EndsWith | exp.Contains):
        for kind in (exp.StartsWith, exp.EndsWith, exp.Contains):
            if not isinstance(node, kind):
                yield kind(this=node.this.copy(), expression=node.expression.copy())


def case(node: exp.Expression) -> Iterator[exp.Expression]:
    """Letters of the other case, or a match that minds the case for one that does not."""
    if other := _CASES.get(type(node)):
        yield as_kind(node, other)


def text(node: exp.Expression) -> Iterator[exp.Expression]:
    """A change to a text forgotten, or made at its other end or one letter on."""
    if isinstance(node, exp.Trim | exp.Substring | exp.Replace | exp.Left | exp.Right):
        yield node.this.copy()
    if isinstance(node, exp.Left):
        yield as_kind(node, exp.Right)
    if isinstance(node, exp.Right):
        yield as_kind(node, exp.Left)
    if (
        isinstance(node, exp.Substring)
        and isinstance(start := node.args.get("start"), exp.Literal)
        and start.is_int
    ):
        yield with_args(node, start=exp.Literal.number(int(start.this) + 1))
