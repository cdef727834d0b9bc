"""Workers under `datasets`: threads, processes and half-read streams give the same rows, and leave the user's process as it was."""

from __future__ import annotations

import gc
import io
import json
import logging
import sys
from contextlib import contextmanager
from pathlib import Path

import datasets
import ibis
import pytest

from ibert_builder import load_dataset
from ibert_builder.records import configs
from ibert_builder.workers import pool

THREADS = int(datasets.__version__.split(".")[0]) >= 5  # where shuffled streams run shards in threads
COLUMNS = ["id", "messages"]


def load(config: str, small_dir, **kwargs):
    chosen = {"split": "train", "examples_per_template": 4, "templates_dir": str(small_dir), **kwargs}
    return load_dataset("./ibert_multitask.py", config, **chosen)


def as_set(rows) -> set[str]:
    return {json.dumps([row[name] for name in COLUMNS]) for row in rows}


def options(config: ibis.config.Config) -> dict:
    values = {name: getattr(config, name) for name in config.__argnames__}
    return {name: options(v) if isinstance(v, ibis.config.Config) else v for name, v in values.items()}


def surroundings() -> tuple:
    levels = {name: logging.getLogger(name).level for name in (None, "ibis", "duckdb", "sqlglot", "datasets")}
    folder = Path.cwd()
    files = {str(path): path.stat().st_mtime_ns for path in sorted(folder.rglob("*"))}
    collector = gc.isenabled(), gc.get_threshold(), gc.get_freeze_count()
    return (
        folder,
        files,
        sys.stdout,
        sys.stderr,
        options(ibis.options),
        levels,
        logging.root.manager.disable,
        collector,
    )


@contextmanager
def nothing_changes(tmp_path, monkeypatch):
    (tmp_path / "cwd").mkdir()
    (tmp_path / "cwd" / "orders.csv").write_text("mine", encoding="utf-8")
    monkeypatch.chdir(tmp_path / "cwd")
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    before = surroundings()
    yield
    assert surroundings() == before


@pytest.fixture(scope="module")
def rows(small_dir) -> dict[str, set[str]]:
    found = {config: list(load(config, small_dir, streaming=True)) for config in configs()}
    assert all(len(as_set(each)) == len(each) > 0 for each in found.values())
    return {config: as_set(each) for config, each in found.items()}


@pytest.mark.parametrize("rounds", [1, pytest.param(20, marks=pytest.mark.slow)])
def test_shuffled_and_interleaved_streams(rows, small_dir, tmp_path, monkeypatch, rounds):
    with nothing_changes(tmp_path, monkeypatch):
        for seed in range(rounds):
            for config in configs():
                stream = load(config, small_dir, streaming=True).shuffle(seed=seed)
                assert as_set(stream) == rows[config]
            six = [
                load(config, small_dir, streaming=True).select_columns(COLUMNS) for config in configs()[:-1]
            ]
            mixed = datasets.interleave_datasets(
                six,
                seed=seed,
                stopping_strategy="all_exhausted_without_replacement" if THREADS else "all_exhausted",
            )
            assert as_set(mixed) == set.union(*(rows[config] for config in configs()[:-1]))


def test_processes(rows, small_dir, tmp_path, monkeypatch):
    with nothing_changes(tmp_path, monkeypatch):
        loaded = load("all", small_dir, cache_dir=str(tmp_path / "cache"), num_proc=2)
        assert as_set(loaded) == rows["all"]


def test_a_stream_left_early_frees_its_worker(small_dir):
    before = {worker.pid for _, worker in pool._idle}
    for _ in range(3):
        assert len(list(load("qa", small_dir, streaming=True).take(2))) == 2
    assert len({worker.pid for _, worker in pool._idle} - before) <= 1
    assert all(worker.is_idle and worker.is_alive for _, worker in pool._idle)


def test_two_streams_at_once(rows, small_dir):
    streams = [load("qa", small_dir, streaming=True) for _ in range(3)]
    for several in zip(*streams, strict=True):
        assert len({row["id"] for row in several}) == 1


def test_the_users_process_opens_no_connection(rows, small_dir, monkeypatch):
    monkeypatch.setattr("duckdb.connect", lambda *_, **__: pytest.fail("a connection in the user's process"))
    assert as_set(load("all", small_dir, streaming=True)) == rows["all"]


def test_a_data_loader_with_workers(rows, small_dir, tmp_path, monkeypatch):
    data = pytest.importorskip("torch.utils.data")
    with nothing_changes(tmp_path, monkeypatch):
        stream = load("all", small_dir, streaming=True).shuffle(seed=1).select_columns(["id"])
        loader = data.DataLoader(stream, batch_size=None, num_workers=2)
        assert sorted(row["id"] for row in loader) == sorted(json.loads(row)[0] for row in rows["all"])
