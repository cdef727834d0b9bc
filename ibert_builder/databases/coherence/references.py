"""Repairs between tables: which rows refer to which, and what a row owes to its parent or its children."""

from __future__ import annotations

import random
from collections import Counter
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from ibert_builder.databases.coherence.places import Place, filled
from ibert_builder.databases.coherence.rows import Rows
from ibert_builder.semantics.rules import Children, Computed, Near, Requires, Total, Unique


def children(rule: Children, rows: Rows, rng: random.Random, turn: int) -> None:
    """Give rows that have too few children some of those whose parents have more than they need."""
    link = rows.reference(rule.children, rule.of, rule.by)
    keys = rows.values(rows.key(rule.of))
    counts = Counter(rows.values(link))
    spare = [i for i, _ in rows.parents(link)]
    rng.shuffle(spare)
    for parent, key in enumerate(keys):
        while counts[key] < rule.at_least:
            given = next(
                (
                    i
                    for i in spare
                    if counts[rows.get(link, i)] > rule.at_least and rows.may_refer(link, i, parent)
                ),
                None,
            )
            if given is None:
                raise ValueError(f"there are too few rows in {rule.children} for every row of {rule.of}")
            counts[rows.get(link, given)] -= 1
            counts[key] += 1
            rows.set(link, given, key)
            spare.remove(given)


def unique(rule: Unique, rows: Rows, rng: random.Random, turn: int) -> None:
    """Draw the last column of a repeated combination anew, and if it has nothing new, the ones before it."""
    places = [rows.place(name) for name in rule.unique]
    seen: set[tuple[Any, ...]] = set()
    for i in rows.indices(places[0].table):
        found = tuple(rows.get(place, i) for place in places)
        if None in found:
            continue
        if found in seen:
            found = _distinct(places, found, seen, rows, i, rng)
        seen.add(found)


def _distinct(
    places: list[Place],
    found: tuple[Any, ...],
    seen: set[tuple[Any, ...]],
    rows: Rows,
    i: int,
    rng: random.Random,
) -> tuple[Any, ...]:
    for position in reversed(range(len(places))):
        before, after = found[:position], found[position + 1 :]
        try:
            value = rows.redrawn(
                places[position],
                i,
                rng,
                lambda value, before=before, after=after: (*before, value, *after) not in seen,  # type: ignore[misc]
            )
        except ValueError:
            continue
        rows.set(places[position], i, value)
        return (*before, value, *after)
    raise ValueError(f"the columns have too few values for {len(rows.indices(places[0].table))} rows")


def requires(rule: Requires, rows: Rows, rng: random.Random, turn: int) -> None:
    """Make the condition hold, or else give the row another value."""
    place, then = rows.place(rule.requires), rows.place(rule.then)
    value, wanted = place.typed(rule.value), [then.typed(wanted) for wanted in rule.values]
    link = None if then.table == place.table else rows.reference(place.table, then.table)
    for i in rows.indices(place.table):
        if rows.get(place, i) != value:
            continue
        row = i if link is None else rows.row_of(then.table, rows.get(link, i))
        if (None if row is None else rows.get(then, row)) in wanted:
            continue
        if rng.random() < 0.5:
            if link is None:
                rows.set(then, i, rng.choice(wanted))
                continue
            fitting = [
                parent
                for parent in rows.indices(then.table)
                if rows.get(then, parent) in wanted and rows.may_refer(link, i, parent)
            ]
            if fitting:
                rows.set(link, i, rows.get(rows.key(then.table), rng.choice(fitting)))
                continue
        others = [other for other in rows.values(place) if other != value]
        if not others:
            raise ValueError(f"{place} has no other value than {rule.value!r}")
        rows.set(place, i, rng.choice(others))


def near(rule: Near, rows: Rows, rng: random.Random, turn: int) -> None:
    """Draw a number that lies too far from the parent's anew; a third are the parent's own number."""
    place, parent = rows.place(rule.near), rows.place(rule.parent)
    low, high = (Decimal(str(factor)) for factor in rule.factor)
    places = Decimal(1).scaleb(-rule.round_to)
    for i, row in rows.parents(rows.reference(place.table, parent.table, rule.by)):
        value, base = rows.get(place, i), rows.get(parent, row)
        if value is None or base is None:
            continue
        number = Decimal(str(base))
        bounds = sorted((number * factor).quantize(places, rounding=ROUND_HALF_UP) for factor in (low, high))
        if bounds[0] <= Decimal(str(value)) <= bounds[1]:
            continue
        factor = low + (high - low) * Decimal(rng.randint(0, 20)) / 20
        drawn = number if low <= 1 <= high and rng.random() < 1 / 3 else number * factor
        drawn = min(max(drawn.quantize(places, rounding=ROUND_HALF_UP), bounds[0]), bounds[1])
        rows.set(place, i, place.typed(int(drawn) if isinstance(value, int) else drawn))


def total(rule: Total, rows: Rows, rng: random.Random, turn: int) -> None:
    """Set the sum; a total that is NULL stays so."""
    place = rows.place(rule.total)
    parent, key = place.table, rows.key(place.table).column
    link = rows.reference(rule.of, parent).column
    summed = filled(rows.spec, rule.sql, rule.of, "child")
    value = f"COALESCE(sums.total, 0) * ({filled(rows.spec, rule.times or '1', parent, 'parent')})"
    if rule.round_to is not None:
        value = f"ROUND({value}, {rule.round_to})"
    sums = f"SELECT {link} AS owner, SUM({summed}) AS total FROM {rule.of} AS child GROUP BY owner"
    totals = rows.query(
        f"SELECT {value} FROM {parent} AS parent LEFT JOIN ({sums}) AS sums ON owner = parent.{key} ORDER BY parent._row",
        parent,
        rule.of,
    )
    for i, (number,) in enumerate(totals):
        if rows.get(place, i) is not None:
            rows.set(place, i, _stored(place, number))


def computed(rule: Computed, rows: Rows, rng: random.Random, turn: int) -> None:
    """Set the result; a value that is NULL stays so."""
    place = rows.place(rule.computed)
    expression = filled(rows.spec, rule.sql, place.table, "t")
    for i, (value,) in enumerate(
        rows.query(f"SELECT {expression} FROM {place.table} AS t ORDER BY t._row", place.table)
    ):
        if rows.get(place, i) is not None:
            rows.set(place, i, _stored(place, value))


def _stored(place: Place, number: Any) -> Any:
    if number is None:
        return None
    if place.dtype is None or place.dtype.is_integer():
        return int(number) if number == int(number) else float(number)
    return place.typed(number)
