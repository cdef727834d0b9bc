"""Function documentation: a function over Ibis tables, and its docstring in the style asked for.

What the docstring says is filled from the same slots as the code, so that it says what the code does. The
function is run on the sample tables, and the docstring is put into it and read back by a real parser.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ibert_builder.errors import ForbiddenCode
from ibert_builder.execution.engine import Engine
from ibert_builder.execution.proofs import Rejected, run_on_every_row_set, run_query
from ibert_builder.sandbox.policy import FUNCTION
from ibert_builder.tasks.base import Record, Task
from ibert_builder.tasks.documentation.calls import (
    Call,
    mistyped_argument,
    program,
    query_of,
    raised_by,
    read_calls,
    write_calls,
)
from ibert_builder.tasks.documentation.checks import NEEDS, check, with_columns
from ibert_builder.tasks.documentation.columns import UnclearColumn, columns_read
from ibert_builder.tasks.documentation.docstrings import (
    INDENT,
    PROMPT,
    QUOTES,
    STYLES,
    WIDTH,
    DocstringError,
    Documented,
    fits_example,
    write,
)
from ibert_builder.tasks.documentation.functions import global_names, lay_out_function
from ibert_builder.tasks.documentation.signatures import Parameter, Signature, signature
from ibert_builder.tasks.documentation.template import DocumentationTemplate
from ibert_builder.tasks.drafts import Draft, Proved, Setting
from ibert_builder.tasks.facts import prove_facts
from ibert_builder.tasks.fields import TextField
from ibert_builder.templating.rendering import render_frame
from ibert_builder.templating.templates import Template

# Words that can only be names of columns, variables or functions; NAME is a placeholder for part of a name.
_NAMES = re.compile(r"\b[A-Za-z0-9]*(?:_[A-Za-z0-9]+)+\b")


_GIVEN = {"ibis", "_", "s", *FUNCTION.builtins}


WITH_EXAMPLES = 0.4  # of the drafts; in some of them no call fits


@dataclass(frozen=True, kw_only=True)
class FunctionDraft(Draft):
    """A function, the content and style of its docstring, calls that run or raise, and facts about what they give."""

    style: str
    signature: Signature
    documented: Documented
    calls: tuple[str, ...]
    fails: tuple[str, ...]
    facts: tuple[str, ...]


class Documentation(Task[FunctionDraft]):
    name = "documentation"
    system_prompt = "Generate a docstring for the Ibis function in {style} format."
    template = DocumentationTemplate
    examples = 30
    input = {"code": TextField("python"), "style": TextField("label")}
    target = {"docstring": TextField("docstring")}
    meta = {"style": TextField("label"), "calls": TextField("python")}

    def expand(self, template: Template, setting: Setting) -> FunctionDraft:
        style = setting.rng.choice(STYLES)
        bound = setting.bind(template)

        def texts(field: str) -> list[str]:
            return [_sentence(render_frame(frame, bound)) for frame in template.frames[field]]

        def pairs(field: str) -> list[tuple[str, str]]:
            entries = (render_frame(frame, bound).partition(": ") for frame in template.frames[field])
            return [(name, text) for name, _, text in entries]

        code = lay_out_function(render_frame(template.frames["code"][0], bound))
        found = signature(code)
        written = dict(pairs("types")) if style == "numpy" else {}
        described = {name: _sentence(text) for name, text in pairs("parameters")}
        try:
            needed = columns_read(code)
        except UnclearColumn as error:
            raise template.error(f"{error}; name it by its table", "code") from error
        needs = setting.rng.choice(NEEDS)
        calls, fails, facts = (
            tuple(render_frame(frame, bound) for frame in template.frames[field])
            for field in ("calls", "fails", "facts")
        )
        documented = Documented(
            summary=_fitting(texts("summary"), setting),
            details=next(iter(texts("details")), None),
            parameters=tuple(
                Parameter(
                    p.name,
                    p.type or written.get(p.name),
                    p.default,
                    with_columns(described.get(p.name, ""), needed[p.name], needs),
                )
                for p in found.parameters
            ),
            returns=texts("returns")[0],
            return_type=found.return_type or written.get("return"),
            raises=tuple((name, _sentence(text)) for name, text in pairs("raises")),
            examples=_shown(calls, setting),
        )
        return FunctionDraft(
            template=template, database=setting.database, bound=bound, key=f"{style}\n{code}", code=code,
            style=style, signature=found, documented=documented, calls=calls, fails=fails, facts=facts,
        )  # fmt: skip

    def prove(self, draft: FunctionDraft, engine: Engine) -> Proved:
        style, documented = draft.style, draft.documented
        if foreign := sorted(global_names(draft.code) - _GIVEN):
            raise draft.template.error(
                f"the function uses '{foreign[0]}', which is none of its parameters or variables", "code"
            )
        for call in draft.calls:
            if mistyped := mistyped_argument(draft.signature, call):
                raise Rejected("argument_mistyped", f"{mistyped}\n{program(draft.code, call)}")
            _run(draft, call, engine)
        prove_facts(draft.facts, engine, FUNCTION, before=f"{draft.code}\n\n\n")
        calls = [*map(Call, draft.calls), *_fail_as_documented(draft, engine)]
        docstring = write(documented, style)
        try:
            said = check(draft.code, docstring, style)
        except DocstringError as error:
            raise Rejected(error.reason, f"{error}\n{docstring}") from error
        prose = "\n".join(line for line in docstring.splitlines() if not line.lstrip().startswith(PROMPT))
        if strange := [name for name in _NAMES.findall(prose) if name.replace("NAME", "") not in draft.code]:
            raise Rejected("name_not_in_code", f"{strange[0]}\n{docstring}")
        if said != documented:
            raise Rejected("docstring_misread", f"{said}\n{docstring}")
        return Proved(
            {"code": draft.code, "style": style},
            {"docstring": docstring},
            {"style": style, "calls": write_calls(calls)},
        )

    def recheck(self, record: Record, engine: Engine) -> None:
        code, docstring = record["input"]["code"], record["target"]["docstring"]
        try:
            said = check(code, docstring, record["input"]["style"])
        except DocstringError as error:
            raise Rejected(error.reason, docstring) from error
        calls = list(read_calls(record["meta"]["calls"]))
        for call in calls:
            if call.raises is None:
                run_on_every_row_set(engine, query_of(code, call.code, engine))
            elif type(raised := raised_by(code, call.code, engine)).__name__ != call.raises:
                raise Rejected("raises_another_error", f"{call}: {raised}\n{code}")
        if foreign := set(said.examples) - {call.code for call in calls if call.raises is None}:
            raise Rejected("example_not_called", f"{min(foreign)}\n{record['meta']['calls']}")
        if {call.raises for call in calls} != {None, *(name for name, _ in said.raises)}:
            raise Rejected("calls_do_not_show_it", f"{record['meta']['calls']}\n{code}")

    def instruction(self, record: Record) -> str:
        return self.system_prompt.format(style=record["input"]["style"])

    def question(self, record: Record) -> str:
        return f"Code:\n{record['input']['code']}\n\nStyle: {record['input']['style']}"

    def answer(self, record: Record) -> str:
        return record["target"]["docstring"]


def _sentence(text: str) -> str:
    flat = " ".join(text.split())
    return flat[:1].upper() + flat[1:]


def _fitting(summaries: list[str], setting: Setting) -> str:
    """One of the summaries that fit their line; the shortest if none does."""
    fitting = [summary for summary in summaries if len(INDENT + QUOTES + summary) <= WIDTH]
    return setting.rng.choice(fitting) if fitting else min(summaries, key=len)


def _shown(calls: tuple[str, ...], setting: Setting) -> tuple[str, ...]:
    """The calls of the Examples section: one or two that fit, in some of the drafts."""
    wanted, most = setting.rng.random() < WITH_EXAMPLES, setting.rng.choice((1, 2))
    return tuple(call for call in calls if fits_example(call))[:most] if wanted else ()


def _run(draft: FunctionDraft, call: str, engine: Engine) -> None:
    """Call the function on the sample tables and execute what it gives."""
    never_of_slots = (SyntaxError, ForbiddenCode, NameError)
    try:
        sql = query_of(draft.code, call, engine, never_of_slots)
    except never_of_slots as error:
        problem = f"the function does not run: {type(error).__name__}: {error}\n{program(draft.code, call)}"
        raise draft.template.error(problem, "code") from error
    run_query(engine, sql)


def _fail_as_documented(draft: FunctionDraft, engine: Engine) -> list[Call]:
    """The failing calls: each raises an exception of the signature, and each such exception is raised by a call."""
    found, failing = draft.signature, []
    for call in draft.fails:
        error = raised_by(draft.code, call, engine)
        if type(error).__name__ not in found.raises:
            outcome = "runs" if error is None else f"raises {type(error).__name__}: {error}"
            problem = f"'{call}' should raise {' or '.join(found.raises)}, but {outcome}"
            raise draft.template.error(problem, "fails") from error
        failing.append(Call(call, type(error).__name__))
    if silent := set(found.raises) - {call.raises for call in failing}:
        raise draft.template.error(f"no call in `fails` raises {min(silent)}", "raises")
    return failing
