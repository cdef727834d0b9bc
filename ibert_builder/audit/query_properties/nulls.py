"""Where NULL can and cannot come from, taking for granted only that keys are never NULL."""

from __future__ import annotations

from sqlglot import exp

from ibert_builder.audit.query_properties.query import Query
from ibert_builder.audit.query_properties.structure import (
    group_keys,
    has_subtotals,
    missing_sides,
    sources_of,
)

# NULL where any argument is, and only there.
_TOTAL = (
    exp.Add, exp.Sub, exp.Mul, exp.Neg, exp.Paren, exp.Cast, exp.Abs, exp.Ceil, exp.Floor, exp.Round, exp.Upper, exp.Lower,
    exp.Trim, exp.Length, exp.Substring, exp.Replace, exp.DPipe, exp.StartsWith, exp.EndsWith, exp.Contains, exp.Like,
    exp.ILike, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Not, exp.Reverse, exp.Alias, exp.TimestampTrunc,
    exp.DateTrunc, exp.Interval,
)  # fmt: skip
# NULL where any argument is, and elsewhere too: division by zero, the year of an infinite date.
_STRICT = (
    *_TOTAL, exp.Div, exp.IntDiv, exp.Mod, exp.Extract, exp.Year, exp.Month, exp.Day, exp.DayOfWeek,
)  # fmt: skip
_COUNTS = (exp.Count, exp.RowNumber, exp.Rank, exp.DenseRank, exp.Ntile, exp.PercentRank, exp.CumeDist)
_OF_GROUPS = (exp.Sum, exp.Avg, exp.Min, exp.Max, exp.Median)


def never_null(query: Query, node: exp.Expression | None) -> bool:
    """Whether an expression has a value for every row (or group) it is asked for."""
    if isinstance(node, (exp.Column, *_STRICT)) and _where_keeps_null_out(query, node):
        return True
    if isinstance(node, exp.Column):
        return _column_never_null(query, node)
    if isinstance(node, (exp.Literal, exp.Boolean, exp.Is, exp.Star, exp.Exists, *_COUNTS)):
        return True
    if isinstance(node, exp.Window):
        plain = node.args.get("spec") is None and not node.args.get("alias")
        return isinstance(node.this, _COUNTS) or (plain and _is_of_values(query, node.this))
    if isinstance(node, exp.Case):
        results = [node.args.get("default"), *(branch.args["true"] for branch in node.args["ifs"])]
        return all(never_null(query, result) for result in results)
    if isinstance(node, exp.Coalesce):
        return any(never_null(query, part) for part in (node.this, *node.expressions))
    if isinstance(node, exp.And | exp.Or):
        return never_null(query, node.this) and never_null(query, node.expression)
    if isinstance(node, _OF_GROUPS):
        grouped = bool(group_keys(node.find_ancestor(exp.Select)))
        return grouped and not isinstance(node.parent, exp.Filter) and _is_of_values(query, node)
    if isinstance(node, exp.Cast) and (isinstance(node, exp.TryCast) or query.has_json):
        return False
    if isinstance(node, (*_TOTAL, exp.Between)):
        return all(never_null(query, part) for part in _arguments(node))
    return False


def _is_of_values(query: Query, aggregate: exp.Expression) -> bool:
    return isinstance(aggregate, _OF_GROUPS) and never_null(query, aggregate.this)


def _column_never_null(query: Query, column: exp.Column) -> bool:
    scope = query.scope_of(column)
    if scope is None or not isinstance(scope.expression, exp.Query):
        return False
    select = scope.expression
    if isinstance(select, exp.Select):
        if has_subtotals(select) or (column.table and column.table not in sources_of(select)):
            return False  # NULL in a subtotal, or a column of an outer query
        if column.table in missing_sides(select):
            return False
    if query.is_key(column):
        return True
    origins = query.origins(column)
    return bool(origins) and all(never_null(query, origin) for origin in origins)


def _where_keeps_null_out(query: Query, node: exp.Expression) -> bool:
    """Whether an expression is computed of rows that WHERE lets through, none of which has a NULL for it."""
    scope = query.scope_of(node)
    select = scope.expression if scope is not None else None
    if not isinstance(select, exp.Select) or has_subtotals(select) or not select.args.get("where"):
        return False
    own = sources_of(select)
    return (
        node.find_ancestor(exp.Where, exp.Join, exp.Select) is select
        and all(column.table in own for column in node.find_all(exp.Column))
        and rejects_null(select.args["where"].this, node)
    )


def _arguments(node: exp.Expression) -> list[exp.Expression]:
    values: list[object] = []
    for name, value in node.args.items():
        if name not in ("to", "alias"):
            values.extend(value if isinstance(value, list) else [value])
    return [value for value in values if isinstance(value, exp.Expression) and not isinstance(value, exp.Var)]


def is_null_with(node: exp.Expression, column: exp.Expression) -> bool:
    """Whether an expression is NULL whenever the column is."""
    if node == column:
        return True
    if isinstance(node, exp.In):  # of an empty subquery it is false
        return _lists_values(node) and is_null_with(node.this, column)
    if isinstance(node, exp.Between):  # with one bound NULL it is false beyond the other
        return is_null_with(node.this, column)
    return isinstance(node, _STRICT) and any(is_null_with(part, column) for part in _arguments(node))


def _lists_values(node: exp.In) -> bool:
    return bool(node.expressions) and not any(part.find(exp.Query) for part in node.expressions)


def rejects_null(condition: exp.Expression, column: exp.Expression) -> bool:
    """Whether a condition is not true (false or NULL) whenever the column is NULL."""
    if isinstance(condition, exp.Paren):
        return rejects_null(condition.this, column)
    if isinstance(condition, exp.And):
        return rejects_null(condition.this, column) or rejects_null(condition.expression, column)
    if isinstance(condition, exp.Or):
        return rejects_null(condition.this, column) and rejects_null(condition.expression, column)
    if isinstance(condition, exp.Coalesce) and condition.expressions == [exp.false()]:
        return rejects_null(condition.this, column)
    if isinstance(condition, exp.Not) and isinstance(condition.this, exp.Is):
        return isinstance(condition.this.expression, exp.Null) and is_null_with(condition.this.this, column)
    if isinstance(condition, exp.In):
        return is_null_with(condition.this, column)
    if isinstance(condition, exp.Between):
        return any(is_null_with(part, column) for part in _arguments(condition))
    return is_null_with(condition, column)
