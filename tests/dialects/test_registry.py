"""The records hang together, and names of dialects in YAML are checked against them."""

from __future__ import annotations

import re

import pytest

from ibert_builder.dialects.registry import DIALECTS, compiled, portable
from ibert_builder.errors import InputError
from ibert_builder.generation.catalog import load_catalog
from ibert_builder.generation.json_schema import schemas
from ibert_builder.tasks.registry import TASKS
from tests.conftest import ROOT


def test_records_stand_under_their_own_names():
    assert [dialect.name for dialect in DIALECTS.values()] == list(DIALECTS)


def test_tasks_have_the_dialects_that_the_records_allow():
    assert TASKS["ibis_to_sql"].dialects == compiled()
    assert TASKS["sql_to_ibis"].dialects == ("duckdb", *portable())
    assert "redshift" in portable() and "redshift" not in compiled()
    assert "oracle" in compiled() and "oracle" not in portable()


def test_names_of_functions_are_in_the_case_in_which_they_are_looked_up():
    for dialect in DIALECTS.values():
        assert {name.upper() for name in dialect.functions or ()} == (dialect.functions or set())
        assert {name.lower() for name in dialect.in_duckdb} == set(dialect.in_duckdb)


@pytest.mark.parametrize(
    ("file", "old", "new", "key"),
    [
        (
            "_phrases/01_comparisons.yaml",
            "- name: greater_than\n",
            "- name: greater_than\n  not_in: [mysql, postgress]\n",
            r"phrases\.\d+\.not_in\.1",
        ),
        (
            "ibis_to_sql/01_small.yaml",
            "  difficulty: easy\n",
            "  difficulty: easy\n  not_in: [postgress]\n",
            r"templates\.0\.not_in\.0",
        ),
    ],
)
def test_a_misspelt_dialect_is_named_by_file_line_and_key(file, old, new, key, templates_dir):
    path = templates_dir / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    line = path.read_text(encoding="utf-8").splitlines().index(new.splitlines()[-1]) + 1
    message = rf"{re.escape(str(path))}:{line}: {key}: unknown dialect 'postgress', did you mean 'postgres'\?"
    with pytest.raises(InputError, match=message):
        load_catalog(templates_dir)


def test_json_schemas_list_the_names():
    for name, model in (("phrases.json", "PhraseSpec"), ("ibis_to_sql.json", "IbisToSqlTemplate")):
        spec = schemas()[name]["$defs"][model]["properties"]["not_in"]
        assert spec["items"]["enum"] == list(DIALECTS)


def test_no_code_outside_the_records_compares_a_dialects_name():
    # As text: the name on one side of a comparison, or a member of a collection written out there.
    comparison = re.compile(r"\bdialect\b[\]\"']* *(==|!=|in\b|not in [({\"'])")
    for path in sorted((ROOT / "ibert_builder").rglob("*.py")):
        if path.parent.name != "dialects":
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                assert not comparison.search(line.partition("#")[0]), f"{path}:{number}: {line}"
