"""The JSONL files: their bytes, their layout, and what a failing run leaves behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

import ibert_builder.writing.jsonl as build_module
from ibert_builder.databases.model import SPLITS
from ibert_builder.errors import InputError
from ibert_builder.generation.generate import Options
from ibert_builder.tasks.registry import TASKS
from ibert_builder.writing.jsonl import build
from tests.conftest import CLOCK_FOR_WORKERS, SURROUNDINGS, contents


@pytest.fixture
def built(sample_build):
    return sample_build


def test_files_are_those_of_the_seed(built):
    out, report = built
    expected = {f"{task}.jsonl" for task in TASKS} | {
        f"{split}/{task}.jsonl" for split in SPLITS[1:] for task in TASKS
    }
    assert set(contents(out)) == expected | {"train_complete.jsonl", "rejected.jsonl"}
    complete = (out / "train_complete.jsonl").read_bytes()
    assert complete == b"".join((out / f"{task}.jsonl").read_bytes() for task in TASKS)
    for task in TASKS:
        lines = (out / f"{task}.jsonl").read_text(encoding="utf-8").splitlines()
        assert len(lines) == report.kept[task]["train"] > 0
        assert all(json.loads(line)["task"] == task for line in lines)


def test_bytes_do_not_depend_on_processes(built, tmp_path, sample_dir):
    build(tmp_path, options=Options(3), num_proc=2, templates_dir=sample_dir)
    assert contents(tmp_path) == contents(built[0])


@pytest.mark.parametrize("surroundings", SURROUNDINGS)
def test_bytes_do_not_depend_on_hash_seed_locale_time_zone_or_date(built, tmp_path, sample_dir, surroundings):
    code = (
        f"{CLOCK_FOR_WORKERS}\nimport sys\nfrom ibert_builder.cli import main\nsys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, "build", "--examples-per-template", "3", "--out", str(tmp_path)]
    command += ["--templates-dir", str(sample_dir)]
    environment = {**os.environ, **SURROUNDINGS[surroundings]}
    subprocess.run(command, check=True, env=environment, capture_output=True)
    assert contents(tmp_path) == contents(built[0])


def test_a_failing_run_leaves_earlier_files_whole(built, sample_dir, monkeypatch):
    out, _ = built
    before = contents(out)
    monkeypatch.setattr(build_module, "_make", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        build(out, options=Options(2), templates_dir=sample_dir)
    assert contents(out) == before


def test_unknown_config(tmp_path):
    with pytest.raises(InputError, match="unknown config 'sql_to_ibs', did you mean 'sql_to_ibis'"):
        build(tmp_path, ("sql_to_ibs",))


def test_a_link_takes_the_place_of_a_task(built, tmp_path, sample_dir):
    existing = built[0] / "sql_to_ibis.jsonl"
    report = build(
        tmp_path,
        ("sql_to_ibis", "code_completion"),
        Options(2),
        templates_dir=sample_dir,
        links={"sql_to_ibis": existing},
    )
    linked = tmp_path / "sql_to_ibis.jsonl"
    assert linked.is_symlink() and linked.read_bytes() == existing.read_bytes()
    assert (tmp_path / "train_complete.jsonl").read_bytes().startswith(existing.read_bytes())
    assert report.kept["sql_to_ibis"]["train"] == len(existing.read_bytes().splitlines())


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", r"old.jsonl:2: record: not JSON"),
        (
            '{"id": "a", "task": "qa", "input": {}, "target": {}}',
            r"old.jsonl:2: task: expected 'sql_to_ibis', found 'qa'",
        ),
        (
            '{"id": "a", "task": "sql_to_ibis", "input": {"sql": ""}, "target": {"ibis": "t"}}',
            r"old.jsonl:2: input.sql: expected a text",
        ),
        (
            '{"id": "a", "task": "sql_to_ibis", "input": {"sql": "SELECT 1"}, "target": {"ibis": "t.("}}',
            r"old.jsonl:2: target.ibis: does not parse",
        ),
        (
            '{"id": "a", "task": "sql_to_ibis", "input": {"sql": "SELECT FROM ("}, "target": {"ibis": "t"}}',
            r"old.jsonl:2: input.sql: does not parse",
        ),
    ],
)
def test_links_are_checked_line_by_line(tmp_path, line, message):
    good = '{"id": "a", "task": "sql_to_ibis", "input": {"sql": "SELECT * FROM t"}, "target": {"ibis": "t.select()"}}'
    (tmp_path / "old.jsonl").write_text(f"{good}\n{line}\n", encoding="utf-8")
    with pytest.raises(InputError, match=message):
        build(tmp_path / "out", ("sql_to_ibis",), links={"sql_to_ibis": tmp_path / "old.jsonl"})


def test_a_file_that_the_build_replaces_cannot_be_linked(built, sample_dir):
    out, _ = built
    before = contents(out)
    for own in ("sql_to_ibis.jsonl", "test/qa.jsonl"):
        with pytest.raises(InputError, match="--link: this build would replace that file itself"):
            build(out, options=Options(2), templates_dir=sample_dir, links={"sql_to_ibis": out / own})
    assert contents(out) == before
