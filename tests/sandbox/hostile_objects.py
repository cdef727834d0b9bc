"""What code could do with the objects it gets hold of: (kind, rules, the message expected, snippets)."""

from __future__ import annotations

from ibert_builder.sandbox.policy import FILES, FUNCTION, MISTAKEN, STRICT, Rules


def _reached(start: str, names: str) -> list[str]:
    """Snippets that read attributes; they stand as texts in the code too, as if there were columns of these names."""
    return [f"x = {start}\n['{name}', x.{name}]" for name in names.split()]


_FRAME = "orders.execute()"
_SERIES = "orders.status.execute()"
_ARROW = "orders.to_pyarrow()"
_NOT_OFFERED = r"unknown attribute of a \w+ '|leads inside Python|walks through objects|leaves the expression|is private|may only be called|unknown method or column"
_TOO_LARGE = r"at most|constants alone|item of a list"

OBJECTS: list[tuple[str, Rules, str, list[str]]] = [
    (
        "pandas evaluates text",
        FILES,
        _NOT_OFFERED,
        [
            f"df = {_FRAME}\ndf.query('@ibis.util.os.system(\"true\")')",
            f"df = {_FRAME}\n['query', df.query('@ibis.util.os.system(\"true\")')]",
            f"df = {_FRAME}\n['eval', df.eval('@ibis.util.os.getpid()')]",
            f"df = {_FRAME}\ndf.pipe('eval')",
            "def f(x=orders.execute().agg('x')) -> str: ...\n\norders",
            "@orders.execute().agg('x')\ndef f(x: str) -> str: ...\n\norders",
            "@ibis.literal(orders.execute().agg('x'))\ndef f(x: str) -> str: ...\n\norders",
            "(lambda x=orders.execute().agg('x'): x)()",
            "ibis.literal(orders.execute().agg('x'))",
            "ibis.options.interactive = orders.execute().agg('x')\norders",
            "orders.filter(lambda t: t.execute().agg('x'))",
            "[df.agg('x') for df in [orders.execute()]]",
            "{df.agg('x'): 1 for df in orders.to_pandas_batches()}",
            "orders.filter(_.execute().agg('x'))",
            *_reached(_FRAME, "query eval pipe where mask filter"),
        ],
    ),
    (
        "annotations",
        FILES,
        r"an annotation is a type",
        [
            f"@ibis.udf.scalar.python\ndef f({argument}) -> {returned}: ...\n\norders"
            for argument, returned in (
                ("x: \"ibis.util.os.system('true')\"", "str"),
                ("x: str", "\"ibis.util.os.system('true')\""),
                ("x: list[\"ibis.util.os.system('true')\"]", "str"),
                ("*x: 'ibis.util'", "str"),
                ("*, x: 'ibis.util'", "str"),
                ("x, /, y: 'ibis.util'", "str"),
                ("x: orders.execute().agg('x')", "str"),
                ("x: str", "orders.execute().agg('x')"),
                ("x: 'a' + 'b'", "str"),
            )
        ],
    ),
    (
        "pandas calls methods by their names",
        FILES,
        _NOT_OFFERED,
        [
            f"df = {_FRAME}\ndf.agg('to_pickle', 0, 'x.pkl')",
            f"df = {_FRAME}\n['apply', df.apply('to_pickle', path='x.pkl')]",
            f"df = {_FRAME}\n['transform', df.transform('to_pickle', 0, 'x.pkl')]",
            *_reached(_FRAME, "agg aggregate apply transform groupby rolling resample expanding ewm map"),
            *_reached(_SERIES, "agg apply transform map str dt cat plot"),
        ],
    ),
    (
        "pandas writes",
        FILES,
        _NOT_OFFERED,
        [
            f"df = {_FRAME}\ndf.to_csv('x.csv')",
            *_reached(
                _FRAME,
                "to_pickle to_html to_csv to_json to_excel to_sql to_hdf to_feather to_parquet to_stata to_latex to_markdown"
                " to_clipboard to_xml to_orc to_string to_numpy to_records to_xarray info plot hist style values attrs",
            ),
            *_reached(_SERIES, "to_pickle to_csv to_numpy values array to_clipboard"),
        ],
    ),
    (
        "Arrow, NumPy and Polars",
        FILES,
        _NOT_OFFERED,
        [
            *_reached(_ARROW, "to_pandas to_batches join group_by sort_by filter cast column validate"),
            *_reached(f"{_ARROW}.schema", "serialize metadata pandas_metadata to_string with_metadata"),
            *_reached("orders.amount.sum().execute()", "as_tuple quantize adjusted sqrt as_integer_ratio"),
            *_reached("orders.to_pyarrow_batches()", "read_pandas cast close"),
            *_reached("orders.to_pandas_batches()", "gi_frame gi_code send throw close"),
            "orders.to_polars()",
        ],
    ),
    (
        "insides of backends",
        FILES,
        _NOT_OFFERED,
        _reached(
            "ibis.get_backend()",
            "con raw_sql load_extension attach detach from_connection register_filesystem compiler settings upsert"
            " create_database drop_database read_delta read_geo read_mysql read_postgres read_sqlite read_xlsx to_delta"
            " to_parquet_dir to_torch dialect tables reconnect",
        ),
    ),
    (
        "data types",
        STRICT,
        r"unknown (method or column|attribute)|leaves the expression",
        [
            *_reached("orders.schema()", "to_pandas to_numpy to_polars to_pyarrow to_sqlglot_column_defs"),
            *_reached("orders.amount.type()", "to_pandas to_numpy to_polars to_pyarrow from_numpy"),
            "['to_numpy', orders.select(x=_.amount.type().to_numpy().type(1))]",
        ],
    ),
    (
        "texts that walk",
        STRICT,
        r"walks through objects|format specifications",
        [
            "'{0}'.format(orders)",
            "_.columns[0].format(orders)",
            "orders.columns[0].format(orders)",
            "['format', (lambda x: x.format(orders))('{0.__class__}')]",
            "'{x}'.format_map({'x': 1})",
            "orders.rename('{name.__class__}')",
            "orders.rename('{name:>1000000000}')",
            "orders.rename('{name[0]}')",
            "orders.rename('{name!r}')",
            "orders.join(orders, 'order_id', rname='{name.__class__.__mro__}')",
        ],
    ),
    (
        "Python's own values",
        FUNCTION,
        _NOT_OFFERED,
        [
            *_reached("'x'", "encode zfill ljust rjust center expandtabs translate maketrans splitlines"),
            *_reached("[1]", "append extend insert sort reverse pop remove clear"),
            *_reached("{'a': 1}", "update setdefault pop popitem fromkeys"),
            *_reached("{1}", "add update union pop"),
            *_reached("1", "to_bytes from_bytes bit_length real conjugate"),
            *_reached("(lambda: 1)", "mro f_back gi_frame"),
            "str.format",
            "['join', str.join]",
            "['fromkeys', dict.fromkeys('abc')]",
            "['with_traceback', ValueError('x').with_traceback]",
        ],
    ),
    (
        "patterns",
        STRICT,
        "a pattern is written",
        [
            "orders.select(s.matches('(a|a)*$'))",
            "orders.select(s.matches('(a+)+$'))",
            "orders.select(s.matches('a*a*a*a*b'))",
            "orders.select(s.matches('(a{1,9}){1,9}$'))",
            "x = '(a+)+$'\norders.select(s.matches(x))",
            "orders.pivot_longer(s.numeric(), names_to='x', names_pattern='((a|a)*)$')",
            "orders.pivot_longer(s.numeric(), names_to='x', names_pattern='(a' + '+)+$')",
        ],
    ),
    (
        "large values",
        STRICT,
        _TOO_LARGE,
        [
            "\n".join(["x = (1,)", *["x = (x,)"] * 60, "x"]),
            "\n".join(["x = [1]", *["x = [x, x]"] * 40, "x"]),
            "\n".join(["x = [1]", "y = [1]", *["x = [x, x]\ny = [y, y]"] * 30, "x == y"]),
            "\n".join(["x = {'a': 1}", *["x = {'a': x, 'b': x}"] * 40, "x"]),
            "\n".join(["x = (1, 2)", *["x = x + x"] * 20, "x"]),
            "\n".join(["x = 'ab'", *["x = x + x"] * 20, "x"]),
            "\n".join(["x = [1, 2]", *["x = [y for y in x] + x"] * 20, "x"]),
            "\n".join(["x = [1] * 64", *["x = [x for y in x]"] * 4, "x"]),
            "x = [[1] * 64] * 64\n[x, x]",
            "n = 64\nx = 'a' * n\nx * n * n",
            "(lambda f: f(f, (1,), 60))(lambda f, x, n: f(f, (x, x), n - 1) if n else x)",
            "n = 4000\nx = 'a' * n\nx.replace('a', x)",
            "n = 2000\nx = 'a' * n\nx.join([x, x, x, x])",
        ],
    ),
    (
        "large values by mistake",
        MISTAKEN,
        _TOO_LARGE,
        [
            "round(1, -1000000000)",
            "round(1.5, 1000000000)",
            "x = [1] * 64\nx[0] = x\nx",
            "x = {}\nx['a'] = x\nx",
            "n = 4096\nsum([[1] * 64] * n, [])",
            "x = list(range(9000))\nx",
            "x = sorted(range(9000))\nx",
            "x = tuple(range(5000))\nx",
            "x = [1] * 64\nlist([x] * 4000)",
            "set(range(9000))",
        ],
    ),
    (
        "large values in functions",
        FUNCTION,
        _TOO_LARGE,
        [
            "def f(x):\n    for i in 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa':\n        x = f'{x}{x}'\n    return x\nf('aa')",
            "def f(x):\n    for i in 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa':\n        x += x\n    return x\nf([1])",
            "def f(x):\n    for i in 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa':\n        x *= 64\n    return x\nf([1])",
            "def f(x):\n    for i in 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa':\n        x = (x,)\n    return x\nf(1)",
            "def f(x):\n    for i in 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa':\n        x = {i: x, 1: x}\n    return x\nf(1)",
        ],
    ),
]
