"""Q&A: what an answer says is checked against the installed Ibis, and every code example runs."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import ibis
import pytest
from ibis.common.annotations import SignatureValidationError

from ibert_builder.databases.model import Database
from ibert_builder.errors import ForbiddenCode, InputError
from ibert_builder.execution import scratch
from ibert_builder.execution.proofs import Rejected
from ibert_builder.sandbox import limits
from ibert_builder.tasks.base import Record
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
  questions: ["First rows of {t:code}?", "head of {t:code}", "Show some {t:code}"]
  claims: [{of: Table.head, parameter: n, default: 5}]
  answer: Use `head()`, which gives 5 rows by default.
  code_example: "{t}.order_by({k:str}).head(3)"
  sql: SELECT * FROM {t} ORDER BY {k} LIMIT 3
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


def test_a_conceptual_answer_has_no_code_and_asks_each_question_once(databases: dict[str, Database]) -> None:
    template = next(t for t in TEMPLATES if not t.tables and not t.frames["code_example"])
    most = QA.most(template)
    assert most == len(template.frames["questions"])
    records = [prove(template, databases["webshop"], index=index) for index in range(most)]
    assert len({record["input"]["question"] for record in records}) == most
    assert len({record["meta"]["skeleton"] for record in records}) == 1
    assert all(
        record["target"]["code_example"] is None and not record["context"]["tables"] for record in records
    )
    assert all(record["messages"][2]["content"] == record["target"]["answer"] for record in records)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_every_template_gives_complete_examples(template: Template) -> None:
    for _, record in examples(QA, template):
        assert record["input"]["question"] and record["target"]["answer"][-1] in ".`?"
        assert "{" not in record["input"]["question"].replace("{name}", "")


def test_no_two_templates_ask_the_same_question() -> None:
    questions = [frame.text.lower() for template in TEMPLATES for frame in template.frames["questions"]]
    assert len(set(questions)) == len(questions)


def test_there_are_enough_templates_of_every_kind() -> None:
    assert len(TEMPLATES) >= 60
    assert {t.spec.difficulty for t in TEMPLATES} == {"easy", "medium", "hard"}
    assert 0.1 < sum(not t.frames["code_example"] for t in TEMPLATES) / len(TEMPLATES) < 0.3


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("`head()`", "`heads()`", "answer:", "unknown name 'heads', did you mean 'head'"),
        ("`head()`", "`Table.hed`", "answer:", "did you mean 'head'"),
        ("`head()`", "`head(rows=3)`", "answer:", "takes an argument 'rows'"),
        ("`head()`", "`fillna()`", "answer:", "unknown name 'fillna'"),
        ("`head()`", "`head()", "answer:", "nothing closes it"),
        ("default: 5}", "default: 10}", "claims:", "the default of 'n' in Table.head is 5, not 10"),
        ("parameter: n", "parameter: m", "claims:", "unknown parameter of Table.head 'm'"),
        ("of: Table.head", "of: Table.top", "claims:", "unknown name in Table 'top'"),
        (
            "parameter: n, default: 5",
            "parameters: [n, offset]",
            "claims:",
            "the parameters of Table.head are ['n']",
        ),
        ("  claims: [{of: Table.head, parameter: n, default: 5}]\n", "", "answer:", "speaks of a default"),
        ('"Show some {t:code}"', '"Show some rows"', "questions:", "it would ask the same"),
        (', "Show some {t:code}"', "", "questions:", "at least 3 different questions"),
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
    shift = 1 if line == "answer:" and "claims:" in old else 0
    assert refused.value.line == line_of(line) - shift


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
    text = "\n".join(line for line in GOOD.splitlines() if not line.startswith(("  sql:", "  code_example:")))
    template = write(f"{text}\n  files: {str(files).lower()}\n  code_example: '{code}'\n")
    with pytest.raises(InputError) as refused:
        prove(template, databases["webshop"])
    assert reason in str(refused.value)
    assert (
        refused.value.line == len(text.splitlines()) + 2 and Path(str(refused.value.file)).name == "bad.yaml"
    )


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
