"""A semantic model that does not fit its tables is reported with its place."""

from __future__ import annotations

import datetime

import pytest

from ibert_builder.databases.load import load_databases
from ibert_builder.databases.semantic_form import AGGREGATES, TYPES
from ibert_builder.errors import InputError
from ibert_builder.semantics.kinds import KINDS
from tests.databases.test_coherence import database, load

REMOVED = object()
SHARE = {"table": "jobs", "agg": "sum", "noun": "sum"}
PRICE = {"kind": "price", "type": "float64", "ibis": "{cost}"}
# Where in the model what is set (or removed), and what is then said.
WRONG = [
    ("entities.job.table", "job", "entities.job.table: unknown table 'job', did you mean 'jobs'?"),
    ("entities.job.display", ["state"], "entities.job.display: expected the key 'job_id' first, found 'state'"),
    ("entities.job.display", ["job_id", "stat"], "entities.job.display.1: unknown column 'stat', did you mean 'state'?"),
    ("entities.job.time", "opened", "entities.job.time: unknown column 'opened', did you mean 'opened_at'?"),
    ("entities.job.time", "state", "entities.job.time: expected a date or timestamp, found string"),
    ("entities.part", REMOVED, "entities: expected one entity of the table parts, found 0"),
    ("columns.job", {}, "columns.job: unknown table 'job', did you mean 'jobs'?"),
    ("columns.jobs.stat", {"kind": "status"}, "columns.jobs.stat: unknown column 'stat', did you mean 'state'?"),
    ("columns.jobs.state", REMOVED, "columns.jobs: the column jobs.state has no meaning"),
    ("columns.jobs.state.kind", "amount", "columns.jobs.state.kind: expected one of the types integer, float, decimal for the kind 'amount', found string"),
    ("columns.jobs.colours.kind", "category", "expected one of the types string, integer for the kind 'category', found array<string>"),
    ("columns.jobs.opens.kind", "event_time", "date, timestamp, timestamptz for the kind 'event_time', found time"),
    ("columns.jobs.state.kind", "identifier", "is 'identifier' if, and only if, it is the key of its table"),
    ("columns.jobs.job_id.kind", "code", "is 'identifier' if, and only if, it is the key of its table; found 'code'"),
    ("columns.jobs.owner_code.kind", "code", "is 'foreign_key' if, and only if, it is made by `ref`; found 'code'"),
    ("columns.jobs.state.within", "sate", "columns.jobs.state.within: unknown column 'sate'"),
    ("columns.jobs.state.values", {"opn": "open"}, "columns.jobs.state.values: unknown value 'opn', did you mean 'open'?"),
    ("columns.jobs.state", {"kind": "ordinal", "values": {"open": "open"}}, "in their order: 'ready' is missing"),
    ("columns.jobs.state", {"kind": "ordinal"}, "in their order: 'open' is missing"),
    ("columns.jobs.place.fields.town", {"kind": "name"}, "columns.jobs.place.fields.town: unknown field 'town'"),
    ("columns.jobs.place.fields", REMOVED, "columns.jobs.place.fields: the field 'city' has no meaning"),
    ("currency", REMOVED, "columns.jobs.price.kind: the model has no `currency` for the amount"),
    ("references.jobs.owner_cod", {"to": "owner", "up": "{parent}", "down": "{child}"}, "unknown reference 'jobs.owner_cod'"),
    ("references.parts.job_id", REMOVED, "references: the reference parts.job_id has no meaning"),
    ("references.parts.job_id.to", "jb", "references.parts.job_id.to: unknown entity 'jb', did you mean 'job'?"),
    ("references.parts.job_id.to", "owner", "references.parts.job_id.to: expected the entity of jobs, found that of owners"),
    ("dimensions.parts.cost", {**PRICE, "sql": "{cost}"}, "dimensions.parts.cost: the table parts has a column of this name"),
    ("dimensions.parts.d", {**PRICE, "sql": "{cots}"}, "dimensions.parts.d.sql: unknown column or dimension 'cots', did you mean 'cost'?"),
    ("dimensions.parts.d", {**PRICE, "sql": "{d}"}, "dimensions.parts.d.sql: the dimension 'd' depends on itself"),
    ("dimensions.parts.d", {**PRICE, "sql": "1", "type": "flat"}, "dimensions.parts.d.type: 'flat' is not an Ibis type"),
    ("dimensions.parts.d", {**PRICE, "sql": "1", "type": "string"}, "dimensions.parts.d.kind: expected one of the types integer, float, decimal for the kind 'price'"),
    ("segments", {"jobs": {"late": {"sql": "{due} < 1", "ibis": "1", "clause": "is"}}}, "segments.jobs.late.sql: unknown column or dimension 'due', did you mean 'due_on'?"),
    ("segments", {"jobs": {"state": {"sql": "1", "ibis": "1", "clause": "is"}}}, "segments.jobs.state: the table jobs has a column or dimension of this name"),
    ("measures", {"m": {**SHARE, "table": "job", "expr": "price"}}, "measures.m.table: unknown table 'job'"),
    ("measures", {"m": {**SHARE, "expr": "prise"}}, "measures.m.expr: unknown column or dimension 'prise', did you mean 'price'?"),
    ("measures", {"m": {**SHARE, "expr": "price", "where": "late"}}, "measures.m.where: unknown segment 'late'"),
    ("measures", {"m": {**SHARE, "expr": "discount"}}, "measures.m.agg: `sum` has no meaning for a 'rate' (only for amount, quantity)"),
    ("measures", {"m": {**SHARE, "agg": "average", "expr": "state"}}, "measures.m.agg: `average` has no meaning for a 'status'"),
    ("measures", {"m": {**SHARE, "agg": "max", "expr": "voucher"}}, "measures.m.agg: `max` has no meaning for a 'category'"),
    ("metrics", {"k": {"numerator": "m", "denominator": "m"}}, "metrics.k.numerator: unknown measure 'm'"),
    ("sequences", {"s": {"table": "jobs", "by": "owner", "order": ["job_id"], "noun": "job"}}, "sequences.s.by: unknown column or dimension 'owner', did you mean 'owner_code'?"),
    ("sequences", {"s": {"table": "jobs", "order": ["job_id", "opened_at"], "noun": "job"}}, "sequences.s.order: expected the key 'job_id' last, found 'opened_at'"),
]  # fmt: skip


def keys_of(place):
    """The keys on the way to a place; the names of references have a dot in them."""
    if place.startswith("references."):
        _, table, column, *rest = place.split(".")
        return ["references", f"{table}.{column}", *rest]
    return place.split(".")


@pytest.mark.parametrize(("place", "value", "problem"), WRONG, ids=[problem for *_, problem in WRONG])
def test_what_does_not_fit_is_reported(place, value, problem, tmp_path):
    data = database()
    inner = data["semantic_model"]
    *way, last = keys_of(place)
    for key in way:
        inner = inner[key]
    if value is REMOVED:
        del inner[last]
    else:
        inner[last] = value
    with pytest.raises(InputError) as error:
        load(tmp_path, data)
    assert problem in str(error.value)
    assert str(error.value).startswith(f"{tmp_path / 'repairs.yaml'}:") and error.value.line


def test_measures_of_two_tables_make_no_metric(tmp_path):
    data = database()
    counts = {
        name: {"table": table, "agg": "count", "noun": "row"}
        for name, table in (("a", "jobs"), ("b", "parts"))
    }
    data["semantic_model"] |= {
        "measures": counts,
        "metrics": {"k": {"numerator": "a", "denominator": "b"}},
    }
    with pytest.raises(
        InputError, match=r"metrics\.k: expected measures of one table, found some of jobs and parts"
    ):
        load(tmp_path, data)


def test_a_model_that_fits_is_accepted_and_may_be_missing(tmp_path):
    data = database()
    assert load(tmp_path, data)
    del data["semantic_model"]
    assert load(tmp_path, data)
    assert load_databases(tmp_path)["repairs"].tables["owners"].values["joined_on"][0] > datetime.date(
        2021, 1, 1
    )


def test_every_kind_has_its_types():
    assert set(TYPES) | {"identifier", "foreign_key"} == set(KINDS)
    assert all(kinds <= set(KINDS) for kinds in AGGREGATES.values())
