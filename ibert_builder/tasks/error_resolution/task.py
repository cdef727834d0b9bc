"""Error resolution: Ibis code with one mistake in it and what it led to, and the smallest edit that mends it.

The mistake is run for real. Where it raises, the message in the record is the one that was caught; where it
only gives a wrong result, the record says how that differs from the right one.
"""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Mapping
from typing import Any, ClassVar

import duckdb
import ibis.expr.types as ir
import sqlglot
from ibis.common.exceptions import IbisError
from pydantic import Field, field_validator, model_validator
from sqlglot import exp

from ibert_builder.databases.row_sets import FULL
from ibert_builder.errors import ForbiddenCode, unknown
from ibert_builder.execution.engine import Engine
from ibert_builder.execution.proofs import Rejected, run_query
from ibert_builder.execution.results import Result, difference, orders_result
from ibert_builder.sandbox.policy import MISTAKEN
from ibert_builder.tasks.base import Draft, Record, Setting, Task
from ibert_builder.tasks.error_resolution.error_types import ERROR_TYPES
from ibert_builder.tasks.error_resolution.messages import contrast, message
from ibert_builder.tasks.error_resolution.mistakes import Mistakable, laid_out_alike, render_broken
from ibert_builder.tasks.fields import TextField
from ibert_builder.templating.frames import Language
from ibert_builder.templating.sampler import Sampler
from ibert_builder.templating.templates import Template, TemplateSpec, bind
from ibert_builder.templating.values import Style, render_frame

Wordings = str | list[str]  # one text, or several of which one is drawn

# What code can fail with, wherever in building, compiling or running its query.
FAILURES = (
    SyntaxError, NameError, TypeError, AttributeError, ValueError, LookupError, IbisError, duckdb.Error,
)  # fmt: skip

SIMILARITY = 0.6  # of the broken code and its fix, as difflib measures it


class ErrorResolutionTemplate(TemplateSpec):
    """Correct Ibis code, the same code with one mistake, and why that is a mistake.

    `broken` and the English texts know the specs of `Mistakable` besides the usual ones.
    """

    error_type: str = Field(description="one of ERROR_TYPES")
    code: str = Field(description="canonical Ibis, correct; one call of a chain a line; ends in the result")
    broken: str = Field(description="the same code with the mistake; it need not even be Python")
    raises: str | None = Field(description="the name of the exception it raises; null for a logical error")
    context_info: Wordings | None = Field(None, description="English: what helps to see the mistake")
    expectation: Wordings | None = Field(None, description="English, for logical errors: what is wanted")
    explanation: Wordings = Field(description="English, one or two sentences: what was wrong, what changed")
    sql: str | None = Field(None, description="DuckDB SQL that gives what the correct code gives")

    # `broken` is text here, so that its slots are checked but not its syntax.
    languages: ClassVar[Mapping[str, Language]] = {
        "code": "ibis", "broken": "en", "sql": "sql",
        "context_info": "en", "expectation": "en", "explanation": "en",
    }  # fmt: skip

    @field_validator("error_type")
    @classmethod
    def _known_kind(cls, kind: str) -> str:
        if kind not in ERROR_TYPES:
            raise ValueError(unknown("error type", kind, ERROR_TYPES))
        return kind

    @model_validator(mode="after")
    def _says_what_is_needed(self) -> ErrorResolutionTemplate:
        if self.raises is None and self.expectation is None:
            raise ValueError("a logical error (`raises: null`) needs an `expectation`")
        if self.raises is not None and self.expectation is not None:
            raise ValueError("an `expectation` is for logical errors; here it belongs in `context_info`")
        if self.code.strip() == self.broken.strip():
            raise ValueError("`broken` is the same as `code`")
        return self


class ErrorResolution(Task):
    name = "error_resolution"
    system_prompt = "Fix the compilation or type error in the Ibis code."
    template = ErrorResolutionTemplate
    examples = 10
    input = {
        "broken_code": TextField("python"),
        "error": TextField("message", optional=True),
        "context_info": TextField("prose", optional=True),
    }
    target = {"fixed_code": TextField("ibis"), "explanation": TextField("prose")}
    meta = {"error_type": TextField("label")}

    def expand(self, template: Template, setting: Setting) -> Draft:
        rng = setting.rng
        bound = bind(template, Sampler(setting.database, setting.engine, setting.phrasebook, rng))
        mistakable = {name: Mistakable(value) for name, value in bound.items()}
        broken = render_broken(template.frames["broken"][0], mistakable)
        fixed, broken = laid_out_alike(render_frame(template.frames["code"][0], bound), broken)
        texts: dict[str, Any] = {"broken": broken, "wording": rng.random()}
        for field in ("context_info", "expectation", "explanation"):
            frames = template.frames[field]
            texts[field] = _sentence(render_frame(rng.choice(frames), mistakable)) if frames else None
        if reference := template.frames["sql"]:
            texts["sql"] = render_frame(reference[0], bound, Style(qualify=True))
        key = broken if texts["expectation"] is None else f"{broken}\n{texts['expectation']}"
        return Draft(template, setting.database, bound, key, fixed, texts)

    def prove(self, draft: Draft, engine: Engine) -> Record:
        spec, broken = draft.template.spec, draft.texts["broken"]
        assert isinstance(spec, ErrorResolutionTemplate)
        alike = difflib.SequenceMatcher(None, broken, draft.code, autojunk=False).ratio()
        if not SIMILARITY <= alike < 1:
            wanted = f"{alike:.2f} alike (expected {SIMILARITY} or more, below 1)"
            raise Rejected("not_a_small_edit", f"{wanted}\n{broken}\n{draft.code}")
        sql, ordered, expected = _run_fixed(draft, engine)
        error, info = None, draft.texts["context_info"]
        if spec.raises is None:
            found = _run_mistake(broken, sql, expected, ordered, engine)
            outcome = contrast(expected, found, ordered, draft.texts["wording"])
            info = " ".join(filter(None, (info, draft.texts["expectation"], outcome)))
        else:
            error = _raise_mistake(broken, spec.raises, engine)
        return {
            "input": {"broken_code": broken, "error": error, "context_info": info},
            "target": {"fixed_code": draft.code, "explanation": draft.texts["explanation"]},
            "meta": {"error_type": spec.error_type},
        }

    def recheck(self, record: Record, engine: Engine) -> None:
        broken, error = record["input"]["broken_code"], record["input"]["error"]
        fixed = engine.to_sql(record["target"]["fixed_code"])
        ordered = orders_result(fixed)
        expected = run_query(engine, fixed, ordered)
        if error is None:
            _run_mistake(broken, fixed, expected, ordered, engine)
        elif (found := _raise_mistake(broken, error.partition(":")[0], engine)) != error:
            raise Rejected("raises_another_error", f"{found}\n{broken}")

    def has_silent_mistake(self, record: Record) -> bool:
        return record["input"]["error"] is None

    def question(self, record: Record) -> str:
        given = record["input"]
        parts = [f"Code:\n{given['broken_code']}"]
        if given["error"] is not None:
            parts.append(f"Error:\n{given['error']}")
        if given["context_info"] is not None:
            parts.append(f"Context:\n{given['context_info']}")
        return "\n\n".join(parts)

    def answer(self, record: Record) -> str:
        return f"{record['target']['fixed_code']}\n\n{record['target']['explanation']}"


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text[0].upper() + text[1:]


def _run_fixed(draft: Draft, engine: Engine) -> tuple[str, bool, Result]:
    """The SQL of the fixed code, whether it orders its rows, and its result.

    Raises:
        Rejected: the fix fails, warns of deprecation, gives nothing, or is not what the reference SQL gives.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)
            expression = engine.evaluate(draft.code)
            if not isinstance(expression, ir.Expr):
                raise Rejected("not_an_expression", draft.code)
            sql = engine.compile(expression)
    except (*FAILURES, FutureWarning) as error:
        raise Rejected("fix_fails", f"{type(error).__name__}: {error}\n{draft.code}") from error
    query = sqlglot.parse_one(sql, read="duckdb")
    ordered = isinstance(query, exp.Query) and query.args.get("order") is not None
    try:
        result = run_query(engine, sql, ordered)
    except Rejected as rejected:
        reason = "fix_fails" if rejected.reason == "sql_fails" else rejected.reason
        raise Rejected(reason, f"{rejected.detail}\n{draft.code}") from rejected
    if reference := draft.texts.get("sql"):
        by_order = draft.template.frames["sql"][0].is_ordered
        if different := difference(run_query(engine, reference, by_order), result, by_order):
            raise Rejected(f"fix_differs_from_sql_in_{different}", f"{reference}\n{draft.code}")
    return sql, ordered, result


def _raise_mistake(code: str, wanted: str, engine: Engine) -> str:
    """Run code that is to raise an exception of class `wanted`, and give its message.

    Raises:
        Rejected: it raises another one or none, or is not allowed to run.
    """
    try:
        engine.run_sql(_compile_mistake(code, engine))
    except Rejected:
        raise
    except ForbiddenCode as error:
        raise Rejected("forbidden_code", f"{error}\n{code}") from error
    except Exception as error:
        if type(error).__name__ != wanted:
            found = message(error)
            raise Rejected("raises_another_error", f"expected {wanted}, found {found}\n{code}") from error
        return message(error)
    raise Rejected("raises_nothing", f"expected {wanted}\n{code}")


def _compile_mistake(code: str, engine: Engine) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expression = engine.evaluate(code, MISTAKEN)
        if not isinstance(expression, ir.Expr):
            raise Rejected("not_an_expression", f"{type(expression).__name__}\n{code}")
        return engine.compile(expression)


def _run_mistake(code: str, fixed_sql: str, expected: Result, ordered: bool, engine: Engine) -> Result:
    """Run code with a logical error; `expected` is what the fixed code gives, whose query is `fixed_sql`.

    Raises:
        Rejected: it fails, gives the same result, or what it gives is an accident of the tables' row order.
    """
    try:
        sql = _compile_mistake(code, engine)
        found = engine.run_sql(sql)
    except FAILURES as error:
        raise Rejected("logical_error_raises", f"{message(error)}\n{code}") from error
    # Both must hold their ground with the rows reversed, or the difference could be an accident.
    differs_reversed = engine.depends_on_row_order(sql, expected, ordered)
    if difference(expected, found, ordered) is None or not differs_reversed:
        raise Rejected("same_result", code)
    for rows in FULL:
        if not _differ(fixed_sql, sql, ordered, engine, rows):
            raise Rejected("same_result", f"on row set {rows}\n{code}")
    for query, result in ((fixed_sql, expected), (sql, found)):
        if engine.depends_on_row_order(query, result, ordered):
            raise Rejected("depends_on_row_order", f"{query}\n{code}")
    return found


def _differ(fixed: str, broken: str, ordered: bool, engine: Engine, rows: int) -> bool:
    """Whether a mistake shows on a row set, if only in that one of the two queries cannot run on its rows."""
    try:
        return difference(engine.run_sql(fixed, rows), engine.run_sql(broken, rows), ordered) is not None
    except duckdb.Error:
        return True
