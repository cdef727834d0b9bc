"""Splits: which drafts, templates and skeletons go where."""

from __future__ import annotations

from ibert_builder.databases.model import split_by_number
from ibert_builder.generation.splits import WITHHELD, in_seeded_order, is_withheld

IDENTIFIERS = [f"{number:012x}" for number in range(5000)]


def test_of_ten_drafts_eight_are_for_train():
    first = [split_by_number(number) for number in range(10)]
    assert first == ["train", "validation", "test", *["train"] * 7]
    assert [split_by_number(number) for number in range(10, 20)] == first


def test_a_seeded_tenth_of_the_skeletons_is_withheld():
    withheld = {identifier for identifier in IDENTIFIERS if is_withheld(identifier, 0)}
    assert abs(len(withheld) / len(IDENTIFIERS) - WITHHELD) < 0.02
    assert withheld == {identifier for identifier in IDENTIFIERS if is_withheld(identifier, 0)}
    others = {identifier for identifier in IDENTIFIERS if is_withheld(identifier, 1)}
    assert len(withheld & others) < len(withheld) / 4


def test_the_order_of_templates_is_that_of_their_names_hashes(catalog):
    templates = list(catalog.templates["qa"])
    order = in_seeded_order(templates)
    assert order == in_seeded_order(reversed(templates)) != templates
    assert {template.name for template in order} == {template.name for template in templates}
