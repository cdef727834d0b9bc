"""Loading through `datasets`: by the builder class on every line, by the script where scripts are supported."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import datasets
import pytest

import ibert_builder.generation.catalog as catalog_module
from ibert_builder import load_dataset
from ibert_builder.databases.model import SPLITS
from ibert_builder.records import as_all, configs, features, tasks_of, to_record
from ibert_builder.writing.jsonl import file_of
from ibert_multitask import IbertConfig
from tests.conftest import CLOCK_FOR_WORKERS, LEAP_DAY, ROOT, SURROUNDINGS

SCRIPT = str(ROOT / "ibert_multitask.py")
SCRIPTS_WORK = datasets.__version__.startswith("3.")


def load_script(*args, **kwargs):
    """As a user of `datasets` 3.6 writes it."""
    return datasets.load_dataset(SCRIPT, *args, trust_remote_code=True, **kwargs)


LOADERS = [pytest.param(lambda *a, **k: load_dataset("./ibert_multitask.py", *a, **k), id="class")]
if SCRIPTS_WORK:
    LOADERS.append(pytest.param(load_script, id="script"))


@pytest.fixture(autouse=True)
def quiet():
    datasets.disable_progress_bars()


@pytest.mark.parametrize("load", LOADERS)
@pytest.mark.parametrize("config", configs())
def test_every_config_loads_as_the_records_of_a_build(load, config, tmp_path, sample_dir, sample_build):
    loaded = load(config, cache_dir=str(tmp_path), examples_per_template=3, templates_dir=str(sample_dir))
    assert list(loaded) == list(SPLITS)
    for split in SPLITS:
        files = [sample_build[0] / file_of(split, task.name) for task in tasks_of(config)]
        records = [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()]
        assert loaded[split].features == features(config)
        assert len(records) and [to_record(row) for row in loaded[split]] == records


@pytest.mark.parametrize("load", LOADERS)
def test_no_name_means_all(load, tmp_path, sample_dir):
    loaded = load(
        split="train", cache_dir=str(tmp_path), examples_per_template=1, templates_dir=str(sample_dir)
    )
    assert set(loaded["task"]) == set(configs()) - {"all"}


@pytest.mark.parametrize("load", LOADERS)
@pytest.mark.parametrize("config", ["sql_to_ibis", "qa", "all"])
def test_processes_streaming_and_slices_give_the_same_rows(load, config, tmp_path, sample_dir):
    def rows(place, **kwargs):
        chosen = {"split": "train", "examples_per_template": 2, "templates_dir": str(sample_dir), **kwargs}
        return list(load(config, cache_dir=str(tmp_path / place), **chosen))

    one = rows("1")
    assert one == rows("2", num_proc=2) == rows("3", streaming=True)
    part = rows("1", split="train[:50%]")
    assert part == one[: len(part)] and 0 < len(part) < len(one)


@pytest.mark.parametrize("surroundings", SURROUNDINGS)
def test_rows_do_not_depend_on_hash_seed_locale_time_zone_or_date(tmp_path, sample_dir, surroundings):
    code = f"""{CLOCK_FOR_WORKERS}
import sys
from ibert_builder import load_dataset

rows = load_dataset("./ibert_multitask.py", split="train", cache_dir=sys.argv[1], templates_dir=sys.argv[2],
                    examples_per_template=1)
rows.to_json(sys.argv[3])
"""
    chosen = {"split": "train", "examples_per_template": 1, "templates_dir": str(sample_dir)}
    load_dataset(**chosen, cache_dir=str(tmp_path / "here")).to_json(tmp_path / "here.jsonl")
    there = [str(tmp_path / "there"), str(sample_dir), str(tmp_path / "there.jsonl")]
    environment = {**os.environ, **SURROUNDINGS[surroundings]}
    subprocess.run([sys.executable, "-c", code, *there], check=True, env=environment, capture_output=True)
    assert (tmp_path / "there.jsonl").read_bytes() == (tmp_path / "here.jsonl").read_bytes()


@pytest.mark.skipif(not LEAP_DAY, reason="libfaketime is not installed")
def test_the_fake_clock_reaches_python_and_duckdb():
    code = f"""{CLOCK_FOR_WORKERS}
from ibert_builder.workers.pool import call
from tests.workers.functions import HERE, give_dates

print(*call(give_dates, place=HERE, gives=list[str]))
"""
    command = [sys.executable, "-c", code]
    environment = {**os.environ, **LEAP_DAY}
    printed = subprocess.run(command, check=True, env=environment, capture_output=True, cwd=ROOT)
    assert printed.stdout.split() == [b"2032-02-29"] * 2


def test_tasks_can_be_interleaved_with_the_columns_of_all(tmp_path, sample_dir):
    chosen = {
        "split": "train",
        "cache_dir": str(tmp_path),
        "examples_per_template": 1,
        "templates_dir": str(sample_dir),
    }
    tasks = [as_all(load_dataset("./ibert_multitask.py", name, **chosen)) for name in ("ibis_to_sql", "qa")]
    mixed = datasets.interleave_datasets(tasks)
    assert mixed.features == features("all")
    assert mixed["task"][:4] == ["ibis_to_sql", "qa"] * 2
    assert to_record(mixed[1])["input"].keys() == {"question"}


def test_a_stream_can_be_shared_out(sample_dir):
    stream = load_dataset(
        "./ibert_multitask.py",
        "ibis_to_sql",
        split="train",
        streaming=True,
        examples_per_template=1,
        templates_dir=str(sample_dir),
    )
    assert stream.num_shards >= 2
    ids = [row["id"] for index in range(2) for row in stream.shard(num_shards=2, index=index)]
    assert ids and sorted(ids) == sorted(row["id"] for row in stream)


def test_edited_templates_and_other_seeds_are_never_served_from_the_cache(templates_dir, tmp_path):
    def ids(**kwargs):
        loaded = load_dataset(
            "./ibert_multitask.py",
            "sql_to_ibis",
            split="train",
            cache_dir=str(tmp_path),
            examples_per_template=4,
            templates_dir=str(templates_dir),
            **kwargs,
        )
        return loaded["id"][:]

    first = ids()
    assert first and ids() == first
    assert ids(seed=1) != first
    path = templates_dir / "sql_to_ibis" / "01_small.yaml"
    path.write_text(
        path.read_text()
        .replace("SELECT {k}", "SELECT {k} AS v")
        .replace(".select({k:str})", ".select(v={k})")
    )
    edited = ids()
    assert edited and set(edited).isdisjoint(first)


def test_another_ibis_has_another_cache(monkeypatch):
    config = IbertConfig(name="qa")
    usual = config.create_config_id({})
    monkeypatch.setattr(catalog_module, "version", lambda package: "99")
    assert config.create_config_id({}) != usual


def test_a_copy_of_the_templates_elsewhere_shares_the_cache(templates_dir, tmp_path):
    shutil.copytree(templates_dir, tmp_path / "copy")

    def cache_of(folder):
        keywords = {"seed": 1, "templates_dir": str(folder)}
        return IbertConfig(name="qa", **keywords).create_config_id(keywords)

    assert cache_of(templates_dir) == cache_of(tmp_path / "copy")
