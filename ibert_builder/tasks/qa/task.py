"""Making and proving Q&A records.

The names and defaults that an answer states are checked against the installed Ibis when the template is read. What it says
about behaviour can be shown by snippets, which are run. The code example is run for every record, and compared with SQL
where the template says what it should give.
"""

from __future__ import annotations

import itertools
import uuid
from collections import Counter
from dataclasses import dataclass, replace

from ibert_builder.databases.model import Database, split_by_number
from ibert_builder.databases.row_sets import FULL, row_set
from ibert_builder.errors import ForbiddenCode, InputError
from ibert_builder.execution import scratch
from ibert_builder.execution.engine import Engine
from ibert_builder.execution.proofs import Rejected, rejecting, run_on_every_row_set, run_query, to_query
from ibert_builder.execution.results import Result, difference, is_ordered
from ibert_builder.tasks.base import Record, Task
from ibert_builder.tasks.drafts import Draft, Proved, Setting
from ibert_builder.tasks.fields import TextField
from ibert_builder.tasks.qa.shown import NotShown, check_shown
from ibert_builder.tasks.qa.template import QaTemplate
from ibert_builder.templating.layout import layout
from ibert_builder.templating.rendering import render_frame
from ibert_builder.templating.templates import Template
from ibert_builder.templating.values import CANONICAL, Style


@dataclass(frozen=True, kw_only=True)
class Question(Draft):
    """A question, its answer, code that shows it, and SQL that must give the same result as the code.

    `exchange` is the number of the template's exchange that it is one of.
    """

    exchange: int
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
        """Without tables, no split asks any of its questions twice."""
        if template.tables:
            return None
        asked: Counter[str] = Counter()
        for number in itertools.count():
            split = split_by_number(number)
            if asked[split] == len(_spec(template).asked_in(split)):
                return number
            asked[split] += 1
        return None

    def expand(self, template: Template, setting: Setting) -> Question:
        spec, split = _spec(template), setting.database.split
        asked = spec.asked_in(split)
        before = sum(split_by_number(number) == split for number in range(setting.index))
        number, wording = asked[before % len(asked)]
        exchange = spec.exchanges[number]
        bound = setting.bind(template)

        def written(key: str, text: str | None, style: Style = CANONICAL) -> str | None:
            if text is None:
                return None
            frame = next(frame for frame in template.frames[key] if frame.text == text.rstrip())
            return render_frame(frame, bound, style)

        example = written("code_example", exchange.code_example)
        example = layout(example) if example is not None else None
        question = _prose(str(written("questions", wording)))
        return Question(
            template=template, database=setting.database, bound=bound, key=question,
            # An answer without code is its own skeleton; the brackets keep the name from being masked.
            code=example or f"{template.name}_{number}()",
            exchange=number,
            question=question,
            answer=_prose(str(written("answer", exchange.answer))),
            example=example,
            sql=written("sql", exchange.sql, Style(qualify=len(template.tables) > 1)),
        )  # fmt: skip

    def prove(self, draft: Question, engine: Engine) -> Proved:
        spec = _spec(draft.template)
        for number, shown in enumerate(spec.exchanges[draft.exchange].shows):
            try:
                check_shown(shown)
            except NotShown as wrong:
                raise draft.template.error(
                    str(wrong), "exchanges", draft.exchange, "shows", number
                ) from wrong
        if draft.example is not None:
            try:
                found = (
                    _run_with_files(draft.example, draft.database, draft.tables)
                    if spec.files
                    else _run_on_engine(draft.example, engine)
                )
            except (SyntaxError, ForbiddenCode) as error:
                raise draft.template.error(
                    f"{error}\n{draft.example}", *spec.place_of(draft.exchange, "code_example")
                ) from error
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
        place = _spec(draft.template).place_of(draft.exchange, "sql")
        raise draft.template.error("the code example gives no table that could be compared with it", *place)
    expected = run_query(engine, sql)
    if not found.types:  # values that came back through Arrow or pandas have types of their own
        rows = [tuple(str(v) if isinstance(v, uuid.UUID) else v for v in row) for row in expected.rows]
        expected = replace(expected, types=(), rows=rows)
    if different := difference(expected, found, is_ordered(sql)):
        shown = "\n".join(f"{r.columns} {r.types} {r.rows[:3]}" for r in (expected, found))
        raise Rejected(f"sql_differs_in_{different}", f"{sql}\n{draft.code}\n{shown}")


def _prose(text: str) -> str:
    return " ".join(text.split())


def _spec(template: Template) -> QaTemplate:
    assert isinstance(template.spec, QaTemplate)
    return template.spec
