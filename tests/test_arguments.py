"""Bad arguments are named, with what was found and what is expected, before any work begins, however they are given."""

from __future__ import annotations

import re

import datasets
import pytest

from ibert_builder import load_dataset
from ibert_builder.errors import InputError
from ibert_builder.generation.generate import Options
from ibert_builder.tasks.registry import TASKS
from ibert_builder.workers import pool
from ibert_builder.workers.worker import Place
from ibert_builder.writing.jsonl import build
from ibert_multitask import IbertConfig, IbertMultitask
from tests.test_loading import LOADERS

NUMBER = "examples_per_template: expected a positive whole number or None, found "
SEED = "seed: expected a whole number, found "
DIALECTS = "dialects: expected a list or tuple of dialects such as ['duckdb'], or None, found "
OPTIONS = [
    ("examples_per_template", "many", NUMBER + "'many'"),
    ("examples_per_template", 2.5, NUMBER + "2.5"),
    ("examples_per_template", True, NUMBER + "True"),
    ("examples_per_template", 0, NUMBER + "0"),
    ("seed", "a", SEED + "'a'"),
    ("seed", None, SEED + "None"),
    ("seed", 1.0, SEED + "1.0"),
    ("seed", False, SEED + "False"),
    ("dialects", "sqlite", DIALECTS + "'sqlite'"),
    ("dialects", {"sqlite"}, DIALECTS + "{'sqlite'}"),
    ("dialects", 3, DIALECTS + "3"),
    ("dialects", [3], "dialects: expected the name of a dialect, found 3"),
    ("dialects", [["sqlite"]], "dialects: expected the name of a dialect, found ['sqlite']"),
    ("dialects", ["oracle8"], "dialects: unknown dialect 'oracle8', did you mean 'oracle'? (expected one of: "),
    ("dialects", [], "dialects: expected at least one dialect, or None"),
]  # fmt: skip
OTHERS = [
    ("templates_dir", 3, "templates_dir: expected the path of a folder, or None, found 3"),
    ("templates_dir", "/nowhere", "/nowhere: templates_dir: there is no such templates folder"),
    ("templates_dir", "a\0b", "'a\\x00b': templates_dir: not a path: "),
    ("templates_dir", "~nobody-of-this-name", "'~nobody-of-this-name': templates_dir: not a path: "),
    ("trust_templates", "yes", "trust_templates: expected True or False, found 'yes'"),
    ("trust_templates", 1, "trust_templates: expected True or False, found 1"),
]
KEYWORDS = [
    ("sed", 1, "sed: unknown keyword 'sed', did you mean 'seed'? (expected one of: cache_dir, dialects, "),
    (
        "data_dir",
        "mine",
        "data_dir: unknown keyword 'data_dir', did you mean 'cache_dir'? (expected one of: ",
    ),
    ("num_procs", 2, "num_procs: unknown keyword 'num_procs', did you mean 'num_proc'?"),
]


@pytest.fixture(autouse=True)
def no_work(monkeypatch):
    monkeypatch.setattr(pool, "Worker", lambda *_: pytest.fail("work has begun"))
    monkeypatch.setattr(pool, "_idle", [])
    monkeypatch.setattr(
        datasets.GeneratorBasedBuilder, "_prepare_split", lambda *_, **__: pytest.fail("work")
    )


def named(key: str, message: str):
    return pytest.raises(InputError, match=f"^{re.escape(message)}")


@pytest.mark.parametrize(("key", "value", "message"), OPTIONS)
def test_options(key, value, message):
    with named(key, message) as error:
        Options(**{key: value})
    assert error.value.key == key


@pytest.mark.parametrize(("key", "value", "message"), OPTIONS + OTHERS)
def test_the_config(key, value, message):
    with named(key, message):
        IbertConfig(name="qa", **{key: value})


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("load", LOADERS)
@pytest.mark.parametrize(("key", "value", "message"), OPTIONS + OTHERS + KEYWORDS)
def test_loading(load, key, value, message, streaming, tmp_path):
    with named(key, message) as error:
        load("sql_to_ibis", cache_dir=str(tmp_path), streaming=streaming, **{key: value})
    assert error.value.key == key
    assert not any(tmp_path.glob("ibert_multitask/*"))


@pytest.mark.parametrize(("key", "value", "message"), OPTIONS + OTHERS + KEYWORDS[:2])
def test_the_builder(key, value, message, tmp_path):
    with named(key, message):
        IbertMultitask(cache_dir=str(tmp_path), config_name="sql_to_ibis", **{key: value})
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("key", ["hash", "config_id", "features"])
def test_what_only_the_library_gives_to_the_builder(key, tmp_path):
    with named(key, f"{key}: unknown keyword '{key}'"):
        load_dataset(name="qa", cache_dir=str(tmp_path), **{key: "mine"})


@pytest.mark.parametrize(("key", "value", "message"), OTHERS)
def test_a_build(key, value, message, tmp_path):
    with named(key, message):
        build(tmp_path / "out", **{key: value})
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("load", LOADERS)
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("sql_to_ibs", "config: unknown config 'sql_to_ibs', did you mean 'sql_to_ibis'? (expected one of: all, "),
        (3, "config: expected the name of a config, found 3"),
    ],
)  # fmt: skip
def test_an_unknown_config(load, name, message, tmp_path):
    with named("config", message):
        load(name, cache_dir=str(tmp_path))


@pytest.mark.parametrize("load", LOADERS)
def test_dialects_that_the_task_does_not_have(load, tmp_path):
    other = sorted({*TASKS["ibis_to_sql"].dialects} - {*TASKS["sql_to_ibis"].dialects})
    assert other
    with named("dialects", f"dialects: sql_to_ibis has none of {other} (expected some of: "):
        load("sql_to_ibis", cache_dir=str(tmp_path), dialects=other)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("./nope.py", "path: this loads ibert_multitask.py only, found './nope.py'; "),
        ("/nowhere/ibert_multitask.py", "path: no such script '/nowhere/ibert_multitask.py'; 'ibert_multitask' "),
        (3, "path: expected the path of ibert_multitask.py, found 3"),
    ],
)  # fmt: skip
def test_a_script_that_is_not_there(path, message, tmp_path):
    with named("path", message):
        load_dataset(path, "qa", cache_dir=str(tmp_path))


def test_long_values_are_cut():
    with pytest.raises(InputError) as error:
        Options(seed="a" * 10_000)
    assert len(str(error.value)) < 100


def test_lists_and_tuples_of_dialects_are_the_same():
    assert Options(dialects=["sqlite", "duckdb"]) == Options(dialects=("sqlite", "duckdb"))
    assert Options(dialects=["duckdb", "sqlite"]) != Options(dialects=("sqlite", "duckdb"))


def test_trust_is_checked_wherever_a_worker_is_described():
    with named("trust_templates", "trust_templates: expected True or False, found 'no'"):
        Place(trusted="no")


def test_a_revision_and_a_token_are_ignored(small_dir, tmp_path, monkeypatch):
    monkeypatch.undo()
    chosen = {"split": "train", "cache_dir": str(tmp_path), "templates_dir": str(small_dir)}
    given = load_dataset(
        name="qa", examples_per_template=2, revision="no-such-branch", token="not a token", **chosen
    )
    assert given[:] == load_dataset(name="qa", examples_per_template=2, **chosen)[:]
