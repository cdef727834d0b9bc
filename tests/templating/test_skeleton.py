"""Skeletons: what queries have in common that differ in names and literals."""

from __future__ import annotations

import pytest

from ibert_builder.templating.skeleton import skeleton, skeleton_id, without_literals

CODE = 'orders.filter(orders.amount > 10)  # "big" ones\n.select("note", total=_.amount * 1.5)'


def test_names_and_literals_are_masked_and_methods_stay():
    assert skeleton(CODE) == "x.filter(x.x>0).select('s',x=_.x*0)"
    assert skeleton("t.a.isin(['it\\'s', \"x\"]) if n is not None else ~t.b") == (
        "x.x.isin(['s','s'])ifxxnotNoneelse~x.x"
    )


@pytest.mark.parametrize(
    "other",
    [
        'trips.filter(trips.fare > 99)\n.select("city", sum=_.fare * 2)',
        "orders.filter(orders.amount > 10).select('note', total=_.amount * 1.5)",
    ],
)
def test_other_names_literals_and_layout_make_the_same_skeleton(other):
    assert skeleton_id(other) == skeleton_id(CODE)


@pytest.mark.parametrize(
    ("old", "new"),
    [(">", ">="), ("filter", "mutate"), (", total=_.amount * 1.5", ""), ("_.amount", "orders.amount")],
)
def test_another_operation_makes_another_skeleton(old, new):
    assert old in CODE
    assert skeleton_id(CODE.replace(old, new)) != skeleton_id(CODE)


def test_an_id_is_of_its_code_alone():
    # Splits depend on it: a change moves queries between them.
    assert skeleton_id(CODE) == "fb80145e6d5f"


def test_literals_are_masked_but_quoted_names_and_digits_in_names_stay():
    sql = """SELECT "a", 'it''s', 3.5, t1.v2 FROM t WHERE n = 'b' AND k = 12"""
    assert without_literals(sql, {"a", "b"}) == ("""SELECT "a", ?, ?, t1.v2 FROM t WHERE n = 'b' AND k = ?""")
