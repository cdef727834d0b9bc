"""Values: how each reads in every language, under every spec and style."""

from __future__ import annotations

import pytest

from ibert_builder.templating.frames import Placeholder, parse_frame
from ibert_builder.templating.phrase_value import PhraseValue
from ibert_builder.templating.rendering import render_frame
from ibert_builder.templating.values import (
    CANONICAL,
    ChoiceValue,
    ColumnList,
    ColumnValue,
    JoinValue,
    LiteralValue,
    Style,
    TableValue,
    enumeration,
)


@pytest.fixture(scope="module")
def values(webshop, catalog):
    orders = TableValue("t", webshop.tables["orders"], "orders")
    customers = TableValue("u", webshop.tables["customers"], "customers")
    amount, status = (ColumnValue(orders, orders.table.columns[name]) for name in ("amount", "status"))
    reference = next(r for r in webshop.references if (r.child, r.parent) == ("orders", "customers"))
    phrase = catalog.phrasebook.phrases["greater_than"]
    return {
        "t": orders,
        "u": customers,
        "x": amount,
        "y": ColumnValue(customers, customers.table.columns["country"]),
        "both": ColumnList((amount, status)),
        "v": LiteralValue(10, "integer"),
        "some": LiteralValue(("a", "b", "c"), "string"),
        "how": ChoiceValue({"ibis": "left", "sql": "LEFT JOIN", "en": "with or without"}),
        "word": ChoiceValue("day"),
        "t_u": JoinValue(orders, customers, reference),
        "p": PhraseValue(phrase, {"x": amount, "v": LiteralValue(10, "integer")}, "boolean", orders),
    }


SEVERAL = Style(aliases={"t": "o", "u": "c"}, qualify=True, use_as=True)


@pytest.mark.parametrize(
    ("text", "language", "style", "expected"),
    [
        ("{t} {t:str}", "ibis", CANONICAL, 'orders "orders"'),
        ("{t}, {u}", "sql", SEVERAL, "orders AS o, customers AS c"),
        ("{t:name}", "sql", SEVERAL, "orders"),
        ("{t}", "sql", Style(aliases={"t": "o"}), "orders o"),
        ("{t} and one {t:one}", "en", CANONICAL, "orders and one order"),
        ("{x} {x:_} {x:other} {x:name}", "ibis", CANONICAL, "orders.amount _.amount other.amount amount"),
        ("{x} {x:str}", "ibis", Style(brackets=True), 'orders["amount"] "amount"'),
        ("t.filter({x} > 1)", "ibis", Style(deferred=True), "t.filter(orders.amount > 1)"),
        ("{t}.filter({x} > 1)", "ibis", Style(deferred=True), "orders.filter(_.amount > 1)"),
        ("{x} {x:other} {x:str}", "sql", CANONICAL, "amount other.amount 'amount'"),
        ("{x} {y}", "sql", SEVERAL, "o.amount c.country"),
        ("{x} {x:type}", "en", CANONICAL, "amount decimal(10, 2)"),
        ("{x:code} {x:deferred}", "en", CANONICAL, "orders.amount _.amount"),
        ("[{both:str}]", "ibis", CANONICAL, '["amount", "status"]'),
        ("{both}", "sql", SEVERAL, "o.amount, o.status"),
        ("{both}", "en", CANONICAL, "amount and status"),
        ("{some}", "ibis", CANONICAL, '"a", "b", "c"'),
        ("{some}", "en", CANONICAL, "'a', 'b' or 'c'"),
        ("{how} {word} {word:str}", "ibis", CANONICAL, 'left day "day"'),
        ("{how} {word:str}", "sql", Style(keywords_lower=True), "left join 'day'"),
        ("{how}", "en", CANONICAL, "with or without"),
        ("{t_u}", "ibis", CANONICAL, '"customer_id"'),
        ("{t_u:pred}", "ibis", CANONICAL, "orders.customer_id == customers.customer_id"),
        ("{t_u}", "sql", SEVERAL, "o.customer_id = c.customer_id"),
        ("{t_u.fk} {t_u.pk}", "sql", SEVERAL, "o.customer_id c.customer_id"),
        ("~{p}", "ibis", CANONICAL, "~(orders.amount > 10)"),
        ("{p:_}", "ibis", CANONICAL, "_.amount > 10"),
        ("NOT {p}", "sql", SEVERAL, "NOT o.amount > 10"),
        (
            "SELECT 'A' FROM\n  {t}",
            "sql",
            Style(keywords_lower=True, one_line=True),
            "select 'A' from orders",
        ),
    ],
)
def test_a_text_is_filled_in_its_language_and_style(values, text, language, style, expected):
    frame = parse_frame(text, language, is_statement=language == "ibis" or text.startswith("SELECT"))
    assert render_frame(frame, values, style) == expected


def test_a_phrase_is_named_after_its_first_argument(values):
    place = Placeholder("p", None, "alias")
    assert values["p"].render("ibis", place, CANONICAL).text == values["p"].alias
    assert values["p"].alias.startswith("amount_")


def test_names_that_tables_themselves_have_are_bracketed(values, webshop):
    column = values["x"].column
    clash = ColumnValue(values["t"], type(column)(**{**vars(column), "name": "count"}))
    assert clash.render("ibis", Placeholder("x", None, None), CANONICAL).text == 'orders["count"]'


def test_words_are_enumerated_as_in_english():
    assert [enumeration(list("abc")[:n]) for n in (1, 2, 3)] == ["a", "a and b", "a, b and c"]
    assert enumeration(["a", "b"], "or") == "a or b"
