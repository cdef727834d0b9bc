"""Styles: how often inputs are written in each way, and aliases that SQL can read."""

from __future__ import annotations

import random

import pytest

from ibert_builder.templating.style import ibis_style, sql_style
from ibert_builder.templating.values import TableValue


def bound(database, *names):
    return {f"t{i}": TableValue(f"t{i}", database.tables[name], name) for i, name in enumerate(names)}


def share(styles, wanted):
    return sum(map(wanted, styles)) / len(styles)


@pytest.fixture(scope="module")
def one(webshop):
    return [sql_style(random.Random(i), bound(webshop, "orders")) for i in range(2000)]


@pytest.fixture(scope="module")
def two(webshop):
    return [sql_style(random.Random(i), bound(webshop, "orders", "order_items")) for i in range(2000)]


def test_a_quarter_of_the_queries_is_in_lower_case_and_a_third_on_one_line(one):
    assert 0.2 < share(one, lambda style: style.keywords_lower) < 0.3
    assert 0.3 < share(one, lambda style: style.one_line) < 0.4


def test_queries_of_several_tables_always_say_which_and_mostly_by_alias(one, two):
    assert all(style.qualify for style in two)
    assert 0.7 < share(two, lambda style: style.aliases == {"t0": "o", "t1": "oi"}) < 0.8
    assert 0.1 < share(one, lambda style: bool(style.aliases)) < 0.2
    assert all(style.qualify for style in one if style.aliases)


def test_an_alias_of_code_is_the_alias_in_sql(webshop):
    tables = bound(webshop, "orders")
    tables["t1"] = TableValue("t1", webshop.tables["orders"], "earlier")
    assert all(sql_style(random.Random(i), tables).aliases["t1"] == "earlier" for i in range(50))


def test_aliases_are_different_and_not_reserved(webshop):
    tables = bound(webshop, "orders", "orders", "products", "products")
    aliases = next(s.aliases for i in range(50) if (s := sql_style(random.Random(i), tables)).aliases)
    assert aliases == {"t0": "o", "t1": "ord", "t2": "p", "t3": "pr"}  # `or` is a word of SQL's


def test_only_a_single_table_is_deferred(webshop):
    single = [ibis_style(random.Random(i), bound(webshop, "orders")) for i in range(2000)]
    several = [ibis_style(random.Random(i), bound(webshop, "orders", "products")) for i in range(200)]
    assert 0.35 < share(single, lambda style: style.deferred) < 0.45
    assert 0.1 < share(single, lambda style: style.brackets) < 0.2
    assert not any(style.deferred for style in several)
