"""Slots: every declaration of the little language, and the refusal of what is not one."""

from __future__ import annotations

import pytest

from ibert_builder.templating.slots import Slot, SlotSpec, parse_slot


@pytest.mark.parametrize(
    ("declaration", "slot"),
    [
        ("string", Slot("scalar", "string")),
        ("boolean of t", Slot("scalar", "boolean", of="t")),
        ("column numeric", Slot("column", "numeric")),
        ("column category of t", Slot("column", "any", "category", of="t")),
        ("column nullable", Slot("column", "any", "nullable")),
        ("numeric summable of t", Slot("scalar", "numeric", "summable", of="t")),
        ("column integer ordinal", Slot("column", "integer", "ordinal")),
        ("column temporal like x of t", Slot("column", "temporal", None, "x", "t")),
        ("column array<string>", Slot("column", "array<string>")),
        ("2-4 columns", Slot("columns", "any", count=(2, 4))),
        ("1-1 columns string of t", Slot("columns", "string", of="t", count=(1, 1))),
        ("1-3 columns fact", Slot("columns", "any", "fact", count=(1, 3))),
        ("aggregate numeric of t", Slot("aggregate", "numeric", of="t")),
        ("window any", Slot("window", "any")),
        ("value of x", Slot("literal", "value", of="x")),
        ("key of x", Slot("literal", "key", of="x")),
        (["a", 1], Slot("choice", options=("a", 1))),
    ],
)
def test_a_declaration_says_what_fills_the_slot(declaration, slot):
    assert parse_slot(declaration) == slot


def test_the_long_form_says_which_phrases_may_be_drawn():
    spec = SlotSpec(**{"is": "numeric of t", "only": ["total"], "avoid": ["ranks"], "depth": 2})
    expected = Slot(
        "scalar", "numeric", of="t", only=frozenset({"total"}), avoid=frozenset({"ranks"}), depth=2
    )
    assert parse_slot(spec) == expected


@pytest.mark.parametrize(
    ("declaration", "problem"),
    [
        ("some boolean thing", "'some boolean thing' is not a valid slot"),
        ("bolean", "unknown class or kind 'bolean', did you mean 'boolean'?"),
        ("column categry", "unknown class or kind 'categry', did you mean 'category'?"),
        ("aggregate category", "the result of an aggregate phrase has a class, and no kind"),
        ("4-2 columns", "'4-2 columns' does not ask for one or more columns"),
        ("0-2 columns", "'0-2 columns' does not ask for one or more columns"),
        ("length of x", "unknown class or kind 'length'"),
        ("numeric status name", "is not a valid slot"),
        ("status name", "'status name' names two kinds"),
        ([], "a list of options is empty"),
    ],
)
def test_anything_else_is_refused(declaration, problem):
    with pytest.raises(ValueError) as refused:
        parse_slot(declaration)
    assert problem in str(refused.value)
