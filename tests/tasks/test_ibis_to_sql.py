"""Ibis to SQL: every template is proved, and its query is in the dialect that the record names."""

from __future__ import annotations

from collections import Counter

import pytest
import sqlglot
from sqlglot.errors import ErrorLevel

from ibert_builder.execution.proofs import Rejected
from ibert_builder.tasks.registry import TASKS
from ibert_builder.templating.sampler import NoFit
from tests.tasks.proving import CATALOG, examples, proved, setting, the_template

TASK = TASKS["ibis_to_sql"]
TEMPLATES = CATALOG.templates[TASK.name]

LIMITED = """templates:
- name: first_five
  difficulty: easy
  features: [limit]
  tables: {t: any}
  slots: {k: column key}
  ibis: "{t}.order_by({k:str}).limit(5).select({k:str})"
"""
LISTED = LIMITED.replace(
    "order_by({k:str}).limit(5).select({k:str})", "agg(all_keys={k}.collect(order_by={k}))"
)


def parse(sql, dialect):
    # sqlglot has no grammar of DataFusion's; its queries read as PostgreSQL's.
    name = {"mssql": "tsql", "datafusion": "postgres"}.get(dialect, dialect)
    return sqlglot.parse_one(sql, read=name, error_level=ErrorLevel.RAISE)


def draft(template, webshop, seed, dialects=None):
    return TASK.expand(template, setting(webshop, seed, dialects=dialects))


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_every_template_gives_proved_examples(template):
    for _, record in examples(TASK, template):
        dialect = record["input"]["dialect"]
        assert record["dialect"] == dialect and dialect not in template.spec.not_in
        assert isinstance(parse(record["target"]["sql"], dialect), sqlglot.exp.Query)


STARTS = {"mssql": "SELECT TOP 5"}
ENDINGS = {"oracle": "\nFETCH FIRST 5 ROWS ONLY", "mssql": ""}


@pytest.mark.parametrize("dialect", TASK.dialects)
def test_the_query_is_in_the_dialect_asked_for(dialect, tmp_path, webshop):
    made = draft(the_template(TASK, tmp_path, LIMITED), webshop, 0, (dialect,))
    table, key = made.bound["t"].table.name, made.bound["k"].column.name
    record = proved(TASK, made).record
    sql = f"{STARTS.get(dialect, 'SELECT')} {key}\nFROM {table}\nORDER BY {key}{ENDINGS.get(dialect, chr(10) + 'LIMIT 5')}"
    assert record["target"] == {"sql": sql}
    assert record["dialect"] == record["input"]["dialect"] == dialect
    assert record["messages"][1]["content"].endswith(f"\n\nDialect: {dialect}")


def test_a_quarter_of_the_queries_is_duckdbs_and_every_dialect_is_drawn(tmp_path, webshop):
    template = the_template(TASK, tmp_path, LIMITED)
    drawn = Counter(draft(template, webshop, seed).key.splitlines()[0] for seed in range(600))
    assert set(drawn) == set(TASK.dialects)
    # A quarter outright, and a twelfth of the rest.
    assert 0.25 < drawn["duckdb"] / 600 < 0.4
    assert max(count for name, count in drawn.items() if name != "duckdb") < 0.12 * 600


def test_dialects_that_a_template_rules_out_are_never_drawn(tmp_path, webshop):
    template = the_template(TASK, tmp_path, f"{LIMITED}  not_in: [mysql, duckdb]\n")
    drawn = set()
    for seed in range(60):
        try:
            drawn.add(draft(template, webshop, seed).key.splitlines()[0])
        except NoFit:  # DuckDB alone was asked for
            continue
    assert drawn and drawn.isdisjoint({"mysql", "duckdb"})
    with pytest.raises(NoFit, match="first_five cannot be said in mysql, duckdb"):
        draft(template, webshop, 0, ("mysql", "duckdb"))


def test_code_that_a_dialect_cannot_say_is_rejected(tmp_path, webshop):
    template = the_template(TASK, tmp_path, LISTED)
    assert "ARRAY_AGG" in proved(TASK, draft(template, webshop, 0, ("postgres",))).record["target"]["sql"]
    with pytest.raises(Rejected) as rejected:
        proved(TASK, draft(template, webshop, 0, ("mysql",)))
    assert rejected.value.reason == "dialect_cannot_say_it"


def test_one_piece_of_code_in_two_dialects_is_two_examples(tmp_path, webshop):
    template = the_template(TASK, tmp_path, LIMITED)
    drafts = [draft(template, webshop, 0, (name,)) for name in ("postgres", "snowflake")]
    records = [proved(TASK, made).record for made in drafts]
    assert records[0]["input"]["ibis"] == records[1]["input"]["ibis"]
    assert records[0]["target"] == records[1]["target"]
    assert drafts[0].key != drafts[1].key and records[0]["id"] != records[1]["id"]
    assert proved(TASK, draft(template, webshop, 0, ("postgres",))).record == records[0]
