"""What the code of a function reveals: parameters, types, defaults and exceptions."""

from __future__ import annotations

import ast
from dataclasses import dataclass


@dataclass(frozen=True)
class Parameter:
    """A parameter. `type` and `default` are Python source; `text` is a paragraph that ends with a period."""

    name: str
    type: str | None = None
    default: str | None = None
    text: str = ""


@dataclass(frozen=True)
class Signature:
    """A function's signature; `raises` names its exceptions in the order of the code."""

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
