"""The columns that a function reads are traced to the parameter they come from."""

from __future__ import annotations

import pytest

from ibert_builder.tasks.documentation.columns import UnclearColumn, columns_read


def read(body, parameters="orders"):
    lines = "\n    ".join(body.splitlines())
    found = columns_read(f"def f({parameters}):\n    {lines}")
    return {name: list(columns) for name, columns in found.items() if columns}


@pytest.mark.parametrize(
    ("body", "columns"),
    [
        ("return orders.filter(orders.amount > 3)", ["amount"]),
        ('return orders.filter(orders["amount"] > 3)', ["amount"]),
        ("return orders.filter(_.amount > 3, ~_.status.isin(wanted))", ["amount", "status"]),
        ('return orders.select("id", amount=_.price * 2)', ["id", "price"]),
        ('return orders.select(["id", "price"])', ["id", "price"]),
        ('return orders.group_by("status").agg(total=_.amount.sum()).order_by(ibis.desc("total"), "status")',
         ["status", "amount"]),
        ('return orders.agg(total=_.amount.sum()).filter(_.total > 3)', ["amount"]),
        ("kept = orders.filter(orders.amount > 3)\nreturn kept.filter(kept.status.notnull())", ["amount", "status"]),
        ("kept = orders.mutate(rank=_.amount.rank())\nreturn kept.filter(kept.rank == 0).drop('rank')", ["amount"]),
        ('return orders.mutate(n=ibis.rank().over(group_by="status", order_by=orders.id))', ["status", "id"]),
        ("first = orders.id\nif flag:\n    first = first.desc()\nreturn orders.order_by(first)", ["id"]),
        ("kept = orders\nfor tag in tags:\n    kept = kept.filter(kept.tags.contains(tag))\nreturn kept", ["tags"]),
        ('return orders.drop_null(["amount", "status"], how="any")', ["amount", "status"]),
        ('return orders.rename(price="amount").filter(_.price > 3)', ["amount"]),
        ("return orders.mutate(year=_.ordered_at.year()).filter(_.year == 2023)", ["ordered_at"]),
        ("return orders[column].sum() / orders.count()", []),
        ("return orders.agg(**{name: orders[name].sum() for name in orders.columns})", []),
        ('return orders.pivot_wider(id_cols="status", names_from="channel", values_from="amount", values_fill=0)',
         ["status", "channel", "amount"]),
        ('return orders.pivot_longer(s.cols("paid", "due"), names_to="kind", values_to="sum").filter(_.kind == "x")',
         ["paid", "due"]),
        ("return ibis.cases((orders.amount > 3, 'high'), else_='low')", ["amount"]),
        ("return orders.select(day=_.ordered_at.truncate('D')).distinct()", ["ordered_at"]),
        ("if orders.columns:\n    raise ValueError('status')\nreturn orders.limit(3)", []),
    ],
)  # fmt: skip
def test_columns_of_one_table(body, columns):
    assert read(body) == ({"orders": columns} if columns else {})


@pytest.mark.parametrize(
    ("body", "columns"),
    [
        ('return orders.join(people, "person_id")', {"orders": ["person_id"], "people": ["person_id"]}),
        ('return orders.join(people, [("by", "id")])', {"orders": ["by"], "people": ["id"]}),
        ("return orders.join(people, orders.by == people.id).select(orders.id, people.name)",
         {"orders": ["by", "id"], "people": ["id", "name"]}),
        ("return orders.left_join(people, _.by == people.id)", {"orders": ["by"], "people": ["id"]}),
        ('return orders.anti_join(people, "id").order_by("amount")', {"orders": ["id", "amount"], "people": ["id"]}),
        ('totals = people.group_by("id").agg(total=_.x.sum())\n'
         "return orders.join(totals, totals.id == orders.by).select(orders.id, totals.total)",
         {"orders": ["by", "id"], "people": ["id", "x"]}),
        ("return ibis.union(orders, people)", {}),
    ],
)  # fmt: skip
def test_columns_of_two_tables(body, columns):
    assert read(body, "orders, people") == columns


def test_a_column_that_may_be_of_either_table_is_unclear():
    with pytest.raises(UnclearColumn, match="'name' could be of orders or people"):
        read('return orders.join(people, "id").filter(_.name.notnull())', "orders, people")
    # Which table it is from is known if the function has named it by one of them before.
    known = read('return orders.join(people, orders.id == people.by).order_by("id")', "orders, people")
    assert known == {"orders": ["id"], "people": ["by"]}
