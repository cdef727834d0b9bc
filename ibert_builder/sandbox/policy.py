"""What template code may use, per purpose: syntax, functions of `ibis`, methods, builtins. `check` applies it."""

from __future__ import annotations

import ast
import types
from dataclasses import dataclass

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
        "trailing_range_window",
        "trailing_window",
        "union",
        "window",
    ]
)

# Public methods of expressions that leave the expression: they run it, write files, or hand out the backend.
FORBIDDEN_METHODS = frozenset(
    [
        "alias",
        "cache",
        "compile",
        "dump",
        "equals",
        "execute",
        "get_backend",
        "get_name",
        "op",
        "pipe",
        "preview",
        "sample",
        "sql",
        "table",
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
        "tofile",
        "unbind",
        "visualize",
    ]
)

# What leads from Python's own objects to its frames, modules and classes.
INSIDES = frozenset(
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

# Methods of texts that look up attributes by what stands in the text.
TEXT_WALKS = frozenset({"format", "format_map"})
# Attributes that are never what they seem to be: columns of these names are written `t["format"]`.
NEVER_ATTRIBUTES = INSIDES | TEXT_WALKS
NODES = (
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
        absent_names: names that do not exist in Ibis may be used, since the error they cause is the point.
        files: the code may name files, by plain names (no folders, no addresses).
    """

    nodes: tuple[type[ast.AST], ...] = ()
    functions: frozenset[str] = frozenset()
    methods: frozenset[str] = frozenset()
    builtins: frozenset[str] = frozenset()
    absent_names: bool = False
    files: bool = False


STRICT = Rules()

# Code with a mistake in it: it may name things that do not exist, and what people take for a part of Ibis.
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

# A function to write a docstring for.
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

# An example that reads, writes, connects or executes; it only ever runs in a folder of its own.
FILES = Rules(
    nodes=(ast.FunctionDef, ast.Return),  # an example may define a function, to be called for every row
    functions=frozenset(
        [
            "duckdb.connect",
            "get_backend",
            "list_tables",
            "memtable",
            "options.interactive",
            "options.default_backend",
            "options.sql.default_limit",
            "read_csv",
            "read_json",
            "read_parquet",
            "set_backend",
            "table",
            "to_sql",
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
            "builtin",
            "python",
            "scalar",
        ]
    ),
    builtins=frozenset(["bool", "float", "int", "len", "list", "print", "str"]),
    files=True,
)
