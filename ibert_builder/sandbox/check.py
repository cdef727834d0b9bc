"""What template code may do: an allow-list over its syntax tree, checked before anything runs.

Code sees the tables, `ibis`, `_` and `s` (the selectors), and nothing else. It may call public methods of Ibis
expressions and the functions of `ibis` that `policy` names. It may not import anything, define classes, use names that start
with an underscore, or reach the backend, files or the network. What the tree does not show is decided when the code
runs: `members` knows the objects, `arithmetic` the size of values, `limits` time and memory.
"""

from __future__ import annotations

import ast
import builtins
import functools
import re
import types
from collections.abc import Iterable

import ibis
from ibis import selectors

from ibert_builder.errors import ForbiddenCode, unknown
from ibert_builder.sandbox.files import arguments_of, check_files, is_plain, refuse, texts_in
from ibert_builder.sandbox.members import methods_of_types, public_methods
from ibert_builder.sandbox.policy import (
    FORBIDDEN_METHODS,
    IBIS_FUNCTIONS,
    INSIDES,
    NODES,
    STRICT,
    TEXT_WALKS,
    Rules,
)

_FORMAT = re.compile(r"\{\w*[.:!\[][^{}]*\}")  # what `str.format`, to which Ibis hands texts, would obey

_REPEATED = re.compile(r"\)[*+{]|[*+}][*+{]|(?:[*+{].*){3}")
DEEPEST = 60  # syntax nodes within one another; the deepest of a template has 21

_SELECTOR_FUNCTIONS = frozenset(selectors.__all__) | {"all"}

# Python computes these while it compiles, before any bound.
_FOLDED = (ast.Mult, ast.Pow, ast.LShift, ast.Mod)
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
    for node in nodes:
        if isinstance(node, ast.keyword) and node.arg:
            attributes.add(node.arg)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            attributes.add(node.value)
            if _FORMAT.search(node.value):
                refuse(
                    node,
                    "format specifications are not allowed, nor attributes and items in the braces of a text",
                )
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            given.add(node.id)
        elif isinstance(node, ast.arg):
            given.add(node.arg)
        elif isinstance(node, ast.FunctionDef):
            given.add(node.name)
        elif isinstance(node, ast.Attribute):
            owners.add(id(node.value))
    attributes -= methods_of_types()
    syntax = _syntax(rules)
    for node in nodes:
        if type(node) not in syntax:
            refuse(node, f"{type(node).__name__} is not allowed in template code")
        if isinstance(node, ast.Name):
            _check_name(node, given, id(node) in owners, rules)
        elif isinstance(node, ast.Call):
            _check_patterns(node)
        elif isinstance(node, ast.Attribute):
            _check_attribute(node, attributes, id(node) in owners, rules)
        elif isinstance(node, ast.arg | ast.FunctionDef):
            name = node.arg if isinstance(node, ast.arg) else node.name
            if name in ("ibis", "_", "s"):
                refuse(node, f"'{name}' may not be assigned to")
            _check_annotation(node.annotation if isinstance(node, ast.arg) else node.returns)
        elif isinstance(node, ast.BinOp) and type(node.op) in _FOLDED and _is_constant(node):
            refuse(node, "arithmetic on constants alone is not allowed: write the result")
        elif isinstance(node, ast.AugAssign) and not isinstance(node.target, ast.Name):
            refuse(node, "this operator is not allowed together with an assignment to anything but a name")
        elif isinstance(node, ast.Subscript) and not (isinstance(node.ctx, ast.Load) or rules.absent_names):
            refuse(node, "an item may not be assigned to")
        elif isinstance(node, ast.FormattedValue) and node.format_spec is not None:
            refuse(node, "format specifications are not allowed")
        elif isinstance(node, _LOOPS) and _loops_in(node) > 1:
            refuse(node, "a loop inside a loop is not allowed")
    if rules.files:
        check_files(nodes)


@functools.lru_cache(maxsize=16)
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
        refuse(node, unknown("name", name, given))
    if isinstance(node.ctx, ast.Store) and name in ("ibis", "_", "s"):
        refuse(node, f"'{name}' may not be assigned to")
    if name in ("ibis", "s") and not owns_attribute:
        refuse(node, f"the module '{name}' may only stand before a dot")


def _check_patterns(call: ast.Call) -> None:
    """Python's regular expressions, which Ibis uses for names, may take ages, and nothing interrupts them."""
    takes = getattr(call.func, "attr", None) in ("matches", "list_tables")
    given = arguments_of(call) if takes else [k.value for k in call.keywords if k.arg == "names_pattern"]
    for value in given:
        if not is_plain(value) or any(map(_REPEATED.search, texts_in([value]))):
            refuse(
                call, "a pattern is written where it stands, with two repetitions at most and none of a group"
            )


def _check_annotation(annotation: ast.expr | None) -> None:
    for node in ast.walk(annotation) if annotation is not None else ():
        if isinstance(node, ast.Call | ast.JoinedStr) or (
            isinstance(node, ast.Constant) and isinstance(node.value, str)
        ):
            refuse(node, "an annotation is a type, not a call or a text, which Ibis would evaluate")


def _check_attribute(node: ast.Attribute, attributes: set[str], owns_attribute: bool, rules: Rules) -> None:
    name = node.attr
    if name.startswith("_"):
        refuse(node, f"the attribute '{name}' is private")
    if name in INSIDES:
        refuse(node, f"the attribute '{name}' leads inside Python")
    if name in TEXT_WALKS:
        refuse(node, f"the attribute '{name}' walks through objects by a text")
    path = _path(node)
    if path[0] == "ibis":
        if not owns_attribute:  # a longer path is checked as a whole
            _check_path(node, path[1:], attributes, rules)
        return
    if not isinstance(node.ctx, ast.Load) and not (rules.absent_names and path[0] not in ("s", "_")):
        refuse(node, "an attribute may not be assigned to")
    _check_member(node, path, attributes, rules)


def _check_path(node: ast.Attribute, words: list[str], attributes: set[str], rules: Rules) -> None:
    """Check `ibis.WORD.WORD`: a function, an option, a selector, or an attribute of a constant."""
    dotted, allowed = ".".join(words), IBIS_FUNCTIONS | rules.functions
    if not isinstance(node.ctx, ast.Load) and not (dotted in rules.functions and words[0] == "options"):
        refuse(node, f"'ibis.{dotted}' may not be assigned to")
    if dotted in allowed and dotted != "selectors":
        return
    if rules.absent_names and not _has(ibis, words[0]):
        return
    if words[0] in ("e", "pi"):
        return _check_member(node, words, attributes, rules)
    if words[0] == "selectors":
        return _check_member(node, ["s", *words[1:]], attributes, rules)
    refuse(node, unknown("function of ibis", dotted, allowed))


def _check_member(node: ast.Attribute, path: list[str], attributes: set[str], rules: Rules) -> None:
    name = node.attr
    if name in FORBIDDEN_METHODS and name not in rules.methods:
        refuse(node, f"'{name}' leaves the expression (it runs it, writes it or reaches the backend)")
    if path[0] == "s":
        absent = rules.absent_names and len(path) > 1 and not _has(selectors, path[1])
        if ".".join(path[1:]) not in _SELECTOR_FUNCTIONS and not absent:
            refuse(node, unknown("selector", ".".join(path[1:]), _SELECTOR_FUNCTIONS))
    elif (
        name not in attributes
        and name not in rules.methods
        and name not in public_methods()
        and not rules.absent_names
    ):
        refuse(node, unknown("method or column", name, public_methods() | attributes))


def _has(module: types.ModuleType, name: str) -> bool:
    try:
        return hasattr(module, name)
    except ImportError:  # a backend that is not installed
        return True


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
