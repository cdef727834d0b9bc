"""What a draw leaves alone: the keys of joins, keys that do not exist, and negations where segments are asked for."""

from __future__ import annotations

import random

from ibert_builder.execution.engine import engine_for
from ibert_builder.templating.literal_sampler import LiteralSampler
from ibert_builder.templating.named import named
from ibert_builder.templating.scope import EMPTY
from ibert_builder.templating.values import ColumnValue, JoinValue, TableValue


def table(database, name):
    return TableValue(name, database.tables[name], name)


def test_nothing_is_asked_of_the_key_of_a_join(webshop):
    reference = next(r for r in webshop.references if r.child == "orders")
    join = JoinValue(table(webshop, "orders"), table(webshop, reference.parent), reference)
    assert ("orders", reference.column) in EMPTY.plus([join]).settled


def test_a_key_is_one_that_exists(webshop):
    orders = table(webshop, "orders")
    source = ColumnValue(orders, orders.table.columns["customer_id"])
    known = set(orders.table.values["customer_id"])
    literals = {
        LiteralSampler(engine_for(webshop), random.Random(seed)).draw("value", source).value
        for seed in range(40)
    }
    assert literals <= known and len(literals) > 10


def test_the_negation_of_a_segment_is_in_a_group_of_its_own(webshop):
    phrases = {value.phrase.name: value.phrase.group for value in named(table(webshop, "orders"), "segments")}
    negations = {name for name, group in phrases.items() if group == "negations"}
    assert negations == {name for name in phrases if name.startswith("not_")} != set()
