"""Docstrings in the styles google, numpy and sphinx: written, and read back by docstring-parser.

The layout, in all styles, is that of pydocstyle: the summary stands behind the opening quotes, every line fits 79 columns
in a function body of 4 spaces, and the closing quotes have a line of their own. Types are the function's own hints. A
function without hints is documented without types (as in the seed), except in the numpy style, which demands them.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import docstring_parser
from docstring_parser.common import DocstringParam, DocstringRaises

from ibert_builder.tasks.documentation.signatures import Parameter

STYLES = ("google", "numpy", "sphinx")


WIDTH = 79


INDENT = "    "


QUOTES = '"""'


PROMPT = ">>> "


_QUOTED, _KEPT = re.compile(r'"[^"\n]*"'), "\0"


class DocstringError(ValueError):
    """A docstring is wrong. `reason` is the name it is counted under."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


@dataclass(frozen=True)
class Documented:
    """The content of a docstring. `raises` pairs each exception with its text; `examples` are calls."""

    summary: str
    details: str | None
    parameters: tuple[Parameter, ...]
    returns: str
    return_type: str | None
    raises: tuple[tuple[str, str], ...] = ()
    examples: tuple[str, ...] = ()


def write(documented: Documented, style: str) -> str:
    """The docstring literal, with its quotes and without indentation."""
    details = [_wrap(documented.details)] if documented.details else []
    text = "\n\n".join([documented.summary, *details, *_WRITERS[style](documented)])
    return f"{QUOTES}{text}\n{QUOTES}"


def fits_example(call: str) -> bool:
    """Whether a call can stand on one line of an Examples section."""
    return "\n" not in call and len(INDENT * 2 + PROMPT + call) <= WIDTH


def insert(code: str, docstring: str) -> str:
    """The function with a docstring literal as its first statement."""
    lines = code.splitlines()
    body = ast.parse(code).body[0].body[0].lineno - 1  # type: ignore[attr-defined]
    return "\n".join([*lines[:body], textwrap.indent(docstring, INDENT), *lines[body:]])


def _wrap(text: str, first: str = "", rest: str = "") -> str:
    # A default such as `" "` stays in one piece.
    whole = _QUOTED.sub(lambda match: match[0].replace(" ", _KEPT), text)
    filled = textwrap.fill(
        whole,
        WIDTH - len(INDENT),
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return filled.replace(_KEPT, " ")


# Docstrings in reStructuredText have no sections, so a paragraph above the fields introduces the examples.
_EXAMPLE_HEAD = "For example:"


def _prompted(documented: Documented, indent: str = "") -> list[str]:
    return [f"{indent}{PROMPT}{call}" for call in documented.examples]


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
        "Examples": _prompted(documented, INDENT),
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
        "Examples": _prompted(documented),
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
    example = [_EXAMPLE_HEAD, "\n".join(_prompted(documented))] if documented.examples else []
    return [*example, "\n".join(lines)]


_WRITERS: Mapping[str, Callable[[Documented], list[str]]] = {
    "google": _google,
    "numpy": _numpy,
    "sphinx": _sphinx,
}


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
    details, _, example = (parsed.long_description or "").partition(f"{_EXAMPLE_HEAD}\n\n{PROMPT}")
    shown = [PROMPT + example] if example else [each.snippet or each.description for each in parsed.examples]
    return Documented(
        parsed.short_description or "",
        _flat(details) or None,
        tuple(_parameter(parameter, style) for parameter in parsed.params),
        _flat(parsed.returns.description),
        parsed.returns.type_name,
        tuple(
            (each.type_name or "", _flat(each.description))
            for each in parsed.meta
            if isinstance(each, DocstringRaises)
        ),
        tuple(line.removeprefix(PROMPT) for text in shown for line in (text or "").splitlines()),
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
