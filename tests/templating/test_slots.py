"""Slots: every declaration of the little language, and the refusal of what is not one."""

from __future__ import annotations

import pytest

from ibert_builder.templating.slots import Slot, SlotSpec, parse_slot


@pytest.mark.parametrize(
    ("declaration", "slot"),
    [
        ("string", Slot("scalar", "string")),
        ("boolean of t", Slot("scalar", "boolean", "t")),
        ("column numeric", Slot("column", "numeric")),
        ("column category of t", Slot("column", "category", "t")),
        ("column nullable", Slot("column", "nullable")),
        ("column array<string>", Slot("column", "array<string>")),
        ("2-4 columns", Slot("columns", "any", None, (2, 4))),
        ("1-1 columns string of t", Slot("columns", "string", "t", (1, 1))),
        ("aggregate numeric of t", Slot("aggregate", "numeric", "t")),
        ("window any", Slot("window", "any")),
        ("value of x", Slot("literal", "value", "x")),
        ("key of x", Slot("literal", "key", "x")),
        (["a", 1], Slot("choice", options=("a", 1))),
    ],
)
def test_a_declaration_says_what_fills_the_slot(declaration, slot):
    assert parse_slot(declaration) == slot


def test_the_long_form_says_which_phrases_may_be_drawn():
    spec = SlotSpec(**{"is": "numeric of t", "only": ["total"], "avoid": ["ranks"], "depth": 2})
    expected = Slot("scalar", "numeric", "t", only=frozenset({"total"}), avoid=frozenset({"ranks"}), depth=2)
    assert parse_slot(spec) == expected


@pytest.mark.parametrize(
    ("declaration", "problem"),
    [
        ("some boolean thing", "'some boolean thing' is not a valid slot"),
        ("bolean", "unknown class 'bolean', did you mean 'boolean'?"),
        ("column categry", "unknown class 'categry', did you mean 'category'?"),
        ("aggregate category", "unknown class 'category'"),
        ("4-2 columns", "'4-2 columns' does not ask for one or more columns"),
        ("0-2 columns", "'0-2 columns' does not ask for one or more columns"),
        ("length of x", "unknown class 'length'"),
        ([], "a list of options is empty"),
    ],
)
def test_anything_else_is_refused(declaration, problem):
    with pytest.raises(ValueError) as refused:
        parse_slot(declaration)
    assert problem in str(refused.value)
