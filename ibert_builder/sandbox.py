"""What template code may do: an allow-list over its syntax tree, checked before anything runs.

Code sees the tables, `ibis`, `_` and `s` (the selectors), and nothing else. It may call public methods of Ibis
expressions and the functions of `ibis` named here; it may not import, loop, define classes, touch underscored
attributes, or reach the backend, files or the network.
"""

from __future__ import annotations

import ast
import builtins
import functools
from collections.abc import Iterable
from dataclasses import dataclass
from types import CodeType

import ibis
import ibis.expr.types as ir
from ibis import selectors
from ibis.expr.types.groupby import GroupedTable
from ibis.expr.types.temporal import DayOfWeek

from ibert_builder.errors import unknown

IBIS_FUNCTIONS = frozenset(
    [
        "and_",
        "array",
        "asc",
        "cases",
        "coalesce",
        "cume_dist",
        "cumulative_window",
        "date",
        "dense_rank",
        "desc",
        "difference",
        "dtype",
        "e",
        "greatest",
        "ifelse",
        "infer_dtype",
        "infer_schema",
        "intersect",
        "interval",
        "join",
        "least",
        "literal",
        "map",
        "negate",
        "ntile",
        "null",
        "or_",
        "param",
        "percent_rank",
        "pi",
        "range",
        "range_window",
        "rank",
        "row_number",
        "rows_window",
        "schema",
        "selectors",
        "struct",
        "time",
        "timestamp",
        "to_sql",
        "trailing_range_window",
        "trailing_window",
        "union",
        "uuid",
        "watermark",
        "window",
    ]
) - {"uuid", "to_sql", "watermark"}

# Public methods of expressions that leave the expression: they run it, write files, or hand out the backend.
FORBIDDEN_METHODS = frozenset(
    [
        "alias",
        "cache",
        "compile",
        "equals",
        "execute",
        "get_backend",
        "get_name",
        "op",
        "pipe",
        "preview",
        "sample",
        "sql",
        "to_csv",
        "to_delta",
        "to_dict",
        "to_json",
        "to_list",
        "to_pandas",
        "to_pandas_batches",
        "to_parquet",
        "to_parquet_dir",
        "to_polars",
        "to_pyarrow",
        "to_pyarrow_batches",
        "to_sql",
        "to_torch",
        "to_xlsx",
        "unbind",
        "visualize",
    ]
)

_NODES = (
    ast.Module, ast.Expr, ast.Assign, ast.Name, ast.Load, ast.Store, ast.Attribute, ast.Call, ast.keyword, ast.Constant,
    ast.Subscript, ast.Slice, ast.Tuple, ast.List, ast.Dict, ast.Set, ast.Starred, ast.Lambda, ast.arguments, ast.arg, ast.IfExp,
    ast.BinOp, ast.UnaryOp, ast.Compare, ast.BoolOp, ast.operator, ast.unaryop, ast.cmpop, ast.boolop,
    ast.ListComp, ast.DictComp, ast.GeneratorExp, ast.comprehension,
)  # fmt: skip


@dataclass(frozen=True)
class Rules:
    """What code of one kind may do.

    Attributes:
        nodes: syntax allowed besides that of expressions and assignments.
        functions: attributes of `ibis` allowed besides `IBIS_FUNCTIONS`; dotted for its modules (`duckdb.connect`).
        methods: methods of expressions and other objects allowed although they leave the expression.
        builtins: Python's own functions and exceptions that the code may name.
        absent_names: names that exist nowhere in Ibis may be used, since running into them is the point.
        files: string constants may be file names (they must be plain ones: no folder, no address).
    """

    nodes: tuple[type[ast.AST], ...] = ()
    functions: frozenset[str] = frozenset()
    methods: frozenset[str] = frozenset()
    builtins: frozenset[str] = frozenset()
    absent_names: bool = False
    files: bool = False


STRICT = Rules()

# Code with a mistake in it: it may name what does not exist, and what people mistake for part of Ibis.
MISTAKEN = Rules(
    builtins=frozenset(
        [
            "abs",
            "all",
            "any",
            "bool",
            "dict",
            "float",
            "int",
            "len",
            "list",
            "max",
            "min",
            "range",
            "round",
            "set",
            "sorted",
            "str",
            "sum",
            "tuple",
        ]
    ),
    absent_names=True,
)

# A function that is to be documented.
FUNCTION = Rules(
    nodes=(
        ast.FunctionDef,
        ast.Return,
        ast.If,
        ast.Raise,
        ast.For,
        ast.AugAssign,
        ast.JoinedStr,
        ast.FormattedValue,
    ),
    functions=frozenset(["Table", "Column", "Scalar", "Value", "Expr", "Deferred", "Schema"]),
    builtins=frozenset(
        [
            "ValueError",
            "TypeError",
            "KeyError",
            "bool",
            "dict",
            "float",
            "int",
            "isinstance",
            "len",
            "list",
            "set",
            "sorted",
            "str",
            "tuple",
            "zip",
        ]
    ),
)

# An example that reads, writes, connects or runs; only ever in a folder of its own.
FILES = Rules(
    nodes=(ast.FunctionDef, ast.Return),  # an example may define a function, to be called for every row
    functions=frozenset(
        [
            "connect",
            "duckdb",
            "duckdb.connect",
            "sqlite",
            "sqlite.connect",
            "get_backend",
            "list_tables",
            "memtable",
            "options",
            "options.interactive",
            "options.default_backend",
            "options.sql",
            "options.sql.default_limit",
            "parse_sql",
            "read_csv",
            "read_json",
            "read_parquet",
            "set_backend",
            "table",
            "to_sql",
            "udf",
            "udf.scalar",
            "udf.scalar.builtin",
            "udf.scalar.python",
        ]
    ),
    methods=frozenset(
        [
            "alias",
            "cache",
            "compile",
            "create_table",
            "create_view",
            "disconnect",
            "drop_table",
            "drop_view",
            "execute",
            "get_name",
            "insert",
            "list_databases",
            "list_tables",
            "name",
            "pipe",
            "preview",
            "raw_sql",
            "read_csv",
            "read_json",
            "read_parquet",
            "sql",
            "table",
            "to_csv",
            "to_json",
            "to_list",
            "to_pandas",
            "to_pandas_batches",
            "to_parquet",
            "to_pyarrow",
            "to_pyarrow_batches",
            "truncate_table",
            "unbind",
            "get_schema",
            "equals",
            "fetchall",
            "builtin",
            "python",
            "scalar",
        ]
    ),
    builtins=frozenset(["bool", "float", "int", "len", "list", "print", "str"]),
    files=True,
)

_SELECTOR_FUNCTIONS = frozenset(selectors.__all__) | {"all"}


class ForbiddenCode(ValueError):
    """Code that does something the allow-list does not name."""


@functools.cache
def _public_methods() -> frozenset[str]:
    kinds = [kind for kind in vars(ir).values() if isinstance(kind, type) and issubclass(kind, ir.Expr)]
    kinds += [GroupedTable, DayOfWeek, type(ibis._), type(ibis.schema({"a": "int64"}))]
    return (
        frozenset(name for kind in kinds for name in dir(kind) if not name.startswith("_"))
        - FORBIDDEN_METHODS
    )


# Operators that make a few digits of constants into gigabytes.
_GROWING = (ast.Pow, ast.LShift, ast.Mult)


def check(tree: ast.Module, names: Iterable[str], rules: Rules = STRICT) -> None:
    """Check code against the allow-list.

    Args:
        tree: the parsed code.
        names: table and column names, which may stand as names and attributes too.
        rules: what this kind of code may do besides.

    Raises:
        ForbiddenCode: naming the first forbidden thing and its line.
    """
    given = {*names, "ibis", "_", "s", *rules.builtins}
    attributes = set(names)
    for node in ast.walk(tree):
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
    for node in ast.walk(tree):
        if not isinstance(node, (*_NODES, *rules.nodes)):
            _refuse(node, f"{type(node).__name__} is not allowed in template code")
        if isinstance(node, ast.Name):
            if node.id not in given and not (rules.absent_names and node.id not in vars(builtins)):
                _refuse(node, unknown("name", node.id, given))
            if isinstance(node.ctx, ast.Store) and node.id in ("ibis", "_", "s"):
                _refuse(node, f"'{node.id}' may not be assigned to")
        elif isinstance(node, ast.Attribute):
            _check_attribute(node, attributes, rules)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, _GROWING) and _is_constant(node):
            _refuse(node, "arithmetic on constants alone is not allowed: write the result")


def _check_attribute(node: ast.Attribute, attributes: set[str], rules: Rules) -> None:
    name = node.attr
    if name.startswith("_"):
        _refuse(node, f"the attribute '{name}' is private")
    path = _path(node)
    if path[0] == "ibis":
        dotted, allowed = ".".join(path[1:]), IBIS_FUNCTIONS | rules.functions
        if (
            dotted in allowed
            or path[1] in IBIS_FUNCTIONS - {"schema"}
            or (rules.absent_names and not hasattr(ibis, path[1]))
        ):
            return
        _refuse(node, unknown("function of ibis", dotted, allowed))
    if name in FORBIDDEN_METHODS and name not in rules.methods:
        _refuse(node, f"'{name}' leaves the expression (it runs it, writes it or reaches the backend)")
    if path[0] == "s" and len(path) == 2:
        if name not in _SELECTOR_FUNCTIONS and not (rules.absent_names and not hasattr(selectors, name)):
            _refuse(node, unknown("selector", name, _SELECTOR_FUNCTIONS))
    elif (
        name not in attributes
        and name not in rules.methods
        and name not in _public_methods()
        and not rules.absent_names
    ):
        _refuse(node, unknown("method or column", name, _public_methods() | attributes))


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


def _refuse(node: ast.AST, why: str) -> None:
    raise ForbiddenCode(f"{why} (line {getattr(node, 'lineno', 1)} of the code)")


def compile_code(code: str, names: Iterable[str], rules: Rules = STRICT) -> tuple[CodeType | None, CodeType]:
    """Parse, check and compile code whose last statement is its result.

    Returns:
        The statements before the last one (None where there are none), and the last one as an expression.

    Raises:
        SyntaxError: the code does not parse, or does not end in an expression or an assignment to one name.
        ForbiddenCode: it does something forbidden.
    """
    tree = ast.parse(code)
    check(tree, names, rules)
    last = tree.body[-1] if tree.body else None
    if isinstance(last, ast.Assign) and len(last.targets) == 1:
        tree.body[-1] = last = ast.copy_location(ast.Expr(last.value), last)
    if not isinstance(last, ast.Expr):
        raise SyntaxError("the code should end in an expression")
    before = compile(ast.Module(tree.body[:-1], []), "<template>", "exec") if len(tree.body) > 1 else None
    return before, compile(ast.Expression(last.value), "<template>", "eval")
