"""`dataset_infos/`: what is recorded, what a check notices, and that the committed files are those of today's build."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path

import pytest
from datasets import DatasetInfo

import ibert_builder
from ibert_builder.cli import main
from ibert_builder.databases.model import SPLITS
from ibert_builder.errors import InputError
from ibert_builder.generation.generate import NOT_DRAWN
from ibert_builder.records import ALL, configs, features
from ibert_builder.tasks.registry import TASKS
from ibert_builder.writing import infos
from ibert_builder.writing.jsonl import build
from tests.conftest import ROOT

COMMITTED = ROOT / "dataset_infos"


@pytest.fixture(scope="module")
def made(tmp_path_factory, small_dir):
    """The files of `ibert-multitask infos`, to be left as they are."""
    out = tmp_path_factory.mktemp("made")
    assert main(["infos", "--out", str(out), "--templates-dir", str(small_dir)]) == 0
    return out


@pytest.fixture(scope="module")
def built(tmp_path_factory, small_dir):
    """The JSONL files that those files describe, and the report of their build."""
    out = tmp_path_factory.mktemp("built")
    return out, build(out, templates_dir=small_dir)


@pytest.fixture
def written(made, tmp_path):
    """The files of `ibert-multitask infos`, to be spoilt."""
    return Path(shutil.copytree(made, tmp_path / "infos"))


def check(out, templates_dir):
    return main(["infos", "--check", "--out", str(out), "--templates-dir", str(templates_dir)])


def test_datasets_reads_what_a_build_wrote(made, built):
    written, report = made, built[1]
    assert {path.relative_to(written).as_posix() for path in written.rglob("*") if path.is_file()} == {
        f"{config}/dataset_info.json" for config in configs()
    }
    for config in configs():
        info = DatasetInfo.from_directory(str(written / config))
        tasks = list(TASKS) if config == ALL else [config]
        assert info.features == features(config)
        assert info.config_name == config
        assert str(info.version) == ibert_builder.__version__
        assert list(info.splits) == list(SPLITS)
        for split in SPLITS:
            assert info.splits[split].num_examples == sum(report.kept[task][split] for task in tasks)
        assert info.dataset_size == sum(split.num_bytes for split in info.splits.values()) > 0


def test_digests_and_sizes_are_those_of_the_files_of_a_build(made, built):
    for config, name in ((ALL, "train_complete"), ("qa", "qa")):
        content = (built[0] / f"{name}.jsonl").read_bytes()
        info = json.loads((made / config / "dataset_info.json").read_text())
        assert info["sha256"]["train"] == hashlib.sha256(content).hexdigest()
        assert info["splits"]["train"]["num_bytes"] == len(content)


def test_the_versions_that_prove_are_recorded(made):
    for config in configs():
        made_with = json.loads((made / config / "dataset_info.json").read_text())["made_with"]
        assert made_with.keys() == {"python", "ibis-framework", "sqlglot", "duckdb", "docstring-parser"}
        assert made_with["ibis-framework"].startswith("12.")


def test_bytes_do_not_depend_on_processes_and_know_no_paths(made, small_dir, tmp_path):
    arguments = ["--out", str(tmp_path / "two"), "--num-proc", "2", "--templates-dir", str(small_dir)]
    assert main(["infos", *arguments]) == 0
    for config in configs():
        one = (made / config / "dataset_info.json").read_bytes()
        assert one == (tmp_path / "two" / config / "dataset_info.json").read_bytes()
        assert not any(str(path).encode() in one for path in (small_dir, made, tmp_path, ROOT))


def test_check_passes_on_the_same_data_and_writes_nothing(written, templates_dir, capsys):
    before = {path: path.stat().st_mtime_ns for path in written.rglob("*")}
    assert check(written, templates_dir) == 0
    assert "The build is what" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in written.rglob("*")} == before


def test_check_names_what_an_edited_template_changed(written, templates_dir, capsys):
    path = templates_dir / "qa" / "01_small.yaml"
    path.write_text(path.read_text().replace("Use `head()`", "Try `head()`"))
    assert check(written, templates_dir) == 1
    lines = capsys.readouterr().err.partition("The build is not what ")[2].splitlines()
    # Counts and sizes are as they were: the digest alone tells.
    assert {line.split(": ")[0] for line in lines[1:-1]} == {"qa", "all"}
    assert any(
        re.match(r"qa: sha256\.train: expected [0-9a-f]{64}, found [0-9a-f]{64}$", line) for line in lines
    )
    assert not any("num_" in line for line in lines)
    assert "`ibert-multitask infos`" in lines[-1]


def test_check_names_counts_with_what_was_expected_and_found(written, templates_dir, capsys):
    path = written / "sql_to_ibis" / "dataset_info.json"
    info = json.loads(path.read_text())
    count = info["splits"]["validation"]["num_examples"]
    info["splits"]["validation"]["num_examples"] = count + 1
    path.write_text(json.dumps(info))
    assert check(written, templates_dir) == 1
    expected = f"sql_to_ibis: splits.validation.num_examples: expected {count + 1}, found {count}"
    assert expected in capsys.readouterr().err.splitlines()


def test_another_python_compares_all_but_what_python_words():
    def info(python, digest, count):
        splits = {"train": {"num_examples": count, "num_bytes": int(digest, 16)}}
        sha256 = {"train": digest}
        return {"splits": splits, "sha256": sha256, "dataset_size": 1, "made_with": {"python": python}}

    def between(*changes):
        return infos.differences(
            {config: info("3.10", "a", 5) for config in configs()},
            {config: info(*changes) for config in configs()},
        )

    assert between("3.10", "a", 5) == between("3.11", "a", 5) == []
    assert {line.split(": ")[0] for line in between("3.10", "b", 5)} == set(configs())
    assert {line.split(": ")[0] for line in between("3.11", "b", 5)} == set(configs()) - {
        "error_resolution",
        ALL,
    }
    assert "error_resolution: splits.train.num_examples: expected 5, found 6" in between("3.11", "a", 6)


def test_other_versions_are_named_and_are_no_difference(written, templates_dir, capsys):
    for path in written.glob("*/dataset_info.json"):
        path.write_text(re.sub(r'"docstring-parser": "[^"]*"', '"docstring-parser": "0.1"', path.read_text()))
    assert check(written, templates_dir) == 0
    assert "was made with docstring-parser 0.1, here " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda out: shutil.rmtree(out / "qa"), r"qa/dataset_info.json: there is no such file"),
        (lambda out: (out / "qa" / "dataset_info.json").write_text("{\n]"), r"dataset_info.json:2: not JSON"),
        (lambda out: (out / "qa").rename(out / "quiz"), r"quiz/dataset_info.json: there is no config 'quiz'"),
    ],
)
def test_files_that_cannot_be_compared_are_named(written, spoil, message):
    spoil(written)
    with pytest.raises(InputError, match=message):
        infos.read(written)


def test_a_place_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"file: --out: cannot write there"):
        infos.write({"qa": {}}, tmp_path / "file")


needs_committed = pytest.mark.skipif(
    not COMMITTED.is_dir(), reason="dataset_infos/ is not there yet: `ibert-multitask infos` makes it"
)


@needs_committed
def test_the_committed_files_are_of_this_version():
    assert {info["version"] for info in infos.read(COMMITTED).values()} == {ibert_builder.__version__}


@needs_committed
@pytest.mark.slow
def test_the_default_build_is_what_the_committed_files_say_and_proves_more_than_it_rejects(tmp_path, catalog):
    report = build(tmp_path, num_proc=2)
    assert infos.differences(infos.read(COMMITTED), infos.infos_of(tmp_path)) == [], infos.UPDATE
    for task, templates in catalog.templates.items():
        outcomes = report.tallies[task].outcomes
        for template in templates:
            counts = {reason: n for (_, name, reason), n in outcomes.items() if name == template.name}
            kept = counts.pop("kept", 0)
            rejected = sum(n for reason, n in counts.items() if reason not in NOT_DRAWN)
            assert kept >= max(2, rejected), (task, template.name, counts)
