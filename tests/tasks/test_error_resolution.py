"""Records of mistakes: what they claim happens when they run; templates that claim wrongly are refused."""

from __future__ import annotations

import ast
import difflib
import functools
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import pytest
from ibis.common.exceptions import IbisTypeError

from ibert_builder.errors import ForbiddenCode, InputError
from ibert_builder.execution.engine import engine_for
from ibert_builder.execution.results import Result, difference
from ibert_builder.generation.generate import Options
from ibert_builder.sandbox.check import check
from ibert_builder.sandbox.policy import MISTAKEN
from ibert_builder.tasks.error_resolution.error_types import ERROR_TYPES
from ibert_builder.tasks.error_resolution.messages import LINES, WIDTH, contrast, message
from ibert_builder.tasks.error_resolution.mistakes import Mistakable, misspelt
from ibert_builder.tasks.error_resolution.task import SIMILARITY, _equal
from ibert_builder.tasks.registry import TASKS
from ibert_builder.templating.rendering import render_frame
from ibert_builder.writing.jsonl import build
from tests.conftest import ROOT, SMALL
from tests.tasks.proving import CATALOG, Proved, examples

TASK = TASKS["error_resolution"]
TEMPLATES = CATALOG.templates[TASK.name]

SEED_EXAMPLE = {
    "id": "uuid",
    "task": "error_resolution",
    "context": {"tables": {"table": {"schema": {"age": "int64"}}}},
    "input": {
        "broken_code": "table.filter(table.age > '18')",
        "error": "TypeError: '>' not supported between int and str",
        "context_info": "age column is int64 type",
    },
    "target": {
        "fixed_code": "table.filter(table.age > 18)",
        "explanation": "Removed quotes from 18 to compare as integer",
    },
    "meta": {"template": "type_error", "error_type": "type_mismatch"},
}


@functools.cache
def proved(index: int) -> list[Proved]:
    """Proved examples of a template, which several tests of one process share."""
    return examples(TASK, TEMPLATES[index])


# --- what a record is


def test_record_has_the_shape_of_the_seed():
    records = (record for index in range(len(TEMPLATES)) for _, record in proved(index))
    record = next(r for r in records if r["input"]["error"] and r["input"]["context_info"])
    for key, value in SEED_EXAMPLE.items():
        assert type(record[key]) is type(value), key
        if isinstance(value, dict):
            assert set(value) <= set(record[key])
    assert set(record["input"]) == set(SEED_EXAMPLE["input"]) == set(TASK.input)
    assert set(record["target"]) == set(SEED_EXAMPLE["target"]) == set(TASK.target)
    assert record["system_prompt"] == "Fix the compilation or type error in the Ibis code."


def test_same_seed_makes_the_same_record():
    for index in range(0, len(TEMPLATES), 10):
        again = examples(TASK, TEMPLATES[index])
        assert [record for _, record in again] == [record for _, record in proved(index)]


@pytest.mark.parametrize("index", range(len(TEMPLATES)), ids=[template.name for template in TEMPLATES])
def test_every_template_gives_proved_examples(index):
    template = TEMPLATES[index]
    for draft, record in proved(index):
        given, target = record["input"], record["target"]
        assert record["meta"]["error_type"] == template.spec.error_type
        _messages_hold_input_and_target(record)
        _is_a_small_edit(given["broken_code"], target["fixed_code"])
        _fix_obeys_the_strict_rules_and_warns_of_nothing(draft, target["fixed_code"])
        assert (given["error"] is None) == (template.spec.raises is None)
        if given["error"] is None:
            assert given["context_info"]
            _gives_a_wrong_result_whatever_the_order_of_rows(
                draft, given["broken_code"], target["fixed_code"]
            )
        else:
            assert given["error"].startswith(f"{template.spec.raises}: ")
            _names_no_address_and_no_path_and_is_bounded(given["error"])


def _messages_hold_input_and_target(record):
    given, target = record["input"], record["target"]
    user, assistant = (record["messages"][i]["content"] for i in (1, 2))
    assert all(part in user for part in given.values() if part is not None)
    assert assistant == f"{target['fixed_code']}\n\n{target['explanation']}"
    for text in (target["explanation"], given["context_info"]):
        assert text is None or text.endswith((".", "?"))


def _is_a_small_edit(broken, fixed):
    alike = difflib.SequenceMatcher(None, broken, fixed, autojunk=False)
    assert SIMILARITY <= alike.ratio() < 1
    ast.parse(fixed)


def _fix_obeys_the_strict_rules_and_warns_of_nothing(draft, fixed):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert engine_for(draft.database).run_code(fixed).rows


def _names_no_address_and_no_path_and_is_bounded(error):
    paths = (str(Path.home()), str(ROOT), sys.prefix, tempfile.gettempdir(), "site-packages")
    assert not any(word in error for word in (*paths, "<unknown>", "<template>"))
    assert not re.search(r"0x[0-9a-f]{4}", error)
    assert len(error.splitlines()) <= LINES + 1
    assert all(len(line) <= WIDTH + 40 for line in error.splitlines())


def _gives_a_wrong_result_whatever_the_order_of_rows(draft, broken, fixed):
    engine = engine_for(draft.database)
    sql = engine.compile(engine.evaluate(broken, MISTAKEN))
    ordered = "order_by" in fixed.splitlines()[-2:][0] or ".limit" in fixed
    right = engine.run_code(fixed)
    assert difference(right, engine.run_sql(sql), ordered) is not None
    assert engine.depends_on_row_order(sql, right, ordered)


# --- mistakes that raise

RERUN = """
import json, sys, warnings
from ibert_builder.execution.engine import engine_for
from ibert_builder.generation.catalog import default_templates_dir
from ibert_builder.databases.load import load_databases
from ibert_builder.sandbox.policy import MISTAKEN
from ibert_builder.tasks.error_resolution.messages import message

warnings.simplefilter("ignore")
databases = load_databases(default_templates_dir() / "_databases")
found = []
for database, code in json.load(sys.stdin):
    engine = engine_for(databases[database])
    try:
        engine.run_sql(engine.compile(engine.evaluate(code, MISTAKEN)))
        found.append(None)
    except Exception as error:
        found.append(message(error))
json.dump(found, sys.stdout)
"""


def test_errors_are_the_same_in_a_fresh_interpreter():
    records = [proved(index)[0].record for index in range(len(TEMPLATES))]
    raising = [r for r in records if r["input"]["error"] is not None]
    assert len(raising) > 150
    work = [(r["meta"]["database"], r["input"]["broken_code"]) for r in raising]
    for hash_seed in ("1", "20261122"):
        ran = subprocess.run(
            [sys.executable, "-c", RERUN],
            input=json.dumps(work), capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
        )  # fmt: skip
        assert json.loads(ran.stdout) == [r["input"]["error"] for r in raising]
        assert ran.stderr == ""


def test_message_of_the_seeds_code_is_that_of_ibis(webshop):
    with pytest.raises(IbisTypeError) as caught:
        engine_for(webshop).evaluate("customers.filter(customers.loyalty_points > '18')", MISTAKEN)
    expected = "IbisTypeError: Arguments loyalty_points:int32 and Literal(18):string are not comparable"
    assert message(caught.value) == expected


def test_message_is_normalised():
    text = "<X object at 0x7f00aa12> in /tmp/a/b.csv is not in {'b', 'c', 'a'}: see https://x.org/a/b"
    expected = "ValueError: <X object at 0x...> in <path> is not in {'a', 'b', 'c'}: see https://x.org/a/b"
    assert message(ValueError(text)) == expected
    long = message(ValueError("\n".join("x" * 1000 for _ in range(100))))
    assert len(long.splitlines()) == LINES + 1 and "\n...\n" in long


def test_message_of_a_syntax_error_says_the_line():
    with pytest.raises(SyntaxError) as caught:
        ast.parse("orders.filter(\n    orders.amount > 3")
    assert message(caught.value) == "SyntaxError: '(' was never closed (line 1)"


# --- mistakes that only give a wrong result


TWO = ("k", "v"), ("INTEGER", "VARCHAR")


@pytest.mark.parametrize(
    ("expected", "found", "ordered", "sentence"),
    [
        ([(1, "a")] * 3, [(1, "a")], False, "Expected 3 rows, got 1."),
        ([(1, "a")], [], False, "Expected 1 row, got none."),
        ([(1, "a")], [(1, None)], False, "Expected v = 'a', got NULL."),
        ([(1, "a"), (2, "b")], [(2, "c"), (1, "a")], False, "For k 2, expected v = 'b', got 'c'."),
        ([(1, "a"), (2, "b")], [(2, "b"), (1, "a")], True, "In row 1, expected k = 1, got 2."),
        ([(1, "a"), (1, "b")], [(1, "a"), (1, "c")], False, "Expected the row (1, 'b'), got (1, 'c')."),
    ],
)
def test_contrast_names_the_first_difference(expected, found, ordered, sentence):
    assert contrast(Result(*TWO, expected), Result(*TWO, found), ordered, 0.0) == sentence


def test_contrast_has_several_wordings():
    rows = Result(*TWO, [(1, "a")] * 3), Result(*TWO, [(1, "a")])
    assert contrast(*rows, False, 0.5) == "The code gives 1 instead of 3 rows."
    assert contrast(*rows, False, 0.99) == "It should give 3 rows but gives 1."


# --- the list of kinds


def test_there_are_enough_kinds_and_all_are_used():
    assert len(ERROR_TYPES) >= 40
    assert {template.spec.error_type for template in TEMPLATES} == set(ERROR_TYPES)
    assert all(description and description[-1] != "." for description in ERROR_TYPES.values())


def test_every_mistake_is_explained_in_several_wordings():
    """Each wording has its own words; four of the same sentence would be one."""
    seen: dict[str, str] = {}
    for template in TEMPLATES:
        wordings = template.spec.explanation
        assert isinstance(wordings, list) and len(set(wordings)) >= 4, template.name
        assert all(wording.endswith(".") for wording in wordings), template.name
        for wording in wordings:
            assert seen.setdefault(wording, template.name) == template.name, wording
        for one, other in itertools.combinations(wordings, 2):
            alike = difflib.SequenceMatcher(None, one.split(), other.split(), autojunk=False).ratio()
            assert alike < 0.7, (one, other)


def test_an_explanation_that_speaks_of_the_message_says_what_it_says():
    spoken_of = 0
    for index, template in enumerate(TEMPLATES):
        for draft, record in proved(index):
            bound = {name: Mistakable(value) for name, value in draft.bound.items()}
            for frame in template.frames["explanation"]:
                wording = render_frame(frame, bound)
                if not re.search(r"the message\b.* (lists|shows|suggests|names|asks)|message shows", wording):
                    continue
                named = [
                    name
                    for quotes in re.findall(r"`([^`]+)`|['\"](\w+)['\"]", wording)
                    for name in quotes
                    if name
                ]
                assert any(name in record["input"]["error"] for name in named), wording
                spoken_of += 1
    assert spoken_of > 10


NEVER = {
    "n",
    "value",
    "result",
    "above",
    "item",
    "level",
    "converted",
    "cleaned",
    "kept",
    "mark",
    "part",
    "shown",
}


def test_new_columns_and_variables_have_names_that_say_what_they_are():
    for index, template in enumerate(TEMPLATES):
        for _, record in proved(index):
            names = set()
            for node in ast.walk(ast.parse(record["target"]["fixed_code"])):
                if isinstance(node, ast.Assign):
                    names.update(target.id for target in node.targets if isinstance(target, ast.Name))
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and node.func.attr in ("select", "mutate", "agg", "group_by", "rename")
                ):
                    names.update(keyword.arg for keyword in node.keywords)
            assert not names & NEVER, (template.name, names & NEVER)


def test_there_are_enough_templates_of_every_difficulty():
    difficulties = [template.spec.difficulty for template in TEMPLATES]
    assert len(TEMPLATES) >= 36
    assert min(map(difficulties.count, ("easy", "medium", "hard"))) >= 8
    assert sum(template.spec.raises is None for template in TEMPLATES) >= 8


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("amount", "amont"), ("country", "coutnry"), ("is_vip", "is_ip"), ("free_", "fre_"), ("id", "i")],
)
def test_names_are_misspelt_the_same_way_every_time(name, wrong):
    assert misspelt(name) == wrong


# --- bad templates

GOOD = SMALL[TASK.name]


@pytest.fixture
def only_this_task(monkeypatch):
    """A build knows no other task, so that a folder with templates of this one is enough."""
    for name in list(TASKS):
        monkeypatch.delitem(TASKS, name)
    monkeypatch.setitem(TASKS, TASK.name, TASK)


def build_it(templates_dir, text):
    folder = templates_dir / TASK.name
    folder.mkdir(exist_ok=True)
    for path in folder.glob("*.yaml"):
        path.unlink()
    (folder / "01_spoilt.yaml").write_text(text, encoding="utf-8")
    out = templates_dir.parent / "out"
    return build(out, (TASK.name,), Options(examples_per_template=12), templates_dir=templates_dir)


def test_good_template_is_built(templates_dir, only_this_task):
    report = build_it(templates_dir, GOOD)
    assert sum(report.kept[TASK.name].values()) >= 10


@pytest.mark.parametrize(
    ("good", "bad", "line", "reason"),
    [
        ("raises: AttributeError", "raises: TypeError", 2, "raises_another_error.*found AttributeError"),
        ("{t}.{x:typo} > {v}", "{x} >= {v}", 2, "raises_nothing"),
        ("{t}.{x:typo} > {v}", "{t}.mean.__self__ > {v}", 2, "forbidden_code.*private"),
        ("{x} > {v})\n", "{x} > {v}).no_such_method()\n", 2, "fix_fails.*no_such_method"),
        ("    {t}.filter({x} > {v})\n", "    {t}.filter({x} > {v}, {x} < {v})\n", 2, "empty_result"),
        ("{t}.filter({t}.{x:typo} > {v})", "what({v})", 2, "not_a_small_edit"),
        ("unknown_column", "unknown_colum", 3, "unknown error type.*did you mean 'unknown_column'"),
        ("raises: AttributeError", "raises: null", 2, "needs an `expectation`"),
        ("{t}.{x:typo} > {v}", "{y:typo} > {v}", 10, "unknown slot 'y'"),
        ("{t}.{x:typo} > {v}", "{x} > {v}", 2, "`broken` is the same as `code`"),
        ("    {t}.filter({x} > {v})\n", "    {t}.filter({t}.{x:upper} > {v})\n", 2, "belongs in `broken`"),
        ("  broken: |", "  brokn: |", 10, "unknown key 'brokn', did you mean 'broken'"),
        ("raises: AttributeError", "raises: AttributeError\n  sql: SELECT {x} FROM {t}", 2, "fix_differs"),
        (
            "raises: AttributeError",
            "raises: AttributeError\n  facts: ['{t}.count() < 0']",
            2,
            "fact_is_false",
        ),
        ("raises: AttributeError", "raises: AttributeError\n  facts: ['{t}.count() * {t}']", 2, "fact_fails"),
    ],
)
def test_bad_template_is_refused(templates_dir, only_this_task, good, bad, line, reason):
    assert good in GOOD
    with pytest.raises(InputError, match=f"(?s)01_spoilt.yaml:{line}: .*{reason}"):
        build_it(templates_dir, GOOD.replace(good, bad, 1))


def test_results_that_differ_in_types_only_show_no_mistake():
    exact = Result(("status", "share"), ("VARCHAR", "DOUBLE"), [("open", 1.0), ("done", 0.0)])
    assert _equal(exact, Result(exact.columns, ("VARCHAR", "INTEGER"), [("done", 0), ("open", 1)]))
    assert not _equal(exact, Result(exact.columns, exact.types, [("open", 1.0), ("done", 0.5)]))
    assert not _equal(exact, Result(exact.columns, exact.types, exact.rows[:1]))


def test_logical_error_that_makes_no_difference_is_refused(templates_dir, only_this_task):
    text = GOOD.replace("{t}.{x:typo} > {v}", "({x} > {v}) & {x}.notnull()")
    text = text.replace("raises: AttributeError", "raises: null\n  expectation: The {t} above {v}.")
    text = text.replace(", not `{x:typo}`", "")
    with pytest.raises(InputError, match=r"(?s)01_spoilt.yaml:2: .*same_result"):
        build_it(templates_dir, text)


def test_logical_error_that_depends_on_the_order_of_rows_is_refused(templates_dir, only_this_task):
    text = GOOD.replace("    {t}.filter({x} > {v})\n", "    {t}.order_by({k:str}).limit(7).select({k:str})\n")
    text = text.replace("{t}.filter({t}.{x:typo} > {v})", "{t}.limit(7).select({k:str})")
    text = text.replace("raises: AttributeError", "raises: null\n  expectation: The first seven {t}.")
    text = text.replace("{x: column numeric, v: value of x}", "{k: column key}")
    text = text.replace("`{x:name}`, not `{x:typo}`", "`{k:name}`")
    with pytest.raises(InputError, match=r"(?s)01_spoilt.yaml:2: .*depends_on_row_order"):
        build_it(templates_dir, text)


def test_logical_error_that_raises_is_refused(templates_dir, only_this_task):
    text = GOOD.replace("raises: AttributeError", "raises: null\n  expectation: The {t} above {v}.")
    with pytest.raises(InputError, match=r"(?s)01_spoilt.yaml:2: .*logical_error_raises.*AttributeError"):
        build_it(templates_dir, text)


def test_mistaken_code_is_still_sandboxed():
    for code in ("__import__('os')", "orders.to_csv('x')", "open('x')", "ibis.duckdb.connect()"):
        with pytest.raises(ForbiddenCode, match="line 1"):
            check(ast.parse(code), {"orders"}, MISTAKEN)
