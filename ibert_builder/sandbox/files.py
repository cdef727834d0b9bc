"""What code that reads, writes and connects may hand to the calls that do: plain names of files, and plain SQL."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from typing import NoReturn

from ibert_builder.errors import ForbiddenCode
from ibert_builder.sandbox.sql import REFUSED_FUNCTIONS, check_sql

# What takes the names of files, and SQL: only as written in the code, where they can be checked.
_FILE_CALLS = frozenset(
    ["connect", "sql", "table", *(f"{way}_{kind}" for way in ("read", "to") for kind in ("csv", "json", "parquet"))]
)  # fmt: skip
_CONNECTIONS = ("ibis.duckdb.connect", "ibis.get_backend")
_SCHEME = re.compile(r"\s*[A-Za-z][\w+-]*:")  # `md:`, `s3:`, `C:`
_OUTSIDE = re.compile(r"[/\\~]|\.\.")
_QUOTES = re.compile(r"['\"]")  # Ibis writes some of these texts into SQL as Python spells them


def check_files(nodes: list[ast.AST]) -> None:
    """Check the calls of a syntax tree that take names of files, SQL and connections.

    Raises:
        ForbiddenCode: naming the first forbidden thing and its line.
    """
    calls = {id(node.func): node for node in nodes if isinstance(node, ast.Call)}
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _OUTSIDE.search(node.value):
            refuse(node, f"a file here has a plain name, not '{node.value}'")
        elif isinstance(node, ast.FunctionDef) and node.name.lower() in REFUSED_FUNCTIONS:
            refuse(node, f"the SQL function '{node.name}' is not allowed")
        elif isinstance(node, ast.Attribute):
            call = calls.get(id(node))
            if node.attr == "set_backend":
                _check_backend(node, call, nodes)
            elif node.attr == "builtin" and call is not None:
                refuse(node, "'builtin' takes no arguments: the SQL function is the one of the same name")
            elif node.attr in _FILE_CALLS:
                _check_call(node, call)


def _check_call(node: ast.Attribute, call: ast.Call | None) -> None:
    """Names of files stand in the code as they are, and SQL is one SELECT that reads tables."""
    if call is None:
        refuse(node, f"'{node.attr}' may only be called")
    given = arguments_of(call)
    if not all(map(is_plain, given)) or any(keyword.arg is None for keyword in call.keywords):
        refuse(node, f"'{node.attr}' takes plain values only, written where they stand")
    if node.attr == "sql":
        if len(given) != 1 or call.keywords:
            refuse(node, "'sql' takes one text")
        try:
            return check_sql(str(given[0].value if isinstance(given[0], ast.Constant) else ""))
        except ForbiddenCode as error:
            refuse(node, str(error))
    if node.attr == "connect" and {keyword.arg for keyword in call.keywords} - {"read_only"}:
        refuse(node, "'connect' takes the name of a file, and `read_only`")
    for text in texts_in(given):
        if _SCHEME.match(text) or _QUOTES.search(text):
            refuse(node, f"'{node.attr}' takes no address and no quotes, found '{text}'")


def _check_backend(node: ast.Attribute, call: ast.Call | None, nodes: Iterable[ast.AST]) -> None:
    """`set_backend` opens what a text says, so it takes a connection, or a name that is one."""
    made = {
        target.id
        for other in nodes
        if isinstance(other, ast.Assign) and _connects(other.value)
        for target in other.targets
        if isinstance(target, ast.Name)
    }
    stores = [other.id for other in nodes if isinstance(other, ast.Name) and isinstance(other.ctx, ast.Store)]
    arguments = {other.arg for other in nodes if isinstance(other, ast.arg)}
    given = arguments_of(call) if call is not None else []
    is_backend = len(given) == 1 and (
        _connects(given[0])
        or (
            isinstance(given[0], ast.Name)
            and given[0].id in made - arguments
            and stores.count(given[0].id) == 1
        )
    )
    if not is_backend:
        refuse(node, f"'set_backend' takes what {' or '.join(_CONNECTIONS)} gives")


def _connects(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) in _CONNECTIONS


def arguments_of(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def texts_in(nodes: Iterable[ast.expr]) -> list[str]:
    return [
        inner.value
        for node in nodes
        for inner in ast.walk(node)
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str)
    ]


def is_plain(node: ast.AST) -> bool:
    """A constant, or a list or mapping of constants."""
    if isinstance(node, ast.List | ast.Tuple):
        return all(map(is_plain, node.elts))
    if isinstance(node, ast.Dict):
        return all(key is not None and is_plain(key) for key in node.keys) and all(map(is_plain, node.values))
    return isinstance(node, ast.Constant)


def refuse(node: ast.AST, why: str) -> NoReturn:
    """Refuse code for what it does in the line of a node."""
    raise ForbiddenCode(f"{why} (line {getattr(node, 'lineno', 1)} of the code)")
