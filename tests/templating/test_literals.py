"""Literals: how they are written in each language, and which values they are drawn from."""

from __future__ import annotations

import datetime
import random
import uuid
from decimal import Decimal

import pytest

from ibert_builder.execution.engine import engine_for
from ibert_builder.templating.frames import Placeholder
from ibert_builder.templating.literal_sampler import LiteralSampler
from ibert_builder.templating.literals import literal
from ibert_builder.templating.sampler import NoFit
from ibert_builder.templating.values import ColumnValue, LiteralValue, Style, TableValue

WRITTEN = {
    'it\'s "x"': ('"it\'s \\"x\\""', "'it''s \"x\"'", "'it's \"x\"'"),
    "": ('""', "''", "the empty string"),
    "é": ('"é"', "'é'", "'é'"),
    True: ("True", "TRUE", "true"),
    None: ("None", "NULL", "None"),
    3: ("3", "3", "3"),
    -2.50: ("-2.5", "-2.5", "-2.5"),
    1e20: ("100000000000000000000", "100000000000000000000", "100,000,000,000,000,000,000"),
    2023: ("2023", "2023", "2023"),
    -12500: ("-12500", "-12500", "-12,500"),
    Decimal("7.10"): ("7.1", "7.1", "7.1"),
    datetime.date(2024, 1, 2): ('ibis.date("2024-01-02")', "DATE '2024-01-02'", "2024-01-02"),
    datetime.time(3, 4): ('ibis.time("03:04:00")', "TIME '03:04:00'", "03:04"),
    datetime.datetime(2024, 1, 2, 3, 4): (
        'ibis.timestamp("2024-01-02 03:04:00")',
        "TIMESTAMP '2024-01-02 03:04:00'",
        "2024-01-02 03:04",
    ),
    datetime.datetime(2024, 1, 2): (
        'ibis.timestamp("2024-01-02 00:00:00")',
        "TIMESTAMP '2024-01-02 00:00:00'",
        "2024-01-02",
    ),
}


@pytest.mark.parametrize("value", WRITTEN, ids=repr)
def test_a_value_is_written_in_every_language(value):
    assert (literal(value, "ibis"), literal(value, "sql"), literal(value, "en")) == WRITTEN[value]


def test_a_uuid_is_written_in_sql():
    assert literal(uuid.UUID(int=1), "sql") == "UUID '00000000-0000-0000-0000-000000000001'"


def test_lower_case_changes_the_words_of_sql_and_no_string():
    def written(*values):
        place = Placeholder("v", None, None)
        return LiteralValue(values, "any").render("sql", place, Style(keywords_lower=True)).text

    assert written(True, None, datetime.date(2024, 1, 2), "TRUE") == "true, null, date '2024-01-02', 'TRUE'"


# --- draws


def column(database, table, name):
    owner = TableValue("t", database.tables[table], table)
    return ColumnValue(owner, owner.table.columns[name])


def drawn(database, how, table, name):
    """The literals that 200 seeds draw from a column, and its different values in order."""
    engine = engine_for(database)
    literals = [
        LiteralSampler(engine, random.Random(seed)).draw(how, column(database, table, name))
        for seed in range(200)
    ]
    return [value.value for value in literals], engine.values(table, name)


@pytest.mark.parametrize(
    ("how", "low", "high"),
    [("value", 0.08, 0.92), ("low", 0.1, 0.4), ("middle", 0.3, 0.7), ("high", 0.6, 0.9)],
)
def test_literals_have_their_rank(webshop, how, low, high):
    literals, values = drawn(webshop, how, "order_items", "unit_price")
    ranks = [sum(value < literal for value in values) / len(values) for literal in literals]
    assert low - 0.02 <= min(ranks) < low + 0.1 and high - 0.1 < max(ranks) <= high + 0.02


def test_literals_are_round(webshop):
    prices, _ = drawn(webshop, "value", "order_items", "unit_price")
    assert {price % 10 for price in prices} == {0}
    dates, _ = drawn(webshop, "value", "customers", "signup_date")
    assert {date.day for date in dates} == {1}


def test_few_values_are_typed_as_they_are(webshop):
    quantities, values = drawn(webshop, "value", "order_items", "quantity")
    assert set(quantities) <= set(values)


def test_several_values_are_different_and_in_order(webshop):
    literals, values = drawn(webshop, "values", "orders", "order_id")
    assert {len(several) for several in literals} == {2, 3}
    for several in literals:
        ranks = [values.index(value) for value in several]
        assert ranks == sorted(set(ranks))


@pytest.mark.parametrize(
    ("how", "test"),
    [("prefix", str.startswith), ("suffix", str.endswith), ("part", str.__contains__)],
)
def test_pieces_are_of_a_real_string(webshop, how, test):
    literals, values = drawn(webshop, how, "customers", "full_name")
    for piece in literals:
        assert piece.isalpha()
        assert any(test(text, piece) for text in values)
    assert len(set(literals)) > 10


def test_too_few_different_values_do_not_fit(webshop, monkeypatch):
    source = column(webshop, "orders", "order_id")
    sampler = LiteralSampler(engine_for(webshop), random.Random(0))
    monkeypatch.setattr(sampler.engine, "values", lambda *_: [1])
    for how, problem in (("value", "two different values"), ("values", "three different values")):
        with pytest.raises(NoFit, match=problem):
            sampler.draw(how, source)
    with pytest.raises(NoFit, match="no string has a piece"):
        sampler.draw("prefix", source)
