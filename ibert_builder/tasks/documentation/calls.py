"""Calls that show a function on the sample tables. Most run; some raise what the docstring documents.

A record keeps them in `meta.calls`, one a line; a call that raises ends in `# raises ValueError`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ibert_builder.execution.engine import Engine
from ibert_builder.execution.proofs import Exceptions, to_query
from ibert_builder.sandbox.policy import FUNCTION
from ibert_builder.tasks.documentation.signatures import Signature

_LINE = re.compile(r"(?P<code>.+?)(?:  # raises (?P<raises>\w+))?")


@dataclass(frozen=True)
class Call:
    """An expression that calls a function, and the exception it raises, if any."""

    code: str
    raises: str | None = None

    def __str__(self) -> str:
        return f"{self.code}  # raises {self.raises}" if self.raises else self.code


# The types of literals that a type hint lets pass; hints that are not listed let everything pass.
_PASSED = {"str": (str,), "int": (int,), "float": (int, float), "bool": (bool,)}


def mistyped_argument(function: Signature, call: str) -> str | None:
    """An argument of a call that is a literal of another type than the function's hint says, or None."""
    hints = {parameter.name: parameter.type or "" for parameter in function.parameters}
    for node in ast.walk(ast.parse(call)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == function.name:
            given = [*zip(hints, node.args, strict=False), *((k.arg, k.value) for k in node.keywords)]
            for name, argument in given:
                hint = hints[str(name)].removesuffix(" | None")
                if not _passes(argument, hint):
                    return f"{name} is {hint}, not {ast.unparse(argument)}"
    return None


def _passes(argument: ast.expr, hint: str) -> bool:
    if isinstance(argument, ast.List):
        inner = re.fullmatch(r"list\[(\w+)\]", hint)
        return all(_passes(each, inner[1]) for each in argument.elts) if inner else hint not in _PASSED
    if not isinstance(argument, ast.Constant) or hint not in _PASSED:
        return not (isinstance(argument, ast.Constant) and hint.startswith("list["))
    # To Python a bool is an int, but nobody passes True for a number.
    return isinstance(argument.value, _PASSED[hint]) and (hint == "bool") == isinstance(argument.value, bool)


def write_calls(calls: list[Call]) -> str:
    return "\n".join(map(str, calls))


def read_calls(text: str) -> Iterator[Call]:
    """The calls in a text that `write_calls` wrote."""
    for line in text.splitlines():
        if match := _LINE.fullmatch(line):
            yield Call(match["code"], match["raises"])


def program(function: str, call: str) -> str:
    """The code of a function followed by a call."""
    return f"{function}\n\n\n{call}"


def query_of(function: str, call: str, engine: Engine, let_through: Exceptions = ()) -> str:
    """The DuckDB SQL of what a call returns.

    Raises:
        Rejected: it fails (`function_fails`) or returns something other than an expression; exceptions in `let_through` propagate.
    """
    code = program(function, call)
    return to_query(engine, code, rules=FUNCTION, reason="function_fails", let_through=let_through)


def raised_by(function: str, call: str, engine: Engine) -> Exception | None:
    """What a call raises; None if it runs."""
    try:
        engine.evaluate(program(function, call), FUNCTION)
    except Exception as error:
        return error
    return None
