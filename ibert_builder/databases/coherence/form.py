"""Whether a rule fits the tables: its names, the types of its columns, the values that they can have."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Iterable
from typing import Any

import ibis.expr.datatypes as dt

from ibert_builder.databases.coherence.moments import SECONDS
from ibert_builder.databases.coherence.places import Place, filled, place, reference
from ibert_builder.databases.coherence.values import listed, states
from ibert_builder.databases.located import Located
from ibert_builder.databases.makers import typed
from ibert_builder.databases.spec import DatabaseSpec
from ibert_builder.errors import unknown
from ibert_builder.semantics import rules


def check_rules(spec: DatabaseSpec, at: Located) -> None:
    """Check the rules of a database's semantic model, which are at a location of its file.

    Raises:
        InputError: the first rule that does not fit.
    """
    model = spec.semantic_model
    for index, rule in enumerate(model.coherence if model else ()):
        _FORMS[type(rule)](rule, spec, at.within(index))


# --- what several rules need


def _place(spec: DatabaseSpec, at: Located, name: str, table: str | None = None) -> Place:
    with at.errors():
        return place(spec, name, table)


def _changeable(spec: DatabaseSpec, at: Located, name: str) -> Place:
    """A place whose values a rule may change: any but a key."""
    found = _place(spec, at, name)
    if found.column == spec.tables[found.table].key:
        raise at.error("a key cannot depend on other values")
    return found


def _moment(spec: DatabaseSpec, at: Located, name: str, table: str | None = None) -> Place:
    found = _place(spec, at, name, table)
    if not found.is_moment:
        raise at.error(f"expected a date, timestamp or time, found {found.spec.type}")
    return found


def _number(spec: DatabaseSpec, at: Located, name: str) -> Place:
    found = _place(spec, at, name)
    if not found.is_number:
        raise at.error(f"expected a number, found {found.spec.type}")
    return found


def _same_table(places: Iterable[Place], at: Located) -> None:
    tables = sorted({place.table for place in places})
    if len(tables) > 1:
        raise at.error(f"expected columns of one table, found some of {' and '.join(tables)}")


def _reference(spec: DatabaseSpec, at: Located, child: str, parent: str, by: str | None) -> None:
    with at.within("by").errors() if by is not None else at.errors():
        reference(spec, child, parent, by)


def _values(found: Place, values: Iterable[Any], spec: DatabaseSpec, at: Located) -> None:
    """Check that a column can have some values: NULL, or one of its choices or of those that a `lookup` gives it."""
    options = _options(found, spec)
    for value in values:
        if value is not None:
            _type(found, value, at)
            if options is not None and found.typed(value) not in options:
                raise at.error(unknown(f"value of {found}", str(value), map(str, options)))


def _options(found: Place, spec: DatabaseSpec) -> list[Any] | None:
    if found.make.choice is None or spec.semantic_model is None:
        return None
    given = [
        value
        for rule in spec.semantic_model.coherence
        if isinstance(rule, rules.Lookup) and rule.lookup == str(found)
        for entry in rule.map.values()
        for value in listed(entry)
    ]
    empty = [""] if found.spec.empty else []
    return [found.typed(value) for value in (*found.make.choice, *given, *empty) if value is not None]


def _type(found: Place, value: Any, at: Located) -> None:
    """Check that the type of a place can hold a value."""
    dtype = found.dtype
    if dtype is None:  # a JSON field may be anything
        return
    tests: tuple[tuple[bool, Callable[[Any], bool]], ...] = (
        (dtype.is_boolean(), lambda v: isinstance(v, bool)),
        (dtype.is_integer(), lambda v: type(v) is int and _is_within(v, dtype)),
        (dtype.is_decimal(), lambda v: type(v) in (int, float) and _has_digits(v, dtype)),
        (dtype.is_floating(), lambda v: type(v) in (int, float)),
        (dtype.is_string(), lambda v: isinstance(v, str)),
        (dtype.is_date(), lambda v: type(v) is datetime.date),
        (dtype.is_timestamp(), lambda v: isinstance(v, datetime.datetime)),
    )
    if isinstance(dtype, dt.Struct) and isinstance(value, dict):
        if list(value) != list(dtype.names):
            raise at.error(
                f"expected the fields {', '.join(dtype.names)}, found {', '.join(map(str, value))}"
            )
        return
    test = next((test for applies, test in tests if applies), None)
    if test is None:
        raise at.error(f"values of type {dtype} cannot be written in a rule")
    if not test(value):
        raise at.error(f"expected a value of type {dtype}, found {value!r}")


def _is_within(value: int, dtype: dt.DataType) -> bool:
    return bool(dtype.bounds.lower <= value <= dtype.bounds.upper)


def _has_digits(value: float, dtype: dt.DataType) -> bool:
    return abs(typed(value, dtype)) < 10 ** ((dtype.precision or 18) - (dtype.scale or 0))


# --- one function per rule


def _lifecycle(rule: rules.Lifecycle, spec: DatabaseSpec, at: Located) -> None:
    found = _changeable(spec, at.within("lifecycle"), rule.lifecycle)
    if found.make.choice is None:
        raise at.within("lifecycle").error("expected a column that is a `choice` of its states")
    choice = [str(value) for value in found.make.choice]
    for state in states(rule):
        if state not in choice:
            raise at.within("steps").error(unknown("state", state, choice))
    if outside := sorted(set(choice) - set(states(rule))):
        raise at.within("steps").error(f"no step leads to or from the state '{outside[0]}' of {found}")


def _known_when(rule: rules.KnownWhen, spec: DatabaseSpec, at: Located) -> None:
    found = _changeable(spec, at.within("known_when"), rule.known_when)
    by = _place(spec, at.within("by"), rule.by, found.table)
    _values(by, rule.values, spec, at.within("in"))


def _order(rule: rules.Order, spec: DatabaseSpec, at: Located) -> None:
    first, second = (_moment(spec, at.within("order", i), name) for i, name in enumerate(rule.order))
    _same_table((first, second), at.within("order"))
    if first.is_time != second.is_time:
        raise at.within("order").error("a time of day cannot be compared with a date or timestamp")
    low, high = rule.after
    if not 0 <= low <= high:
        raise at.within("after").error(
            f"expected two numbers from 0 on, the lower first, found [{low:g}, {high:g}]"
        )
    low, high = (bound * SECONDS[rule.unit] / 86400 for bound in rule.after)
    if (first.is_date or second.is_date) and math.ceil(low) > math.floor(high):
        raise at.within("after").error("dates differ by whole days, and none are within these bounds")


def _not_before(rule: rules.NotBefore, spec: DatabaseSpec, at: Located) -> None:
    child = _moment(spec, at.within("not_before"), rule.not_before)
    parent = _moment(spec, at.within("parent"), rule.parent)
    if child.is_time != parent.is_time:
        raise at.within("parent").error("a time of day cannot be compared with a date or timestamp")
    _reference(spec, at.within("parent"), child.table, parent.table, rule.by)


def _until(rule: rules.Until, spec: DatabaseSpec, at: Located) -> None:
    for i, name in enumerate(rule.columns):
        if _moment(spec, at.within("columns", i), name).is_time:
            raise at.within("columns", i).error("a time of day is never later than a date")


def _open_recent(rule: rules.OpenRecent, spec: DatabaseSpec, at: Located) -> None:
    found = _place(spec, at.within("open_recent"), rule.open_recent)
    _values(found, rule.states, spec, at.within("states"))
    if _moment(spec, at.within("time"), rule.time, found.table).is_time:
        raise at.within("time").error("expected a date or timestamp, found a time of day")


def _children(rule: rules.Children, spec: DatabaseSpec, at: Located) -> None:
    for key, table in (("children", rule.children), ("of", rule.of)):
        if table not in spec.tables:
            raise at.within(key).error(unknown("table", table, spec.tables))
    _reference(spec, at.within("children"), rule.children, rule.of, rule.by)
    wanted, there = rule.at_least * spec.tables[rule.of].rows, spec.tables[rule.children].rows
    if wanted > there:
        raise at.within("children").error(
            f"expected at least {wanted} rows in {rule.children}, found {there}"
        )
    link = reference(spec, rule.children, rule.of, rule.by)
    meaning = spec.semantic_model and spec.semantic_model.references.get(f"{rule.children}.{link}")
    if meaning and meaning.never is not None:
        raise at.within("children").error(
            f"the reference {rule.children}.{link} has words for rows without any: `never`"
        )


def _total(rule: rules.Total, spec: DatabaseSpec, at: Located) -> None:
    found = _number(spec, at.within("total"), rule.total)
    if rule.of not in spec.tables:
        raise at.within("of").error(unknown("table", rule.of, spec.tables))
    _reference(spec, at.within("of"), rule.of, found.table, None)
    with at.within("sql").errors():
        filled(spec, rule.sql, rule.of, "t")
    with at.within("times").errors():
        filled(spec, rule.times or "", found.table, "t")


def _computed(rule: rules.Computed, spec: DatabaseSpec, at: Located) -> None:
    found = _number(spec, at.within("computed"), rule.computed)
    with at.within("sql").errors():
        filled(spec, rule.sql, found.table, "t")


def _lookup(rule: rules.Lookup, spec: DatabaseSpec, at: Located) -> None:
    found = _changeable(spec, at.within("lookup"), rule.lookup)
    keys = found.make.map and found.make.map.keys
    by = None if keys and rule.by == "key" else _place(spec, at.within("by"), rule.by, found.table)
    for value, given in rule.map.items():
        here = at.within("map", str(value))
        if by is not None:
            _values(by, [value], spec, here)
            for option in listed(given):
                if option is not None:
                    _type(found, option, here)
        elif value not in (keys or ()):
            raise here.error(unknown("key", str(value), keys or ()))


def _near(rule: rules.Near, spec: DatabaseSpec, at: Located) -> None:
    child = _number(spec, at.within("near"), rule.near)
    parent = _number(spec, at.within("parent"), rule.parent)
    if rule.factor[0] > rule.factor[1]:
        raise at.within("factor").error("expected the lower factor first")
    _reference(spec, at.within("parent"), child.table, parent.table, rule.by)


def _requires(rule: rules.Requires, spec: DatabaseSpec, at: Located) -> None:
    found = _changeable(spec, at.within("requires"), rule.requires)
    then = _place(spec, at.within("then"), rule.then)
    if then.table != found.table:
        _reference(spec, at.within("then"), found.table, then.table, None)
    _values(found, [rule.value], spec, at.within("value"))
    _values(then, rule.values, spec, at.within("in"))


def _nulls_with(rule: rules.NullsWith, spec: DatabaseSpec, at: Located) -> None:
    _same_table(
        [_changeable(spec, at.within("nulls_with", i), name) for i, name in enumerate(rule.nulls_with)],
        at.within("nulls_with"),
    )


def _text_from(rule: rules.TextFrom, spec: DatabaseSpec, at: Located) -> None:
    found = _changeable(spec, at.within("text_from"), rule.text_from)
    if found.make.text is None:
        raise at.within("text_from").error("expected a column with a `text` make")
    if rule.part not in found.make.text.parts:
        raise at.within("part").error(unknown("part", rule.part, found.make.text.parts))
    source = _place(spec, at.within("column"), rule.column, found.table)
    if source.dtype is None or not source.dtype.is_string():
        raise at.within("column").error(f"expected a text, found {source.spec.type}")


def _set(rule: rules.Set, spec: DatabaseSpec, at: Located) -> None:
    found = _place(spec, at.within("set"), rule.set)
    if found.dtype is None or not found.dtype.is_array():
        raise at.within("set").error(f"expected an array, found {found.spec.type}")


def _unique(rule: rules.Unique, spec: DatabaseSpec, at: Located) -> None:
    _same_table(
        [_changeable(spec, at.within("unique", i), name) for i, name in enumerate(rule.unique)],
        at.within("unique"),
    )


def _holds(rule: rules.Holds, spec: DatabaseSpec, at: Located) -> None:
    if rule.table not in spec.tables:
        raise at.within("table").error(unknown("table", rule.table, spec.tables))
    with at.within("holds").errors():
        filled(spec, rule.holds, rule.table, "t")


_FORMS: dict[type, Callable[[Any, DatabaseSpec, Located], None]] = {
    rules.Lifecycle: _lifecycle,
    rules.KnownWhen: _known_when,
    rules.Order: _order,
    rules.NotBefore: _not_before,
    rules.Until: _until,
    rules.OpenRecent: _open_recent,
    rules.Children: _children,
    rules.Total: _total,
    rules.Computed: _computed,
    rules.Lookup: _lookup,
    rules.Near: _near,
    rules.Requires: _requires,
    rules.NullsWith: _nulls_with,
    rules.TextFrom: _text_from,
    rules.Set: _set,
    rules.Unique: _unique,
    rules.Holds: _holds,
}
