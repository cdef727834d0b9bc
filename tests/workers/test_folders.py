"""Hostile templates in a folder, as a user would build from it: each is refused, the good ones beside them give their rows."""

from __future__ import annotations

import ast
import json
import shutil
from pathlib import Path

import pytest
import yaml

from ibert_builder.errors import InputError
from ibert_builder.generation.generate import Options
from ibert_builder.sandbox.policy import FILES, FUNCTION, MISTAKEN, STRICT, Rules
from ibert_builder.workers.pool import call
from ibert_builder.workers.worker import Place
from ibert_builder.writing.jsonl import build
from tests.conftest import SMALL, contents
from tests.sandbox.hostile import CODE, RULED
from tests.sandbox.hostile_files import FILE_CODE
from tests.sandbox.hostile_objects import OBJECTS
from tests.sandbox.hostile_sql import SQL
from tests.workers.attacks import aimed
from tests.workers.functions import HERE, give_refusals
from tests.workers.outside import SECRET, Outside

TASK_OF = {STRICT: "sql_to_ibis", FILES: "qa", FUNCTION: "documentation", MISTAKEN: "error_resolution"}


# What a refusal says that is about the form of the template, and not about what the snippet would do.
OF_THE_FORM = ("declared but not used", "not documented", "definition of one function", "another template")


def _filled(rules: Rules | None, snippet: str, name: str) -> tuple[str, dict]:
    """A task, and a sound template of it with a hostile snippet in the place of its own code."""
    task = TASK_OF.get(rules, "sql_to_ibis")
    (template,) = yaml.safe_load(SMALL[task])["templates"]
    text = snippet.replace("{", "{{").replace("}", "}}")
    if rules is None:
        more = {"sql": text}
    elif rules is STRICT:
        more = {"ibis": text, "sql": template["sql"].replace("{k}", f"{{k}} AS {name}")}  # no two are alike
    elif rules is FILES:
        questions = [
            f"{question} ({name})" for question in template["questions"]
        ]  # no two are alike here, either
        more = {"code_example": text, "files": True, "slots": {}, "questions": questions}
    elif rules is MISTAKEN:
        more = {"broken": text}
    else:
        more = _documented(snippet)
    return task, {**template, **more, "name": name}


def _documented(snippet: str) -> dict:
    """A function out of a snippet, which either defines one and calls it, or becomes its body."""
    tree = ast.parse(snippet)
    if not isinstance(tree.body[0], ast.FunctionDef):
        returned = ast.Return(tree.body[-1].value)
        function = ast.parse("def f(x):\n    return x").body[0]
        function.body = [*tree.body[:-1], returned]
        tree.body = [ast.fix_missing_locations(function), ast.parse("f(1)").body[0]]
    function, *_, call = tree.body
    texts = [ast.unparse(node).replace("{", "{{").replace("}", "}}") for node in (function, call)]
    return {
        "code": texts[0],
        "calls": [texts[1]],
        "parameters": {argument.arg: "A value." for argument in function.args.args},
        "types": {argument.arg: "int" for argument in function.args.args} | {"return": "int"},
        "summary": "Select the first {t} in order of {k:name}.",
        "returns": "The value.",
    }


def _hostile(outside: Outside) -> dict[str, tuple[str, str]]:
    """Templates by name: their task, and YAML."""
    snippets = [
        *((FILES, code) for codes in CODE.values() for code in codes),
        *((rules, code) for rules, codes in RULED.items() for code in codes),
        *((rules, code) for _, rules, _, codes in OBJECTS for code in codes),
        *((FILES, code) for *_, codes in FILE_CODE for code in codes),
        *((None, text) for texts in SQL.values() for text in texts),
    ]
    found = {}
    for number, (rules, snippet) in enumerate(snippets):
        name = f"hostile_{number}"
        task, template = _filled(rules, aimed(snippet, outside.folder, outside.port), name)
        found[name] = (task, yaml.safe_dump({"templates": [template]}, sort_keys=False, allow_unicode=True))
    return found


@pytest.mark.slow
def test_each_template_of_the_corpus_is_refused(outside, small_dir, tmp_path):
    hostile = _hostile(outside)
    place = Place(str(small_dir), HERE.read, draft_seconds=10)
    bad_input = call(give_refusals, str(small_dir), hostile, place=place, gives=dict[str, str])
    folder = shutil.copytree(small_dir, tmp_path / "templates")
    for name in hostile.keys() - bad_input.keys():
        task, text = hostile[name]
        (folder / task / f"02_{name}.yaml").write_text(text, encoding="utf-8")
    report = None
    while report is None:
        try:
            report = build(tmp_path / "out", options=Options(1), templates_dir=folder, num_proc=2)
        except InputError as error:
            path = Path(error.file)
            bad_input[path.stem.removeprefix("02_")] = str(error)
            path.unlink()
    rejected = {
        name: (reason, detail)
        for tally in report.tallies.values()
        for _, name, reason, detail in tally.rejections
    }
    outcomes = {(name, what) for tally in report.tallies.values() for _, name, what in tally.outcomes}
    # A tenth of all skeletons is withheld from train, and the other databases do not have the tables.
    undrawn = {name for name, what in outcomes if what == "exhausted"}
    assert hostile.keys() == bad_input.keys() | rejected.keys() | undrawn
    assert len(bad_input.keys() | rejected.keys()) >= 600
    build(tmp_path / "good", options=Options(1), templates_dir=small_dir)
    rows = "train_complete.jsonl"
    assert contents(tmp_path / "out")[rows] == contents(tmp_path / "good")[rows]
    refusals = json.dumps([bad_input, rejected])
    assert not [words for words in OF_THE_FORM if words in refusals]
    assert SECRET not in refusals
    assert outside.is_untouched()
