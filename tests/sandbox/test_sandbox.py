from __future__ import annotations

import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import ibis
import pytest

from ibert_builder.databases.load import load_databases
from ibert_builder.errors import ForbiddenCode, InputError
from ibert_builder.execution import scratch as workshop
from ibert_builder.execution.engine import CodeFails, Engine, engine_for
from ibert_builder.generation.catalog import load_catalog
from ibert_builder.generation.generate import Options
from ibert_builder.sandbox import limits
from ibert_builder.sandbox.policy import FILES, FUNCTION, MISTAKEN, STRICT
from ibert_builder.staging import LOCK
from ibert_builder.templating.frames import Placeholder
from ibert_builder.templating.values import CANONICAL, ColumnValue, TableValue
from ibert_builder.writing.jsonl import build
from tests.sandbox.hostile import CODE, RULED
from tests.sandbox.hostile_files import FILE_CODE
from tests.sandbox.hostile_objects import OBJECTS
from tests.sandbox.hostile_sql import SQL, TEMPLATES
from tests.test_bad_input import S2I, spoil

RULES = {"strict": STRICT, "mistaken": MISTAKEN, "function": FUNCTION, "files": FILES}
LIMIT = 0.5
SLACK = 8  # seconds for one step of DuckDB that nothing interrupts, on a slow machine

# What the message of a bomb that was refused or stopped says.
OF_A_LIMIT = re.compile(
    r"at most|limit|maximum|memory|allocat|too (much|long|deep|many)|larger than|constants alone|loop inside a loop"
    r"|this operator|format specifications|below \d|name collisions",
    re.I,
)
BOMBS = {"numbers and texts", "memory", "depth", "processor", "queries"}


@pytest.fixture(autouse=True)
def short_limit(monkeypatch):
    monkeypatch.setattr(limits, "TIME_LIMIT", LIMIT)


SECRET = "canary-4711"


@pytest.fixture
def canary(tmp_path, monkeypatch):
    """A folder and an environment that hostile code must leave as they are."""
    monkeypatch.setenv("IBERT_CANARY", SECRET)
    folder = tmp_path / "canary"
    folder.mkdir()
    (folder / "x.csv").write_text("a\n1\n")
    monkeypatch.chdir(folder)
    before = {path: path.read_bytes() for path in folder.rglob("*")}
    yield
    assert {path: path.read_bytes() for path in folder.rglob("*")} == before
    assert Path.cwd() == folder
    assert not Path("/tmp/x").exists()  # what snippets name


@pytest.fixture
def engine(webshop, canary):
    """An engine that has to be as it was, when the test is over."""
    engine = engine_for(webshop)
    before = time.monotonic()
    yield engine
    assert time.monotonic() - before < len(RULES) * (LIMIT + SLACK)
    assert engine.run_sql("SELECT COUNT(*) AS n, COUNT(DISTINCT status) AS s FROM orders").rows == [(120, 4)]
    assert engine.run_code("orders.filter(orders.amount > 100).count()").rows[0][0] > 0
    assert ibis.literal(1).type().is_integer()


def run(engine, code, rules):
    """The whole way of a piece of code, to the rows."""
    if rules is FILES:
        return workshop.run(code, engine.database, ("orders",))
    value = engine.evaluate(code, rules)
    return engine.run_sql(engine.compile(value)) if isinstance(value, ibis.Expr) else value


def listed(snippets):
    return [(kind, text) for kind, texts in snippets.items() for text in texts]


def shown(text):
    return text[:40] if isinstance(text, str) else None


@pytest.mark.parametrize(("kind", "code"), listed(CODE), ids=shown)
def test_hostile_code_is_refused_or_stopped(kind, code, engine):
    for rules in RULES.values():
        with pytest.raises((ForbiddenCode, SyntaxError, duckdb.Error)) as stopped:
            run(engine, code, rules)
        if kind in BOMBS:
            assert OF_A_LIMIT.search(str(stopped.value)), str(stopped.value)


@pytest.mark.parametrize(("rules", "code"), listed(RULED), ids=shown)
def test_hostile_code_is_refused_by_its_own_rules(rules, code, engine):
    with pytest.raises((ForbiddenCode, SyntaxError)):
        run(engine, code, rules)


CASES = [
    *((kind, rules, message, code) for kind, rules, message, codes in OBJECTS for code in codes),
    *((kind, FILES, message, code) for kind, message, codes in FILE_CODE for code in codes),
]


@pytest.mark.parametrize(
    ("kind", "rules", "message", "code"), CASES, ids=[f"{kind}-{i}" for i, (kind, *_) in enumerate(CASES)]
)
def test_each_kind_is_refused_with_its_own_message(kind, rules, message, code, engine):
    with pytest.raises(ForbiddenCode, match=message) as refused:
        run(engine, code, rules)
    assert not isinstance(refused.value, limits.LimitReached)
    assert SECRET not in str(refused.value)


def test_the_corpus_is_large_enough():
    snippets = {code for *_, code in CASES}
    assert len(snippets) >= 150
    assert len(snippets) + len(listed(CODE) + listed(RULED) + listed(SQL)) + len(TEMPLATES) >= 300


@pytest.mark.parametrize(("kind", "sql"), listed(SQL), ids=shown)
def test_hostile_sql_is_refused_or_stopped(kind, sql, engine):
    with pytest.raises(duckdb.Error) as stopped:
        engine.run_sql(sql)
    if kind in BOMBS:
        assert OF_A_LIMIT.search(str(stopped.value)), str(stopped.value)


@pytest.mark.parametrize("case", TEMPLATES)
def test_hostile_templates_are_bad_input(case, templates_dir, tmp_path, engine):
    out = tmp_path / "out"
    spoil(templates_dir, S2I, *TEMPLATES[case])
    with pytest.raises(InputError) as error:
        build(out, ("sql_to_ibis",), Options(8), templates_dir=templates_dir)
    assert str(templates_dir / S2I) in str(error.value)
    assert not out.exists() or not [path for path in out.iterdir() if path.name != LOCK]
    load_catalog()


def test_the_time_limit_holds_in_other_threads(engine):
    code = "f = lambda g, n: g(g, n - 1) + g(g, n - 1) if n else 1\nf(f, 60)"
    with ThreadPoolExecutor(1) as pool:
        for _ in range(2):
            assert isinstance(pool.submit(_stopped, engine, code).result(), limits.LimitReached)
        assert pool.submit(engine.run_code, "orders.count()").result().rows == [(120,)]


def _stopped(engine, code):
    try:
        engine.evaluate(code)
    except Exception as error:
        return error


def test_unknown_methods_get_a_hint(webshop):
    with pytest.raises(ForbiddenCode, match="did you mean 'filter'"):
        engine_for(webshop).evaluate("orders.filtr(orders.amount > 1)")


def test_code_of_several_statements_gives_its_last_value(webshop):
    engine = engine_for(webshop)
    assert (
        engine.run_code("large = orders.filter(orders.amount > 100)\nlarge.agg(n=_.count())").rows[0][0] > 0
    )
    assert engine.run_code("n = orders.agg(n=_.count())").rows == [(120,)]


@pytest.mark.parametrize(
    "code",
    [
        "order_items.select(v=(order_items.quantity - 1) * 2)",
        "order_items.select(v=2 ** order_items.quantity)",
        "order_items.select(v=order_items.quantity % 2)",
        "n = 3\norder_items.select(v=order_items.quantity * (n * 2))",
        "orders.select(v=ibis.pi.round(2))",
        "orders.select(ibis.selectors.numeric())",
        "x = ['status']\norders.select([name for name in x] * 1)",
    ],
)
def test_what_is_like_a_bomb_and_none_runs(code, webshop):
    assert engine_for(webshop).run_code(code).rows


def test_a_column_named_like_a_way_into_python_is_only_an_item(templates_dir):
    for name in ("format", "mro"):
        spoil(
            templates_dir,
            "_databases/webshop.yaml",
            "in_stock:" if name == "format" else "format:",
            f"{name}:",
        )
        database = load_databases(templates_dir / "_databases")["webshop"]
        table = database.tables["products"]
        column = ColumnValue(TableValue("t", table, "products"), table.columns[name])
        for spec in (None, "_"):
            written = column.render("ibis", Placeholder("x", None, spec), CANONICAL).text
            assert written == f'{spec or "products"}["{name}"]'
        engine = Engine(database)
        assert engine.run_code(f'products.select(x=products["{name}"], y=_["{name}"])').rows
        for code in (f"products.select(x=products.{name})", f"products.select(x=_.{name})"):
            with pytest.raises(CodeFails, match=r"walks through objects|leads inside"):
                engine.run_code(code)
