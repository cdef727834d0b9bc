"""Records of mistakes: what they claim happens when they run; templates that claim wrongly are refused."""

from __future__ import annotations

import ast
import difflib
import json
import os
import random
import subprocess
import sys
import warnings

import pytest

from ibert_builder.errors import InputError
from ibert_builder.execution.engine import engine_for
from ibert_builder.execution.proofs import Rejected
from ibert_builder.execution.results import Result, difference
from ibert_builder.generation.catalog import default_templates_dir
from ibert_builder.generation.generate import Options
from ibert_builder.sandbox.check import check
from ibert_builder.sandbox.policy import MISTAKEN
from ibert_builder.tasks.drafts import Setting
from ibert_builder.tasks.error_resolution.error_types import ERROR_TYPES
from ibert_builder.tasks.error_resolution.messages import LINES, WIDTH, contrast, message
from ibert_builder.tasks.error_resolution.mistakes import misspelt
from ibert_builder.tasks.error_resolution.task import SIMILARITY, ErrorResolution
from ibert_builder.tasks.record import make_record
from ibert_builder.tasks.registry import TASKS
from ibert_builder.templating.phrases import load_phrases
from ibert_builder.templating.sampler import NoFit
from ibert_builder.templating.templates import load_templates
from ibert_builder.writing.jsonl import build
from tests.conftest import SMALL

TASK = ErrorResolution()
BOOK = load_phrases(default_templates_dir() / "_phrases")
TEMPLATES = load_templates(default_templates_dir() / "error_resolution", TASK.name, TASK.template, BOOK)

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


def a_draft(catalog, template, first=0):
    """A draft of a template from the first database that fits it, counted from database `first`."""
    databases = list(catalog.databases.values())
    for step in range(6 * len(databases)):
        database = databases[(first + step) % len(databases)]
        rng = random.Random(f"{template.name}/{database.name}/{step}")
        try:
            return TASK.expand(template, Setting(database, engine_for(database), BOOK, rng))
        except NoFit:
            continue
    raise AssertionError(f"{template.name} fits no database")


def a_record(catalog, template, first=0):
    draft = a_draft(catalog, template, first)
    return make_record(TASK, draft, TASK.prove(draft, engine_for(draft.database)), unseen=False)


def a_kept_record(catalog, template, first):
    for further in range(3):
        try:
            return a_record(catalog, template, first + further)
        except Rejected:
            continue
    raise AssertionError(f"{template.name} is rejected again and again")


@pytest.fixture(scope="module")
def records(catalog):
    """A record of every template, each from another database than the one before."""
    return [a_kept_record(catalog, template, first) for first, template in enumerate(TEMPLATES)]


# --- what a record is


def test_record_has_the_shape_of_the_seed(records):
    record = next(r for r in records if r["input"]["error"] and r["input"]["context_info"])
    for key, value in SEED_EXAMPLE.items():
        assert type(record[key]) is type(value), key
        if isinstance(value, dict):
            assert set(value) <= set(record[key])
    assert set(record["input"]) == set(SEED_EXAMPLE["input"]) == set(TASK.input)
    assert set(record["target"]) == set(SEED_EXAMPLE["target"]) == set(TASK.target)
    assert record["system_prompt"] == "Fix the compilation or type error in the Ibis code."


def test_messages_hold_input_and_target(records):
    for record in records:
        user, assistant = (record["messages"][i]["content"] for i in (1, 2))
        assert all(part in user for part in record["input"].values() if part is not None)
        assert assistant == f"{record['target']['fixed_code']}\n\n{record['target']['explanation']}"


def test_same_seed_makes_the_same_record(catalog):
    for template in TEMPLATES[::10]:
        assert a_record(catalog, template) == a_record(catalog, template)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_every_template_is_proved(catalog, template):
    kept = 0
    for first in range(4):
        try:
            record = a_record(catalog, template, first * 3)
        except Rejected:
            continue
        kept += 1
        given, target = record["input"], record["target"]
        assert (given["error"] is None) == (template.spec.raises is None)
        if template.spec.raises is not None:
            assert given["error"].startswith(f"{template.spec.raises}: ")
        assert record["meta"]["error_type"] == template.spec.error_type
        alike = difflib.SequenceMatcher(None, given["broken_code"], target["fixed_code"], autojunk=False)
        assert SIMILARITY <= alike.ratio() < 1
        ast.parse(target["fixed_code"])
        for text in (target["explanation"], given["context_info"]):
            assert text is None or text.endswith((".", "?"))
    assert kept >= 3


def test_fixed_code_obeys_the_strict_rules_and_warns_of_nothing(records, catalog):
    for record in records:
        engine = engine_for(catalog.databases[record["meta"]["database"]])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert engine.run_code(record["target"]["fixed_code"]).rows


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


@pytest.mark.parametrize("hash_seed", ["1", "20261122"])
def test_errors_are_the_same_in_a_fresh_interpreter(records, hash_seed):
    raising = [r for r in records if r["input"]["error"] is not None]
    assert len(raising) > 150
    work = [(r["meta"]["database"], r["input"]["broken_code"]) for r in raising]
    ran = subprocess.run(
        [sys.executable, "-c", RERUN],
        input=json.dumps(work), capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
    )  # fmt: skip
    assert json.loads(ran.stdout) == [r["input"]["error"] for r in raising]
    assert ran.stderr == ""


def test_errors_name_no_address_and_no_path_and_are_bounded(records):
    for record in records:
        error = record["input"]["error"] or ""
        unwanted = ("0x7", "/root/", "site-packages", "<unknown>", "<template>")
        assert not any(word in error for word in unwanted)
        assert len(error.splitlines()) <= LINES + 1
        assert all(len(line) <= WIDTH + 40 for line in error.splitlines())


def test_message_of_the_seeds_code_is_that_of_ibis(webshop):
    with pytest.raises(Exception, match="comparable") as caught:
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


def test_logical_errors_run_and_differ_whatever_the_order_of_rows(records, catalog):
    logical = [record for record in records if record["input"]["error"] is None]
    assert len(logical) >= 8
    for record in logical:
        engine = engine_for(catalog.databases[record["meta"]["database"]])
        broken, fixed = record["input"]["broken_code"], record["target"]["fixed_code"]
        sql = engine.compile(engine.evaluate(broken, MISTAKEN))
        ordered = "order_by" in fixed.splitlines()[-2:][0] or ".limit" in fixed
        right = engine.run_code(fixed)
        assert difference(right, engine.run_sql(sql), ordered) is not None
        assert engine.depends_on_row_order(sql, right, ordered)
        assert record["input"]["context_info"]


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
        ("  broken: |", "  brokn: |", 10, "unknown key 'brokn', did you mean 'broken'"),
        ("raises: AttributeError", "raises: AttributeError\n  sql: SELECT {x} FROM {t}", 2, "fix_differs"),
    ],
)
def test_bad_template_is_refused(templates_dir, only_this_task, good, bad, line, reason):
    assert good in GOOD
    with pytest.raises(InputError, match=f"(?s)01_spoilt.yaml:{line}: .*{reason}"):
        build_it(templates_dir, GOOD.replace(good, bad, 1))


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
        with pytest.raises(ValueError, match="line 1"):
            check(ast.parse(code), {"orders"}, MISTAKEN)
