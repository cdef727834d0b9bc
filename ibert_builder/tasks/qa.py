"""Q&A: a question as people ask it, and an answer that a maintainer of Ibis would sign.

The names and defaults that an answer states are checked against the installed Ibis when the template is read.
The code example is run for every record, and compared with SQL where the template says what it should give.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from ibert_builder.databases.model import Database
from ibert_builder.databases.row_sets import FULL, row_set
from ibert_builder.errors import ForbiddenCode, InputError
from ibert_builder.execution import scratch
from ibert_builder.execution.engine import Engine
from ibert_builder.execution.proofs import Rejected, rejecting, run_on_every_row_set, run_query, to_query
from ibert_builder.execution.results import Result, difference, is_ordered
from ibert_builder.ibis_api.claims import Claim
from ibert_builder.ibis_api.mentions import check_names
from ibert_builder.tasks.base import Record, Task
from ibert_builder.tasks.drafts import Draft, Proved, Setting
from ibert_builder.tasks.fields import TextField
from ibert_builder.templating.frames import Language
from ibert_builder.templating.layout import layout
from ibert_builder.templating.rendering import render_frame
from ibert_builder.templating.templates import Template, TemplateSpec
from ibert_builder.templating.values import Style

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
    """A question in several wordings, its answer and, unless it is conceptual, code that shows it.

    The answer may put in backticks what `api_text` knows; other things go into `foreign`. What it calls a
    default must be backed by a claim.
    """

    topic: Topic
    questions: list[str] = Field(description="English; those about tables name something of the record's own")
    code_example: str | None = Field(None, description="Ibis; one call of a chain a line; ends in the result")
    sql: str | None = Field(None, description="DuckDB SQL whose result the code example must give")
    files: bool = Field(False, description="the code reads, writes, connects or executes")
    claims: list[Claim] = Field([], description="what the answer says about signatures")
    foreign: list[str] = Field([], description="pieces of the answer in backticks that are not part of Ibis")
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


@dataclass(frozen=True, kw_only=True)
class Question(Draft):
    """A question, its answer, code that shows it, and SQL that must give the same result as the code."""

    question: str
    answer: str
    example: str | None
    sql: str | None


class Qa(Task[Question]):
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

    def expand(self, template: Template, setting: Setting) -> Question:
        questions = template.frames["questions"]
        index = setting.rng.randrange(len(questions)) if template.tables else setting.index % len(questions)
        bound = setting.bind(template)
        question = _prose(render_frame(questions[index], bound))
        example = next((layout(render_frame(f, bound)) for f in template.frames["code_example"]), None)
        style = Style(qualify=len(template.tables) > 1)
        return Question(
            template=template, database=setting.database, bound=bound, key=question,
            # An answer without code is its own skeleton; the brackets keep the name from being masked.
            code=example or f"{template.name}()",
            question=question,
            answer=_prose(render_frame(template.frames["answer"][0], bound)),
            example=example,
            sql=next((render_frame(frame, bound, style) for frame in template.frames["sql"]), None),
        )  # fmt: skip

    def prove(self, draft: Question, engine: Engine) -> Proved:
        spec = draft.template.spec
        assert isinstance(spec, QaTemplate)
        if draft.example is not None:
            try:
                found = (
                    _run_with_files(draft.example, draft.database, draft.tables)
                    if spec.files
                    else _run_on_engine(draft.example, engine)
                )
            except (SyntaxError, ForbiddenCode) as error:
                raise draft.template.error(f"{error}\n{draft.example}", "code_example") from error
            if draft.sql is not None:
                _compare_with_sql(draft, draft.sql, engine, found)
        return Proved(
            {"question": draft.question},
            {"answer": draft.answer, "code_example": draft.example},
            {"topic": spec.topic},
        )

    def recheck(self, record: Record, engine: Engine) -> None:
        code, tables = record["target"]["code_example"], tuple(record["context"]["tables"])
        if code is None:
            return
        try:
            sql = to_query(engine, code)
        except Rejected:  # code that reads, writes or executes
            for rows in FULL:
                _run_with_files(code, row_set(engine.database, rows), tables)
        else:
            run_on_every_row_set(engine, sql)

    def question(self, record: Record) -> str:
        return record["input"]["question"]

    def answer(self, record: Record) -> str:
        parts = (record["target"]["answer"], record["target"]["code_example"])
        return "\n\n".join(part for part in parts if part is not None)


# These are mistakes in the template, not in one draft.
_OF_THE_TEMPLATE = (SyntaxError, ForbiddenCode)


def _run_on_engine(code: str, engine: Engine) -> Result:
    return run_query(engine, to_query(engine, code, reason="code_fails", let_through=_OF_THE_TEMPLATE))


def _run_with_files(code: str, database: Database, tables: tuple[str, ...]) -> Result | None:
    try:
        with rejecting("code_fails", code, (*_OF_THE_TEMPLATE, InputError, scratch.NothingCame)):
            return scratch.run(code, database, tables).table
    except scratch.NothingCame as nothing:
        raise Rejected("empty_result", f"{nothing}\n{code}") from nothing


def _compare_with_sql(draft: Question, sql: str, engine: Engine, found: Result | None) -> None:
    if found is None:
        raise draft.template.error("the code example gives no table that could be compared with it", "sql")
    expected = run_query(engine, sql)
    if not found.types:  # values that came back through Arrow or pandas have types of their own
        rows = [tuple(str(v) if isinstance(v, uuid.UUID) else v for v in row) for row in expected.rows]
        expected = replace(expected, types=(), rows=rows)
    if different := difference(expected, found, is_ordered(sql)):
        shown = "\n".join(f"{r.columns} {r.types} {r.rows[:3]}" for r in (expected, found))
        raise Rejected(f"sql_differs_in_{different}", f"{sql}\n{draft.code}\n{shown}")


def _prose(text: str) -> str:
    return " ".join(text.split())
