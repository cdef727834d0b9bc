"""The audit can fail: planted faults and tampered records show, and so do those of a task from outside the package."""

from __future__ import annotations

import dataclasses
import json

import pytest

from ibert_builder.audit.audit import audit
from ibert_builder.audit.claims import claims
from ibert_builder.audit.examine import Drawn, Examined, Work, examine, why_not_proved
from ibert_builder.decontamination.compare import compare
from ibert_builder.execution.engine import engine_for
from ibert_builder.generation.catalog import load_catalog
from ibert_builder.generation.generate import Options, Tally, generate
from ibert_builder.generation.splits import is_withheld
from ibert_builder.tasks.drafts import Proved
from ibert_builder.tasks.fields import TextField
from ibert_builder.tasks.registry import TASKS
from ibert_builder.tasks.sql_to_ibis import SqlToIbis
from ibert_builder.workers.pool import call
from ibert_builder.workers.worker import Place
from tests.conftest import SMALL


@pytest.fixture(scope="module")
def small(sample_dir):
    """A small dataset, audited as a whole."""
    return audit(Options(examples_per_template=3), templates_dir=sample_dir, sample=None)


def test_a_small_dataset_is_proved_again(small):
    held = {claim.name: claim for claim in small.claims}
    for claim in small.claims:
        if (
            claim.topic in ("proofs", "splits")
            and "share" not in claim.name
            and "difficulties" not in claim.name
        ):
            assert claim.holds, claim
    assert held["all mutants"].holds, held["all mutants"]
    assert len(small.found.records) > 100


def test_a_sample_is_a_part_and_the_same_for_any_number_of_processes(sample_dir, small):
    options = Options(examples_per_template=3)
    one = audit(options, templates_dir=sample_dir, sample=40)
    two = audit(options, templates_dir=sample_dir, sample=40, num_proc=2)
    assert one.as_json() == two.as_json()
    ids = {record["id"] for _, record in one.found.records}
    assert 15 <= len(ids) <= 70 and ids < {record["id"] for _, record in small.found.records}


DRAWN = Drawn("train", "qa", "easy", "webshop", "0" * 12, True, False, "a question", "a question")
PLANTED = {
    "inputs in more than one split": [DRAWN, dataclasses.replace(DRAWN, split="test", database="housing")],
    "databases in more than one split": [DRAWN, dataclasses.replace(DRAWN, split="test", input="another")],
    "inputs that occur more than once": [DRAWN, DRAWN],
    "most inputs that differ only in literals": [dataclasses.replace(DRAWN, input=str(i)) for i in range(3)],
    "share of test in each task": [DRAWN],
    "difficulties missing from a split of a task": [DRAWN],
    "records whose unseen_skeleton is wrong": [dataclasses.replace(DRAWN, unseen=True)],
}


@pytest.mark.parametrize("name", PLANTED)
def test_planted_faults_fail_the_claim(name):
    claim = next(c for c in claims(Examined(drawn=PLANTED[name]), Options()) if c.name == name)
    assert not claim.holds


def test_a_skeleton_that_was_to_be_withheld_fails_the_claim():
    withheld = next(f"{i:012}" for i in range(100) if is_withheld(f"{i:012}", 0))
    found = Examined(drawn=[dataclasses.replace(DRAWN, skeleton=withheld)])
    claim = next(c for c in claims(found, Options()) if c.name == "withheld skeletons found in train")
    assert not claim.holds


def mistake(name, error):
    messages = [{"content": ""}, {"content": name}, {"content": ""}]
    return {"id": name, "task": "error_resolution", "input": {"error": error}, "messages": messages}


@pytest.mark.parametrize(
    ("unproved", "silent", "all_"), [("silent", "0 of 1", "1 of 2"), ("loud", "1 of 1", "1 of 2")]
)
def test_a_mistake_that_is_not_proved_fails_its_claims(unproved, silent, all_):
    records = [("train", mistake("silent", None)), ("train", mistake("loud", "TypeError: no"))]
    found = Examined(records=records, failures=[(unproved, "error_resolution", "same_result", "")])
    proofs = {claim.name: claim for claim in claims(found, Options()) if claim.topic == "proofs"}
    proved = proofs["records proved again from their text on every row set"]
    shown = proofs["silent mistakes whose wrong result shows on every full row set"]
    assert (shown.figure, shown.holds) == (silent, unproved != "silent")
    assert (proved.figure, proved.holds) == (all_, False)


# task -> a field, how to spoil it, and the reasons for which the record is then not proved
WRONG = {
    "sql_to_ibis": ("target", "ibis", lambda code: code + ".limit(1)", {"results_differ"}),
    "ibis_to_sql": ("target", "sql", lambda sql: f"SELECT * FROM ({sql}) AS t LIMIT 1", {"results_differ"}),
    "code_completion": ("input", "partial_code", lambda code: code + "_", {"not_a_completion"}),
    "error_resolution": (
        "input",
        "broken_code",
        lambda code: "no_such_table.head()",
        {"raises_another_error", "logical_error_raises"},
    ),
    "qa": ("target", "code_example", lambda code: "customers.no_such_column", {"ForbiddenCode"}),
    "documentation": ("target", "docstring", lambda text: text.replace(".", ""), {"summary_without_period"}),
}


@pytest.mark.parametrize("task", TASKS)
def test_a_record_that_was_tampered_with_is_not_proved_again(task, small, catalog):
    struct, field, spoil, reasons = WRONG[task]
    found = []
    for _, record in small.found.records:
        text = record[struct].get(field) if record["task"] == task else None
        if text is not None and record["input"].get("dialect", "duckdb") == "duckdb":
            spoiled = json.loads(json.dumps(record))
            spoiled[struct][field] = spoil(text)
            engine = engine_for(catalog.databases[record["meta"]["database"]])
            assert why_not_proved(record, engine) is None
            failure = why_not_proved(spoiled, engine)
            found.append(failure and failure[0])
        if len(found) == 12:
            break
    proved = found.count(None)  # the first row of one row is all of them
    assert len(found) - proved >= 3 and proved <= len(found) / 4
    assert set(found) - {None} <= reasons


class Toy(SqlToIbis):
    """A task of its own fields, which the package does not know."""

    name = "toy"
    input = {"query": TextField("sql"), "remark": TextField("message")}
    target = {"program": TextField("ibis"), "gist": TextField("prose")}
    dialects = ()

    def prove(self, draft, engine):
        super().prove(draft, engine)
        given = {
            "query": draft.sql,
            "remark": "Nothing of what is said here is compared with anything.",
        }
        wanted = {
            "program": draft.code,
            "gist": f"Ten words that say what the query {draft.key} is for, in toys",
        }
        return Proved(given, wanted)

    def recheck(self, record, engine):
        given = {"sql": record["input"]["query"], "dialect": "duckdb"}
        super().recheck({"input": given, "target": {"ibis": record["target"]["program"]}}, engine)

    def has_silent_mistake(self, record):
        return True

    def question(self, record):
        return record["input"]["query"]

    def answer(self, record):
        return record["target"]["program"]


@pytest.fixture
def toys(templates_dir, monkeypatch):
    """A folder of templates with one for the task from outside."""
    monkeypatch.setitem(TASKS, "toy", Toy())
    (templates_dir / "toy").mkdir()
    template = SMALL["sql_to_ibis"].replace("small_filter", "toy_filter")
    (templates_dir / "toy" / "01_toy.yaml").write_text(template, encoding="utf-8")
    return templates_dir


def test_a_task_from_outside_is_audited(toys):
    found = audit(Options(examples_per_template=10), templates_dir=toys, sample=None, _in_process=True)
    ours = [record for _, record in found.found.records if record["task"] == "toy"]
    silent = next(claim for claim in found.claims if claim.name.startswith("silent mistakes"))
    assert len(ours) > 3 and silent.figure == f"{len(ours)} of {len(ours)}"
    work = Work(str(toys), "train", "toy", "webshop", Options(examples_per_template=10), share=1.0)
    alone = call(examine, work, place=Place(str(toys), in_process=True), gives=Examined)
    assert alone.kills.queries == len(alone.records) > 0
    assert sum(alone.kills.killed.values()) > len(alone.records)
    assert not alone.failures and not alone.opaque


def test_a_task_from_outside_is_compared(toys, tmp_path):
    records = list(generate(load_catalog(toys), "toy", "webshop", Options(10), Tally()))
    path = tmp_path / "theirs.jsonl"
    path.write_text("".join(json.dumps({**r["input"], **r["target"]}) + "\n" for r in records))
    report = compare(records, [path])
    exact = {(f.line, f.key) for f in report.failures if f.level == "exact"}
    assert exact == {
        (line, key) for line in range(1, len(records) + 1) for key in ("query", "program", "gist")
    }
