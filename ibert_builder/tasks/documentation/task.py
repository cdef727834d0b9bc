"""Function documentation: a function over Ibis tables, and its docstring in the style asked for.

What the docstring says is filled from the same slots as the code, so that it says what the code does. The
function is run on the sample tables, and the docstring is put into it and read back by a real parser.
"""

from __future__ import annotations

import re
import symtable
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from ibert_builder.errors import ForbiddenCode, unknown
from ibert_builder.execution.engine import Engine
from ibert_builder.execution.proofs import Rejected, run_query, to_query
from ibert_builder.sandbox.policy import FUNCTION
from ibert_builder.tasks.base import Record, Task
from ibert_builder.tasks.documentation.docstrings import (
    INDENT,
    QUOTES,
    STYLES,
    WIDTH,
    DocstringError,
    Documented,
    Parameter,
    Signature,
    check,
    check_summary,
    signature,
    write,
)
from ibert_builder.tasks.drafts import Draft, Proved, Setting
from ibert_builder.tasks.fields import TextField
from ibert_builder.templating.frames import Language, join_chains, parse_frame
from ibert_builder.templating.layout import WIDTH as CODE_WIDTH
from ibert_builder.templating.layout import fit, layout
from ibert_builder.templating.templates import Template, TemplateSpec
from ibert_builder.templating.values import render_frame


def _entries(data: Any) -> tuple[str, ...]:
    """A mapping of names to texts as `name: text`, one text each as far as slots are concerned."""
    if not isinstance(data, dict) or not all(isinstance(text, str) for text in data.values()):
        raise ValueError("expected a mapping of names to texts")
    return tuple(f"{name}: {text}" for name, text in data.items())


Entries = Annotated[
    tuple[str, ...],
    BeforeValidator(_entries),
    WithJsonSchema({"type": "object", "additionalProperties": {"type": "string"}}),
]


class DocumentationTemplate(TemplateSpec):
    """A function, what it does, and calls that show it.

    Names in `parameters`, `raises` and `types` may have slots too: a parameter that is named after its table
    is `"{t:code}"`.
    """

    code: str = Field(description="the definition of one function; one call of a chain a line")
    summary: str | list[str] = Field(
        description="English, in the imperative mood, ends with a period; or several to choose from"
    )
    details: str | None = Field(None, description="English: what a caller should know besides")
    parameters: Entries = Field(description="parameter to English, in the order of the signature")
    returns: str = Field(description="English: what comes back")
    raises: Entries = Field(
        (), description="exception to English: when it is raised; in the order of the code"
    )
    types: Entries = Field(
        (), description="of a function without type hints: parameter (and `return`) to type"
    )
    calls: list[str] = Field(
        min_length=1, description="Ibis expressions that call the function on the sample tables"
    )
    fails: list[str] = Field([], description="calls that raise the documented exceptions")
    languages: ClassVar[Mapping[str, Language]] = {
        **dict.fromkeys(("code", "calls", "fails"), "ibis"),
        **dict.fromkeys(("summary", "details", "parameters", "returns", "raises", "types"), "en"),
    }

    @model_validator(mode="after")
    def _docstring_fits_code(self) -> DocumentationTemplate:
        try:
            function = signature(join_chains(_shape(self.code)))
        except SyntaxError:
            return self  # where it does not parse is said when its slots are checked
        parameters = [parameter.name for parameter in function.parameters]
        _same("parameter", _names(self.parameters), parameters)
        _same("exception", _names(self.raises), list(function.raises))
        _same("type", _names(self.types), [] if function.is_hinted else [*parameters, "return"])
        if not any(place.slot in self.tables for place in parse_frame(self.code, "ibis").placeholders):
            raise ValueError(
                "the code should name a table, or several databases would give the same function"
            )
        if bool(self.fails) != bool(self.raises):
            raise ValueError("`fails` should have calls for the exceptions in `raises`, and only for them")
        for summary in [self.summary] if isinstance(self.summary, str) else self.summary:
            if not summary.startswith("{"):  # a first word from a slot is checked when it is drawn
                check_summary(summary)
        return self


def _shape(text: str) -> str:
    return parse_frame(text, "ibis").filled()


def _names(entries: tuple[str, ...]) -> list[str]:
    return [_shape(entry).partition(": ")[0] for entry in entries]


def _same(kind: str, found: list[str], wanted: list[str]) -> None:
    if missing := [name for name in wanted if name not in found]:
        raise ValueError(f"the {kind} '{missing[0]}' is not documented")
    if invented := [name for name in found if name not in wanted]:
        raise ValueError(f"documents what the code does not have: {unknown(kind, invented[0], wanted)}")
    if found != wanted:
        raise ValueError(f"the {kind}s stand in another order than in the code: {found} instead of {wanted}")


def _globals(code: str) -> set[str]:
    """The names that a function takes from outside."""

    def walk(table: symtable.SymbolTable) -> Iterator[str]:
        yield from (
            symbol.get_name()
            for symbol in table.get_symbols()
            if symbol.is_global() and symbol.is_referenced()
        )
        for child in table.get_children():
            yield from walk(child)

    return {
        name
        for function in symtable.symtable(code, "<template>", "exec").get_children()
        for name in walk(function)
    }


# Words that can only be names of columns, variables and functions; NAME stands for any name within one.
_NAMES = re.compile(r"\b[A-Za-z0-9]*(?:_[A-Za-z0-9]+)+\b")
_GIVEN = {"ibis", "_", "s", *FUNCTION.builtins}


@dataclass(frozen=True, kw_only=True)
class FunctionDraft(Draft):
    """A function, what is to be said of it and in which style, and calls of it that run or raise."""

    style: str
    signature: Signature
    documented: Documented
    calls: tuple[str, ...]
    fails: tuple[str, ...]


class Documentation(Task[FunctionDraft]):
    name = "documentation"
    system_prompt = "Generate a docstring for the Ibis function in {style} format."
    template = DocumentationTemplate
    examples = 30
    input = {"code": TextField("python"), "style": TextField("label")}
    target = {"docstring": TextField("docstring")}
    meta = {"style": TextField("label")}

    def expand(self, template: Template, setting: Setting) -> FunctionDraft:
        style = setting.rng.choice(STYLES)
        bound = setting.bind(template)

        def texts(field: str) -> list[str]:
            return [_sentence(render_frame(frame, bound)) for frame in template.frames[field]]

        def pairs(field: str) -> list[tuple[str, str]]:
            entries = (render_frame(frame, bound).partition(": ") for frame in template.frames[field])
            return [(name, text) for name, _, text in entries]

        code = _function(render_frame(template.frames["code"][0], bound))
        found = signature(code)
        written = dict(pairs("types")) if style == "numpy" else {}
        described = {name: _sentence(text) for name, text in pairs("parameters")}
        documented = Documented(
            summary=_fitting(texts("summary"), setting),
            details=next(iter(texts("details")), None),
            parameters=tuple(
                Parameter(p.name, p.type or written.get(p.name), p.default, described.get(p.name, ""))
                for p in found.parameters
            ),
            returns=texts("returns")[0],
            return_type=found.return_type or written.get("return"),
            raises=tuple((name, _sentence(text)) for name, text in pairs("raises")),
        )
        calls, fails = (
            tuple(render_frame(frame, bound) for frame in template.frames[field])
            for field in ("calls", "fails")
        )
        return FunctionDraft(
            template=template, database=setting.database, bound=bound, key=f"{style}\n{code}", code=code,
            style=style, signature=found, documented=documented, calls=calls, fails=fails,
        )  # fmt: skip

    def prove(self, draft: FunctionDraft, engine: Engine) -> Proved:
        style, documented = draft.style, draft.documented
        if foreign := sorted(_globals(draft.code) - _GIVEN):
            raise draft.template.error(
                f"the function uses '{foreign[0]}', which is none of its parameters or variables", "code"
            )
        for call in draft.calls:
            _run(draft, engine, call)
        _fail_as_documented(draft, engine)
        docstring = write(documented, style)
        try:
            said = check(draft.code, docstring, style)
        except DocstringError as error:
            raise Rejected(error.reason, f"{error}\n{docstring}") from error
        if strange := [
            name for name in _NAMES.findall(docstring) if name.replace("NAME", "") not in draft.code
        ]:
            raise Rejected("name_not_in_code", f"{strange[0]}\n{docstring}")
        if said != documented:
            raise Rejected("docstring_misread", f"{said}\n{docstring}")
        return Proved({"code": draft.code, "style": style}, {"docstring": docstring}, {"style": style})

    def recheck(self, record: Record, engine: Engine) -> None:
        try:
            check(record["input"]["code"], record["target"]["docstring"], record["input"]["style"])
        except DocstringError as error:
            raise Rejected(error.reason, record["target"]["docstring"]) from error

    def instruction(self, record: Record) -> str:
        return self.system_prompt.format(style=record["input"]["style"])

    def question(self, record: Record) -> str:
        return f"Code:\n{record['input']['code']}\n\nStyle: {record['input']['style']}"

    def answer(self, record: Record) -> str:
        return record["target"]["docstring"]


def _function(text: str) -> str:
    """The code laid out; if a signature is too long for one line, its parameters get lines of their own."""
    # Statement by statement, without indentation: `layout` takes indented text for the inside of a bracket.
    first, *body = re.split(r"\n(?!\s*\.)", text.rstrip())
    if len(first) > CODE_WIDTH:
        head, _, tail = first.rpartition(")")
        first = fit(f"{head})", 0, CODE_WIDTH - len(tail)) + tail
    return "\n".join([first, *map(_statement, body)])


def _statement(lines: str) -> str:
    margin = " " * (len(lines) - len(lines.lstrip()))
    return textwrap.indent(layout(lines.lstrip(), CODE_WIDTH - len(margin)), margin)


def _sentence(text: str) -> str:
    flat = " ".join(text.split())
    return flat[:1].upper() + flat[1:]


def _fitting(summaries: list[str], setting: Setting) -> str:
    """One of the summaries that fit their line; the shortest if none does."""
    fitting = [summary for summary in summaries if len(INDENT + QUOTES + summary) <= WIDTH]
    return setting.rng.choice(fitting) if fitting else min(summaries, key=len)


def _run(draft: FunctionDraft, engine: Engine, call: str) -> None:
    """Call the function on the sample tables and execute what it gives."""
    program = f"{draft.code}\n\n\n{call}"
    never_of_slots = (SyntaxError, ForbiddenCode, NameError)
    try:
        sql = to_query(engine, program, rules=FUNCTION, reason="function_fails", let_through=never_of_slots)
    except never_of_slots as error:
        problem = f"the function does not run: {type(error).__name__}: {error}\n{program}"
        raise draft.template.error(problem, "code") from error
    run_query(engine, sql)


def _fail_as_documented(draft: FunctionDraft, engine: Engine) -> None:
    """Every failing call raises an exception of the signature, and every one of them is raised by a call."""
    found, raised = draft.signature, set()
    for call in draft.fails:
        try:
            engine.evaluate(f"{draft.code}\n\n\n{call}", FUNCTION)
        except Exception as error:
            name = type(error).__name__
            if name not in found.raises:
                problem = f"'{call}' should raise {' or '.join(found.raises)}, but raises {name}: {error}"
                raise draft.template.error(problem, "fails") from error
            raised.add(name)
        else:
            raise draft.template.error(
                f"'{call}' should raise {' or '.join(found.raises)}, but runs", "fails"
            )
    if silent := [name for name in found.raises if name not in raised]:
        raise draft.template.error(f"no call in `fails` raises {silent[0]}", "raises")
