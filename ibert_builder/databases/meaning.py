"""Tables with their meaning: what the semantic model says of each column and row, or what their types suggest without one."""

from __future__ import annotations

from typing import Any

import ibis.expr.datatypes as dt

from ibert_builder.databases.model import Column, Table
from ibert_builder.databases.spec import ColumnSpec, DatabaseSpec, TableSpec
from ibert_builder.databases.type_classes import type_class
from ibert_builder.semantics.nouns import Noun, noun
from ibert_builder.semantics.spec import ColumnMeaning, EntitySpec

FEW = 12  # the most values of a column without a meaning that is taken for a category

# What a column of a class probably is, if nobody says.
_LIKELY: dict[str, str] = {
    "integer": "quantity", "float": "quantity", "decimal": "quantity", "interval": "quantity", "string": "name", "uuid": "code",
    "binary": "code", "date": "event_time", "timestamp": "event_time", "timestamptz": "event_time", "time": "time_of_day",
}  # fmt: skip


def make_table(spec: DatabaseSpec, name: str, rows: list[tuple[Any, ...]]) -> Table:
    """A table of a database with its columns, rows and everything that the semantic model says of them."""
    table, model = spec.tables[name], spec.semantic_model
    with_nulls = {column for i, column in enumerate(table.columns) if any(row[i] is None for row in rows)}
    columns = {
        column: _column(spec, name, column, declared, column in with_nulls)
        for column, declared in table.columns.items()
    }
    entities = model.entities.items() if model else ()
    row, entity = next(
        ((row, entity) for row, entity in entities if entity.table == name), (_singular(name), None)
    )
    measures = {
        m: measure for m, measure in (model.measures if model else {}).items() if measure.table == name
    }
    return Table(
        name,
        table.key,
        columns,
        rows,
        entity or EntitySpec.model_validate({"table": name, "display": [table.key]}),
        noun(entity.noun) if entity and entity.noun else noun(row.replace("_", " ")),
        dimensions=model.dimensions.get(name, {}) if model else {},
        segments=model.segments.get(name, {}) if model else {},
        measures=measures,
        metrics={
            m: metric
            for m, metric in (model.metrics if model else {}).items()
            if metric.numerator in measures
        },
    )


def _singular(table: str) -> str:
    return table.removesuffix("s")


def _column(spec: DatabaseSpec, table: str, name: str, declared: ColumnSpec, nullable: bool) -> Column:
    model = spec.semantic_model
    said = model.columns.get(table, {}).get(name) if model else None
    meaning = said or _likely(name, declared, spec.tables[table])
    dtype = dt.dtype(declared.type)
    currency = model.currency if model and meaning.kind in ("amount", "price") else None
    return Column(
        table=table,
        name=name,
        dtype=dtype,
        type_class=type_class(dtype),
        meaning=meaning,
        noun=noun(meaning.noun or name.replace("_", " ")),
        unit=Noun(currency, currency, "") if currency else noun(meaning.unit) if meaning.unit else None,
        nullable=nullable,
        make=declared.make,
    )


def _likely(name: str, declared: ColumnSpec, table: TableSpec) -> ColumnMeaning:
    kind = type_class(dt.dtype(declared.type))
    choice = declared.make.choice
    meaning: dict[str, str] = {"kind": "tags" if kind.startswith("array") else _LIKELY.get(kind, "record")}
    if name == table.key:
        meaning = {"kind": "identifier"}
    elif declared.make.ref:
        meaning = {"kind": "foreign_key"}
    elif kind == "boolean":
        words = name.replace("_", " ")
        meaning = {"kind": "flag", "holds": f"has|have the {words}", "fails": f"does|do not have the {words}"}
    elif choice is not None and len(choice) <= FEW and kind in ("string", "integer"):
        meaning = {"kind": "category"}
    return ColumnMeaning.model_validate(meaning)
