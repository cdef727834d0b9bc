"""SQL to Ibis: every template is proved, and foreign queries are in the dialect asked for or stay in DuckDB's."""

from __future__ import annotations

import pytest
import sqlglot
from sqlglot.errors import ErrorLevel

from ibert_builder.dialects.portable import foreign_to
from ibert_builder.dialects.registry import DIALECTS
from ibert_builder.errors import InputError
from ibert_builder.execution.proofs import Rejected
from ibert_builder.generation.generate import Options
from ibert_builder.tasks.registry import TASKS
from tests.tasks.proving import CATALOG, examples, proved, setting, the_template

TASK = TASKS["sql_to_ibis"]
TEMPLATES = CATALOG.templates[TASK.name]
FOREIGN = [name for name in TASK.dialects if not DIALECTS[name].is_native]

LIMITED = """templates:
- name: first_five
  difficulty: easy
  features: [limit]
  tables: {t: any}
  slots: {k: column key}
  sql: SELECT {k} FROM {t} ORDER BY {k} LIMIT 5
  ibis: "{t}.order_by({k:str}).limit(5).select({k:str})"
"""
LISTED = """templates:
- name: all_keys
  difficulty: easy
  features: [collect]
  tables: {t: any}
  slots: {k: column key}
  sql: SELECT LIST({k} ORDER BY {k}) AS all_keys FROM {t}
  ibis: "{t}.agg(all_keys={k}.collect(order_by={k}))"
"""


def parse(sql, dialect):
    return sqlglot.parse_one(sql, read={"mssql": "tsql"}.get(dialect, dialect), error_level=ErrorLevel.RAISE)


def draft(template, webshop, seed, dialects=None):
    return TASK.expand(template, setting(webshop, seed, dialects=dialects))


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_every_template_gives_proved_examples(template):
    for _, record in examples(TASK, template):
        sql, dialect = record["input"]["sql"], record["input"]["dialect"]
        assert isinstance(parse(sql, dialect), sqlglot.exp.Query)
        assert DIALECTS[dialect].is_native or foreign_to(DIALECTS[dialect], sql) is None


# DuckDB puts NULLs last; where another dialect puts them first, its query has to say so.
LAST, CASE = " NULLS LAST", "CASE WHEN product_id IS NULL THEN 1 ELSE 0 END, "
WRITTEN = {
    "duckdb": "SELECT product_id FROM products ORDER BY product_id LIMIT 5",
    "postgres": "SELECT product_id FROM products ORDER BY product_id LIMIT 5",
    "redshift": "SELECT product_id FROM products ORDER BY product_id LIMIT 5",
    "snowflake": "SELECT product_id FROM products ORDER BY product_id LIMIT 5",
    "trino": "SELECT product_id FROM products ORDER BY product_id LIMIT 5",
    "clickhouse": "SELECT product_id FROM products ORDER BY product_id LIMIT 5",
    "sqlite": f"SELECT product_id FROM products ORDER BY product_id{LAST} LIMIT 5",
    "bigquery": f"SELECT product_id FROM products ORDER BY product_id{LAST} LIMIT 5",
    "databricks": f"SELECT product_id FROM products ORDER BY product_id{LAST} LIMIT 5",
    "mysql": f"SELECT product_id FROM products ORDER BY {CASE}product_id LIMIT 5",
    "mssql": f"SELECT TOP 5 product_id FROM products ORDER BY {CASE}product_id",
}


def plainest(template, webshop, dialect):
    """A draft that is written in the plainest style: upper case, on one line, without aliases."""
    drafts = (draft(template, webshop, seed, (dialect,)) for seed in range(200))
    return next(made for made in drafts if made.key == WRITTEN["duckdb"])


@pytest.mark.parametrize("dialect", TASK.dialects)
def test_a_query_is_written_in_the_dialect_asked_for(dialect, tmp_path, webshop):
    record = proved(TASK, plainest(the_template(TASK, tmp_path, LIMITED), webshop, dialect)).record
    assert record["input"] == {"sql": WRITTEN[dialect], "dialect": dialect}
    assert record["target"] == {"ibis": 'products.order_by("product_id").limit(5).select("product_id")'}
    assert record["messages"][1]["content"].endswith(f"SQL ({dialect}):\n{WRITTEN[dialect]}")


def test_only_the_dialects_asked_for_are_drawn(tmp_path, webshop):
    template, asked = the_template(TASK, tmp_path, LIMITED), ("mysql", "duckdb")
    records = [proved(TASK, draft(template, webshop, seed, asked)).record for seed in range(20)]
    assert {record["input"]["dialect"] for record in records} == set(asked)


def test_a_query_that_its_dialect_cannot_say_stays_in_duckdbs(tmp_path, webshop):
    template = the_template(TASK, tmp_path, LISTED)
    for seed in range(20):
        made = draft(template, webshop, seed, ("mysql", "duckdb"))
        assert proved(TASK, made).record["input"] == {"sql": made.key, "dialect": "duckdb"}


def test_a_query_that_its_dialect_cannot_say_is_rejected_where_duckdb_was_not_asked_for(tmp_path, webshop):
    made = draft(the_template(TASK, tmp_path, LISTED), webshop, 0, ("mysql", "sqlite"))
    with pytest.raises(Rejected) as rejected:
        proved(TASK, made)
    assert rejected.value.reason == "dialect_cannot_say_it"
    assert "LIST()" in rejected.value.detail


def test_dialects_that_the_task_does_not_have_are_refused():
    with pytest.raises(InputError, match="sql_to_ibis has none of \\['oracle'\\]"):
        Options(dialects=("oracle",)).dialects_of(TASK)


def test_the_key_leaves_the_dialect_out_and_the_id_does_not(tmp_path, webshop):
    template = the_template(TASK, tmp_path, LIMITED)
    drafts = [draft(template, webshop, 0, (name,)) for name in TASK.dialects]
    assert len({made.key for made in drafts}) == 1
    assert len({proved(TASK, made).record["id"] for made in drafts}) == len(TASK.dialects)
    again = draft(template, webshop, 0, TASK.dialects[:1])
    assert proved(TASK, again).record == proved(TASK, drafts[0]).record


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("limit(5)", "limit(4)", "results_differ_in_row_count"),
        ("order_by({k:str})", "order_by(ibis.desc({k:str}))", "results_differ_in_values"),
        (".select({k:str})", ".select(v={k:str})", "results_differ_in_columns"),
        (".select({k:str})", ".select({k}.cast('string'))", "results_differ_in"),
        (".limit(5)", ".limit(5).select('no_such_column')", "ibis_fails"),
        ("LIMIT 5", "LIMIT 0", "empty_result"),
        ("ORDER BY {k} LIMIT", "LIMIT", "depends_on_row_order"),
    ],
)
def test_a_draft_whose_sides_disagree_is_rejected_by_name(old, new, reason, tmp_path, webshop):
    template = the_template(TASK, tmp_path, LIMITED.replace(old, new))
    assert template.spec.model_dump() != the_template(TASK, tmp_path, LIMITED).spec.model_dump()
    with pytest.raises(Rejected) as rejected:
        proved(TASK, draft(template, webshop, 0))
    assert rejected.value.reason.startswith(reason)
