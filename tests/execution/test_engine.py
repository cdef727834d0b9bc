from __future__ import annotations

from decimal import Decimal

import duckdb
import pytest

import ibert_builder.execution.engine as engine_module
from ibert_builder.execution.engine import engine_for
from ibert_builder.execution.results import Result, difference
from ibert_builder.sandbox import limits


def result(*rows, columns=("a",), types=("INTEGER",)):
    return Result(columns, types, list(rows))


@pytest.mark.parametrize(
    ("left", "right", "ordered", "expected"),
    [
        (result((1,), (2,)), result((2,), (1,)), False, None),
        (result((1,), (2,)), result((2,), (1,)), True, "values"),
        (result((1,), (1,)), result((1,), (2,)), False, "values"),
        (result((1,)), result((1,), (1,)), False, "row_count"),
        (result((None,)), result((None,)), False, None),
        (result((None,)), result((0,)), False, "values"),
        (result((0.1 + 0.2,)), result((0.3,)), False, None),
        (result((0.31,)), result((0.3,)), False, "values"),
        (result((float("nan"),)), result((float("nan"),)), False, None),
        (result(([1, 2],)), result(([2, 1],)), False, "values"),
        (result(({"k": 0.1 + 0.2},)), result(({"k": 0.3},)), False, None),
        (result((4500006, "b"), (4500007, "a")), result((4500007, "a"), (4500006, "b")), False, None),
        (result((5,), (7,)), result((7.0,), (Decimal("5.00"),)), False, None),
        (result((1,)), result((1,), columns=("b",)), False, "columns"),
        (result((1,)), result((1,), types=("DOUBLE",)), False, "types"),
    ],
)
def test_difference(left, right, ordered, expected):
    assert difference(left, right, ordered) == expected


def test_widths_are_no_part_of_a_type(webshop):
    narrow = engine_for(webshop).run_sql(
        "SELECT 1::TINYINT AS a, 1.5::FLOAT AS b, 1::DECIMAL(4, 2) AS c, [1::SMALLINT] AS d"
    )
    wide = engine_for(webshop).run_sql(
        "SELECT 1::HUGEINT AS a, 1.5::DOUBLE AS b, 1::DECIMAL(18, 3) AS c, [1::BIGINT] AS d"
    )
    assert difference(narrow, wide, ordered=False) is None


def test_row_order_is_told_from_a_total_order(webshop):
    engine = engine_for(webshop)
    luck = "SELECT status FROM orders ORDER BY status LIMIT 3 OFFSET 45"
    first = "SELECT order_id FROM orders LIMIT 3"
    total = "SELECT order_id FROM orders ORDER BY status, order_id LIMIT 3"
    assert engine.depends_on_row_order(first, engine.run_sql(first), ordered=True)
    assert not engine.depends_on_row_order(total, engine.run_sql(total), ordered=True)
    assert not engine.depends_on_row_order(luck, engine.run_sql(luck), ordered=True)  # ties, but equal rows


def test_a_runaway_query_is_stopped_and_the_engine_goes_on(webshop, monkeypatch):
    monkeypatch.setattr(limits, "TIME_LIMIT", 0.3)
    engine = engine_module.Engine(webshop)
    with pytest.raises(duckdb.Error, match=r"Interrupted at the time limit of 0\.3 s"):
        engine.run_sql("SELECT COUNT(*) FROM range(1000000000) a, range(1000000) b")
    assert engine.run_sql("SELECT 1 AS a").rows == [(1,)]
