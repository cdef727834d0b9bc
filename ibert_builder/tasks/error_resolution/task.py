"""Error resolution: Ibis code with one mistake in it, what that led to, and the smallest edit that fixes it.

The mistake is run for real. Where it raises, the message in the record is the one that was caught; where it
only gives a wrong result, the record says how that differs from the right one.
"""

from __future__ import annotations

import difflib
import warnings
from dataclasses import dataclass

import duckdb

from ibert_builder.databases.row_sets import FULL
from ibert_builder.errors import ForbiddenCode
from ibert_builder.execution.engine import Engine
from ibert_builder.execution.proofs import Rejected, run_on_every_row_set, run_query, to_query
from ibert_builder.execution.results import Result, difference, is_ordered, same_rows
from ibert_builder.sandbox.policy import MISTAKEN
from ibert_builder.tasks.base import Record, Task
from ibert_builder.tasks.drafts import Draft, Proved, Setting
from ibert_builder.tasks.error_resolution.messages import contrast, message
from ibert_builder.tasks.error_resolution.mistakes import Mistakable, laid_out_alike, render_broken
from ibert_builder.tasks.error_resolution.template import ErrorResolutionTemplate
from ibert_builder.tasks.facts import prove_facts
from ibert_builder.tasks.fields import TextField
from ibert_builder.templating.rendering import render_frame
from ibert_builder.templating.templates import Template
from ibert_builder.templating.values import Style

SIMILARITY = 0.6  # of the broken code and its fix, as difflib measures it


@dataclass(frozen=True, kw_only=True)
class Mistake(Draft):
    """Correct code, and the same code with a mistake.

    Attributes:
        expectation: of logical errors: what is wanted.
        sql: that gives what the correct code gives, where the template has it.
        facts: that the texts claim besides.
        wording: of [0, 1), picks how a wrong result is told.
    """

    broken: str
    context_info: str | None
    expectation: str | None
    explanation: str | None
    sql: str | None
    facts: tuple[str, ...]
    wording: float


class ErrorResolution(Task[Mistake]):
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

    def expand(self, template: Template, setting: Setting) -> Mistake:
        rng = setting.rng
        bound = setting.bind(template)
        mistakable = {name: Mistakable(value) for name, value in bound.items()}
        broken = render_broken(template.frames["broken"][0], mistakable)
        fixed, broken = laid_out_alike(render_frame(template.frames["code"][0], bound), broken)
        wording = rng.random()

        def drawn(field: str) -> str | None:
            frames = template.frames[field]
            return _sentence(render_frame(rng.choice(frames), mistakable)) if frames else None

        context_info, expectation, explanation = map(drawn, ("context_info", "expectation", "explanation"))
        sql = [render_frame(frame, bound, Style(qualify=True)) for frame in template.frames["sql"]]
        return Mistake(
            template=template, database=setting.database, bound=bound,
            key=broken if expectation is None else f"{broken}\n{expectation}", code=fixed,
            broken=broken, context_info=context_info, expectation=expectation, explanation=explanation,
            sql=sql[0] if sql else None, wording=wording,
            facts=tuple(render_frame(frame, bound) for frame in template.frames["facts"]),
        )  # fmt: skip

    def prove(self, draft: Mistake, engine: Engine) -> Proved:
        spec, broken = draft.template.spec, draft.broken
        assert isinstance(spec, ErrorResolutionTemplate)
        alike = difflib.SequenceMatcher(None, broken, draft.code, autojunk=False).ratio()
        if not SIMILARITY <= alike < 1:
            wanted = f"{alike:.2f} alike (expected {SIMILARITY} or more, below 1)"
            raise Rejected("not_a_small_edit", f"{wanted}\n{broken}\n{draft.code}")
        sql, expected = _run_fixed(draft, engine)
        error, info = None, draft.context_info
        if spec.raises is None:
            found = _run_mistake(broken, sql, expected, engine)
            if found.columns == expected.columns and same_rows(expected.rows, found.rows, is_ordered(sql)):
                raise Rejected("same_result", f"only the types differ\n{broken}")
            outcome = contrast(expected, found, is_ordered(sql), draft.wording)
            info = " ".join(filter(None, (info, draft.expectation, outcome)))
        else:
            error = _raise_mistake(broken, spec.raises, engine)
        prove_facts(draft.facts, engine)
        return Proved(
            {"broken_code": broken, "error": error, "context_info": info},
            {"fixed_code": draft.code, "explanation": draft.explanation},
            {"error_type": spec.error_type},
        )

    def recheck(self, record: Record, engine: Engine) -> None:
        broken, error = record["input"]["broken_code"], record["input"]["error"]
        fixed = to_query(engine, record["target"]["fixed_code"])
        expected = run_on_every_row_set(engine, fixed)
        if error is None:
            _run_mistake(broken, fixed, expected, engine)
            return
        wanted = error.partition(":")[0]
        if (found := _raise_mistake(broken, wanted, engine)) != error:
            raise Rejected("raises_another_error", f"{found}\n{broken}")
        for rows in FULL[1:]:  # the wording of an error may depend on values, but not its class
            _raise_mistake(broken, wanted, engine, rows)

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


def _run_fixed(draft: Mistake, engine: Engine) -> tuple[str, Result]:
    """The SQL of the fixed code, and its result.

    Raises:
        Rejected: the fix fails, warns of deprecation, gives nothing, or is not what the reference SQL gives.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        sql = to_query(engine, draft.code, reason="fix_fails")
    result = run_query(engine, sql, reason="fix_fails")
    if draft.sql is not None:
        expected = run_query(engine, draft.sql)
        if different := difference(expected, result, is_ordered(draft.sql)):
            raise Rejected(f"fix_differs_from_sql_in_{different}", f"{draft.sql}\n{draft.code}")
    return sql, result


def _raise_mistake(code: str, wanted: str, engine: Engine, rows: int = 0) -> str:
    """Run code that must raise an exception of class `wanted`, and return its message.

    Raises:
        Rejected: it raises another one or none, or is not allowed to run.
    """
    try:
        engine.run_sql(_compile_mistake(code, engine), rows)
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
    """The SQL of code with a mistake; whatever Ibis raises propagates."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return to_query(engine, code, rules=MISTAKEN, let_through=(Exception,))


def _run_mistake(code: str, fixed_sql: str, expected: Result, engine: Engine) -> Result:
    """Run code with a logical error; `expected` is what the fixed code gives, whose query is `fixed_sql`.

    Raises:
        Rejected: it fails, gives the same result, or what it gives is an accident of the tables' row order.
    """
    ordered = is_ordered(fixed_sql)
    try:
        sql = _compile_mistake(code, engine)
        found = engine.run_sql(sql)
    except Rejected:
        raise
    except Exception as error:
        raise Rejected("logical_error_raises", f"{message(error)}\n{code}") from error
    # Both results must hold with the rows reversed, or the difference could be an accident.
    differs_reversed = engine.depends_on_row_order(sql, expected, ordered)
    if difference(expected, found, ordered) is None or not differs_reversed or _equal(expected, found):
        raise Rejected("same_result", code)
    for rows in FULL:
        if not _differ(fixed_sql, sql, ordered, engine, rows):
            raise Rejected("same_result", f"on row set {rows}\n{code}")
    for query, result in ((fixed_sql, expected), (sql, found)):
        if engine.depends_on_row_order(query, result, ordered):
            raise Rejected("depends_on_row_order", f"{query}\n{code}")
    return found


def _equal(expected: Result, found: Result) -> bool:
    """Whether two results differ in types only: a share of 1.0 reads like one of 1."""
    columns, rows = expected.columns == found.columns, len(expected.rows) == len(found.rows)
    return columns and rows and all(row in found.rows for row in expected.rows)


def _differ(fixed: str, broken: str, ordered: bool, engine: Engine, rows: int) -> bool:
    """Whether a mistake shows on a row set; it does, too, if one of the two queries fails there."""
    try:
        return difference(engine.run_sql(fixed, rows), engine.run_sql(broken, rows), ordered) is not None
    except duckdb.Error:
        return True
