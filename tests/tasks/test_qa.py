"""Q&A: what an answer says is checked against the installed Ibis, and every code example runs."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ibis
import pytest
from ibis.common.annotations import SignatureValidationError

from ibert_builder.databases.model import Database, split_by_number
from ibert_builder.errors import ForbiddenCode, InputError
from ibert_builder.execution import scratch
from ibert_builder.execution.proofs import Rejected
from ibert_builder.generation.generate import Options, Tally, generate
from ibert_builder.sandbox import limits
from ibert_builder.tasks.base import Record
from ibert_builder.tasks.qa.shown import NotShown, check_shown
from ibert_builder.tasks.qa.template import Shown, sentences_of
from ibert_builder.tasks.registry import TASKS
from ibert_builder.templating.templates import Template, load_templates
from tests.tasks.proving import CATALOG, examples, proved, setting

QA = TASKS["qa"]
TEMPLATES = CATALOG.templates["qa"]

GOOD = """
templates:
- name: first_rows
  topic: basic_operations
  difficulty: easy
  features: [limit]
  tables: {t: any}
  slots: {k: column key}
  code_example: "{t}.order_by({k:str}).head(3)"
  sql: SELECT * FROM {t} ORDER BY {k} LIMIT 3
  exchanges:
  - questions: ["First rows of {t:code}?", "Show some {t:code}?"]
    claims: [{of: Table.head, parameter: n, default: 5}]
    shows: [{code: "ibis.literal(1) + 1", gives: 2}]
    answer: Use `head()`, which gives 5 rows by default.
  - questions: ["What comes first in {t:code}?"]
    answer: The lowest key.
  - questions: ["Last rows of {t:code}?"]
    code_example: "{t}.order_by(ibis.desc({k:str})).limit(2)"
    answer: Turn the order round.
  - questions: ["Which rows of {t:code} are first?", "Is the start of {t:code} always the same?"]
    answer: That is up to `order_by()`.
"""


@pytest.fixture(scope="module")
def databases() -> dict[str, Database]:
    return CATALOG.databases


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Template]:
    """Load the one template of a YAML text, which stands in a file named bad.yaml."""

    def load(text: str) -> Template:
        (tmp_path / "bad.yaml").write_text(textwrap.dedent(text))
        return load_templates(tmp_path, "qa", QA.template, CATALOG.phrasebook)[0]

    return load


def prove(template: Template, database: Database, seed: int = 0, index: int = 0) -> Record:
    return proved(QA, QA.expand(template, setting(database, seed, index=index))).record


def line_of(text: str) -> int:
    return next(number for number, line in enumerate(GOOD.splitlines(), 1) if text in line)


def test_a_record_has_the_shape_of_the_seed(write, databases: dict[str, Database]) -> None:
    record = prove(write(GOOD), databases["webshop"])
    assert record["system_prompt"] == "Answer questions about Ibis clearly and concisely."
    assert set(record["input"]) == {"question"} and set(record["target"]) == {"answer", "code_example"}
    assert record["meta"]["topic"] == "basic_operations"
    assert record["messages"][1]["content"].endswith(record["input"]["question"])
    assert (
        record["messages"][2]["content"]
        == f"{record['target']['answer']}\n\n{record['target']['code_example']}"
    )


def test_an_answer_may_have_no_code(databases: dict[str, Database]) -> None:
    template = next(t for t in TEMPLATES if not t.tables and not t.frames["code_example"])
    record = prove(template, databases["webshop"])
    assert record["target"]["code_example"] is None and not record["context"]["tables"]
    assert record["messages"][2]["content"] == record["target"]["answer"]


KNOWLEDGE = [template for template in TEMPLATES if not template.tables]


@pytest.mark.parametrize("template", KNOWLEDGE, ids=lambda template: template.name)
def test_without_tables_every_draft_asks_something_else(
    template: Template, databases: dict[str, Database]
) -> None:
    most = QA.most(template)
    assert most is not None and most >= QA.examples
    one_of = {database.split: database for database in databases.values()}
    asked = [
        QA.expand(template, setting(one_of[split_by_number(index)], index=index)).key for index in range(most)
    ]
    assert len(set(asked)) == most


def test_each_answer_answers_its_own_questions_and_shows_its_own_code(
    write, databases: dict[str, Database]
) -> None:
    template = write(GOOD)
    for split, questions, answer, code in (
        ("validation", ("What comes first in",), "The lowest key.", ".head(3)"),
        ("test", ("Last rows of",), "Turn the order round.", ".limit(2)"),
    ):
        database = next(database for database in databases.values() if database.split == split)
        for index in range(3):
            record = prove(template, database, index=index)
            assert record["input"]["question"].startswith(questions)
            assert record["target"]["answer"] == answer and record["target"]["code_example"].endswith(code)
    of_train = {}
    for index in range(10):
        record = prove(template, databases["webshop"], index=index)
        of_train[record["input"]["question"].split(" ")[0]] = record["target"]["answer"].split(" ")[0]
    assert of_train == {"First": "Use", "Show": "Use", "Which": "That", "Is": "That"}


def test_without_tables_no_code_may_be_in_two_splits(write) -> None:
    text = GOOD.replace("  tables: {t: any}\n  slots: {k: column key}\n", "")
    text = (
        re.sub(r"(?m)^ +(code_example|sql): .*\n", "", text)
        .replace("{t:code}", "it")
        .replace("{k:str}", '"a"')
    )
    same = "    code_example: ibis.literal(1)\n    answer: "
    assert write(text.replace("    answer: ", same, 1)).frames["code_example"]
    with pytest.raises(InputError, match="two exchanges cannot have the same code"):
        write(text.replace("    answer: ", same))


@pytest.fixture(scope="module")
def built() -> list[tuple[str, Record]]:
    """Every record of the task in the default build, with its split."""
    return [
        (database.split, record)
        for database in CATALOG.databases.values()
        for record in generate(CATALOG, "qa", database.name, Options(), Tally())
    ]


@pytest.mark.slow
def test_no_answer_of_validation_or_test_is_in_train_and_none_is_frequent(built) -> None:
    answers = Counter(record["target"]["answer"] for _, record in built)
    assert max(answers.values()) <= 0.01 * len(built)
    of_train = {record["target"]["answer"] for split, record in built if split == "train"}
    held_out = [record["target"]["answer"] for split, record in built if split != "train"]
    assert held_out and not of_train & set(held_out)


@pytest.mark.slow
def test_two_in_five_records_ask_about_ibis_and_not_about_tables(built) -> None:
    assert sum(not record["context"]["tables"] for _, record in built) >= 0.4 * len(built)


def test_no_two_answers_share_a_sentence() -> None:
    sentences = Counter(
        sentence
        for template in TEMPLATES
        for exchange in template.spec.exchanges
        for sentence in sentences_of(exchange.answer)
        if len(sentence.split()) > 2  # but "It does." and "No."
    )
    assert not [sentence for sentence, times in sentences.items() if times > 1]


def test_few_questions_are_typed_into_a_search_box() -> None:
    questions = [frame.text for template in TEMPLATES for frame in template.frames["questions"]]
    fragments = [q for q in questions if q[0].islower() and len(q.split()) < 8 and q[-1] not in ".?!"]
    assert len(fragments) <= len(questions) / 6


SHOWN = [
    pytest.param(shown, id=f"{template.name}-{number}-{index}")
    for template in TEMPLATES
    for number, exchange in enumerate(template.spec.exchanges)
    for index, shown in enumerate(exchange.shows)
]


@pytest.mark.parametrize("shown", SHOWN)
def test_what_an_answer_states_is_so(shown: Shown) -> None:
    check_shown(shown)


@pytest.mark.parametrize(
    ("shown", "problem"),
    [
        ({"code": "ibis.literal(1)", "gives": 2}, "it gives 1, not 2"),
        ({"code": "ibis.literal(1)", "gives": 1.0}, "it gives 1, not 1.0"),
        ({"code": "ibis.literal(1)", "gives": True}, "it gives 1, not True"),
        ({"code": "ibis.literal(1)", "raises": "TypeError"}, "it gives 1 and does not raise TypeError"),
        ({"code": "ibis.null() + None", "gives": 1}, "it raises"),
        ({"code": "int(ibis.literal(1))", "raises": "ValueError"}, "it raises TypeError: int"),
        ({"code": "int(ibis.literal(1))", "raises": "TypeError: float"}, "not TypeError: float"),
        ({"code": "ibis.memtable({'a': [1]}).fillna(0)", "gives": {"a": [1]}}, "it raises FutureWarning"),
        ({"code": "import os\nos", "gives": None}, "Import is not allowed"),
        ({"code": "a = 1 +", "gives": None}, "invalid syntax"),
    ],
)
def test_a_snippet_that_shows_something_else_is_found_out(shown: dict[str, Any], problem: str) -> None:
    with pytest.raises(NotShown) as wrong:
        check_shown(Shown.model_validate(shown))
    assert problem in str(wrong.value)


def test_a_wrong_snippet_is_an_error_of_the_template(write, databases: dict[str, Database]) -> None:
    template = write(GOOD.replace("gives: 2}", "gives: 3}"))
    with pytest.raises(InputError) as refused:
        prove(template, databases["webshop"])
    assert "it gives 2, not 3" in str(refused.value) and refused.value.line == line_of("shows:")


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_every_template_gives_complete_examples(template: Template) -> None:
    for _, record in examples(QA, template):
        assert record["input"]["question"] and record["target"]["answer"][-1] in ".`?"
        assert "{" not in record["input"]["question"].replace("{name}", "")


def test_no_two_templates_ask_the_same_question() -> None:
    questions = [frame.text.lower() for template in TEMPLATES for frame in template.frames["questions"]]
    assert len(set(questions)) == len(questions)


def test_there_are_enough_templates_of_every_kind() -> None:
    assert len(TEMPLATES) >= 60 and len(KNOWLEDGE) >= 60
    assert {t.spec.difficulty for t in TEMPLATES} == {"easy", "medium", "hard"}
    without_code = [e for t in TEMPLATES for e in t.spec.exchanges if e.code_example is None]
    assert 0.1 < len(without_code) / sum(len(t.spec.exchanges) for t in TEMPLATES) < 0.3


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("`head()`", "`heads()`", "answer: Use", "unknown name 'heads', did you mean 'head'"),
        ("`head()`", "`Table.hed`", "answer: Use", "did you mean 'head'"),
        ("`head()`", "`head(rows=3)`", "answer: Use", "takes an argument 'rows'"),
        ("`head()`", "`fillna()`", "answer: Use", "unknown name 'fillna'"),
        ("`head()`", "`head()", "answer: Use", "nothing closes it"),
        ("default: 5}", "default: 10}", "claims:", "the default of 'n' in Table.head is 5, not 10"),
        ("parameter: n", "parameter: m", "claims:", "unknown parameter of Table.head 'm'"),
        ("of: Table.head", "of: Table.top", "claims:", "unknown name in Table 'top'"),
        (
            "parameter: n, default: 5",
            "parameters: [n, offset]",
            "claims:",
            "the parameters of Table.head are ['n']",
        ),
        (
            "claims: [{of: Table.head, parameter: n, default: 5}]",
            "claims: []",
            "answer: Use",
            "speaks of a default",
        ),
        ('"Show some {t:code}?"', '"Show some rows?"', "- name:", "it would ask the same"),
        (', "Show some {t:code}?"', "", "- name:", "at least 6 questions"),
        ("Show some {t:code}?", "First rows of {t:code}?", "- name:", "no two alike"),
        (
            "The lowest key.",
            "That is up to `order_by()`.",
            "- name:",
            "two answers share a sentence: That is up",
        ),
        ("gives: 2}", "gives: 2, raises: TypeError}", "shows:", "expected either `gives` or `raises`"),
        (", gives: 2}", "}", "shows:", "expected either `gives` or `raises`"),
        (".limit(2)", ".limit({q})", ".limit(2)", "unknown slot 'q'"),
        ("Last rows of {t:code}", "Last rows of {u:code}", "Last rows", "unknown slot 'u'"),
        ("basic_operations", "basics", "topic:", "Input should be"),
        ("code_example:", "code_exemple:", "code_example:", "did you mean 'code_example'"),
    ],
)
def test_a_wrong_template_is_refused_by_file_line_and_reason(
    write, old: str, new: str, line: str, reason: str
) -> None:
    with pytest.raises(InputError) as refused:
        write(GOOD.replace(old, new))
    assert reason in str(refused.value)
    assert Path(str(refused.value.file)).name == "bad.yaml"
    assert refused.value.line == line_of(line)


@pytest.mark.parametrize(
    ("code", "files", "reason"),
    [
        (
            '{t}.order_by({k:str}).to_csv("/tmp/x.csv")',
            True,
            "a file here has a plain name, not '/tmp/x.csv'",
        ),
        ('{t}.order_by({k:str}).to_csv("x.csv")', False, "'to_csv' leaves the expression"),
        ("open({k:str})", True, "unknown name 'open'"),
    ],
)
def test_code_that_does_what_it_may_not_is_an_error_of_the_template(
    write, databases: dict[str, Database], code: str, files: bool, reason: str
) -> None:
    before, rest = GOOD.split("  code_example:", 1)
    _, exchanges = rest.split("LIMIT 3\n", 1)
    template = write(f"{before}  files: {str(files).lower()}\n  code_example: '{code}'\n{exchanges}")
    with pytest.raises(InputError) as refused:
        prove(template, databases["webshop"])
    assert reason in str(refused.value)
    assert refused.value.line == len(before.splitlines()) + 2
    assert Path(str(refused.value.file)).name == "bad.yaml"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (".head(3)", ".select(ibis.literal(1) / {k:str})", "code_fails"),
        ("LIMIT 3", "LIMIT 4", "sql_differs_in_row_count"),
        ("ORDER BY {k} LIMIT", "ORDER BY {k} DESC LIMIT", "sql_differs_in_values"),
        (".head(3)", ".head(0)", "empty_result"),
        (".order_by({k:str})", "", "depends_on_row_order"),
    ],
)
def test_code_that_is_not_proved_is_rejected_by_name(
    write, databases: dict[str, Database], old: str, new: str, reason: str
) -> None:
    with pytest.raises(Rejected) as rejected:
        prove(write(GOOD.replace(old, new)), databases["webshop"])
    assert rejected.value.reason == reason and rejected.value.detail


def run(code: str, database: Database, *tables: str) -> scratch.Outcome:
    return scratch.run(code, database, tables or ("orders",))


def test_examples_read_write_and_connect_in_a_scratch_folder_that_is_gone_afterwards(
    databases: dict[str, Database],
) -> None:
    shop, before = databases["webshop"], Path.cwd()
    there = set(before.iterdir())
    assert run('orders.to_parquet("out.parquet")', shop).files == ("out.parquet",)
    for code in (
        'ibis.read_csv("orders.csv").count()',
        'ibis.read_parquet("orders.parquet").order_id.max()',
        'ibis.read_json("orders.json").limit(2)',
        'con = ibis.duckdb.connect("shop.duckdb")\ncon.table("orders").count().execute()',
    ):
        run(code, shop)
    assert Path.cwd() == before and set(before.iterdir()) == there


def test_examples_leave_the_options_of_ibis_as_they_were(databases: dict[str, Database]) -> None:
    before = repr(ibis.options)
    code = "ibis.options.interactive = True\nibis.set_backend(ibis.duckdb.connect())\norders.count()"
    run(code, databases["webshop"])
    assert repr(ibis.options) == before
    with pytest.raises(SignatureValidationError, match="nonsense"):
        run("ibis.options.interactive = True\norders.amount.cast('nonsense')", databases["webshop"])
    assert repr(ibis.options) == before


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("orders.filter(orders.order_id < 0)", scratch.NothingCame),
        ("orders.order_id.max().nullif(orders.order_id.max()).execute()", scratch.NothingCame),
        ("print(1)", scratch.NothingCame),
        ('ibis.read_csv("../orders.csv")', ForbiddenCode),
        ('ibis.read_parquet("https://example.org/x.parquet")', ForbiddenCode),
        ("import os\norders", ForbiddenCode),
        ("while True: orders", ForbiddenCode),
    ],
)
def test_examples_that_give_nothing_or_do_what_they_may_not_are_refused(
    databases: dict[str, Database], code: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        run(code, databases["webshop"])


def test_a_statement_that_takes_too_long_is_stopped(
    databases: dict[str, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "TIME_LIMIT", 0.2)
    joined = "orders.select(k=1)" + "".join(f".cross_join(orders.select(k{i}=1))" for i in range(6))
    with pytest.raises(Exception, match=r"(?i)time limit|interrupt"):
        run(f"{joined}.count().execute()", databases["webshop"])
