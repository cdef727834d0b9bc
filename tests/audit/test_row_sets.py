"""Row sets hold rows that tell wrong queries from right ones."""

from __future__ import annotations

import pytest

from ibert_builder.databases.row_sets import FULL, KINDS, row_set
from ibert_builder.execution.engine import engine_for


@pytest.mark.parametrize("number", range(1, len(KINDS)))
def test_row_sets_keep_keys_and_types_and_differ(number, catalog):
    for database in catalog.databases.values():
        varied = row_set(database, number)
        for name, table in varied.tables.items():
            keys = table.values[table.key]
            assert None not in keys and len(keys) == len(set(keys)) == len(table.rows)
            assert table.schema == database.tables[name].schema
        assert varied != database
        assert engine_for(database).run_sql(f"SELECT COUNT(*) FROM {name}", number).rows == [
            (len(table.rows),)
        ]


def test_full_row_sets_break_what_the_first_rows_have_in_common(webshop):
    for number in FULL[1:]:
        orders = row_set(webshop, number).tables["orders"]
        assert len(orders.rows) >= len(webshop.tables["orders"].rows)
        for name, values in orders.values.items():
            assert name == "order_id" or None in values, name
        shipped = [
            (a, b)
            for a, b in zip(orders.values["ordered_at"], orders.values["shipped_at"], strict=True)
            if a and b
        ]
        assert any(a > b for a, b in shipped) and any(a < b for a, b in shipped)


def test_row_sets_are_the_same_again(webshop):
    row_set.cache_clear()
    first = row_set(webshop, 3)
    row_set.cache_clear()
    assert row_set(webshop, 3) == first
