"""Names of Ibis in English: whatever an answer puts in backticks must be something that the installed Ibis has.

A backticked piece is one of:

| piece | rule |
|---|---|
| `filter()`, `order_by` | a public method of an expression, schema or connection; a function of `ibis` |
| `Table.head`, `ibis.cases()`, `con.sql` | that attribute of that class or module; `con` is a connection |
| `{x:code}.upper()`, `_.n.sum()` | slots may be anything; the methods must exist; other columns come from the code |
| `how="left"`, `nulls_first` | a parameter of something else that the answer names or makes a claim about |
| `"left"`, `5`, `None`, `int` | a Python literal, or a builtin from a closed list |
| `int64`, `array<string>` | a data type as Ibis spells it |
| `GROUP BY` | SQL, made of words from a closed list |
| a name that the example code introduces | spelled as in the code |
| anything else | must be listed under `foreign:`, which says that it is not part of Ibis |
"""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Iterator, Sequence
from typing import Any

import ibis.expr.datatypes as dt

from ibert_builder.errors import unknown
from ibert_builder.ibis_api.names import UnknownName, classes, members, resolve, roots, signature
from ibert_builder.templating.frames import join_chains

BUILTINS = {*keyword.kwlist, "bool", "dict", "float", "int", "len", "list", "max", "min", "print", "str"}

SQL_WORDS = frozenset(
    re.findall(
        r"\w+",
        "ALL AND ANY AS ASC BETWEEN BY CASE CAST COALESCE COUNT CREATE CROSS CTE DATE DATE_TRUNC DELETE DESC "
        "DISTINCT ELSE END EXCEPT EXISTS EXTRACT FALSE FIRST FROM FULL GROUP HAVING IF ILIKE IN INNER INSERT "
        "INTERSECT INTERVAL INTO IS JOIN LAST LEFT LIKE LIMIT NOT NULL NULLIF NULLS OFFSET ON OR ORDER OUTER "
        "OVER PARTITION QUALIFY RANGE RIGHT ROW ROWS ROW_NUMBER SELECT SUM TABLE THEN TRUE UNION UNNEST "
        "UPDATE USING VALUES VIEW WHEN WHERE WINDOW WITH",
    )
)
OPERATORS = ("&", "|", "~", "==", "!=", "<", ">")

_PIECE = re.compile(r"`([^`]+)`")
_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{[a-z_][a-z0-9_]*(?:\.[a-z_]+)?(?::\w+)?\}")
_SLOT = "slot_"


def pieces(text: str) -> list[str]:
    """The backticked pieces of a text, in order."""
    return _PIECE.findall(text)


def check_names(
    text: str, code: str | None = None, foreign: Sequence[str] = (), about: Sequence[str] = ()
) -> None:
    """Check every backticked piece of a text against the rules above.

    Args:
        text: English, with placeholders.
        code: the example that goes with the text, whose own new names may be mentioned.
        foreign: pieces that are not part of Ibis.
        about: functions whose parameters may be named although the text does not name the functions.

    Raises:
        UnknownName: for the first piece that names nothing, with the nearest known name.
    """
    if text.count("`") % 2:
        raise UnknownName("a backtick opens a piece, and nothing closes it")
    own = _introduced(code)
    parsed = [(piece, _parse(piece)) for piece in pieces(text) if piece not in foreign]
    for unused in set(foreign) - set(pieces(text)):
        raise UnknownName(f"'{unused}' is listed as foreign, but the text does not have it in backticks")
    called = [resolve(path) for path in about]
    called += [function for _, tree in parsed if tree is not None for function in _functions(tree)]
    for piece, tree in parsed:
        if tree is None:
            _check_other(piece)
            continue
        for problem in _problems(tree, own, called):
            if not (_is_sql(piece) or _is_type(piece)):
                raise UnknownName(f"`{piece}`: {problem}")


def _introduced(code: str | None) -> frozenset[str]:
    """The names that code itself gives to tables, columns and functions."""
    if code is None:
        return frozenset()
    nodes = list(ast.walk(_parsed(join_chains(_PLACEHOLDER.sub(_filling, code)), "exec")))
    names = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    names |= {n.arg for n in nodes if isinstance(n, ast.keyword) and n.arg}
    names |= {n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    return frozenset(names | {n.name for n in nodes if isinstance(n, ast.FunctionDef)})


def _filling(match: re.Match[str]) -> str:
    return match[0][0] if match[0] in ("{{", "}}") else _SLOT + re.sub(r"\W", "_", match[0][1:-1])


def _parse(piece: str) -> ast.AST | None:
    """A piece as Python: an expression, or the keyword arguments of some call; None where it is neither."""
    code = _PLACEHOLDER.sub(_filling, piece)
    for text in (code, f"{_SLOT}call({code})"):
        try:
            return _parsed(text, "eval")
        except SyntaxError:
            continue
    return None


def _parsed(code: str, mode: str) -> ast.AST:
    try:
        return ast.parse(code, mode=mode)
    except (RecursionError, MemoryError):
        raise SyntaxError("it is nested too deeply") from None


def _check_other(piece: str) -> None:
    if not (_is_sql(piece) or _is_type(piece) or piece in BUILTINS or piece in OPERATORS):
        raise UnknownName(
            f"`{piece}` is neither Python nor SQL nor a data type (does it belong under `foreign`?)"
        )


def _is_sql(piece: str) -> bool:
    words = re.findall(r"\w+", piece)
    return bool(words) and all(word in SQL_WORDS for word in words)


def _is_type(piece: str) -> bool:
    try:
        return dt.dtype(piece) is not None
    except Exception:
        return False


def _functions(tree: ast.AST) -> Iterator[Any]:
    """The functions that a piece names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute):
            yield from _meanings(node)


def _meanings(node: ast.Name | ast.Attribute) -> tuple[Any, ...]:
    path = _path(node)
    if path and path.split(".")[0] in roots():
        try:
            return (resolve(path),)
        except UnknownName:
            return ()
    return members().get(node.attr if isinstance(node, ast.Attribute) else node.id, ())


def _path(node: ast.AST) -> str | None:
    """`a.b.c` as text, or None for anything that does not start with a name."""
    if isinstance(node, ast.Name):
        return node.id
    before = _path(node.value) if isinstance(node, ast.Attribute) else None
    return f"{before}.{node.attr}" if before and isinstance(node, ast.Attribute) else None


def _problems(tree: ast.AST, own: frozenset[str], called: list[Any]) -> Iterator[str]:
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    bound = {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
    free = own | bound | {"ibis", "_", "s", "con"} | BUILTINS
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            path = _path(node)
            if path and path.split(".")[0] in roots():
                try:
                    resolve(path)
                except UnknownName as error:
                    yield str(error)
            elif not node.attr.startswith(_SLOT) and node.attr not in own and node.attr not in members():
                yield unknown("method", node.attr, members())
        elif isinstance(node, ast.Name) and id(node) not in inner:
            if node.id.startswith(_SLOT) or node.id in free or node.id in members() or node.id in classes():
                continue
            if not any(_takes(function, node.id) for function in called):
                yield unknown("name", node.id, members())
        elif isinstance(node, ast.Name) and not (
            node.id.startswith(_SLOT) or node.id in free or node.id in classes()
        ):
            yield unknown("class or module", node.id, roots())
        elif isinstance(node, ast.Call):
            functions = list(_meanings(node.func)) if isinstance(node.func, ast.Name | ast.Attribute) else []
            for argument in node.keywords:
                if argument.arg and not any(_takes(f, argument.arg, True) for f in functions or called):
                    yield f"nothing named here takes an argument '{argument.arg}'"


def _takes(function: Any, name: str, free: bool = False) -> bool:
    """Whether a function has a parameter of that name; `free` if any `**names` will do."""
    try:
        found = signature(getattr(function, "__func__", function), name)
    except UnknownName:
        return False
    return name in found or (free and any(p.kind is p.VAR_KEYWORD for p in found.values()))
