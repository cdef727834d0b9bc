"""Docstrings in the styles google, numpy and sphinx: written, read back, and checked against their function.

The layout, in all styles: the summary stands behind the opening quotes, every line fits 79 columns in a
function body of 4 spaces, and the closing quotes follow the last line, as in the seed's example. Types are
the function's own hints. A function without hints is documented without types (as in the seed), except in
the numpy style, which demands them.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import docstring_parser
from docstring_parser.common import DocstringParam, DocstringRaises

from ibert_builder.errors import unknown

STYLES = ("google", "numpy", "sphinx")
WIDTH = 79
INDENT = "    "
QUOTES = '"""'

# The first words of summaries: what functions over tables do, in the imperative mood (PEP 257).
VERBS = frozenset(
    """
    Add Aggregate Attach Average Break Build Calculate Check Choose Clean Collect Combine Compare Compute
    Convert Count Cut Derive Divide Drop Estimate Exclude Expand Extract Fill Filter Find Flag Flatten Get
    Give Group Join Keep Label List Look Make Mark Mask Match Measure Merge Normalize Number Order Pair
    Parse Pick Pivot Place Prepare Put Rank Reduce Remove Rename Replace Report Reshape Return Round Scale
    Search Select Shift Shorten Show Smooth Sort Split Stack Standardize Sum Summarize Take Tell Total
    Trim Turn Unnest Unpivot Weigh Write
    """.split()  # noqa: SIM905
)


class DocstringError(ValueError):
    """A docstring that is not as it should be. `reason` is the name it is counted under."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


@dataclass(frozen=True)
class Parameter:
    """A parameter. `type` and `default` are Python source; `text` is a paragraph that ends with a period."""

    name: str
    type: str | None = None
    default: str | None = None
    text: str = ""


@dataclass(frozen=True)
class Documented:
    """What is said of a function. Exceptions are pairs of name and text."""

    summary: str
    details: str | None
    parameters: tuple[Parameter, ...]
    returns: str
    return_type: str | None
    raises: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Signature:
    """What the code of a function says of it; `raises` names its exceptions in the order of the code."""

    name: str
    parameters: tuple[Parameter, ...]
    return_type: str | None
    raises: tuple[str, ...]

    @property
    def is_hinted(self) -> bool:
        return self.return_type is not None or any(p.type for p in self.parameters)


def signature(code: str) -> Signature:
    """The signature of the one function that is defined in the code.

    Raises:
        SyntaxError: the code does not parse.
        ValueError: it is not one function of plain parameters, or only a part of its signature has hints.
    """
    tree = ast.parse(code)
    if len(tree.body) != 1 or not isinstance(tree.body[0], ast.FunctionDef):
        raise ValueError("expected the definition of one function and nothing else")
    function = tree.body[0]
    arguments = function.args
    if arguments.vararg or arguments.kwarg or arguments.posonlyargs:
        raise ValueError("expected plain parameters, without *, ** or /")
    required = len(arguments.args) - len(arguments.defaults)
    defaults = [None] * required + [*arguments.defaults, *arguments.kw_defaults]
    parameters = tuple(
        Parameter(argument.arg, _source(code, argument.annotation), _source(code, default))
        for argument, default in zip((*arguments.args, *arguments.kwonlyargs), defaults, strict=True)
    )
    found = Signature(function.name, parameters, _source(code, function.returns), _raised(function))
    if found.is_hinted and not (found.return_type and all(p.type for p in parameters)):
        raise ValueError("expected type hints for all parameters and the result, or for none")
    return found


def _source(code: str, node: ast.AST | None) -> str | None:
    return None if node is None else ast.get_source_segment(code, node)


def _raised(function: ast.FunctionDef) -> tuple[str, ...]:
    raised = [node.exc for node in ast.walk(function) if isinstance(node, ast.Raise)]
    named = [exc.func if isinstance(exc, ast.Call) else exc for exc in raised]
    ordered = sorted((exc for exc in named if isinstance(exc, ast.Name)), key=lambda exc: exc.lineno)
    return tuple(dict.fromkeys(exc.id for exc in ordered))


# --- writing


def write(documented: Documented, style: str) -> str:
    """The docstring literal, with its quotes and without indentation."""
    details = [_wrap(documented.details)] if documented.details else []
    return QUOTES + "\n\n".join([documented.summary, *details, *_WRITERS[style](documented)]) + QUOTES


def insert(code: str, docstring: str) -> str:
    """The function with a docstring literal as its first statement."""
    lines = code.splitlines()
    body = ast.parse(code).body[0].body[0].lineno - 1  # type: ignore[attr-defined]
    return "\n".join([*lines[:body], textwrap.indent(docstring, INDENT), *lines[body:]])


def _wrap(text: str, first: str = "", rest: str = "") -> str:
    # Any line may turn out to be the last, which the closing quotes follow.
    return textwrap.fill(
        text,
        WIDTH - len(INDENT + QUOTES),
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _google(documented: Documented) -> list[str]:
    def entry(parameter: Parameter) -> str:
        optional = ", optional" if parameter.default else ""
        kind = f" ({parameter.type}{optional})" if parameter.type else ""
        default = f" Defaults to {parameter.default}." if parameter.default else ""
        return _wrap(f"{parameter.name}{kind}: {parameter.text}{default}", INDENT, INDENT * 2)

    kind = f"{documented.return_type}: " if documented.return_type else ""
    sections = {
        "Args": [entry(parameter) for parameter in documented.parameters],
        "Returns": [_wrap(kind + documented.returns, INDENT, INDENT)],
        "Raises": [_wrap(f"{name}: {text}", INDENT, INDENT * 2) for name, text in documented.raises],
    }
    return ["\n".join([f"{title}:", *entries]) for title, entries in sections.items() if entries]


def _numpy(documented: Documented) -> list[str]:
    def entry(head: str | None, text: str) -> str:
        return f"{head}\n{_wrap(text, INDENT, INDENT)}"

    def head(p: Parameter) -> str:
        return f"{p.name} : {p.type}" + (f", default {p.default}" if p.default else "")

    sections = {
        "Parameters": [entry(head(parameter), parameter.text) for parameter in documented.parameters],
        "Returns": [entry(documented.return_type, documented.returns)],
        "Raises": [entry(name, text) for name, text in documented.raises],
    }
    return ["\n".join([title, "-" * len(title), *entries]) for title, entries in sections.items() if entries]


def _sphinx(documented: Documented) -> list[str]:
    lines = []
    for p in documented.parameters:
        default = f", defaults to {p.default}." if p.default else "."
        lines.append(_wrap(f":param {p.name}: {p.text.removesuffix('.')}{default}", "", INDENT))
        lines += [f":type {p.name}: {p.type}"] if p.type else []
    lines += [_wrap(f":raises {name}: {text}", "", INDENT) for name, text in documented.raises]
    lines.append(_wrap(f":returns: {documented.returns}", "", INDENT))
    lines += [f":rtype: {documented.return_type}"] if documented.return_type else []
    return ["\n".join(lines)]


_WRITERS: Mapping[str, Callable[[Documented], list[str]]] = {
    "google": _google,
    "numpy": _numpy,
    "sphinx": _sphinx,
}


# --- reading, by docstring_parser

_GRAMMARS = {
    "google": docstring_parser.DocstringStyle.GOOGLE,
    "numpy": docstring_parser.DocstringStyle.NUMPYDOC,
    "sphinx": docstring_parser.DocstringStyle.REST,
}
# Where a default stands in the text; in the numpy style the parser finds it behind the type.
_DEFAULTS = {"google": re.compile(r" Defaults to (.+)\.$"), "sphinx": re.compile(r", defaults to (.+)\.$")}


def read(docstring: str, style: str) -> Documented:
    """What a docstring (without quotes) says in the grammar of a style.

    Raises:
        DocstringError: it is not in that style, as far as the parser can tell.
    """
    try:
        parsed = docstring_parser.parse(docstring, style=_GRAMMARS[style])
    except docstring_parser.ParseError as error:
        raise DocstringError(
            "docstring_unreadable", f"it cannot be read in the {style} style: {error}"
        ) from error
    if parsed.returns is None:
        raise DocstringError(
            "returns_undocumented", f"read in the {style} style, it does not say what is returned"
        )
    return Documented(
        parsed.short_description or "",
        _flat(parsed.long_description) or None,
        tuple(_parameter(parameter, style) for parameter in parsed.params),
        _flat(parsed.returns.description),
        parsed.returns.type_name,
        tuple(
            (each.type_name or "", _flat(each.description))
            for each in parsed.meta
            if isinstance(each, DocstringRaises)
        ),
    )


def _parameter(parsed: DocstringParam, style: str) -> Parameter:
    name, kind, default, text = parsed.arg_name, parsed.type_name, parsed.default, _flat(parsed.description)
    if style in _DEFAULTS:
        match = _DEFAULTS[style].search(text)
        default = match[1] if match else None
        text = text[: match.start()] + ("." if style == "sphinx" else "") if match else text
    return Parameter(name, kind, default, text)


def _flat(text: str | None) -> str:
    return " ".join((text or "").split())


# --- checking


def check_summary(summary: str) -> None:
    """A sentence in the imperative mood.

    Raises:
        DocstringError: it is not.
    """
    if not summary.endswith("."):
        raise DocstringError("summary_without_period", f"the summary should end with a period: {summary!r}")
    if summary.split()[0] not in VERBS:
        raise DocstringError(
            "summary_not_imperative", unknown("verb in the imperative mood", summary.split()[0], VERBS)
        )


def check(code: str, docstring: str, style: str) -> Documented:
    """Check a docstring literal against the code of its function.

    Returns:
        What the docstring says, read in the style.

    Raises:
        DocstringError: it is not the docstring of that function in that style, under a named reason.
    """
    function = ast.parse(insert(code, docstring)).body[0]
    assert isinstance(function, ast.FunctionDef)
    text = ast.get_docstring(function)
    if text is None or f"{QUOTES}{text}{QUOTES}" != docstring:
        raise DocstringError("docstring_mangled", f"Python reads another docstring: {text!r}")
    if len(INDENT + docstring.splitlines()[0]) > WIDTH:
        raise DocstringError("summary_too_long", f"the summary does not fit {WIDTH} columns:\n{docstring}")
    if any(len(INDENT + line) > WIDTH for line in docstring.splitlines()):
        raise DocstringError("line_too_long", f"a line does not fit {WIDTH} columns:\n{docstring}")
    said, meant = read(text, style), signature(code)
    check_summary(said.summary)
    for part in (
        said.details,
        said.returns,
        *(p.text for p in said.parameters),
        *(text for _, text in said.raises),
    ):
        if part is not None and not part.endswith("."):
            raise DocstringError("text_without_period", f"expected sentences, found {part!r}")
    _same_names("parameter", [p.name for p in said.parameters], [p.name for p in meant.parameters])
    _same_names("exception", [name for name, _ in said.raises], list(meant.raises))
    for found, wanted in zip(said.parameters, meant.parameters, strict=True):
        if found.default != wanted.default:
            raise DocstringError(
                "default_differs", f"{found.name}: documented {found.default}, in the code {wanted.default}"
            )
        if wanted.type is not None:
            _same_type(found.name, found.type, wanted.type)
    if meant.return_type is not None:
        _same_type("the result", said.return_type, meant.return_type)
    return said


def _same_names(kind: str, found: list[str], wanted: list[str]) -> None:
    if missing := [name for name in wanted if name not in found]:
        raise DocstringError(f"{kind}_undocumented", f"the {kind} '{missing[0]}' is not documented")
    if invented := [name for name in found if name not in wanted]:
        raise DocstringError(f"{kind}_invented", unknown(kind, invented[0], wanted))
    if found != wanted:
        raise DocstringError(f"{kind}s_out_of_order", f"documented {found}, in the code {wanted}")


def _same_type(what: str, found: Any, wanted: str) -> None:
    if found != wanted:
        raise DocstringError("type_differs", f"{what}: documented {found}, in the code {wanted}")
