"""Checks that a docstring matches its function: verb, line lengths, names, defaults, types, exceptions and columns."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from typing import Any

from ibert_builder.errors import unknown
from ibert_builder.tasks.documentation.columns import UnclearColumn, columns_read
from ibert_builder.tasks.documentation.docstrings import (
    INDENT,
    QUOTES,
    WIDTH,
    DocstringError,
    Documented,
    insert,
    read,
)
from ibert_builder.tasks.documentation.signatures import signature

# The first words of summaries: what functions over tables do, in the imperative mood (PEP 257).
VERBS = frozenset(
    """
    Add Aggregate Apply Arrange Attach Average Break Build Calculate Check Choose Clean Collect
    Combine Compare Complete Compute Convert Count Cut Derive Divide Drop Estimate Exclude Expand Extract
    Fill Filter Find Fit Flag Flatten Leave Follow Get Give Group Join Keep Label Limit List Look Make Mark
    Mask Match Measure Merge Normalize Number Order Pair Parse Pick Pivot Place Prepare Put Rank Reduce
    Relate Remove Rename Replace Report Reshape Restrict Return Round Scale Search Select Set Shift Shorten
    Show Smooth Sort Split Stack Standardize Sum Summarize Tabulate Take Tell Total Trim Turn Unnest Unpivot
    Weigh Write
    """.split()  # noqa: SIM905
)


# How a docstring says which columns a table must have. All wordings end in the names, by which they are read back.
NEEDS = ("{text}, with {names}.", "{text}; must have {names}.", "{text}. Needs {names}.")
_STATED = re.compile(r"\bthe columns? (`\w+`(?:(?:, | and )`\w+`)*)\.$")


def with_columns(text: str, columns: Sequence[str], wording: str) -> str:
    """The description of a table parameter, completed by the columns that the table must have."""
    if not columns:
        return text
    quoted = [f"`{column}`" for column in columns]
    listed = quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"
    names = f"the column{'s' * (len(quoted) > 1)} {listed}"
    return wording.format(text=text.removesuffix("."), names=names)


def columns_stated(text: str) -> set[str]:
    """The columns that the description of a table parameter says it must have."""
    match = _STATED.search(text)
    return set(re.findall(r"`(\w+)`", match[1])) if match else set()


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
    if text is None or f"{QUOTES}{text}\n{QUOTES}" != docstring:
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
    _same_columns(code, said)
    for example in said.examples:
        if not calls_function(example, meant.name):
            raise DocstringError("example_of_something_else", f"it does not call {meant.name}(): {example}")
    return said


def calls_function(code: str, name: str) -> bool:
    """Whether code is Python that calls a function."""
    try:
        nodes = list(ast.walk(ast.parse(code)))
    except SyntaxError:
        return False
    return any(isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id == name for n in nodes)


def _same_columns(code: str, said: Documented) -> None:
    try:
        read_by_code = columns_read(code)
    except UnclearColumn as error:
        raise DocstringError("unclear_column", f"{error}\n{code}") from error
    for parameter in said.parameters:
        found, wanted = columns_stated(parameter.text), set(read_by_code[parameter.name])
        if found != wanted:
            raise DocstringError(
                "columns_differ",
                f"{parameter.name}: documented {sorted(found)}, read {sorted(wanted)}\n{code}",
            )


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
