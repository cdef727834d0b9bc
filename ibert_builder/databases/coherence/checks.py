"""Each rule as an SQL query for the rows that break it, over the tables of a database in DuckDB.

NULL breaks a rule only where it is said that a value is known; a reference that points to no row breaks none.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import duckdb

from ibert_builder.databases.coherence.places import Place, filled, place, reference
from ibert_builder.databases.spec import DatabaseSpec
from ibert_builder.semantics import rules
from ibert_builder.semantics.spec import SemanticModel

_SECONDS = {"minutes": 60, "hours": 3600, "days": 86400}


def check(spec: DatabaseSpec, model: SemanticModel, rule: Any) -> str:
    """The query of a rule; its result has no rows where the rule holds."""
    return _CHECKS[type(rule)](rule, spec, model)


@dataclass(frozen=True)
class Violation:
    """A rule, by its place in the list, that some rows break; `example` is one of them, or what is counted of them."""

    index: int
    rows: int
    example: dict[str, Any]


def violations(connection: duckdb.DuckDBPyConnection, spec: DatabaseSpec) -> Iterator[Violation]:
    """The rules of a database that do not hold for its tables, which are in the connection's current schema."""
    model = spec.semantic_model
    if model is None:
        return
    for index, rule in enumerate(model.coherence):
        found = connection.execute(check(spec, model, rule))
        names = [column[0] for column in found.description or ()]
        if rows := found.fetchall():
            yield Violation(index, len(rows), dict(zip(names, rows[0], strict=True)))


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, datetime.date):
        return f"DATE '{value}'"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_literal(key)}: {_literal(item)}" for key, item in value.items()) + "}"
    return "'" + str(value).replace("'", "''") + "'"


def _sql(place: Place, alias: str) -> str:
    column = f'{alias}."{place.column}"'
    if place.field is None:
        return column
    if place.spec.make.json_object is not None:
        return f"json_extract_string({column}, '$.{place.field}')"
    return f"struct_extract({column}, '{place.field}')"


def _is_one_of(place: Place, alias: str, values: Iterable[Any]) -> str:
    """Whether a value is one of some, NULL perhaps among them; never NULL itself."""
    given = list(values)
    if place.dtype is None:  # a JSON field is compared as text
        given = [v if v is None or isinstance(v, str) else json.dumps(v) for v in given]
    known = ", ".join(_literal(value) for value in given if value is not None)
    tests = [f"COALESCE({_sql(place, alias)} IN ({known}), FALSE)"] if known else []
    if None in given:
        tests.append(f"{_sql(place, alias)} IS NULL")
    return f"({' OR '.join(tests)})"


def _seconds(place: Place, alias: str, days: bool = False) -> str:
    """A moment in seconds, or as midnight of its day."""
    seconds = f"epoch({_sql(place, alias)})"
    return f"FLOOR({seconds} / 86400) * 86400" if days else seconds


def _joined(spec: DatabaseSpec, child: Place, parent: Place, by: str | None) -> str:
    link = reference(spec, child.table, parent.table, by)
    key = spec.tables[parent.table].key
    return f'{child.table} AS c JOIN {parent.table} AS p ON c."{link}" = p."{key}"'


def _lifecycle(rule: rules.Lifecycle, spec: DatabaseSpec, model: SemanticModel) -> str:
    state = place(spec, rule.lifecycle)
    states = sorted({state for step in rule.steps for state in step.split(" > ")})
    listed = ", ".join(map(_literal, states))
    return f"SELECT c.* FROM {state.table} AS c WHERE CAST({_sql(state, 'c')} AS VARCHAR) NOT IN ({listed})"


def _known_when(rule: rules.KnownWhen, spec: DatabaseSpec, model: SemanticModel) -> str:
    known = place(spec, rule.known_when)
    fits = _is_one_of(place(spec, rule.by, known.table), "c", rule.values)
    has = f"({_sql(known, 'c')} IS NOT NULL)"
    if rule.share == 1:
        return f"SELECT c.* FROM {known.table} AS c WHERE {has} <> {fits}"
    return (
        f"SELECT COUNT(*) FILTER ({has} AND NOT {fits}) AS known_elsewhere, "
        f"COUNT(*) FILTER ({has} AND {fits}) AS known, COUNT(*) FILTER ({fits}) AS rows_in_question "
        f"FROM {known.table} AS c HAVING known_elsewhere > 0 "
        # One row is the least, and otherwise the share is met to within half a row.
        f"OR (ABS(known - {rule.share!r} * rows_in_question) > 0.5 + 1e-9 "
        "AND NOT (known = 1 AND rows_in_question > 0))"
    )


def _order(rule: rules.Order, spec: DatabaseSpec, model: SemanticModel) -> str:
    first, second = (place(spec, name) for name in rule.order)
    days = first.is_date or second.is_date
    low, high = (bound * _SECONDS[rule.unit] for bound in rule.after)
    gap = f"{_seconds(second, 'c', days)} - {_seconds(first, 'c', days)}"
    # Timestamps hold microseconds, floating-point seconds nearly so.
    return f"SELECT c.* FROM {first.table} AS c WHERE {gap} NOT BETWEEN {low} - 1e-5 AND {high} + 1e-5"


def _not_before(rule: rules.NotBefore, spec: DatabaseSpec, model: SemanticModel) -> str:
    child, parent = place(spec, rule.not_before), place(spec, rule.parent)
    days = child.is_date or parent.is_date
    joined = _joined(spec, child, parent, rule.by)
    return f"SELECT c.* FROM {joined} WHERE {_seconds(child, 'c', days)} < {_seconds(parent, 'p', days)}"


def _until(rule: rules.Until, spec: DatabaseSpec, model: SemanticModel) -> str:
    end = f"epoch({_literal(model.as_of + datetime.timedelta(days=1))})"
    return " UNION ALL ".join(
        f"SELECT {_literal(name)} AS found_in, CAST({_sql(moment, 'c')} AS VARCHAR) AS found "
        f"FROM {moment.table} AS c WHERE {_seconds(moment, 'c')} >= {end}"
        for name in rule.columns
        for moment in [place(spec, name)]
    )


def _open_recent(rule: rules.OpenRecent, spec: DatabaseSpec, model: SemanticModel) -> str:
    state = place(spec, rule.open_recent)
    time = place(spec, rule.time, state.table)
    day = f"{_seconds(time, 'c', days=True)}"
    today = f"epoch({_literal(model.as_of)})"
    recent = f"{day} BETWEEN {today} - {rule.days * 86400} AND {today}"
    return (
        f"SELECT COUNT(*) FILTER ({recent}) AS recent, COUNT(*) AS open FROM {state.table} AS c "
        f"WHERE {_is_one_of(state, 'c', rule.states)} AND {day} IS NOT NULL HAVING recent < {rule.share!r} * open - 1e-9"
    )


def _children(rule: rules.Children, spec: DatabaseSpec, model: SemanticModel) -> str:
    link, key = reference(spec, rule.children, rule.of, rule.by), spec.tables[rule.of].key
    return (
        f"SELECT p.* FROM {rule.of} AS p WHERE (SELECT COUNT(*) FROM {rule.children} AS c "
        f'WHERE c."{link}" = p."{key}") < {rule.at_least}'
    )


def _total(rule: rules.Total, spec: DatabaseSpec, model: SemanticModel) -> str:
    found = place(spec, rule.total)
    link, key = reference(spec, rule.of, found.table), spec.tables[found.table].key
    lines = (
        f"(SELECT COALESCE(SUM({filled(spec, rule.sql, rule.of, 'c')}), 0) "
        f'FROM {rule.of} AS c WHERE c."{link}" = p."{key}")'
    )
    total = lines if rule.times is None else f"{lines} * ({filled(spec, rule.times, found.table, 'p')})"
    # A sum of floats depends on the order of its terms.
    slack = 10**-rule.round_to / 2 * 1.000001 if rule.round_to is not None else 1e-6
    value = f"CAST({_sql(found, 'p')} AS DOUBLE)"
    return (
        f"SELECT p.*, {total} AS total_of_lines FROM {found.table} AS p "
        f"WHERE {value} IS NOT NULL AND NOT COALESCE(ABS({value} - ({total})) <= {slack!r}, FALSE)"
    )


def _computed(rule: rules.Computed, spec: DatabaseSpec, model: SemanticModel) -> str:
    found = place(spec, rule.computed)
    value, expression = _sql(found, "c"), filled(spec, rule.sql, found.table, "c")
    return f"SELECT c.* FROM {found.table} AS c WHERE {value} IS NOT NULL AND {value} IS DISTINCT FROM {expression}"


def _lookup(rule: rules.Lookup, spec: DatabaseSpec, model: SemanticModel) -> str:
    found = place(spec, rule.lookup)
    entries = {value: given if isinstance(given, list) else [given] for value, given in rule.map.items()}
    if found.make.map is not None:
        wrong = " OR ".join(
            f'c."{found.column}"[{_literal(key)}] NOT IN ({", ".join(map(_literal, given))})'
            for key, given in entries.items()
        )
        return f"SELECT c.* FROM {found.table} AS c WHERE {wrong}"
    by = place(spec, rule.by, found.table)
    wrong = " OR ".join(
        f"({_is_one_of(by, 'c', [value])} AND NOT {_is_one_of(found, 'c', [*given, None])})"
        for value, given in entries.items()
    )
    return f"SELECT c.* FROM {found.table} AS c WHERE {wrong}"


def _near(rule: rules.Near, spec: DatabaseSpec, model: SemanticModel) -> str:
    child, parent = place(spec, rule.near), place(spec, rule.parent)
    number, base = f"CAST({_sql(child, 'c')} AS DOUBLE)", f"CAST({_sql(parent, 'p')} AS DOUBLE)"
    bounds = ", ".join(f"{base} * {factor!r}" for factor in rule.factor)
    slack = 10**-rule.round_to / 2 * 1.000001
    return (
        f"SELECT c.* FROM {_joined(spec, child, parent, rule.by)} "
        f"WHERE {number} NOT BETWEEN LEAST({bounds}) - {slack!r} AND GREATEST({bounds}) + {slack!r}"
    )


def _requires(rule: rules.Requires, spec: DatabaseSpec, model: SemanticModel) -> str:
    found, then = place(spec, rule.requires), place(spec, rule.then)
    has = _is_one_of(found, "c", [rule.value])
    if then.table == found.table:
        return f"SELECT c.* FROM {found.table} AS c WHERE {has} AND NOT {_is_one_of(then, 'c', rule.values)}"
    joined = _joined(spec, found, then, None).replace(" JOIN ", " LEFT JOIN ", 1)
    return f"SELECT c.* FROM {joined} WHERE {has} AND NOT {_is_one_of(then, 'p', rule.values)}"


def _nulls_with(rule: rules.NullsWith, spec: DatabaseSpec, model: SemanticModel) -> str:
    places = [place(spec, name) for name in rule.nulls_with]
    first, *others = (f"({_sql(column, 'c')} IS NULL)" for column in places)
    wrong = " OR ".join(f"{first} <> {other}" for other in others)
    return f"SELECT c.* FROM {places[0].table} AS c WHERE {wrong}"


def _text_from(rule: rules.TextFrom, spec: DatabaseSpec, model: SemanticModel) -> str:
    text = place(spec, rule.text_from)
    source = place(spec, rule.column, text.table)
    make = text.make.text
    value = _sql(text, "c")
    word = f"regexp_extract(lower(strip_accents({_sql(source, 'c')})), '[a-z0-9]+')"
    matches = []
    for pattern in make.patterns if make else ():
        # A regular expression in which the character 1 stands for the row's word.
        expression = _characters(pattern)
        for name, words in make.parts.items() if make else ():
            choice = "\1" if name == rule.part else "(" + "|".join(map(_escaped, words)) + ")"
            expression = expression.replace(f"\\{{{name}\\}}", choice)
        matches.append(f"regexp_full_match({value}, replace({_literal(expression)}, chr(1), {word}))")
    return f"SELECT c.* FROM {text.table} AS c WHERE {value} <> '' AND {word} <> '' AND NOT ({' OR '.join(matches)})"


def _escaped(text: str) -> str:
    return "".join(c if c.isalnum() or c in " _" else f"\\{c}" for c in text)


def _characters(pattern: str) -> str:
    kinds = {"#": "[0-9]", "?": "[A-Z]"}
    return "".join(kinds.get(c) or _escaped(c) for c in pattern)


def _set(rule: rules.Set, spec: DatabaseSpec, model: SemanticModel) -> str:
    array = place(spec, rule.set)
    value = _sql(array, "c")
    return f"SELECT c.* FROM {array.table} AS c WHERE list_count({value}) <> list_unique({value})"


def _unique(rule: rules.Unique, spec: DatabaseSpec, model: SemanticModel) -> str:
    places = [place(spec, name) for name in rule.unique]
    columns = ", ".join(_sql(column, "c") for column in places)
    known = " AND ".join(f"{_sql(column, 'c')} IS NOT NULL" for column in places)
    return f"SELECT {columns} FROM {places[0].table} AS c WHERE {known} GROUP BY ALL HAVING COUNT(*) > 1"


def _holds(rule: rules.Holds, spec: DatabaseSpec, model: SemanticModel) -> str:
    return f"SELECT c.* FROM {rule.table} AS c WHERE NOT ({filled(spec, rule.holds, rule.table, 'c')})"


_CHECKS: dict[type, Callable[[Any, DatabaseSpec, SemanticModel], str]] = {
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
