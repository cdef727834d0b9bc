from __future__ import annotations

import json

import duckdb
import jsonschema
import pytest
import yaml

from ibert_builder.cli import main, parser
from ibert_builder.execution.engine import engine_for
from ibert_builder.generation.catalog import default_templates_dir
from ibert_builder.generation.json_schema import schemas


def test_build_prints_what_became_of_every_draft(tmp_path, sample_dir, capsys):
    arguments = [
        "--config",
        "sql_to_ibis",
        "--examples-per-template",
        "2",
        "--templates-dir",
        str(sample_dir),
    ]
    assert main(["build", "--out", str(tmp_path), *arguments]) == 0
    printed = capsys.readouterr().out
    assert "sql_to_ibis" in printed and "rejected by reason" in printed
    assert json.loads((tmp_path / "sql_to_ibis.jsonl").read_text().splitlines()[0])["task"] == "sql_to_ibis"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["build", "--config", "sql_to_ibs"], "unknown config 'sql_to_ibs', did you mean 'sql_to_ibis'"),
        (["build", "--num-proc", "0"], "--num-proc: expected at least 1, found 0"),
        (["build", "--link", "sql_to_ibis"], "--link: expected TASK=FILE"),
        (["build", "--templates-dir", "nowhere"], "no such templates folder"),
        (["databases", "webshp"], "unknown database 'webshp', did you mean 'webshop'"),
    ],
)
def test_bad_arguments_are_named(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 1
    assert message in capsys.readouterr().err


def test_every_command_and_option_has_a_help_text():
    (commands,) = (action for action in parser()._actions if action.choices)
    assert all(choice.help for choice in commands._choices_actions)
    for name, command in commands.choices.items():
        for action in command._actions:
            assert action.help, (name, action.dest)


def test_row_sets_need_a_folder(capsys):
    assert main(["databases", "webshop", "--row-sets"]) == 1
    assert "--row-sets: expected --out DIR as well" in capsys.readouterr().err


def test_databases_are_listed(capsys):
    assert main(["databases", "webshop"]) == 0
    assert "orders: 120 rows" in capsys.readouterr().out


def test_databases_open_in_any_client_with_the_rows_that_prove(tmp_path, webshop, capsys):
    assert main(["databases", "webshop", "--out", str(tmp_path)]) == 0
    engine = engine_for(webshop)
    with duckdb.connect(tmp_path / "webshop.duckdb", read_only=True) as connection:
        for table in webshop.tables:
            cursor = connection.execute(f"SELECT * FROM {table}")
            assert cursor.fetchall() == engine.run_sql(f"SELECT * FROM {table}").rows


def test_json_schemas_are_up_to_date_and_accept_every_file():
    folder = default_templates_dir()
    for name, schema in schemas().items():
        assert json.loads((folder / "_schema" / name).read_text()) == schema, "run `ibert-multitask schema`"
        kind = name.removesuffix(".json")
        files = {"database": "_databases", "phrases": "_phrases"}.get(kind, kind)
        for path in (folder / files).glob("*.yaml"):
            # As an editor sees it: keys and dates are text.
            written = json.loads(json.dumps(yaml.safe_load(path.read_text()), default=str))
            jsonschema.validate(written, schema)
