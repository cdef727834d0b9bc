"""What template code may do: an allow-list over its syntax tree, checked before anything runs.

Code sees the tables, `ibis`, `_` and `s` (the selectors), and nothing else. It may call public methods of Ibis
expressions and the functions of `ibis` named here; it may not import, loop, define classes, touch underscored
attributes, or reach the backend, files or the network. What it may take of time and memory is said in `limits.py`; what
no limit could stop, since it happens within one step of Python, is refused here.
"""

from __future__ import annotations

import ast
import builtins
import functools
import types
from collections.abc import Iterable
from types import CodeType
from typing import NoReturn

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import sqlglot
from ibis import selectors
from ibis.expr.types.groupby import GroupedTable
from ibis.expr.types.temporal import DayOfWeek
from sqlglot import exp

from ibert_builder.errors import ForbiddenCode, unknown
from ibert_builder.sandbox.arithmetic import GROWING, Bounding
from ibert_builder.sandbox.policy import FORBIDDEN_METHODS, IBIS_FUNCTIONS, NODES, STRICT, Rules

# What leads from Python's own objects to its frames, modules and classes. No column may be called so.
_INSIDES = frozenset(
    name
    for kind in (
        types.GeneratorType,
        types.FrameType,
        types.CodeType,
        types.FunctionType,
        types.MethodType,
        types.ModuleType,
        types.TracebackType,
        type,
    )
    for name in dir(kind)
    if not name.startswith("_")
) - {"replace", "clear", "close", "send", "throw"}

# Methods of texts that look up attributes by what stands in the text; a column may be called so.
_TEXT_WALKS = frozenset({"format", "format_map"})

LONGEST = 5_000  # characters of code; the longest of a template has 700
DEEPEST = 60  # syntax nodes within one another; the deepest of a template has 21

_SELECTOR_FUNCTIONS = frozenset(selectors.__all__) | {"all"}


@functools.cache
def _public_methods() -> frozenset[str]:
    kinds = [kind for kind in vars(ir).values() if isinstance(kind, type) and issubclass(kind, ir.Expr)]
    kinds += [GroupedTable, DayOfWeek, type(ibis._), type(ibis.schema({"a": "int64"}))]
    return (
        frozenset(name for kind in kinds for name in dir(kind) if not name.startswith("_"))
        - FORBIDDEN_METHODS
    )


@functools.cache
def _methods_of_types() -> frozenset[str]:
    """Methods of data types and schemas: no column is taken for one of them because a text of the code says so."""
    kinds = [kind for kind in vars(dt).values() if isinstance(kind, type) and issubclass(kind, dt.DataType)]
    kinds.append(ibis.Schema)
    return (
        frozenset(name for kind in kinds for name in dir(kind) if callable(getattr(kind, name, None)))
        - _public_methods()
    )


# What takes the names of files, and SQL: only as written in the code, where they can be checked.
_FILE_CALLS = frozenset(
    ["connect", "sql", "table", "set_backend", *(f"{way}_{kind}" for way in ("read", "to") for kind in ("csv", "json", "parquet"))]
)  # fmt: skip
_LOOPS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.For)


def check(tree: ast.Module, names: Iterable[str], rules: Rules = STRICT) -> None:
    """Check code against the allow-list.

    Args:
        tree: the parsed code.
        names: table and column names, which may stand as names and attributes too.
        rules: what this kind of code may do besides.

    Raises:
        ForbiddenCode: naming the first forbidden thing and its line.
    """
    nodes = _nodes(tree)
    given = {*names, "ibis", "_", "s", *rules.builtins}
    attributes = set(names)
    owners: set[int] = set()  # what stands before a dot
    calls: dict[int, ast.Call] = {}
    for node in nodes:
        if isinstance(node, ast.keyword) and node.arg:
            attributes.add(node.arg)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            attributes.add(node.value)
            if rules.files and (set("/\\~") & set(node.value) or ".." in node.value):
                _refuse(node, f"a file here has a plain name, not '{node.value}'")
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            given.add(node.id)
        elif isinstance(node, ast.arg):
            given.add(node.arg)
        elif isinstance(node, ast.FunctionDef):
            given.add(node.name)
        elif isinstance(node, ast.Attribute):
            owners.add(id(node.value))
        elif isinstance(node, ast.Call):
            calls[id(node.func)] = node
    attributes -= _methods_of_types() | (_TEXT_WALKS - set(names))
    syntax = _syntax(rules)
    for node in nodes:
        if type(node) not in syntax:
            _refuse(node, f"{type(node).__name__} is not allowed in template code")
        if isinstance(node, ast.Name):
            _check_name(node, given, id(node) in owners, rules)
        elif isinstance(node, ast.Attribute):
            _check_attribute(node, attributes, id(node) in owners, rules)
            if rules.files and node.attr in _FILE_CALLS:
                _check_file_call(node, calls.get(id(node)))
        elif isinstance(node, ast.arg | ast.FunctionDef):
            name = node.arg if isinstance(node, ast.arg) else node.name
            if name in ("ibis", "_", "s"):
                _refuse(node, f"'{name}' may not be assigned to")
        elif isinstance(node, ast.BinOp) and type(node.op) in GROWING and _is_constant(node):
            _refuse(node, "arithmetic on constants alone is not allowed: write the result")
        elif isinstance(node, ast.AugAssign) and type(node.op) in GROWING:
            _refuse(node, "this operator is not allowed together with an assignment")
        elif isinstance(node, ast.Subscript) and not (isinstance(node.ctx, ast.Load) or rules.absent_names):
            _refuse(node, "an item may not be assigned to")
        elif isinstance(node, ast.FormattedValue) and node.format_spec is not None:
            _refuse(node, "format specifications are not allowed")
        elif isinstance(node, _LOOPS) and _loops_in(node) > 1:
            _refuse(node, "a loop inside a loop is not allowed")


@functools.cache
def _syntax(rules: Rules) -> frozenset[type[ast.AST]]:
    kinds = (*NODES, *rules.nodes)
    return frozenset(kinds).union(*(kind.__subclasses__() for kind in kinds))


def _nodes(tree: ast.Module) -> list[ast.AST]:
    """All nodes, outer ones first."""
    nodes: list[ast.AST] = []
    level: list[ast.AST] = [tree]
    for _ in range(DEEPEST):
        nodes += level
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return nodes
    raise ForbiddenCode(f"the code is nested too deeply (at most {DEEPEST} syntax nodes within one another)")


def _check_name(node: ast.Name, given: set[str], owns_attribute: bool, rules: Rules) -> None:
    name = node.id
    is_absent = rules.absent_names and name not in vars(builtins) and not name.startswith("__")
    if name not in given and not is_absent:
        _refuse(node, unknown("name", name, given))
    if isinstance(node.ctx, ast.Store) and name in ("ibis", "_", "s"):
        _refuse(node, f"'{name}' may not be assigned to")
    if name in ("ibis", "s") and not owns_attribute:
        _refuse(node, f"the module '{name}' may only stand before a dot")


def _check_attribute(node: ast.Attribute, attributes: set[str], owns_attribute: bool, rules: Rules) -> None:
    name = node.attr
    if name.startswith("_"):
        _refuse(node, f"the attribute '{name}' is private")
    if name in _INSIDES:
        _refuse(node, f"the attribute '{name}' leads inside Python")
    if name in _TEXT_WALKS - attributes:
        _refuse(node, f"the attribute '{name}' walks through objects by a text")
    path = _path(node)
    if path[0] == "ibis":
        if not owns_attribute:  # a longer path is checked as a whole
            _check_path(node, path[1:], attributes, rules)
        return
    if not isinstance(node.ctx, ast.Load) and not (rules.absent_names and path[0] not in ("s", "_")):
        _refuse(node, "an attribute may not be assigned to")
    _check_member(node, path, attributes, rules)


def _check_path(node: ast.Attribute, words: list[str], attributes: set[str], rules: Rules) -> None:
    """Check `ibis.WORD.WORD`: a function, an option, a selector, or an attribute of a constant."""
    dotted, allowed = ".".join(words), IBIS_FUNCTIONS | rules.functions
    if not isinstance(node.ctx, ast.Load) and not (dotted in rules.functions and words[0] == "options"):
        _refuse(node, f"'ibis.{dotted}' may not be assigned to")
    if dotted in allowed and dotted != "selectors":
        return
    if rules.absent_names and not _has(ibis, words[0]):
        return
    if words[0] in ("e", "pi"):
        return _check_member(node, words, attributes, rules)
    if words[0] == "selectors":
        return _check_member(node, ["s", *words[1:]], attributes, rules)
    _refuse(node, unknown("function of ibis", dotted, allowed))


def _check_member(node: ast.Attribute, path: list[str], attributes: set[str], rules: Rules) -> None:
    name = node.attr
    if name in FORBIDDEN_METHODS and name not in rules.methods:
        _refuse(node, f"'{name}' leaves the expression (it runs it, writes it or reaches the backend)")
    if path[0] == "s":
        absent = rules.absent_names and len(path) > 1 and not _has(selectors, path[1])
        if ".".join(path[1:]) not in _SELECTOR_FUNCTIONS and not absent:
            _refuse(node, unknown("selector", ".".join(path[1:]), _SELECTOR_FUNCTIONS))
    elif (
        name not in attributes
        and name not in rules.methods
        and name not in _public_methods()
        and not rules.absent_names
    ):
        _refuse(node, unknown("method or column", name, _public_methods() | attributes))


def _has(module: types.ModuleType, name: str) -> bool:
    try:
        return hasattr(module, name)
    except ImportError:  # a backend that is not installed
        return True


def _check_file_call(node: ast.Attribute, call: ast.Call | None) -> None:
    """Names of files stand in the code as they are, and SQL is one SELECT that reads tables."""
    if call is None:
        _refuse(node, f"'{node.attr}' may only be called")
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    if node.attr == "set_backend":
        if not (len(given) == 1 and isinstance(given[0], ast.Name | ast.Call)):
            _refuse(node, "'set_backend' takes a backend")
    elif not all(map(_is_plain, given)) or any(keyword.arg is None for keyword in call.keywords):
        _refuse(node, f"'{node.attr}' takes plain values only, written where they stand")
    if node.attr == "connect" and {keyword.arg for keyword in call.keywords} - {"read_only"}:
        _refuse(node, "'connect' takes the name of a file, and `read_only`")
    if node.attr == "sql":
        for value in given:
            _check_sql(value)


def _check_sql(node: ast.AST) -> None:
    text = node.value if isinstance(node, ast.Constant) else None
    try:
        query = sqlglot.parse_one(str(text), read="duckdb")
    except (sqlglot.errors.SqlglotError, RecursionError):
        query = None
    if not isinstance(query, exp.Query) or any(
        not isinstance(table.this, exp.Identifier) or not table.name.isidentifier()
        for table in query.find_all(exp.Table)
    ):
        _refuse(node, "the SQL should be one SELECT from tables by their names")


def _is_plain(node: ast.AST) -> bool:
    """A constant, or a list or mapping of constants."""
    if isinstance(node, ast.List | ast.Tuple):
        return all(map(_is_plain, node.elts))
    if isinstance(node, ast.Dict):
        return all(key is not None and _is_plain(key) for key in node.keys) and all(
            map(_is_plain, node.values)
        )
    return isinstance(node, ast.Constant)


def _loops_in(node: ast.AST) -> int:
    return sum(isinstance(inner, ast.For | ast.comprehension) for inner in ast.walk(node))


def _path(node: ast.Attribute) -> list[str]:
    """`ibis.duckdb.connect` as its words; a path that starts at anything but a name starts with an empty word."""
    words: list[str] = []
    owner: ast.AST = node
    while isinstance(owner, ast.Attribute):
        words.append(owner.attr)
        owner = owner.value
    return [owner.id if isinstance(owner, ast.Name) else "", *reversed(words)]


def _is_constant(node: ast.AST) -> bool:
    if isinstance(node, ast.BinOp):
        return _is_constant(node.left) and _is_constant(node.right)
    return isinstance(node, ast.Constant) or (isinstance(node, ast.UnaryOp) and _is_constant(node.operand))


def _refuse(node: ast.AST, why: str) -> NoReturn:
    raise ForbiddenCode(f"{why} (line {getattr(node, 'lineno', 1)} of the code)")


def compile_code(code: str, names: Iterable[str], rules: Rules = STRICT) -> tuple[CodeType | None, CodeType]:
    """Parse, check and compile code whose last statement is its result.

    Returns:
        The statements before the last one (None where there are none), and the last one as an expression.

    Raises:
        SyntaxError: the code does not parse, or does not end in an expression or an assignment to one name.
        ForbiddenCode: it does something forbidden.
    """
    if len(code) > LONGEST:
        raise ForbiddenCode(f"the code is too long: {len(code)} characters (at most {LONGEST})")
    try:
        tree = ast.parse(code)
    except (RecursionError, MemoryError) as error:
        raise ForbiddenCode("the code is nested too deeply to be parsed") from error
    except ValueError as error:  # in Python 3.10 and 3.11, a null character
        raise SyntaxError(str(error)) from error
    check(tree, names, rules)
    last = tree.body[-1] if tree.body else None
    if isinstance(last, ast.Assign) and len(last.targets) == 1:
        tree.body[-1] = last = ast.copy_location(ast.Expr(last.value), last)
    if not isinstance(last, ast.Expr):
        raise SyntaxError("the code should end in an expression")
    if any(type(node) in GROWING for node in ast.walk(tree)):
        Bounding().visit(tree)
    before = compile(ast.Module(tree.body[:-1], []), "<template>", "exec") if len(tree.body) > 1 else None
    return before, compile(ast.Expression(last.value), "<template>", "eval")
