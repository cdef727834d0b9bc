"""One place for each kind of addition: a task or format from outside the package works, and nothing else is touched."""

from __future__ import annotations

import importlib
import json

import pytest

import ibert_multitask
from ibert_builder.audit.audit import audit
from ibert_builder.decontamination.compare import compare
from ibert_builder.errors import InputError
from ibert_builder.generation.generate import Options
from ibert_builder.generation.json_schema import schemas
from ibert_builder.records import features, to_record, to_row
from ibert_builder.tasks.registry import TASKS
from ibert_builder.workers.worker import Place
from ibert_builder.writing.formats import WRITERS, Jsonl
from ibert_builder.writing.jsonl import build
from ibert_builder.writing.links import check_link
from tests.toy_task import TEMPLATES, RowCount


@pytest.fixture
def toy_dir(templates_dir, monkeypatch):
    """A templates folder with templates of the toy task, which is registered."""
    monkeypatch.setitem(TASKS, RowCount.name, RowCount())
    (templates_dir / RowCount.name).mkdir()
    (templates_dir / RowCount.name / "01_counts.yaml").write_text(TEMPLATES, encoding="utf-8")
    return templates_dir


def records_of(folder, split=""):
    lines = (folder / split / f"{RowCount.name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture
def built(toy_dir, tmp_path):
    build(tmp_path / "out", (RowCount.name,), Options(40), templates_dir=toy_dir, _in_process=True)
    return tmp_path / "out"


def test_its_records_are_made_and_written(built):
    by_split = [records_of(built, split) for split in ("", "validation", "test")]
    assert all(by_split)
    records = [record for records in by_split for record in records]
    assert {record["meta"]["difficulty"] for record in records} == {"easy", "medium", "hard"}
    for record in records:
        assert record["input"].keys() == {"ibis"} and int(record["target"]["rows"]) > 0
        assert [message["role"] for message in record["messages"]] == ["system", "user", "assistant"]


def test_its_rows_fit_the_columns_that_its_fields_declare(built):
    columns = features(RowCount.name)
    assert list(columns["target"]) == ["rows"]
    assert "rows" in features("all")["target"]
    for record in records_of(built):
        assert to_record(to_row(record, columns)) == record


def test_the_builder_loads_it(toy_dir, tmp_path, monkeypatch):
    module = importlib.reload(ibert_multitask)
    builder = module.IbertMultitask
    monkeypatch.setattr(module.IbertConfig, "place", Place(str(toy_dir), in_process=True))
    try:
        made = builder(config_name=RowCount.name, cache_dir=str(tmp_path), templates_dir=str(toy_dir))
        made.download_and_prepare()
        rows = made.as_dataset(split="train")
    finally:
        importlib.reload(ibert_multitask)
    assert set(rows["task"]) == {RowCount.name}


def test_the_audit_proves_it_again_and_finds_mutants_of_its_queries(toy_dir):
    found = audit(Options(40), templates_dir=toy_dir, sample=None, _in_process=True).found
    toys = [record for _, record in found.records if record["task"] == RowCount.name]
    assert toys and not found.failures
    assert found.kills.queries >= len(toys)


def test_the_audit_notices_a_wrong_record(toy_dir, monkeypatch):
    monkeypatch.setattr(RowCount, "prove", lambda self, draft, engine: lie(draft))
    failures = audit(Options(40), templates_dir=toy_dir, sample=None, _in_process=True).found.failures
    assert {(task, reason) for _, task, reason, _ in failures} == {(RowCount.name, "another_count")}


def lie(draft):
    from ibert_builder.tasks.drafts import Proved

    return Proved({"ibis": draft.code}, {"rows": "-1"})


def test_a_linked_file_is_checked_by_its_fields(built, tmp_path):
    assert check_link(TASKS[RowCount.name], built / f"{RowCount.name}.jsonl") == len(records_of(built))
    record = {**records_of(built)[0], "input": {"ibis": "t.filter("}}
    (tmp_path / "bad.jsonl").write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(InputError, match=r"bad\.jsonl:1: input\.ibis: does not parse"):
        check_link(TASKS[RowCount.name], tmp_path / "bad.jsonl")


def test_a_comparison_finds_its_code(built, tmp_path):
    code = max((record["input"]["ibis"] for record in records_of(built)), key=len)
    (tmp_path / "theirs.py").write_text(code, encoding="utf-8")
    report = compare(records_of(built), [tmp_path / "theirs.py"])
    assert {finding.field for finding in report.failures} == {"input.ibis"}


class Ids(Jsonl):
    """A format from outside the package: the ids alone, a line each."""

    suffix = "ids"

    def encode(self, records):
        return "".join(f"{record['id']}\n" for record in records).encode()


def test_a_format_is_one_writer(built, toy_dir, tmp_path, monkeypatch):
    monkeypatch.setitem(WRITERS, "ids", Ids())
    out = tmp_path / "ids"
    build(
        out,
        (RowCount.name,),
        Options(40),
        templates_dir=toy_dir,
        output_format="ids",
        _in_process=True,
    )
    ids = [record["id"] for record in records_of(built)]
    assert (out / f"{RowCount.name}.ids").read_text().split() == ids
    assert (out / "train_complete.ids").read_text().split() == ids
    assert {path.suffix for path in out.rglob("*") if path.is_file() and path.name[0] != "."} == {
        ".ids",
        ".jsonl",
    }


def test_an_unknown_format_is_refused(toy_dir, tmp_path):
    with pytest.raises(InputError, match=r"output_format: unknown format 'json', did you mean 'jsonl'\?"):
        build(tmp_path / "out", (RowCount.name,), templates_dir=toy_dir, output_format="json")


def test_editors_get_a_schema_of_its_templates(toy_dir):
    assert "ibis" in json.dumps(schemas()[f"{RowCount.name}.json"])
