"""Q&A: a question as people ask it, and an answer that a maintainer of Ibis would sign.

The names and defaults that an answer states are checked against the installed Ibis when the template is read.
The code example is run for every record, and compared with SQL where the template says what it should give.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar, Literal

import ibis.expr.types as ir
from pydantic import Field, ValidationInfo, field_validator, model_validator

from ibert_builder.errors import ForbiddenCode, InputError
from ibert_builder.execution import scratch as workshop
from ibert_builder.execution.engine import CodeFails, Engine
from ibert_builder.execution.proofs import Rejected, run_query
from ibert_builder.execution.results import Result, difference, orders_result
from ibert_builder.ibis_api.claims import Claim
from ibert_builder.ibis_api.mentions import check_names
from ibert_builder.tasks.base import Draft, Record, Setting, Task
from ibert_builder.tasks.fields import TextField
from ibert_builder.templating.frames import Language
from ibert_builder.templating.layout import layout
from ibert_builder.templating.sampler import Sampler
from ibert_builder.templating.templates import Template, TemplateSpec, bind
from ibert_builder.templating.values import Style, TableValue, render_frame

Topic = Literal[
    "basic_operations", "filtering", "sorting", "aggregation", "joins", "windows", "dates_times", "strings",
    "nulls", "nested_types", "selectors", "reshaping", "set_operations", "conditionals", "casting",
    "reading_writing", "backends", "execution", "sql_interop", "udfs", "performance", "from_pandas",
    "from_sql", "from_dplyr", "versions",
]  # fmt: skip

LONGEST_ANSWER = 700  # characters, slots included
FEWEST_QUESTIONS, FEWEST_WITHOUT_TABLES = 3, 6

_DEFAULT = re.compile(r"\bdefaults?\b", re.I)
_SLOT = re.compile(r"(?<!\{)\{([a-z_][a-z0-9_]*)")
_QUOTED = re.compile(r"`[^`]*`")


class QaTemplate(TemplateSpec):
    """A question in several phrasings, its answer and, unless it is about an idea, the code that shows it.

    The answer may put in backticks what `api_text` knows; other things go into `foreign`. What it calls a
    default must be backed by a claim.
    """

    topic: Topic
    questions: list[str] = Field(description="English; those about tables name something of the record's own")
    code_example: str | None = Field(None, description="Ibis; one call of a chain a line; ends in the result")
    sql: str | None = Field(None, description="DuckDB SQL whose result the code example must give")
    files: bool = Field(False, description="the code reads, writes, connects or executes")
    claims: list[Claim] = Field([], description="what the answer says about signatures")
    foreign: list[str] = Field([], description="backticked pieces of the answer that are no part of Ibis")
    answer: str = Field(max_length=LONGEST_ANSWER, description="English, one to four sentences")

    languages: ClassVar[Mapping[str, Language]] = {
        "questions": "en", "answer": "en", "code_example": "ibis", "sql": "sql",
    }  # fmt: skip

    @field_validator("questions")
    @classmethod
    def _enough_questions(cls, questions: list[str], info: ValidationInfo) -> list[str]:
        tables = info.data.get("tables")
        fewest = FEWEST_QUESTIONS if tables else FEWEST_WITHOUT_TABLES
        if len(set(questions)) < fewest:
            raise ValueError(f"expected at least {fewest} different questions, found {len(set(questions))}")
        choices = {name for name, slot in info.data.get("slots", {}).items() if isinstance(slot, list)}
        for question in questions if tables else ():
            if not set(_SLOT.findall(question)) - choices:
                raise ValueError(f"it would ask the same of every database: {question}")
        return questions

    @field_validator("answer")
    @classmethod
    def _true_of_ibis(cls, answer: str, info: ValidationInfo) -> str:
        claims, foreign = info.data.get("claims", ()), info.data.get("foreign", ())
        if _DEFAULT.search(_QUOTED.sub("", answer)) and not any(claim.is_about_a_default for claim in claims):
            raise ValueError("it speaks of a default, and no claim says which")
        try:
            check_names(answer, info.data.get("code_example"), foreign, [claim.of for claim in claims])
        except SyntaxError as error:
            raise ValueError(f"the code example does not parse: {error.msg}") from None
        return answer

    @model_validator(mode="after")
    def _sql_has_code(self) -> QaTemplate:
        if self.sql is not None and self.code_example is None:
            raise ValueError("there is `sql` and no `code_example` to compare with it")
        return self


class Qa(Task):
    name = "qa"
    system_prompt = "Answer questions about Ibis clearly and concisely."
    template = QaTemplate
    examples = 10
    input = {"question": TextField("prose")}
    target = {"answer": TextField("prose"), "code_example": TextField("ibis", optional=True)}
    meta = {"topic": TextField("label")}

    def most(self, template: Template) -> int | None:
        """A template without tables has as many drafts as questions."""
        return None if template.tables else len(template.frames["questions"])

    def expand(self, template: Template, setting: Setting) -> Draft:
        questions = template.frames["questions"]
        index = setting.rng.randrange(len(questions)) if template.tables else setting.index % len(questions)
        bound = bind(template, Sampler(setting.database, setting.engine, setting.phrasebook, setting.rng))
        texts = {
            "question": _prose(render_frame(questions[index], bound)),
            "answer": _prose(render_frame(template.frames["answer"][0], bound)),
        }
        code = [layout(render_frame(frame, bound)) for frame in template.frames["code_example"]]
        style = Style(qualify=len(template.tables) > 1)
        for frame in template.frames["sql"]:
            texts["sql"] = render_frame(frame, bound, style)
        # Text without code is a skeleton of its own; the brackets keep its name from being masked.
        known_by = code[0] if code else f"{template.name}()"
        return Draft(template, setting.database, bound, texts["question"], known_by, texts)

    def prove(self, draft: Draft, engine: Engine) -> Record:
        spec = draft.template.spec
        assert isinstance(spec, QaTemplate)
        code = None
        if spec.code_example is not None:
            code = draft.code
            try:
                (_prove_in_workshop if spec.files else _prove_on_engine)(draft, engine)
            except (SyntaxError, ForbiddenCode) as error:
                raise draft.template.error(f"{error}\n{code}", "code_example") from error
        return {
            "input": {"question": draft.texts["question"]},
            "target": {"answer": draft.texts["answer"], "code_example": code},
            "meta": {"topic": spec.topic},
        }

    def recheck(self, record: Record, engine: Engine) -> None:
        code, tables = record["target"]["code_example"], tuple(record["context"]["tables"])
        if code is None:
            return
        try:
            sql = engine.to_sql(code)
        except CodeFails:  # code that reads, writes or executes
            workshop.run(code, engine.database, tables)
        else:
            run_query(engine, sql, orders_result(sql))

    def question(self, record: Record) -> str:
        return record["input"]["question"]

    def answer(self, record: Record) -> str:
        parts = (record["target"]["answer"], record["target"]["code_example"])
        return "\n\n".join(part for part in parts if part is not None)


def _prove_on_engine(draft: Draft, engine: Engine) -> None:
    try:
        expression = engine.evaluate(draft.code)
        if not isinstance(expression, ir.Expr):
            raise Rejected("not_an_expression", draft.code)
        compiled = engine.compile(expression)
    except (SyntaxError, ForbiddenCode, Rejected):
        raise
    except Exception as error:  # Ibis raises whatever it meets
        raise Rejected("code_fails", f"{type(error).__name__}: {error}\n{draft.code}") from error
    found = run_query(engine, compiled, _is_ordered(draft) or "ORDER BY" in compiled)
    _compare_with_sql(draft, engine, found)


def _prove_in_workshop(draft: Draft, engine: Engine) -> None:
    tables = {value.table.name: None for value in draft.bound.values() if isinstance(value, TableValue)}
    try:
        outcome = workshop.run(draft.code, draft.database, tuple(tables))
    except (SyntaxError, ForbiddenCode, InputError):
        raise
    except workshop.NothingCame as nothing:
        raise Rejected("empty_result", f"{nothing}\n{draft.code}") from nothing
    except Exception as error:
        raise Rejected("code_fails", f"{type(error).__name__}: {error}\n{draft.code}") from error
    if "sql" in draft.texts and outcome.table is None:
        raise draft.template.error("the code example gives no table that could be compared with it", "sql")
    if outcome.table is not None:
        _compare_with_sql(draft, engine, outcome.table)


def _compare_with_sql(draft: Draft, engine: Engine, found: Result) -> None:
    if "sql" not in draft.texts:
        return
    sql = draft.texts["sql"]
    expected = run_query(engine, sql, _is_ordered(draft))
    if not found.types:  # values that came back through Arrow or pandas have types of their own
        rows = [tuple(str(v) if isinstance(v, uuid.UUID) else v for v in row) for row in expected.rows]
        expected = replace(expected, types=(), rows=rows)
    if different := difference(expected, found, _is_ordered(draft)):
        shown = "\n".join(f"{r.columns} {r.types} {r.rows[:3]}" for r in (expected, found))
        raise Rejected(f"sql_differs_in_{different}", f"{sql}\n{draft.code}\n{shown}")


def _is_ordered(draft: Draft) -> bool:
    frames = draft.template.frames["sql"]
    return bool(frames) and frames[0].is_ordered


def _prose(text: str) -> str:
    return " ".join(text.split())
