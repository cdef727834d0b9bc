"""Mutants of every kind are made, and making them leaves the query as it was."""

from __future__ import annotations

import pytest

from ibert_builder.audit.mutants import FAMILIES, mutants
from tests.audit.schema import resolved

# what is wrong in the mutant -> its family, a query, and a part of the mutant's text
EXAMPLES = {
    "comparison": ("comparison", "SELECT id FROM child WHERE x > 5", "x >= 5"),
    "boundary": ("comparison", "SELECT id FROM child WHERE x > 5", "x > 6"),
    "negative boundary": ("comparison", "SELECT id FROM child WHERE x > -5", "x > -6"),
    "between": ("comparison", "SELECT id FROM child WHERE x BETWEEN 1 AND 5", "child.x > 1 AND child.x <= 5"),
    "in": ("comparison", "SELECT id FROM child WHERE x IN (1, 2)", "IN (1)"),
    "logic": ("logic", "SELECT id FROM child WHERE x > 5 AND y > 1", "x > 5 OR"),
    "negation": ("logic", "SELECT id FROM child WHERE NOT x > 5", "WHERE (child.x > 5)"),
    "null": ("null", "SELECT id FROM child WHERE x IS NULL", "NOT child.x IS NULL"),
    "coalesce": ("null", "SELECT COALESCE(x, 0) AS x FROM child", "SELECT child.x AS x"),
    "null_safe": ("null", "SELECT id FROM child WHERE x <> 5", "IS DISTINCT FROM 5"),
    "aggregate": ("aggregate", "SELECT SUM(x) AS s FROM child", "AVG(child.x)"),
    "distinct": ("aggregate", "SELECT COUNT(DISTINCT x) AS n FROM child", "COUNT(child.x)"),
    "arithmetic": ("arithmetic", "SELECT x + y AS z FROM child", "child.x - child.y"),
    "join": ("join", "SELECT c.id FROM child c JOIN parent p ON c.parent_id = p.id", "LEFT JOIN"),
    "clause": ("clause", "SELECT id FROM child WHERE x > 5 LIMIT 3", "FROM child AS child LIMIT 3"),
    "conjunct": ("clause", "SELECT id FROM child WHERE x > 5 AND y > 1", "WHERE child.y > 1"),
    "order": ("order", "SELECT id, x FROM child ORDER BY x, id", "ORDER BY x DESC, id"),
    "nulls": ("order", "SELECT id, x FROM child ORDER BY x, id", "x NULLS FIRST"),
    "sort_key": ("order", "SELECT id, x FROM child ORDER BY x, id", "ORDER BY x"),
    "grouping": ("grouping", "SELECT x, y, COUNT(*) AS n FROM child GROUP BY x, y", "ANY_VALUE(child.x) AS x"),
    "pattern": ("string", "SELECT id FROM child WHERE note LIKE 'a%'", "LIKE '%a'"),
    "case": ("string", "SELECT UPPER(note) AS n FROM child", "LOWER(child.note)"),
    "text": ("string", "SELECT TRIM(note) AS n FROM child", "SELECT child.note AS n"),
    "window": ("window", "SELECT SUM(x) OVER (PARTITION BY y ORDER BY id) AS s FROM child", "OVER (ORDER BY child.id)"),
    "window_order": ("window", "SELECT LAG(x) OVER (ORDER BY id) AS s FROM child", "ORDER BY child.id DESC"),
    "ranking": ("window", "SELECT RANK() OVER (ORDER BY x) AS r FROM child", "DENSE_RANK()"),
    "set": ("set", "SELECT x FROM child UNION SELECT y FROM child", "UNION ALL"),
    "column": ("column", "SELECT x FROM child", "SELECT child.y AS x"),
}  # fmt: skip


@pytest.mark.parametrize("case", EXAMPLES)
def test_mutants_of_every_kind_are_made(case):
    family, sql, wanted = EXAMPLES[case]
    found = mutants(resolved(sql))
    assert [m.family for m in found if wanted in m.sql][:1] == [family], [m.sql for m in found]
    texts = [m.sql for m in found]
    assert len(texts) == len(set(texts))


def test_every_family_has_an_example():
    assert {family for family, *_ in EXAMPLES.values()} == set(FAMILIES)


def test_making_mutants_leaves_the_query_as_it_was():
    query = resolved(
        "SELECT x AS a, COUNT(*) AS n FROM child WHERE y > 1 GROUP BY a HAVING n > 2 ORDER BY n DESC, a"
    )
    assert query.sql not in [m.sql for m in mutants(query)]
    assert query.tree.sql("duckdb") == query.sql


def test_copies_of_an_aliased_expression_change_together():
    texts = [m.sql for m in mutants(resolved("SELECT x + y AS z, COUNT(*) AS n FROM child GROUP BY z"))]
    assert any(text.count("child.x - child.y") == 2 for text in texts)
    assert not any("child.x - child.y" in text and "child.x + child.y" in text for text in texts)
