"""What template code may do: an allow-list over its syntax tree, checked before anything runs.

Code sees the tables, `ibis`, `_` and `s` (the selectors), and nothing else. It may call public methods of Ibis
expressions and the functions of `ibis` named here; it may not import, loop, define classes, touch underscored
attributes, or reach the backend, files or the network.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable
from types import CodeType

import ibis
import ibis.expr.types as ir
from ibis import selectors
from ibis.expr.types.groupby import GroupedTable
from ibis.expr.types.temporal import DayOfWeek

from ibert_builder.errors import unknown

IBIS_FUNCTIONS = frozenset(
    "and_ array asc cases coalesce cume_dist cumulative_window date dense_rank desc difference dtype e greatest ifelse "
    "infer_dtype infer_schema intersect interval join least literal map negate ntile null or_ param percent_rank pi range "
    "range_window rank row_number rows_window schema selectors struct time timestamp to_sql trailing_range_window "
    "trailing_window union uuid watermark window".split()
) - {"uuid", "to_sql", "watermark"}

# Public methods of expressions that leave the expression: they run it, write files, or hand out the backend.
FORBIDDEN_METHODS = frozenset(
    "alias cache compile equals execute get_backend get_name op pipe preview sample sql to_csv to_delta to_dict to_json "
    "to_list to_pandas to_pandas_batches to_parquet to_parquet_dir to_polars to_pyarrow to_pyarrow_batches to_sql to_torch "
    "to_xlsx unbind visualize".split()
)

_NODES = (
    ast.Module, ast.Expr, ast.Assign, ast.Name, ast.Load, ast.Store, ast.Attribute, ast.Call, ast.keyword, ast.Constant,
    ast.Subscript, ast.Slice, ast.Tuple, ast.List, ast.Dict, ast.Set, ast.Starred, ast.Lambda, ast.arguments, ast.arg, ast.IfExp,
    ast.BinOp, ast.UnaryOp, ast.Compare, ast.BoolOp, ast.operator, ast.unaryop, ast.cmpop, ast.boolop,
    ast.ListComp, ast.DictComp, ast.GeneratorExp, ast.comprehension,
)  # fmt: skip

_SELECTOR_FUNCTIONS = frozenset(selectors.__all__) | {"all"}


class ForbiddenCode(ValueError):
    """Code that does something the allow-list does not name."""


@functools.cache
def _public_methods() -> frozenset[str]:
    kinds = [kind for kind in vars(ir).values() if isinstance(kind, type) and issubclass(kind, ir.Expr)]
    kinds += [GroupedTable, DayOfWeek, type(ibis._), type(ibis.schema({"a": "int64"}))]
    return frozenset(name for kind in kinds for name in dir(kind) if not name.startswith("_")) - FORBIDDEN_METHODS


def check(tree: ast.Module, names: Iterable[str]) -> None:
    """Check code against the allow-list.

    Args:
        tree: the parsed code.
        names: table and column names, which may stand as names and attributes too.

    Raises:
        ForbiddenCode: naming the first forbidden thing and its line.
    """
    given = set(names)
    attributes = set(given)
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg:
            attributes.add(node.arg)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            attributes.add(node.value)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            given.add(node.id)
        elif isinstance(node, ast.arg):
            given.add(node.arg)
    methods = _public_methods()
    for node in ast.walk(tree):
        if not isinstance(node, _NODES):
            _refuse(node, f"{type(node).__name__} is not allowed in template code")
        if isinstance(node, ast.Name):
            if node.id not in given and node.id not in ("ibis", "_", "s"):
                _refuse(node, unknown("name", node.id, {*given, "ibis", "_", "s"}))
            if isinstance(node.ctx, ast.Store) and node.id in ("ibis", "_", "s"):
                _refuse(node, f"'{node.id}' may not be assigned to")
        elif isinstance(node, ast.Attribute):
            _check_attribute(node, attributes, methods)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow | ast.LShift | ast.Mult):
            if isinstance(node.left, ast.Constant | ast.BinOp) and isinstance(node.right, ast.Constant | ast.BinOp):
                _refuse(node, "arithmetic on constants alone is not allowed: write the result")


def _check_attribute(node: ast.Attribute, attributes: set[str], methods: frozenset[str]) -> None:
    name, owner = node.attr, node.value
    if name.startswith("_"):
        _refuse(node, f"the attribute '{name}' is private")
    if name in FORBIDDEN_METHODS:
        _refuse(node, f"'{name}' leaves the expression (it runs it, writes it or reaches the backend)")
    if isinstance(owner, ast.Name) and owner.id == "ibis":
        if name not in IBIS_FUNCTIONS:
            _refuse(node, unknown("function of ibis", name, IBIS_FUNCTIONS))
    elif isinstance(owner, ast.Name) and owner.id == "s":
        if name not in _SELECTOR_FUNCTIONS:
            _refuse(node, unknown("selector", name, _SELECTOR_FUNCTIONS))
    elif name not in methods and name not in attributes:
        _refuse(node, unknown("method or column", name, methods | attributes))


def _refuse(node: ast.AST, why: str) -> None:
    raise ForbiddenCode(f"{why} (line {getattr(node, 'lineno', 1)} of the code)")


def compile_code(code: str, names: Iterable[str]) -> tuple[CodeType | None, CodeType]:
    """Parse, check and compile code whose last statement is its result.

    Returns:
        The statements before the last one (None where there are none), and the last one as an expression.

    Raises:
        SyntaxError: the code does not parse, or does not end in an expression or an assignment to one name.
        ForbiddenCode: it does something forbidden.
    """
    tree = ast.parse(code)
    check(tree, names)
    last = tree.body[-1] if tree.body else None
    if isinstance(last, ast.Assign) and len(last.targets) == 1:
        tree.body[-1] = last = ast.copy_location(ast.Expr(last.value), last)
    if not isinstance(last, ast.Expr):
        raise SyntaxError("the code should end in an expression")
    before = compile(ast.Module(tree.body[:-1], []), "<template>", "exec") if len(tree.body) > 1 else None
    return before, compile(ast.Expression(last.value), "<template>", "eval")
