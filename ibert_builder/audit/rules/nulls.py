"""Mutants that differ in what they do with NULL, where there is none or where it makes no difference."""

from __future__ import annotations

from sqlglot import exp

from ibert_builder.audit.mutants import Mutant
from ibert_builder.audit.query_properties.nulls import never_null, rejects_null
from ibert_builder.audit.query_properties.query import Query
from ibert_builder.audit.query_properties.structure import conjuncts, projections

_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)


def null_order(query: Query, mutant: Mutant) -> bool:
    """Where NULLs sort makes no difference to an expression that is never NULL."""
    node, other = mutant.node, mutant.replacement
    if not isinstance(node, exp.Ordered) or bool(node.args.get("desc")) != bool(other.args.get("desc")):
        return False
    sorts = node.parent.parent if node.parent is not None else None
    if isinstance(sorts, exp.Query):
        if node.this.is_int:
            return False  # a position
        if isinstance(node.this, exp.Column) and not node.this.table:
            found = projections(sorts, node.this.name)  # an alias in ORDER BY stands for its projection
            return bool(found) and all(never_null(query, projection) for projection in found)
    return never_null(query, node.this)


def implied(query: Query, mutant: Mutant) -> bool:
    """A dropped condition `x IS NOT NULL` whose x is never NULL, or whose NULL another condition rejects."""
    node, other = mutant.node, mutant.replacement
    if isinstance(node, exp.Where | exp.Having | exp.Qualify) and mutant.operator == "conjunct":
        kept = other.this
        dropped = [part for part in conjuncts(node.this) if part not in conjuncts(kept)]
    elif _drops_where(mutant):
        kept, dropped = None, conjuncts(node.args["where"].this)
    else:
        return False
    return bool(dropped) and all(_is_implied(query, part, kept) for part in dropped)


def _drops_where(mutant: Mutant) -> bool:
    return (
        isinstance(mutant.node, exp.Select)
        and mutant.operator == "clause"
        and mutant.node.args.get("where") is not None
        and mutant.replacement.args.get("where") is None
    )


def _is_implied(query: Query, condition: exp.Expression, kept: exp.Expression | None) -> bool:
    if not (isinstance(condition, exp.Not) and isinstance(condition.this, exp.Is)):
        return False
    if not isinstance(condition.this.expression, exp.Null):
        return False
    value = condition.this.this
    return never_null(query, value) or (kept is not None and rejects_null(kept, value))


def null_has_no_say(query: Query, mutant: Mutant) -> bool:
    """COALESCE and null-safe comparisons differ from the plain ones on NULL alone, and no NULL gets there."""
    node, other = mutant.node, mutant.replacement
    if isinstance(node, exp.Coalesce) and mutant.operator == "coalesce":
        return never_null(query, node.this) or _is_false_for_null(node)
    if {type(node), type(other)} == {exp.EQ, exp.NullSafeEQ}:
        # NULL = 5 is NULL, NULL IS NOT DISTINCT FROM 5 is false: in a condition neither is true.
        return len(_nullable_sides(query, node)) < (1 if _siblings(node) is None else 2)
    if {type(node), type(other)} == {exp.NEQ, exp.NullSafeNEQ}:
        return not _nullable_sides(query, node)
    return False


def _is_false_for_null(node: exp.Coalesce) -> bool:
    """Whether it is COALESCE(..., FALSE) in a condition, where NULL does the same as FALSE."""
    return node.expressions == [exp.false()] and _siblings(node) is not None


def _nullable_sides(query: Query, comparison: exp.Expression) -> list[exp.Expression]:
    """The sides of a comparison that may be NULL on a row that the conditions beside it let through."""
    beside = _siblings(comparison) or []
    return [
        side
        for side in (comparison.this, comparison.args["expression"])
        if not never_null(query, side) and not any(rejects_null(condition, side) for condition in beside)
    ]


def _siblings(node: exp.Expression) -> list[exp.Expression] | None:
    """The other conjuncts of the condition in which a node is a conjunct; None where it is part of no condition."""
    child, parent = node, node.parent
    while isinstance(parent, exp.And | exp.Paren):
        child, parent = parent, parent.parent
    is_condition = isinstance(parent, exp.Where | exp.Having | exp.Qualify) or (
        isinstance(parent, exp.If) and parent.this is child and not _is_compared(parent)
    )
    return [part for part in conjuncts(child) if part is not node] if is_condition else None


def _is_compared(branch: exp.If) -> bool:
    """Whether a branch of CASE gives a value to compare with: CASE x WHEN value THEN ..."""
    return isinstance(branch.parent, exp.Case) and branch.parent.this is not None


def constant_zero(query: Query, mutant: Mutant) -> bool:
    """The sum, mean and extremes of nothing but zeros, such as `CAST(key IS NULL AS INT)`, are zero in any group."""
    node, other = mutant.node, mutant.replacement
    if mutant.family != "aggregate" or not isinstance(node, exp.Sum | exp.Avg | exp.Min | exp.Max):
        return False
    places = [node, *query.twins.get(id(node), ())]
    return (
        not isinstance(other, exp.Count)
        and _is_always_zero(query, node.this)
        and all(_is_taken_as_a_number(query, place) for place in places)
    )


def _is_always_zero(query: Query, value: exp.Expression) -> bool:
    if not (isinstance(value, exp.Cast) and value.is_type(*exp.DataType.INTEGER_TYPES)):
        return False
    test = value.this.unnest()
    return isinstance(test, exp.Is) and isinstance(test.expression, exp.Null) and never_null(query, test.this)


def _is_taken_as_a_number(query: Query, node: exp.Expression) -> bool:
    """Whether a value is shown or compared as it is, so that 0 and 0.0 are the same."""
    parent = node.parent
    while isinstance(parent, exp.Alias | exp.Paren | exp.Filter | exp.Window):
        parent = parent.parent
    return parent is query.tree or isinstance(parent, (exp.Ordered, *_COMPARISONS))
