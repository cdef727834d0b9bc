from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest
import yaml

from ibert_builder.generation.catalog import default_templates_dir, load_catalog
from ibert_builder.generation.generate import Options
from ibert_builder.tasks.registry import TASKS
from ibert_builder.writing.jsonl import Report, build

ROOT = Path(__file__).parent.parent


def contents(folder: Path) -> dict[str, bytes]:
    """The files that users see in a folder, by name."""
    return {
        name: path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not (name := path.relative_to(folder).as_posix()).startswith(".")
    }


def fake_clock(date: str) -> dict[str, str]:
    """Environment variables under which C libraries, and so Python and DuckDB, read a clock that starts at a date.

    None of them where libfaketime is not installed (its wheel is for Linux on x86_64); the test of the clock is skipped
    there.
    """
    package = importlib.util.find_spec("libfaketime")
    if package is None or not package.submodule_search_locations:
        return {}
    library = Path(package.submodule_search_locations[0]) / "vendor/libfaketime/src/libfaketime.so.1"
    return {"LD_PRELOAD": str(library), "FAKETIME": f"@{date}", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


LEAP_DAY = fake_clock("2032-02-29 12:00:00")
# Python that shows such a clock to workers too, which see only some variables of their parent.
CLOCK_FOR_WORKERS = """
import ibert_builder.workers.worker as worker
worker.ENVIRONMENT += ("LD_PRELOAD", "FAKETIME", "FAKETIME_DONT_FAKE_MONOTONIC")
"""
SURROUNDINGS = {
    "Tokyo in the past": {"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo", **fake_clock("1999-02-28 23:59:30")},
    "C locale on a leap day to come": {"PYTHONHASHSEED": "2", "LC_ALL": "C", **LEAP_DAY},
}


@pytest.fixture(scope="session")
def catalog():
    return load_catalog()


@pytest.fixture(scope="session")
def webshop(catalog):
    return catalog.databases["webshop"]


@pytest.fixture
def templates_dir(tmp_path) -> Path:
    """A small folder of templates to spoil: three databases, all phrases, one template for each task."""
    return small_templates(tmp_path / "templates")


@pytest.fixture(scope="session")
def small_dir(tmp_path_factory) -> Path:
    """The same, to be left as it is."""
    return small_templates(tmp_path_factory.mktemp("small") / "templates")


def small_templates(folder: Path) -> Path:
    source = default_templates_dir()
    shutil.copytree(source / "_phrases", folder / "_phrases")
    (folder / "_databases").mkdir()
    for name in ("webshop", "streaming", "housing"):  # one of each split
        shutil.copy(source / "_databases" / f"{name}.yaml", folder / "_databases")
    for task, templates in SMALL.items():
        (folder / task).mkdir()
        (folder / task / "01_small.yaml").write_text(templates, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def sample_dir(tmp_path_factory) -> Path:
    """The real databases and phrases, with a dozen or so templates of each task, for tests that build several times."""
    source, folder = default_templates_dir(), tmp_path_factory.mktemp("sample") / "templates"
    for name in ("_phrases", "_databases"):
        shutil.copytree(source / name, folder / name)
    for task in TASKS:
        templates = [
            t
            for path in sorted((source / task).glob("*.yaml"))
            for t in yaml.safe_load(path.read_text("utf-8"))["templates"]
        ]
        chosen = templates[:: max(1, len(templates) // 10)]
        (folder / task).mkdir()
        (folder / task / "01_sample.yaml").write_text(
            yaml.safe_dump({"templates": chosen}, sort_keys=False), encoding="utf-8"
        )
    return folder


@pytest.fixture(scope="session")
def sample_build(tmp_path_factory, sample_dir) -> tuple[Path, Report]:
    """The JSONL files of three examples of every template in `sample_dir`, to be left as they are."""
    out = tmp_path_factory.mktemp("sample-build")
    return out, build(out, options=Options(3), templates_dir=sample_dir)


SMALL = {
    "sql_to_ibis": """templates:
- name: small_filter
  difficulty: easy
  features: [filter]
  tables: {t: any}
  slots: {p: boolean, k: column key}
  sql: |
    SELECT {k}
    FROM {t}
    WHERE {p}
  ibis: |
    {t}.filter({p}).select({k:str})
""",
    "ibis_to_sql": """templates:
- name: small_filter_to_sql
  difficulty: easy
  features: [filter]
  tables: {t: any}
  slots: {p: boolean, k: column key}
  ibis: |
    {t}.filter({p}).select({k:str})
""",
    "code_completion": """templates:
- name: small_completion
  difficulty: easy
  features: [filter]
  tables: {t: any}
  slots: {p: boolean, k: column key}
  intents:
  - |
    The {k:name} of {t} {p}.
  code: |
    {t}.filter({p}).select({k:str})
""",
    "error_resolution": """templates:
- name: small_mistake
  error_type: unknown_column
  difficulty: easy
  features: [filter]
  tables: {t: any}
  slots: {x: column numeric, v: value of x}
  code: |
    {t}.filter({x} > {v})
  broken: |
    {t}.filter({t}.{x:typo} > {v})
  raises: AttributeError
  explanation: "The column is called `{x:name}`, not `{x:typo}`."
""",
    "qa": """templates:
- name: small_question
  topic: basic_operations
  difficulty: easy
  features: [limit]
  tables: {t: any}
  slots: {k: column key}
  code_example: "{t}.order_by({k:str}).head(3)"
  exchanges:
  - questions: ["First rows of {t:code}?", "Show some {t:code}?"]
    answer: Use `head()`.
  - questions: ["What does head() of {t:code} give?"]
    claims: [{of: Table.head, parameter: n, default: 5}]
    answer: It gives 5 rows by default.
  - questions: ["Three rows of {t:code}?"]
    answer: Say how many in `head()`.
  - questions: ["Which rows of {t:code} come first?", "Are the first rows of {t:code} always the same?"]
    answer: That is up to `order_by()`.
""",
    "documentation": """templates:
- name: small_function
  difficulty: easy
  features: [filter]
  tables: {t: any}
  slots: {k: column key}
  code: |
    def first_{t}({t}: ibis.Table, n: int = 3) -> ibis.Table:
        return {t}.order_by({k:str}).limit(n)
  summary: Select the first {t} in order of {k:name}.
  parameters:
    "{t:code}": Table of {t}.
    n: Number of {t} to select.
  returns: The first {t}.
  calls:
  - first_{t}({t})
""",
}
