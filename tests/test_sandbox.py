from __future__ import annotations

import pytest

from ibert_builder.engine import engine_for
from ibert_builder.sandbox import FILES, FUNCTION, MISTAKEN, ForbiddenCode

HOSTILE = [
    "__import__('os').system('true')",
    "open('/etc/passwd')",
    "orders.__class__.__mro__",
    "().__class__.__bases__[0].__subclasses__()",
    "import os",
    "from os import system",
    "eval('1')",
    "exec('1')",
    "getattr(orders, 'op')",
    "orders.op()",
    "orders.get_backend()",
    "orders.execute()",
    "orders.to_csv('x.csv')",
    "orders.sql('SELECT 1')",
    "ibis.util",
    "ibis.options",
    "ibis.duckdb.connect('x')",
    "ibis.read_csv('/etc/passwd')",
    "ibis.connect('duckdb://')",
    "ibis.udf.scalar.python(lambda x: x)",
    "ibis.now()",
    "ibis.random()",
    "ibis.uuid()",
    "9 ** 9 ** 9 ** 9",
    "'a' * 10 ** 10",
    "ibis = 1\norders",
    "class A: pass",
    "def f(): return 1",
    "while True: pass",
    "with orders: pass",
    "global orders",
    "(lambda: orders._arg)()",
    "f'{orders.__class__}'",
    "print(orders)",
    "globals()",
]


@pytest.mark.parametrize("code", HOSTILE)
@pytest.mark.parametrize("rules", [None, MISTAKEN], ids=["strict", "mistaken"])
def test_hostile_code_is_refused(code, rules, webshop):
    engine = engine_for(webshop)
    with pytest.raises((ForbiddenCode, SyntaxError)):
        engine.evaluate(code, rules) if rules else engine.evaluate(code)


@pytest.mark.parametrize(
    "code",
    [
        "def f():\n    import os\nf()",
        "def f(x):\n    return x.__class__\nf(1)",
        "def f():\n    return open('x')\nf()",
    ],
)
def test_functions_are_checked_inside(code, webshop):
    with pytest.raises(ForbiddenCode):
        engine_for(webshop).evaluate(code, FUNCTION)


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../x.csv", "~/x.csv", "https://example.com/x.csv", "a\\\\b"]
)
def test_files_have_plain_names(name, webshop):
    with pytest.raises(ForbiddenCode, match="plain name"):
        engine_for(webshop).evaluate(f"ibis.read_csv('{name}')", FILES)


def test_unknown_methods_get_a_hint(webshop):
    with pytest.raises(ForbiddenCode, match="did you mean 'filter'"):
        engine_for(webshop).evaluate("orders.filtr(orders.amount > 1)")


def test_code_of_several_statements_gives_its_last_value(webshop):
    engine = engine_for(webshop)
    assert (
        engine.run_code("large = orders.filter(orders.amount > 100)\nlarge.agg(n=_.count())").rows[0][0] > 0
    )
    assert engine.run_code("n = orders.agg(n=_.count())").rows == [(120,)]


def test_arithmetic_on_columns_is_no_arithmetic_on_constants(webshop):
    assert engine_for(webshop).run_code("order_items.select(v=(order_items.quantity - 1) * 2)").rows
