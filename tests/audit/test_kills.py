"""Mutants are told from their query where rows tell them apart, and only there."""

from __future__ import annotations

import pytest

from ibert_builder.audit.kills import kill
from ibert_builder.audit.query_properties.query import Query
from ibert_builder.execution.engine import engine_for
from tests.audit.schema import RandomRows, resolved


def test_rows_tell_wrong_queries_from_right_ones(webshop):
    types = {name: {c: str(t) for c, t in table.schema.items()} for name, table in webshop.tables.items()}
    sql = "SELECT order_id, status FROM orders WHERE amount >= 100 ORDER BY status, order_id"
    kills = kill(
        Query(sql, types, {name: table.key for name, table in webshop.tables.items()}), engine_for(webshop)
    )
    assert sum(kills.killed.values()) >= 8
    assert not [s for s in kills.survivors if s[0] in ("order", "clause", "column")]


@pytest.mark.parametrize(
    ("sql", "family", "outcome"),
    [
        ("SELECT id FROM child WHERE x > 1", "comparison", "killed"),
        ("SELECT id FROM child ORDER BY id", "order", "equivalent"),  # and killed, by the order turned round
        ("SELECT x - 0 AS v FROM child", "arithmetic", "alive"),
        ("SELECT x FROM child", "column", "killed"),
        ("SELECT COUNT(day) AS n FROM child", "aggregate", "invalid"),  # the sum of dates
    ],
)
def test_every_mutant_has_an_outcome(sql, family, outcome):
    kills = kill(resolved(sql), RandomRows(1))
    assert getattr(kills, outcome)[family]
    assert sum(kills.rules.values()) == sum(kills.equivalent.values())
    assert len(kills.survivors) == sum(kills.alive.values())
