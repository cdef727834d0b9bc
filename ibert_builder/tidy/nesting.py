"""When a SELECT and the one in its FROM can be made one: every precondition by name."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp

from ibert_builder.dialects.base import Dialect
from ibert_builder.tidy.scopes import has_window, is_bare, is_grouped


@dataclass(frozen=True)
class Nesting:
    """A SELECT from another one, and what merging them turns on.

    Attributes:
        alias: of the inner SELECT in the outer one.
    """

    outer: exp.Select
    inner: exp.Select
    alias: str
    dialect: Dialect

    @functools.cached_property
    def outputs(self) -> dict[str, exp.Expression]:
        """What the inner SELECT gives, by name."""
        return {e.alias_or_name: e.unalias() for e in self.inner.expressions}

    @functools.cached_property
    def written(self) -> Counter[str]:
        """How often each output would be written out. Where a clause can use the projection's name, it will."""
        projected = {
            e.unalias().name
            for e in self.outer.expressions
            if isinstance(e.unalias(), exp.Column) and e.unalias().table == self.alias
        }
        written: Counter[str] = Counter()
        for column in self.outer.find_all(exp.Column):
            if column.table == self.alias:
                by_name = _is_order_key(column)
                by_name = by_name or (isinstance(column.parent, exp.Group) and self.dialect.groups_by_alias)
                written[column.name] += 0 if by_name and column.name in projected else 1
        return written

    @functools.cached_property
    def picks_columns(self) -> bool:
        """Whether the outer SELECT gives columns of the inner one as they are."""
        picked = (projection.unalias() for projection in self.outer.expressions)
        return all(isinstance(e, exp.Column) and e.table == self.alias for e in picked)

    @functools.cached_property
    def picks_all_columns(self) -> bool:
        """Whether those are all of them, in order and under their names."""
        names = [(e.unalias().name, e.alias_or_name) for e in self.outer.expressions]
        return self.picks_columns and names == [(name, name) for name in self.outputs]

    @functools.cached_property
    def has_inner_windows(self) -> bool:
        return any(has_window(e) for e in self.inner.expressions) or bool(self.inner.args.get("qualify"))

    @functools.cached_property
    def has_outer_windows(self) -> bool:
        clauses = (self.outer.args.get("order"), self.outer.args.get("qualify"), *self.outer.expressions)
        return any(has_window(clause) for clause in clauses)

    @functools.cached_property
    def is_inner_grouped(self) -> bool:
        return is_grouped(self.inner)

    @functools.cached_property
    def looks_at_many_rows(self) -> bool:
        """Whether the inner SELECT groups rows or has window functions over them."""
        return self.is_inner_grouped or self.has_inner_windows

    @functools.cached_property
    def is_reached(self) -> bool:
        """Whether a subquery of the outer SELECT mentions the inner one's columns."""
        selects = (
            column.parent_select for column in self.outer.find_all(exp.Column) if column.table == self.alias
        )
        return any(select is not self.outer and select is not self.inner for select in selects)

    @functools.cached_property
    def is_limited(self) -> bool:
        return bool(self.inner.args.get("limit") or self.inner.args.get("offset"))


def _is_order_key(column: exp.Column) -> bool:
    """Whether it is a key of a SELECT's ORDER BY, and not of a window's."""
    order = column.parent.parent if isinstance(column.parent, exp.Ordered) else None
    return order is not None and isinstance(order.parent, exp.Select)


def names_its_columns(nesting: Nesting) -> bool:
    """The inner SELECT gives no star, so it is known what each name stands for."""
    return not any(
        isinstance(e, exp.Star) or (isinstance(e, exp.Column) and isinstance(e.this, exp.Star))
        for e in nesting.inner.expressions
    )


def has_the_columns(nesting: Nesting) -> bool:
    """The inner SELECT gives every column that is wanted of it."""
    return set(nesting.written) <= set(nesting.outputs)


def unnests_nothing(nesting: Nesting) -> bool:
    """Neither makes several rows of one."""
    outer, inner = nesting.outer, nesting.inner
    return not (
        any(e.find(exp.Unnest, exp.Explode, exp.Posexplode) for e in inner.expressions)
        or inner.args.get("laterals")
        or outer.args.get("laterals")
        or any(join.find(exp.Unnest) for join in inner.args.get("joins") or ())
    )


def limits_last(nesting: Nesting) -> bool:
    """After an inner LIMIT the outer SELECT only picks columns."""
    return not nesting.is_limited or (
        nesting.picks_columns and not nesting.inner.args.get("distinct") and is_bare(nesting.outer)
    )


def keeps_distinct_rows(nesting: Nesting) -> bool:
    """After an inner DISTINCT the outer SELECT gives all its columns, and only orders and limits them."""
    return not nesting.inner.args.get("distinct") or (
        nesting.picks_all_columns and is_bare(nesting.outer, "order", "limit", "offset")
    )


def keeps_order(nesting: Nesting) -> bool:
    """After an inner ORDER BY the outer SELECT only picks columns and limits them."""
    return not nesting.inner.args.get("order") or (
        nesting.picks_columns and is_bare(nesting.outer, "limit", "offset")
    )


def reaches_columns_only(nesting: Nesting) -> bool:
    """What subqueries of the outer SELECT mention are columns of tables, not expressions over them."""
    return not nesting.is_reached or all(isinstance(e, exp.Column) for e in nesting.outputs.values())


def reaches_no_groups(nesting: Nesting) -> bool:
    """Subqueries of the outer SELECT mention no column of groups or beside window functions."""
    return not (nesting.looks_at_many_rows and nesting.is_reached)


def groups_once(nesting: Nesting) -> bool:
    """Groups and results of window functions are not grouped again."""
    return not (nesting.looks_at_many_rows and is_grouped(nesting.outer))


def has_windows_once(nesting: Nesting) -> bool:
    """No window function stands over groups or over results of window functions."""
    return not (nesting.looks_at_many_rows and nesting.has_outer_windows)


def has_no_windows_over_groups(nesting: Nesting) -> bool:
    """The inner SELECT does not both group and have window functions."""
    return not (nesting.is_inner_grouped and nesting.has_inner_windows)


def joins_no_groups(nesting: Nesting) -> bool:
    """Groups and results of window functions are not joined."""
    return not (nesting.looks_at_many_rows and nesting.outer.args.get("joins"))


def joins_once(nesting: Nesting) -> bool:
    """An inner SELECT that joins is not joined again, and none is where a join keeps rows of the other side."""
    joins = nesting.outer.args.get("joins") or ()
    outer_joins = any(join.side in ("RIGHT", "FULL") for join in joins)
    return not joins or not (nesting.inner.args.get("joins") or outer_joins)


def drops_no_groups(nesting: Nesting) -> bool:
    """No outer DISTINCT stands over groups or results of window functions."""
    return not (nesting.looks_at_many_rows and nesting.outer.args.get("distinct"))


def filters_groups(nesting: Nesting) -> bool:
    """An outer WHERE over aggregates can be HAVING. Without GROUP BY there is one row, and that would be unusual."""
    return not (
        nesting.is_inner_grouped and nesting.outer.args.get("where") and not nesting.inner.args.get("group")
    )


def filters_windows(nesting: Nesting) -> bool:
    """An outer WHERE over window functions can be QUALIFY: the dialect has it, and the condition is on one of them."""
    condition = nesting.outer.args.get("where")
    if not nesting.has_inner_windows or condition is None:
        return True
    windowed = {name for name, e in nesting.outputs.items() if has_window(e)}
    mentioned = any(column.name in windowed for column in condition.find_all(exp.Column))
    return nesting.dialect.has_qualify and mentioned


def repeats_little(nesting: Nesting) -> bool:
    """A long expression that is needed in several places is better named once, in the inner query."""
    for name, count in nesting.written.items():
        expression = nesting.outputs[name]
        if isinstance(expression, exp.Column):
            continue
        if nesting.looks_at_many_rows:
            most = 2
        elif isinstance(expression, exp.Literal):
            continue
        else:
            most = 2 if len(expression.sql()) <= 40 else 1
        if count > most:
            return False
    return True


PRECONDITIONS: tuple[Callable[[Nesting], bool], ...] = (
    names_its_columns,
    unnests_nothing,
    has_the_columns,
    limits_last,
    keeps_distinct_rows,
    keeps_order,
    reaches_columns_only,
    reaches_no_groups,
    groups_once,
    has_windows_once,
    has_no_windows_over_groups,
    joins_no_groups,
    joins_once,
    drops_no_groups,
    filters_groups,
    filters_windows,
    repeats_little,
)


def can_merge(nesting: Nesting) -> bool:
    """Whether the two say the same as one SELECT, and no less plainly."""
    return all(holds(nesting) for holds in PRECONDITIONS)
