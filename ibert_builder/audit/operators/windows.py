"""Mistakes in windows: their partitions, frames, order and functions."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from ibert_builder.audit.operators.rebuild import as_kind, with_args

_RANKS = (exp.RowNumber, exp.Rank, exp.DenseRank)
_OPPOSITES: dict[type[exp.Expression], type[exp.Expression]] = {
    exp.Lag: exp.Lead,
    exp.Lead: exp.Lag,
    exp.FirstValue: exp.LastValue,
    exp.LastValue: exp.FirstValue,
}
# Functions whose result without an order is up to chance; it may well be that of the order turned round, a mutant anyway.
# An identifier is the name of a window that is declared in a clause of its own.
_IN_ORDER = (
    exp.RowNumber, exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue, exp.NthValue, exp.Ntile, exp.Identifier,
)  # fmt: skip


def window(node: exp.Expression) -> Iterator[exp.Expression]:
    """A partition key, the order or the frame left out, or a frame of another size."""
    if not isinstance(node, exp.Window):
        return
    parts = node.args.get("partition_by") or []
    for i in range(len(parts)):
        yield with_args(node, partition_by=[p.copy() for j, p in enumerate(parts) if j != i])
    if node.args.get("order") and not node.args.get("spec") and not isinstance(node.this, _IN_ORDER):
        yield with_args(node, order=None)
    if spec := node.args.get("spec"):
        yield with_args(node, spec=None)
        for bound in ("start", "end"):
            edge = spec.args.get(bound)
            if isinstance(edge, exp.Literal) and edge.is_int:
                yield with_args(node, spec=with_args(spec, **{bound: exp.Literal.number(int(edge.this) + 1)}))
            elif edge == "UNBOUNDED":
                yield with_args(node, spec=with_args(spec, **{bound: "CURRENT ROW", f"{bound}_side": None}))


def ranking(node: exp.Expression) -> Iterator[exp.Expression]:
    """Another function of the same order."""
    if isinstance(node.parent, exp.Window) and type(node) in _OPPOSITES:
        yield as_kind(node, _OPPOSITES[type(node)])
    elif type(node) in _RANKS:
        yield from (kind() for kind in _RANKS if not isinstance(node, kind))
