"""What is certain about a query from its text and the keys of its tables: what is never NULL, what is never twice.

Nothing else is taken for granted: any other column may hold NULL and hold a value twice. All functions err on the side
of saying no.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, traverse_scope

DIALECT = "duckdb"

# NULL where any argument is NULL. Division is strict too, but gives NULL of its own (by zero): it is not in TOTAL.
TOTAL = (
    exp.Add, exp.Sub, exp.Mul, exp.Neg, exp.Paren, exp.Cast, exp.Abs, exp.Ceil, exp.Floor, exp.Round, exp.Upper, exp.Lower,
    exp.Trim, exp.Length, exp.Substring, exp.Replace, exp.DPipe, exp.StartsWith, exp.EndsWith, exp.Contains, exp.Like,
    exp.ILike, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.Not, exp.Extract, exp.Year, exp.Month,
    exp.Day, exp.DayOfWeek, exp.Reverse, exp.Alias, exp.TimestampTrunc, exp.DateTrunc,
)  # fmt: skip
STRICT = (*TOTAL, exp.Div, exp.IntDiv, exp.Mod, exp.In)
_COUNTS = (exp.Count, exp.RowNumber, exp.Rank, exp.DenseRank, exp.Ntile, exp.PercentRank, exp.CumeDist)
_OF_GROUPS = (exp.Sum, exp.Avg, exp.Min, exp.Max, exp.Median)


class Query:
    """A DuckDB query with every column qualified, every star spelled out and every alias in GROUP BY and HAVING resolved.

    `twins` holds, by the id of a node of a projection, its copies that came from an alias; `copies` all of their ids.

    Args:
        sql: the query.
        columns: table -> column -> type, of the whole database.
        keys: table -> the column that is unique and never NULL.

    Raises:
        SqlglotError: it cannot be read or resolved.
    """

    def __init__(self, sql: str, columns: Mapping[str, Mapping[str, str]], keys: Mapping[str, str]) -> None:
        self.columns, self.keys = columns, keys
        self.tree = qualify(
            sqlglot.parse_one(sql, read=DIALECT),
            dialect=DIALECT,
            schema=columns,
            quote_identifiers=False,
            validate_qualify_columns=False,
        )
        self.sql = self.tree.sql(DIALECT)
        self.twins, self.copies = _twins(self.tree)
        self.scopes: dict[int, Scope] = {id(scope.expression): scope for scope in traverse_scope(self.tree)}

    # --- where columns come from

    def scope_of(self, node: exp.Expression) -> Scope | None:
        select = node if isinstance(node, exp.Query) else node.find_ancestor(exp.Query)
        while isinstance(select, exp.Subquery):
            select = select.find_ancestor(exp.Query)
        return self.scopes.get(id(select)) if select is not None else None

    def table_of(self, column: exp.Column) -> str | None:
        """The base table of a column, where it is one's."""
        scope = self.scope_of(column)
        source = scope.sources.get(column.table) if scope and column.table else None
        return source.name if isinstance(source, exp.Table) and source.name in self.columns else None

    def is_key(self, column: exp.Expression) -> bool:
        return isinstance(column, exp.Column) and self.keys.get(self.table_of(column) or "") == column.name

    def origins(self, column: exp.Column) -> list[exp.Expression]:
        """What a column stands for: a projection of the subquery it comes from (of each side of a set operation), or by
        alias of its own query; empty where that is not known.
        """
        scope = self.scope_of(column)
        if scope is None:
            return []
        source = scope.sources.get(column.table) if column.table else scope
        if not isinstance(source, Scope):
            return []
        found = projections(source.expression, column.name)
        return [] if any(p is column for p in found) else found

    # --- NULL

    def never_null(self, node: exp.Expression | None) -> bool:
        """Whether an expression has a value for every row (or group) it is asked for."""
        if node is None:
            return False
        if isinstance(node, exp.Column):
            return self._column_never_null(node)
        if isinstance(node, (exp.Literal, exp.Boolean, exp.Is, exp.Star, exp.Exists, exp.Interval, *_COUNTS)):
            return True
        if isinstance(node, exp.Window):
            plain = node.args.get("spec") is None and not node.args.get("alias")
            return isinstance(node.this, _COUNTS) or (plain and self._of_values(node.this))
        if isinstance(node, exp.Case):
            results = [node.args.get("default"), *(branch.args["true"] for branch in node.args["ifs"])]
            return all(self.never_null(result) for result in results)
        if isinstance(node, exp.Coalesce):
            return any(self.never_null(part) for part in (node.this, *node.expressions))
        if isinstance(node, exp.And | exp.Or):
            return self.never_null(node.this) and self.never_null(node.expression)
        if isinstance(node, _OF_GROUPS):
            select = node.find_ancestor(exp.Select)
            grouped = select is not None and select.args.get("group")
            return bool(grouped) and not isinstance(node.parent, exp.Filter) and self._of_values(node)
        if isinstance(node, TOTAL) and not isinstance(node, exp.TryCast):
            return all(self.never_null(part) for part in _arguments(node))
        return False

    def _of_values(self, aggregate: exp.Expression) -> bool:
        return isinstance(aggregate, _OF_GROUPS) and self.never_null(aggregate.this)

    def _column_never_null(self, column: exp.Column) -> bool:
        scope = self.scope_of(column)
        if scope is None or not isinstance(scope.expression, exp.Query):
            return False
        select = scope.expression
        if isinstance(select, exp.Select):
            if _has_subtotals(select):
                return False
            where = select.args.get("where")
            is_after = column.find_ancestor(exp.Where, exp.Join, exp.Select) is select
            if where is not None and is_after and rejects_null(where.this, column):
                return True
            if column.table and (
                column.table not in sources_of(select) or column.table in missing_sides(select)
            ):
                return False  # of an outer query, or filled with NULLs by an outer join
        if self.is_key(column):
            return True
        origins = self.origins(column)
        return bool(origins) and all(map(self.never_null, origins))

    # --- unique

    def is_unique(self, nodes: Iterable[exp.Expression], select: exp.Expression) -> bool:
        """Whether no two rows of a SELECT (before DISTINCT and LIMIT) agree in all of the expressions."""
        if not isinstance(select, exp.Select):
            return False
        if _has_subtotals(select):
            return False
        plain = [self._projected(node, select) for node in nodes]
        if select.args.get("group"):
            return all(
                any(key == node for node in plain) for key in select.args["group"].expressions
            ) and bool(select.args["group"].expressions)
        if any(isinstance(p.unalias(), exp.AggFunc) for p in select.selects):
            return True  # one row
        if any(select.find_all(exp.Unnest, exp.Explode, exp.Lateral)):
            return False
        return self._determines_sources([node for node in plain if isinstance(node, exp.Column)], select)

    def _projected(self, node: exp.Expression, select: exp.Select) -> exp.Expression:
        """What a name in ORDER BY stands for."""
        node = node.this if isinstance(node, exp.Ordered) else node
        node = node.unalias()
        if isinstance(node, exp.Column) and not node.table:
            found = next((p for p in select.selects if p.alias_or_name == node.name), None)
            return found.unalias() if found is not None else node
        if node.is_int and 0 < int(node.this) <= len(select.selects):
            return select.selects[int(node.this) - 1].unalias()
        return node

    def _determines_sources(self, columns: Sequence[exp.Column], select: exp.Select) -> bool:
        """Whether the columns fix the row of every source: its key is among them, or follows from a join by key."""
        scope = self.scopes.get(id(select))
        start = select.args.get("from_")
        if scope is None or start is None:
            return False
        joins = {join.alias_or_name: join for join in select.args.get("joins") or []}
        if any(join.side in ("RIGHT", "FULL") for join in joins.values()):
            return False
        waiting = [start.this.alias_or_name, *(a for a, j in joins.items() if j.kind not in ("SEMI", "ANTI"))]
        fixed: set[str] = set()
        known = list(columns)
        while waiting:
            done = next((a for a in waiting if self._is_fixed(a, known, fixed, joins.get(a), scope)), None)
            if done is None:
                return False
            fixed.add(done)
            waiting.remove(done)
        return True

    def _is_fixed(
        self, alias: str, known: list[exp.Column], fixed: set[str], join: exp.Join | None, scope: Scope
    ) -> bool:
        mine = [column for column in known if column.table == alias]
        if join is not None and join.args.get("on") is not None:
            for part in (
                join.args["on"].flatten() if isinstance(join.args["on"], exp.And) else [join.args["on"]]
            ):
                if isinstance(part, exp.EQ):
                    sides = (part.this, part.expression)
                    for one, other in (sides, sides[::-1]):
                        if (
                            isinstance(one, exp.Column)
                            and one.table == alias
                            and isinstance(other, exp.Column)
                            and other.table in fixed
                        ):
                            mine.append(one)
        if any(self.is_key(column) for column in mine):
            return True
        source = scope.sources.get(alias)
        if isinstance(source, Scope) and isinstance(source.expression, exp.Select):
            inner = [
                p.unalias() for p in source.expression.selects if p.alias_or_name in {c.name for c in mine}
            ]
            return self.is_unique(inner, source.expression)
        return False

    def has_no_repeats(self, query: exp.Expression) -> bool:
        """Whether a query gives no row twice."""
        query = query.unnest()
        if isinstance(query, exp.SetOperation):
            return bool(query.args.get("distinct"))
        if not isinstance(query, exp.Select):
            return False
        return bool(query.args.get("distinct")) or self.is_unique(query.selects, query)


def _has_subtotals(select: exp.Select) -> bool:
    group = select.args.get("group")
    return group is not None and any(group.args.get(kind) for kind in ("rollup", "cube", "grouping_sets"))


def _twins(tree: exp.Expression) -> tuple[dict[int, list[exp.Expression]], set[int]]:
    twins: dict[int, list[exp.Expression]] = {}
    copies: set[int] = set()
    for select in tree.find_all(exp.Select):
        clauses = [select.args[c] for c in ("group", "having", "qualify", "order") if select.args.get(c)]
        shown = [p.unalias() for p in select.selects]
        for original in (node for node in shown if not isinstance(node, exp.Column | exp.Literal)):
            for clause in clauses:
                for copy in [node for node in clause.walk() if node == original]:
                    for one, other in zip(original.walk(), copy.walk(), strict=True):
                        twins.setdefault(id(one), []).append(other)
                        copies.add(id(other))
    return twins, copies


def projections(query: exp.Expression, name: str) -> list[exp.Expression]:
    """What a column of a query's result is, in each side of a set operation."""
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


def sources_of(select: exp.Select) -> list[str]:
    """The aliases of what a SELECT reads, in order."""
    start = select.args.get("from_")
    first = [start.this.alias_or_name] if start is not None else []
    return [*first, *(join.alias_or_name for join in select.args.get("joins") or [])]


def missing_sides(select: exp.Select) -> set[str]:
    """The aliases of the sources that outer joins may fill with NULLs."""
    before = sources_of(select)[:1]
    missing: set[str] = set()
    for join in select.args.get("joins") or []:
        if join.side in ("RIGHT", "FULL"):
            missing.update(before)
        if join.side in ("LEFT", "FULL"):
            missing.add(join.alias_or_name)
        before.append(join.alias_or_name)
    return missing


def _arguments(node: exp.Expression) -> list[exp.Expression]:
    values: list[exp.Expression] = []
    for name, value in node.args.items():
        if (
            name in ("to", "unit", "alias")
            or value is None
            or (isinstance(node, exp.Extract) and name == "this")
        ):
            continue
        values.extend(value if isinstance(value, list) else [value])
    return [value for value in values if isinstance(value, exp.Expression) and not isinstance(value, exp.Var)]


def is_null_with(node: exp.Expression, column: exp.Expression) -> bool:
    """Whether an expression is NULL whenever the column is."""
    if node == column:
        return True
    return isinstance(node, STRICT) and any(
        is_null_with(part, column) for part in ([node.this] if isinstance(node, exp.In) else _arguments(node))
    )


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
    return is_null_with(condition, column)


def conjuncts(condition: exp.Expression) -> list[exp.Expression]:
    """The parts of a conjunction."""
    if isinstance(condition, exp.Paren):
        return conjuncts(condition.this)
    if isinstance(condition, exp.And):
        return [*conjuncts(condition.this), *conjuncts(condition.expression)]
    return [condition]
