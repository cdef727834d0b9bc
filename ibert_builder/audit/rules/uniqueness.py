"""Mutants that differ where rows tie, repeat or fall into one group, where none do."""

from __future__ import annotations

from sqlglot import exp

from ibert_builder.audit.mutants import Mutant
from ibert_builder.audit.query_properties.query import Query
from ibert_builder.audit.query_properties.structure import (
    has_subtotals,
    joins_of,
    missing_sides,
    sources_of,
)
from ibert_builder.audit.query_properties.uniqueness import has_no_repeats, is_unique

_RANKS = (exp.RowNumber, exp.Rank, exp.DenseRank)


def no_ties(query: Query, mutant: Mutant) -> bool:
    """Without ties, row numbers, ranks and dense ranks are the same, and so are frames of rows and of ranges."""
    node, other = mutant.node, mutant.replacement
    if isinstance(node, _RANKS) and isinstance(other, _RANKS):
        window = node.parent
        if not isinstance(window, exp.Window):
            return False
        if not isinstance(node, exp.RowNumber) and not isinstance(other, exp.RowNumber) and _is_first(window):
            return True  # the same rows come first in both
        return _orders_all(query, window)
    return (
        isinstance(node, exp.Window) and _only_drops_running_frame(node, other) and _orders_all(query, node)
    )


def _is_first(window: exp.Window) -> bool:
    """Whether a rank is only asked whether it is the first."""
    test = window.parent
    if not isinstance(test, exp.EQ | exp.LTE | exp.LT) or test.this is not window:
        return False
    return test.expression == exp.Literal.number(2 if isinstance(test, exp.LT) else 1)


def _only_drops_running_frame(window: exp.Window, other: exp.Expression) -> bool:
    spec = window.args.get("spec")
    if spec is None or other.args.get("spec") is not None or spec.args.get("exclude"):
        return False
    return (spec.args.get("start"), spec.args.get("end")) == ("UNBOUNDED", "CURRENT ROW") and all(
        window.args.get(part) == other.args.get(part) for part in ("order", "partition_by")
    )


def _orders_all(query: Query, window: exp.Window) -> bool:
    """Whether no two rows of a partition tie."""
    select = window.find_ancestor(exp.Select)
    named: exp.Expression = window
    if select is not None and window.args.get("alias"):  # OVER w
        named = next(
            (w for w in select.args.get("windows") or [] if w.name == window.args["alias"].name), window
        )
    order = named.args.get("order")
    if order is None:
        return False
    keys = [*(key.this for key in order.expressions), *(named.args.get("partition_by") or [])]
    return is_unique(query, keys, select)


def no_repeats(query: Query, mutant: Mutant) -> bool:
    """DISTINCT and set operations without ALL change nothing where no row, or no value, comes twice."""
    node, other = mutant.node, mutant.replacement
    if mutant.operator == "clause" and isinstance(node, exp.Select):
        distinct = node.args.get("distinct")
        if distinct is None or other.args.get("distinct") is not None:
            return False
        on = distinct.args.get("on")
        return is_unique(query, node.selects if on is None else on.expressions, node)
    if mutant.operator == "set_operation" and isinstance(node, exp.SetOperation):
        return type(node) is type(other) and _all_changes_nothing(query, node)
    if mutant.operator == "distinct":
        value = node.this.expressions[0] if isinstance(node.this, exp.Distinct) else node.this
        return _is_key_of_lone_table(query, value, node.find_ancestor(exp.Select))
    return False


def _all_changes_nothing(query: Query, operation: exp.SetOperation) -> bool:
    left, right = has_no_repeats(query, operation.left), has_no_repeats(query, operation.right)
    if isinstance(operation, exp.Intersect):
        return left or right
    if isinstance(operation, exp.Except):
        return left
    return left and right and _are_labelled_apart(operation)


def _are_labelled_apart(union: exp.SetOperation) -> bool:
    """Whether the two sides have different texts in one place."""
    left, right = union.left.unnest(), union.right.unnest()
    if not isinstance(left, exp.Select) or not isinstance(right, exp.Select):
        return False
    pairs = [(a.unalias(), b.unalias()) for a, b in zip(left.selects, right.selects, strict=False)]
    return any(a.is_string and b.is_string and a != b for a, b in pairs)


def _is_key_of_lone_table(query: Query, value: exp.Expression, select: exp.Select | None) -> bool:
    return (
        select is not None
        and isinstance(value, exp.Column)
        and query.is_key(value)
        and value.table in sources_of(select)
        and not joins_of(select)
        and not any(select.find_all(exp.Unnest, exp.Explode, exp.Lateral))
    )


def determined_key(query: Query, mutant: Mutant) -> bool:
    """A grouping key that follows from the others: they hold the key of its table, or all that it is computed from."""
    node, other = mutant.node, mutant.replacement
    if mutant.operator != "grouping" or missing_sides(node) or has_subtotals(node):
        return False
    keys = node.args["group"].expressions
    rest = other.args["group"].expressions if other.args.get("group") else []
    kept = [key for key in keys if key in rest]
    dropped = [key for key in keys if key not in rest]
    tables = {key.table for key in kept if query.is_key(key)}
    return bool(kept) and bool(dropped) and all(_follows(key, kept, tables) for key in dropped)


def _follows(expression: exp.Expression, kept: list[exp.Expression], tables: set[str]) -> bool:
    """Whether an expression has one value where the kept keys, and so the rows of some tables, have one."""
    if expression in kept:
        return True
    if isinstance(expression, exp.Column):
        return expression.table in tables
    if isinstance(expression, exp.AggFunc | exp.Query | exp.Window):
        return False
    parts = list(expression.iter_expressions())
    if not parts:  # RANDOM() has none either
        return isinstance(
            expression, exp.Literal | exp.Boolean | exp.Null | exp.Var | exp.Identifier | exp.DataType
        )
    return all(_follows(part, kept, tables) for part in parts)
