"""Mutants that cannot be told from their query on any data, each by a rule that proves it.

A rule takes a query and a mutant of it and says whether they give the same result over every database whose keys are
unique and never NULL. No mutant is left out for any other reason.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from ibert_builder.audit.mutants import Mutant
from ibert_builder.audit.query_properties import (
    Query,
    conjuncts,
    missing_sides,
    projections,
    rejects_null,
    sources_of,
)

Rule = Callable[[Query, Mutant], bool]


def equivalence(query: Query, mutant: Mutant) -> str | None:
    """The name of the rule by which a mutant equals its query, or None."""
    return next((name for name, rule in RULES.items() if rule(query, mutant)), None)


def _null_order(query: Query, mutant: Mutant) -> bool:
    """Where NULLs sort says nothing about an expression that is never NULL."""
    node, other = mutant.node, mutant.replacement
    if not isinstance(node, exp.Ordered) or bool(node.args.get("desc")) != bool(other.args.get("desc")):
        return False
    sorts = node.parent.parent
    if isinstance(sorts, exp.Query) and isinstance(node.this, exp.Column) and not node.this.table:
        found = projections(sorts, node.this.name)  # an alias in ORDER BY stands for its projection
        return bool(found) and all(map(query.never_null, found))
    return query.never_null(node.this)


def _decided_before(query: Query, mutant: Mutant) -> bool:
    """A sort key after others that tell every two rows apart has nothing left to decide."""
    node = mutant.node
    if isinstance(node, exp.Order):
        kept = mutant.replacement.expressions
        first = next((i for i, key in enumerate(kept) if key != node.expressions[i]), len(kept))
        return first > 0 and _are_unique(query, node.parent, node.expressions[:first])
    if isinstance(node, exp.Ordered) and isinstance(node.parent, exp.Order):
        place = next(i for i, key in enumerate(node.parent.expressions) if key is node)
        return _are_unique(query, node.parent.parent, node.parent.expressions[:place])
    return False


def _are_unique(query: Query, sorts: exp.Expression, keys: list[exp.Expression]) -> bool:
    """Whether sort keys are unique over what they sort: the rows of a query or of a window's partitions."""
    if isinstance(sorts, exp.Window):
        keys = [*keys, *(sorts.args.get("partition_by") or [])]
        return bool(keys) and query.is_unique(
            [_unordered(key) for key in keys], sorts.find_ancestor(exp.Select)
        )
    if isinstance(sorts, exp.SetOperation):
        return False
    return bool(keys) and query.is_unique(keys, sorts)


def _unordered(key: exp.Expression) -> exp.Expression:
    return key.this if isinstance(key, exp.Ordered) else key


def _no_ties(query: Query, mutant: Mutant) -> bool:
    """Without ties, row numbers, ranks and dense ranks are the same, and so are frames of rows and of ranges."""
    ranks = (exp.RowNumber, exp.Rank, exp.DenseRank)
    node, other = mutant.node, mutant.replacement
    if isinstance(node, ranks) and isinstance(other, ranks):
        window = node.parent
        if not {type(node), type(other)} & {exp.RowNumber} and _asks_for_first(window):
            return True  # whoever is first by one is first by the other
    elif isinstance(node, exp.Window) and _is_running(node.args.get("spec")) and not other.args.get("spec"):
        window = node
        if window.args.get("order") != other.args.get("order") or window.args.get(
            "partition_by"
        ) != other.args.get("partition_by"):
            return False
    else:
        return False
    return _window_is_total(query, window)


def _asks_for_first(window: exp.Expression) -> bool:
    test = window.parent
    firsts = {exp.EQ: "1", exp.LTE: "1", exp.LT: "2"}
    return type(test) in firsts and test.this is window and test.expression.name == firsts[type(test)]


def _is_running(spec: exp.Expression | None) -> bool:
    return spec is not None and (spec.args.get("start"), spec.args.get("end")) == ("UNBOUNDED", "CURRENT ROW")


def _window_is_total(query: Query, window: exp.Expression) -> bool:
    named = window
    if window.args.get("alias"):  # OVER w
        select = window.find_ancestor(exp.Select)
        named = next(
            (w for w in select.args.get("windows") or [] if w.name == window.args["alias"].name), window
        )
    order = named.args.get("order")
    if order is None:
        return False
    keys = [*order.expressions, *(named.args.get("partition_by") or [])]
    return query.is_unique([_unordered(key) for key in keys], window.find_ancestor(exp.Select))


def _rejected_by_filter(query: Query, mutant: Mutant) -> bool:
    """The rows that an outer join adds, with NULLs for one side, are dropped by WHERE or by a later inner join."""
    node, other = mutant.node, mutant.replacement
    if not isinstance(node, exp.Join) or mutant.operator != "join" or node.kind in ("SEMI", "ANTI"):
        return False
    select = node.parent
    joins = select.args.get("joins") or []
    place = next(i for i, join in enumerate(joins) if join is node)
    conditions = [part for part in (select.args.get("where"),) if part is not None]
    conditions = [where.this for where in conditions]
    for later in joins[place + 1 :]:
        if not later.side and later.kind in ("", "INNER", "SEMI") and later.args.get("on") is not None:
            conditions.append(later.args["on"])
    before = set(sources_of(select)[: place + 1])
    adds = {"": (False, False), "LEFT": (False, True), "RIGHT": (True, False), "FULL": (True, True)}
    left_changes, right_changes = (a != b for a, b in zip(adds[node.side], adds[other.side], strict=True))

    def rejected(absent: set[str], present: set[str]) -> bool:
        """Whether no row passes that has NULLs for some sources and a row of the others."""
        for condition in conditions:
            if any(rejects_null(condition, c) for c in condition.find_all(exp.Column) if c.table in absent):
                return True
            for part in conjuncts(condition):
                if isinstance(part, exp.Is) and part.this.table in present and query.is_key(part.this):
                    return True
        return False

    after = {node.alias_or_name}
    return (not left_changes or rejected(before, after)) and (not right_changes or rejected(after, before))


def _implied(query: Query, mutant: Mutant) -> bool:
    """A dropped condition `x IS NOT NULL` whose x is never NULL, or whose NULL another condition rejects."""
    node, other = mutant.node, mutant.replacement
    if isinstance(node, exp.Where | exp.Having | exp.Qualify) and mutant.operator == "conjunct":
        kept = other.this
        dropped = [part for part in conjuncts(node.this) if part not in conjuncts(kept)]
    elif (
        isinstance(node, exp.Select)
        and mutant.operator == "clause"
        and node.args.get("where")
        and not other.args.get("where")
    ):
        kept, dropped = None, conjuncts(node.args["where"].this)
    else:
        return False

    def holds(part: exp.Expression) -> bool:
        if not (
            isinstance(part, exp.Not)
            and isinstance(part.this, exp.Is)
            and isinstance(part.this.expression, exp.Null)
        ):
            return False
        value = part.this.this
        return query.never_null(value) or (kept is not None and rejects_null(kept, value))

    return bool(dropped) and all(map(holds, dropped))


def _in_condition(node: exp.Expression) -> list[exp.Expression] | None:
    """The other conjuncts of the condition in which a node is a conjunct itself; None where it is none."""
    child, parent = node, node.parent
    while isinstance(parent, exp.And | exp.Paren):
        child, parent = parent, parent.parent
    if isinstance(parent, exp.If) and parent.this is child:  # a branch of CASE
        return [part for part in conjuncts(child) if part is not node]
    if not isinstance(parent, exp.Where | exp.Having | exp.Qualify):
        return None
    return [part for part in conjuncts(child) if part is not node]


def _null_has_no_say(query: Query, mutant: Mutant) -> bool:
    """COALESCE, NULLIF and null-safe comparisons differ from the plain ones where there is a NULL, and there is none."""
    node, other = mutant.node, mutant.replacement
    if isinstance(node, exp.Coalesce) and mutant.operator == "coalesce":
        if query.never_null(node.this):
            return True
        # As a condition, NULL is as good as FALSE.
        return _in_condition(node) is not None and node.expressions == [exp.false()]
    pairs = {exp.EQ, exp.NullSafeEQ}, {exp.NEQ, exp.NullSafeNEQ}
    if {type(node), type(other)} not in pairs:
        return False
    siblings = _in_condition(node)
    sides = [
        side
        for side in (node.this, node.expression)
        if not query.never_null(side) and not any(rejects_null(s, side) for s in siblings or ())
    ]
    if isinstance(node, exp.EQ | exp.NullSafeEQ) and siblings is not None:
        return len(sides) < 2  # NULL = 5 is NULL, NULL IS NOT DISTINCT FROM 5 is false: neither is true
    return not sides


def _no_repeats(query: Query, mutant: Mutant) -> bool:
    """DISTINCT and set operations without ALL change nothing where no row, or no value, comes twice."""
    node, other = mutant.node, mutant.replacement
    if isinstance(node, exp.Select) and node.args.get("distinct") and not other.args.get("distinct"):
        return mutant.operator == "clause" and query.is_unique(node.selects, node)
    if (
        isinstance(node, exp.SetOperation)
        and type(node) is type(other)
        and mutant.operator == "set_operation"
    ):
        left, right = query.has_no_repeats(node.left), query.has_no_repeats(node.right)
        if isinstance(node, exp.Intersect):
            return left or right
        if isinstance(node, exp.Except):
            return left
        return left and right and _labelled_apart(node)
    if mutant.operator == "distinct":
        value = node.this.expressions[0] if isinstance(node.this, exp.Distinct) else node.this
        select = node.find_ancestor(exp.Select)
        return select is not None and query.is_key(value) and _is_alone(select)
    return False


def _is_alone(select: exp.Expression) -> bool:
    return not select.args.get("joins") and not any(select.find_all(exp.Unnest, exp.Lateral))


def _labelled_apart(union: exp.SetOperation) -> bool:
    """Whether the two sides have different constants in one place."""
    sides = [side.unnest() for side in (union.left, union.right)]
    if not all(isinstance(side, exp.Select) for side in sides):
        return False
    pairs = zip(sides[0].selects, sides[1].selects, strict=False)
    return any(
        isinstance(a.unalias(), exp.Literal)
        and isinstance(b.unalias(), exp.Literal)
        and a.unalias() != b.unalias()
        for a, b in pairs
    )


def _determined_key(query: Query, mutant: Mutant) -> bool:
    """A grouping key that follows from the others: they hold the key of its table, or all that it is computed from."""
    node, other = mutant.node, mutant.replacement
    if mutant.operator != "grouping" or missing_sides(node):
        return False
    rest = other.args["group"].expressions if other.args.get("group") else []
    kept = [key for key in node.args["group"].expressions if key in rest]
    dropped = [key for key in node.args["group"].expressions if key not in rest]
    tables = {key.table for key in kept if query.is_key(key)}

    def follows(expression: exp.Expression) -> bool:
        if expression in kept:
            return True
        if isinstance(expression, exp.Column):
            return expression.table in tables
        if isinstance(expression, exp.Literal | exp.Boolean | exp.Null):
            return True
        if isinstance(expression, exp.AggFunc | exp.Subquery | exp.Window):
            return False
        return all(
            follows(child) for child in expression.iter_expressions() if not isinstance(child, exp.DataType)
        )

    return bool(kept) and bool(dropped) and all(map(follows, dropped))


def _constant_zero(query: Query, mutant: Mutant) -> bool:
    """The sum, mean, extremes of nothing but zeros are zero, such as of `CAST(key IS NULL AS INT)`, in any group."""
    node = mutant.node
    if mutant.family != "aggregate" or not isinstance(node, exp.Sum | exp.Avg | exp.Min | exp.Max):
        return False
    if not isinstance(node.find_ancestor(exp.Select), exp.Select) or isinstance(
        mutant.replacement, exp.Count
    ):
        return False
    value = node.this.this if isinstance(node.this, exp.Cast) else node.this
    return (
        isinstance(value, exp.Is) and isinstance(value.expression, exp.Null) and query.never_null(value.this)
    )


def _unused(query: Query, mutant: Mutant) -> bool:
    """A column of a subquery that nothing reads may hold anything."""
    projection = mutant.node
    while not isinstance(projection.parent, exp.Select | None):
        projection = projection.parent
    select = projection.parent
    if select is None or select is query.tree or not any(p is projection for p in select.selects):
        return False
    holder = select.parent
    if not isinstance(holder, exp.Subquery | exp.CTE) or not isinstance(
        holder.parent, exp.From | exp.Join | exp.With
    ):
        return False
    # Where more than the column itself changes: its copies in other clauses, the number of rows.
    if query.twins.get(id(mutant.node)) or select.args.get("distinct"):
        return False
    if isinstance(projection.unalias(), exp.AggFunc) or projection.find(exp.Unnest, exp.Explode):
        return False
    readers = [c for c in query.tree.find_all(exp.Column) if c.table == holder.alias or not c.table]
    return all(c.name != projection.alias_or_name for c in readers)


def _any_at_all(query: Query, mutant: Mutant) -> bool:
    """Of zeros and ones, the sum, the mean and the highest are above zero together."""
    node = mutant.node
    if mutant.family != "aggregate" or not isinstance(node, exp.Sum | exp.Avg | exp.Max):
        return False
    if not isinstance(mutant.replacement, exp.Sum | exp.Avg | exp.Max) or query.twins.get(id(node)):
        return False
    test = node.parent
    if not (isinstance(test, exp.GT) and test.this is node and test.expression == exp.Literal.number(0)):
        return False
    value = node.this
    return isinstance(value, exp.Cast) and value.is_type("int") and isinstance(value.this, exp.Predicate)


RULES: dict[str, Rule] = {
    "null_order": _null_order,
    "decided_before": _decided_before,
    "no_ties": _no_ties,
    "rejected_by_filter": _rejected_by_filter,
    "implied": _implied,
    "null_has_no_say": _null_has_no_say,
    "no_repeats": _no_repeats,
    "determined_key": _determined_key,
    "constant_zero": _constant_zero,
    "unused": _unused,
    "any_at_all": _any_at_all,
}
