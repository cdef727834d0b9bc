"""Joins of another kind whose added rows never get through."""

from __future__ import annotations

from sqlglot import exp

from ibert_builder.audit.mutants import Mutant
from ibert_builder.audit.query_properties.nulls import rejects_null
from ibert_builder.audit.query_properties.query import Query
from ibert_builder.audit.query_properties.structure import conjuncts, joins_of, missing_sides, sources_of

# Whether a join keeps the rows without a match of what stands right of it (with NULLs for the left), and of the left.
_KEEPS = {"": (False, False), "LEFT": (False, True), "RIGHT": (True, False), "FULL": (True, True)}


def rejected_by_filter(query: Query, mutant: Mutant) -> bool:
    """The rows that an outer join adds, with NULLs for one side, are dropped by WHERE or by a later inner join."""
    join, other = mutant.node, mutant.replacement
    if mutant.operator != "join" or not isinstance(join, exp.Join) or not isinstance(other, exp.Join):
        return False
    select = join.parent
    if join.kind in ("SEMI", "ANTI") or not isinstance(select, exp.Select):
        return False
    place = next(i for i, each in enumerate(joins_of(select)) if each is join)
    left, right = set(sources_of(select)[: place + 1]), {join.alias_or_name}
    surely_left = left - missing_sides(select, place)
    left_differs, right_differs = (a != b for a, b in zip(_KEEPS[join.side], _KEEPS[other.side], strict=True))
    return (not left_differs or _are_rejected(query, select, place, left, right)) and (
        not right_differs or _are_rejected(query, select, place, right, surely_left)
    )


def _are_rejected(query: Query, select: exp.Select, place: int, absent: set[str], present: set[str]) -> bool:
    """Whether no row passes that has, after the join at a place, NULLs for some sources and rows of others."""
    conditions = _conditions_after(select, place)
    if any(
        rejects_null(condition, column)
        for condition in conditions
        for column in condition.find_all(exp.Column)
        if column.table in absent
    ):
        return True
    if any(later.side in ("RIGHT", "FULL") for later in joins_of(select)[place + 1 :]):
        # The rows could still match one of a later join, which would come with NULLs for all the others without them.
        return False
    return any(
        _asks_for_null(part) and _is_key_of(query, part.this, present)
        for condition in conditions
        for part in conjuncts(condition)
    )


def _conditions_after(select: exp.Select, place: int) -> list[exp.Expression]:
    """The conditions that every row must meet after the join at a place: of WHERE and of later inner joins."""
    where = select.args.get("where")
    return [
        *([where.this] if where is not None else []),
        *(
            join.args["on"]
            for join in joins_of(select)[place + 1 :]
            if not join.side and join.kind in ("", "INNER", "SEMI") and join.args.get("on") is not None
        ),
    ]


def _asks_for_null(condition: exp.Expression) -> bool:
    return isinstance(condition, exp.Is) and isinstance(condition.expression, exp.Null)


def _is_key_of(query: Query, value: exp.Expression, sources: set[str]) -> bool:
    return isinstance(value, exp.Column) and value.table in sources and query.is_key(value)
