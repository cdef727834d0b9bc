"""Whether a semantic model fits the tables that it is about: its names, and each kind the type of its column."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import ibis.expr.datatypes as dt

from ibert_builder.databases.coherence.form import check_rules
from ibert_builder.databases.coherence.places import FRAME, filled
from ibert_builder.databases.located import Located
from ibert_builder.databases.makers import typed
from ibert_builder.databases.spec import ColumnSpec, DatabaseSpec, Make, TableSpec
from ibert_builder.databases.type_classes import type_class
from ibert_builder.errors import unknown
from ibert_builder.semantics.kinds import TRAITS
from ibert_builder.semantics.spec import ColumnMeaning, SemanticModel

_NUMBERS = ("integer", "float", "decimal")
_LENGTHS = (*_NUMBERS, "interval")
_MOMENTS = ("date", "timestamp", "timestamptz")
# The type classes that a kind may be stored as; keys and references are known by other marks.
TYPES: dict[str, tuple[str, ...]] = {
    "code": ("string", "integer", "uuid", "binary"), "name": ("string",), "category": ("string", "integer"),
    "ordinal": ("string", "integer"), "status": ("string", "integer"), "flag": ("boolean", "integer"),
    "amount": _NUMBERS, "quantity": _LENGTHS, "level": _NUMBERS, "price": _NUMBERS, "rate": _NUMBERS,
    "measurement": _LENGTHS, "score": _NUMBERS, "event_time": _MOMENTS, "attribute_date": _MOMENTS,
    "period_bound": _MOMENTS, "time_of_day": ("time",), "free_text": ("string",), "tags": ("array",),
    "record": ("struct", "map", "json", "array"),  # an array of numbers is no set of labels
}  # fmt: skip
# The kinds that an aggregate permits; those not named permit all.
AGGREGATES: dict[str, frozenset[str]] = {
    "sum": TRAITS["summable"],
    "average": TRAITS["averageable"],
    "median": TRAITS["averageable"],
    "min": TRAITS["measurable"] | TRAITS["moment"],
    "max": TRAITS["measurable"] | TRAITS["moment"],
}


def check_semantics(spec: DatabaseSpec, at: Located) -> None:
    """Check the semantic model of a database, which is at a location of its file, if it has one.

    Raises:
        InputError: the first thing that does not fit the tables.
    """
    model = spec.semantic_model
    if model is None:
        return
    for check in (_entities, _columns, _references, _dimensions, _segments, _measures, _metrics, _sequences):
        check(spec, model, at)
    check_rules(spec, at.within("coherence"))


def _named(kind: str, name: str, known: Iterable[str], at: Located) -> None:
    known = list(known)
    if name not in known:
        raise at.error(unknown(kind, name, known))


def _entities(spec: DatabaseSpec, model: SemanticModel, at: Located) -> None:
    for name, entity in model.entities.items():
        here = at.within("entities", name)
        _named("table", entity.table, spec.tables, here.within("table"))
        table = spec.tables[entity.table]
        for i, column in enumerate(entity.display):
            _named("column", column, table.columns, here.within("display", i))
        if entity.display[0] != table.key:
            raise here.within("display").error(
                f"expected the key '{table.key}' first, found '{entity.display[0]}'"
            )
        if entity.time is not None:
            _named("column", entity.time, table.columns, here.within("time"))
            if type_class(dt.dtype(table.columns[entity.time].type)) not in _MOMENTS:
                raise here.within("time").error(
                    f"expected a date or timestamp, found {table.columns[entity.time].type}"
                )
    for table_name in spec.tables:
        count = sum(entity.table == table_name for entity in model.entities.values())
        if count != 1:
            raise at.within("entities").error(f"expected one entity of the table {table_name}, found {count}")


def _columns(spec: DatabaseSpec, model: SemanticModel, at: Located) -> None:
    for table, meanings in model.columns.items():
        _named("table", table, spec.tables, at.within("columns", table))
        for column, meaning in meanings.items():
            here = at.within("columns", table, column)
            _named("column", column, spec.tables[table].columns, here)
            _column(spec.tables[table], column, meaning, model, here)
    for table, declared in spec.tables.items():
        if missing := [column for column in declared.columns if column not in model.columns.get(table, {})]:
            raise at.within("columns", table).error(f"the column {table}.{missing[0]} has no meaning")


def _column(table: TableSpec, name: str, meaning: ColumnMeaning, model: SemanticModel, at: Located) -> None:
    spec = table.columns[name]
    _kind(
        meaning.kind,
        dt.dtype(spec.type),
        at,
        is_key=name == table.key,
        is_reference=spec.make.ref is not None,
    )
    if meaning.kind in ("amount", "price") and model.currency is None:
        raise at.within("kind").error(f"the model has no `currency` for the {meaning.kind}")
    if meaning.within is not None:
        _named("column", meaning.within, (c for c in table.columns if c != name), at.within("within"))
    _values(spec, meaning, at.within("values"))
    _fields(spec.make, meaning, at.within("fields"))


def _kind(kind: str, dtype: dt.DataType, at: Located, *, is_key: bool, is_reference: bool) -> None:
    here = at.within("kind")
    marks = (
        ("identifier", is_key and not is_reference, "the key of its table"),
        ("foreign_key", is_reference, "made by `ref`"),
    )
    for own, is_one, what in marks:
        if (kind == own) != is_one:
            raise here.error(f"a column is '{own}' if, and only if, it is {what}; found '{kind}'")
    wanted = TYPES.get(kind)
    found = type_class(dtype)
    if wanted is not None and found.partition("<")[0] not in wanted:
        raise here.error(
            f"expected one of the types {', '.join(wanted)} for the kind '{kind}', found {dtype}"
        )


def _values(spec: ColumnSpec, meaning: ColumnMeaning, at: Located) -> None:
    """Check that words are for values that occur, and that an order of values has all of them."""
    if spec.make.choice is None:
        if (
            meaning.kind == "ordinal"
            and meaning.values is None
            and type_class(dt.dtype(spec.type)) != "integer"
        ):
            raise at.error("an ordinal has all its values here, in their order")
        return
    made = [typed(value, dt.dtype(spec.type)) for value in spec.make.choice if value is not None]
    listed = [typed(value, dt.dtype(spec.type)) for value in meaning.values or () if value is not None]
    for value in listed:
        _named("value", str(value), map(str, made), at)
    missing = [value for value in made if value not in listed]
    if meaning.kind == "ordinal" and missing:
        raise at.error(f"an ordinal has all its values here, in their order: {missing[0]!r} is missing")


def _fields(make: Make, meaning: ColumnMeaning, at: Located) -> None:
    made: Iterable[str] = make.struct or make.json_object or (make.map.keys if make.map else ())
    for field in meaning.fields or ():
        _named("field", field, made, at.within(field))
    if meaning.kind == "record" and (
        missing := [field for field in made if field not in (meaning.fields or {})]
    ):
        raise at.error(f"the field '{missing[0]}' has no meaning")


def _references(spec: DatabaseSpec, model: SemanticModel, at: Located) -> None:
    made = {
        f"{table}.{name}": column.make.ref
        for table, declared in spec.tables.items()
        for name, column in declared.columns.items()
        if column.make.ref is not None
    }
    for name, reference in model.references.items():
        here = at.within("references", name)
        _named("reference", name, made, here)
        _named("entity", reference.to, model.entities, here.within("to"))
        if (table := model.entities[reference.to].table) != made[name]:
            raise here.within("to").error(f"expected the entity of {made[name]}, found that of {table}")
    if missing := [name for name in made if name not in model.references]:
        raise at.within("references").error(f"the reference {missing[0]} has no meaning")


def _names(spec: DatabaseSpec, model: SemanticModel, table: str) -> list[str]:
    """What an expression may be about: the columns and dimensions of a table."""
    return [*spec.tables[table].columns, *model.dimensions.get(table, {})]


def _frames(
    spec: DatabaseSpec, model: SemanticModel, table: str, frames: dict[str, str], at: Located
) -> None:
    for key, frame in frames.items():
        for match in FRAME.finditer(frame):
            _named("column or dimension", match[1], _names(spec, model, table), at.within(key))
        with at.within(key).errors():
            filled(spec, frame, table, "t")


def _dimensions(spec: DatabaseSpec, model: SemanticModel, at: Located) -> None:
    for table, dimensions in model.dimensions.items():
        _named("table", table, spec.tables, at.within("dimensions", table))
        for name, dimension in dimensions.items():
            here = at.within("dimensions", table, name)
            if name in spec.tables[table].columns:
                raise here.error(f"the table {table} has a column of this name")
            try:
                dtype = dt.dtype(dimension.type)
            except Exception as error:
                raise here.within("type").error(f"'{dimension.type}' is not an Ibis type") from error
            _kind(dimension.kind, dtype, here, is_key=False, is_reference=False)
            if dimension.kind in ("amount", "price") and model.currency is None:
                raise here.within("kind").error(f"the model has no `currency` for the {dimension.kind}")
            _frames(spec, model, table, {"sql": dimension.sql, "ibis": dimension.ibis}, here)


def _segments(spec: DatabaseSpec, model: SemanticModel, at: Located) -> None:
    for table, segments in model.segments.items():
        _named("table", table, spec.tables, at.within("segments", table))
        for name, segment in segments.items():
            here = at.within("segments", table, name)
            if name in _names(spec, model, table):
                raise here.error(f"the table {table} has a column or dimension of this name")
            _frames(spec, model, table, {"sql": segment.sql, "ibis": segment.ibis}, here)


def _kind_of(model: SemanticModel, table: str, name: str) -> str:
    meaning: Any = model.columns[table].get(name) or model.dimensions[table][name]
    return str(meaning.kind)


def _measures(spec: DatabaseSpec, model: SemanticModel, at: Located) -> None:
    for name, measure in model.measures.items():
        here = at.within("measures", name)
        _named("table", measure.table, spec.tables, here.within("table"))
        if measure.where is not None:
            _named("segment", measure.where, model.segments.get(measure.table, ()), here.within("where"))
        if measure.expr is None:
            continue
        names = _names(spec, model, measure.table)
        _named("column or dimension", measure.expr, names, here.within("expr"))
        kind = _kind_of(model, measure.table, measure.expr)
        allowed = AGGREGATES.get(measure.agg)
        if allowed is not None and kind not in allowed:
            raise here.within("agg").error(
                f"`{measure.agg}` has no meaning for a '{kind}' (only for {', '.join(sorted(allowed))})"
            )


def _metrics(spec: DatabaseSpec, model: SemanticModel, at: Located) -> None:
    for name, metric in model.metrics.items():
        here = at.within("metrics", name)
        parts = {"numerator": metric.numerator, "denominator": metric.denominator}
        for key, measure in parts.items():
            _named("measure", measure, model.measures, here.within(key))
        tables = [model.measures[measure].table for measure in parts.values()]
        if tables[0] != tables[1]:
            raise here.error(f"expected measures of one table, found some of {tables[0]} and {tables[1]}")


def _sequences(spec: DatabaseSpec, model: SemanticModel, at: Located) -> None:
    for name, sequence in model.sequences.items():
        here = at.within("sequences", name)
        _named("table", sequence.table, spec.tables, here.within("table"))
        names = _names(spec, model, sequence.table)
        if sequence.by is not None:
            _named("column or dimension", sequence.by, names, here.within("by"))
        for i, column in enumerate(sequence.order):
            _named("column or dimension", column, names, here.within("order", i))
        key = spec.tables[sequence.table].key
        if sequence.order[-1] != key:
            raise here.within("order").error(f"expected the key '{key}' last, found '{sequence.order[-1]}'")
