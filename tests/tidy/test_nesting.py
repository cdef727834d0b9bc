"""Each precondition of merging by itself: a query that it alone keeps from being merged."""

from __future__ import annotations

import pytest
import sqlglot
from sqlglot import exp

from ibert_builder.dialects.registry import DIALECTS
from ibert_builder.tidy.nesting import PRECONDITIONS, Nesting, can_merge

LONG = "UPPER(a) || '-' || LOWER(b) || '-' || TRIM(c)"
STOPPED = {
    "names_its_columns": "SELECT COUNT(*) AS n FROM (SELECT * FROM t) AS q",
    "unnests_nothing": "SELECT q.x + 1 AS y FROM (SELECT UNNEST(t.xs) AS x FROM t) AS q",
    "has_the_columns": "SELECT q.b FROM (SELECT t.a FROM t) AS q",
    "limits_last": "SELECT q.a FROM (SELECT t.a FROM t LIMIT 5) AS q WHERE q.a > 1",
    "keeps_distinct_rows": "SELECT q.a FROM (SELECT DISTINCT t.a, t.b FROM t) AS q",
    "keeps_order": "SELECT q.a FROM (SELECT t.a FROM t ORDER BY t.a) AS q WHERE q.a > 1",
    "reaches_columns_only": "SELECT q.a FROM (SELECT t.a + 1 AS a FROM t) AS q "
    "WHERE EXISTS (SELECT 1 FROM u WHERE u.a = q.a)",
    "reaches_no_groups": "SELECT q.a FROM (SELECT t.a FROM t GROUP BY t.a) AS q "
    "WHERE EXISTS (SELECT 1 FROM u WHERE u.a = q.a)",
    "groups_once": "SELECT MAX(q.n) AS n FROM (SELECT t.a, COUNT(*) AS n FROM t GROUP BY t.a) AS q",
    "has_windows_once": "SELECT q.a, RANK() OVER (ORDER BY q.n) AS r "
    "FROM (SELECT t.a, COUNT(*) AS n FROM t GROUP BY t.a) AS q",
    "has_no_windows_over_groups": "SELECT q.a, q.r "
    "FROM (SELECT t.a, RANK() OVER (ORDER BY COUNT(*)) AS r FROM t GROUP BY t.a) AS q",
    "joins_no_groups": "SELECT q.a, u.b FROM (SELECT t.a, COUNT(*) AS n FROM t GROUP BY t.a) AS q JOIN u ON u.a = q.a",
    "joins_once": "SELECT q.a, u.b FROM (SELECT t.a FROM t WHERE t.b > 1) AS q FULL JOIN u ON u.a = q.a",
    "drops_no_groups": "SELECT DISTINCT q.n FROM (SELECT t.a, COUNT(*) AS n FROM t GROUP BY t.a) AS q",
    "filters_groups": "SELECT q.n FROM (SELECT COUNT(*) AS n FROM t) AS q WHERE q.n > 1",
    "filters_windows": "SELECT q.a FROM (SELECT t.a, RANK() OVER (ORDER BY t.b) AS r FROM t) AS q WHERE q.a > 1",
    "repeats_little": f"SELECT q.x, q.x || '!' AS y FROM (SELECT {LONG} AS x FROM t) AS q",
}


def nesting(sql: str, dialect: str = "duckdb") -> Nesting:
    outer = sqlglot.parse_one(sql, read="duckdb")
    assert isinstance(outer, exp.Select)
    inner = outer.args["from_"].this.this
    assert isinstance(inner, exp.Select)
    return Nesting(outer, inner, "q", DIALECTS[dialect])


def failing(found: Nesting) -> list[str]:
    """The preconditions that do not hold, as far as they can be asked: counting needs the columns to be there."""
    broken = []
    for holds in PRECONDITIONS:
        if not holds(found):
            broken.append(holds.__name__)
            if holds.__name__ == "has_the_columns":
                break
    return broken


@pytest.mark.parametrize("precondition", PRECONDITIONS, ids=lambda holds: holds.__name__)
def test_a_query_that_one_precondition_alone_stops(precondition):
    found = nesting(STOPPED[precondition.__name__])
    assert failing(found) == [precondition.__name__]
    assert not can_merge(found)


def test_queries_stand_for_preconditions_that_there_are():
    assert list(STOPPED) == [precondition.__name__ for precondition in PRECONDITIONS]
    assert all(precondition.__doc__ for precondition in PRECONDITIONS)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT q.a + 1 AS b FROM (SELECT t.a FROM t WHERE t.b > 1) AS q WHERE q.a > 1",
        "SELECT q.n FROM (SELECT t.a, COUNT(*) AS n FROM t GROUP BY t.a) AS q WHERE q.n > 1",
        "SELECT q.a FROM (SELECT t.a, t.b FROM t ORDER BY t.b) AS q LIMIT 5",
        "SELECT q.a FROM (SELECT t.a, t.b FROM t LIMIT 5) AS q",
        "SELECT q.a FROM (SELECT DISTINCT t.a FROM t) AS q ORDER BY q.a LIMIT 5",
        "SELECT q.a FROM (SELECT t.a, RANK() OVER (ORDER BY t.b) AS r FROM t) AS q WHERE q.r < 4",
        "SELECT q.x, q.x || '!' AS y FROM (SELECT UPPER(t.a) AS x FROM t) AS q",
        "SELECT q.a, u.b FROM (SELECT t.a FROM t WHERE t.b > 1) AS q JOIN u ON u.a = q.a",
        "SELECT q.a FROM (SELECT t.a FROM t) AS q WHERE EXISTS (SELECT 1 FROM u WHERE u.a = q.a)",
    ],
)
def test_what_nothing_stops(sql):
    assert failing(nesting(sql)) == []
    assert can_merge(nesting(sql))


def test_a_condition_on_a_window_function_needs_qualify():
    sql = "SELECT q.a FROM (SELECT t.a, RANK() OVER (ORDER BY t.b) AS r FROM t) AS q WHERE q.r < 4"
    assert failing(nesting(sql, "snowflake")) == []
    assert failing(nesting(sql, "postgres")) == ["filters_windows"]
