"""A dialect is added in one place: a toy is put in `DIALECTS` here, and everything else knows it."""

from __future__ import annotations

import json

import pytest

from ibert_builder.audit.examine import Examined, Work, examine
from ibert_builder.databases.model import SPLITS
from ibert_builder.dialects.registry import DIALECTS
from ibert_builder.errors import InputError
from ibert_builder.execution.engine import engine_for
from ibert_builder.execution.proofs import Rejected
from ibert_builder.generation.catalog import load_catalog
from ibert_builder.generation.generate import Options, Tally, generate
from ibert_builder.generation.json_schema import schemas
from ibert_builder.tasks.registry import TASKS
from ibert_builder.workers.pool import call
from ibert_builder.workers.worker import Place
from ibert_builder.writing.jsonl import build, file_of
from tests.dialects.toy import Counting, toy

TRANSLATIONS = ("sql_to_ibis", "ibis_to_sql")


def in_toy() -> Options:
    return Options(20, dialects=("toy",))


@pytest.fixture(params=["by way of DuckDB", "in an engine of its own"])
def registered(request, monkeypatch):
    """The toy, registered for the time of a test, with and without an engine."""
    dialect = toy(Counting() if request.param == "in an engine of its own" else None)
    monkeypatch.setitem(DIALECTS, "toy", dialect)
    return dialect


def test_records_are_generated_exported_and_proved_again(registered, templates_dir, tmp_path):
    build(tmp_path / "out", TRANSLATIONS, in_toy(), templates_dir=templates_dir, _in_process=True)
    records = [
        json.loads(line)
        for task in TRANSLATIONS
        for split in SPLITS
        for line in (tmp_path / "out" / file_of(split, task)).read_text(encoding="utf-8").splitlines()
    ]
    assert {record["task"] for record in records} == set(TRANSLATIONS)
    assert {record["input"]["dialect"] for record in records} == {"toy"}
    queries = [{**record["input"], **record["target"]}["sql"] for record in records]
    assert any('"amount"' in sql or '"status"' in sql for sql in queries)
    catalog = load_catalog(templates_dir)
    for record in records:
        engine = engine_for(catalog.databases[record["meta"]["database"]])
        TASKS[record["task"]].recheck(record, engine)
    if registered.executor is not None:
        assert registered.executor.asked >= len(records)
        assert registered.executor.asked_thoroughly == len(records)


@pytest.mark.parametrize("task", TRANSLATIONS)
def test_a_wrong_record_is_not_proved_again(registered, webshop, catalog, task):
    """So that the proof above means something."""
    record = next(generate(catalog, task, "webshop", in_toy(), Tally()))
    where = "input" if task == "sql_to_ibis" else "target"
    sql = f"SELECT * FROM ({record[where]['sql']}) AS q LIMIT 0"
    spoiled = {**record, where: {**record[where], "sql": sql}}
    with pytest.raises(Rejected, match="results_differ"):
        TASKS[task].recheck(spoiled, engine_for(webshop))


@pytest.mark.parametrize("task", TRANSLATIONS)
def test_an_audit_examines_them(registered, templates_dir, task):
    work = Work(str(templates_dir), "train", task, "webshop", in_toy(), 1.0)
    found = call(examine, work, place=Place(str(templates_dir), in_process=True), gives=Examined)
    assert found.records
    assert found.failures == []


@pytest.mark.parametrize("task", TRANSLATIONS)
def test_it_is_in_the_usual_mix_without_being_asked_for(registered, catalog, task):
    records = generate(catalog, task, "webshop", Options(), Tally())
    assert any(record["input"]["dialect"] == "toy" for record in records)


def test_options_and_files_know_its_name(registered, templates_dir):
    path = templates_dir / "_phrases" / "01_comparisons.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("- name: greater_than\n", "- name: greater_than\n  not_in: [toy]\n"), "utf-8"
    )
    assert load_catalog(templates_dir).phrasebook.phrases["greater_than"].not_in == {"toy"}
    assert '"toy"' in json.dumps(schemas()["phrases.json"])


def test_nobody_knows_it_before_it_is_registered():
    with pytest.raises(InputError, match="unknown dialect 'toy'"):
        Options(dialects=("toy",))
    assert '"toy"' not in json.dumps(schemas())
