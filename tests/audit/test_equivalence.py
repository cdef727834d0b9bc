"""Rules of equivalence prove what is so and no more: by example, on random rows, on rows of the dataset."""

from __future__ import annotations

import contextlib
import random

import duckdb
import pytest

from ibert_builder.audit.equivalence import RULES, equivalence
from ibert_builder.audit.examine import queries_of
from ibert_builder.audit.kills import Trial
from ibert_builder.audit.mutants import mutants
from ibert_builder.audit.query_properties.query import Query
from ibert_builder.execution.engine import engine_for
from ibert_builder.generation.generate import Options, Tally, generate
from ibert_builder.tasks.registry import TASKS
from tests.audit.random_queries import random_query
from tests.audit.schema import RandomRows, resolved

# rule -> a query, a part of a mutant's text, and whether the rule proves that they are equal
PROVED = {
    "null_order": [
        ("SELECT id FROM child ORDER BY id", "id NULLS FIRST", True),
        ("SELECT id, x FROM child ORDER BY x, id", "x NULLS FIRST", False),
        ("SELECT x, COUNT(*) AS n FROM child GROUP BY x ORDER BY n, x", "n NULLS FIRST", True),
        ("SELECT id, x FROM child WHERE x > 1 ORDER BY x, id", "x NULLS FIRST", True),
        ("SELECT p.id, c.x FROM child c LEFT JOIN parent p ON c.parent_id = p.id ORDER BY p.id, c.id", "ORDER BY p.id NULLS FIRST", False),
        ("SELECT TRY_CAST(id AS INT) AS v FROM child ORDER BY v", "v NULLS FIRST", False),
        ("SELECT EXTRACT(YEAR FROM day) AS v FROM child WHERE day IS NOT NULL ORDER BY v", "v NULLS FIRST", False),
        ("SELECT x, SUM(y) FILTER (WHERE y > 1) AS s FROM child WHERE y > 0 GROUP BY x ORDER BY s", "s NULLS FIRST", False),
        ("SELECT EXTRACT(YEAR FROM day) AS v FROM child WHERE EXTRACT(YEAR FROM day) > 2000 ORDER BY v", "v NULLS FIRST", True),
        ("SELECT DATE_TRUNC('month', day) AS v FROM child WHERE day IS NOT NULL ORDER BY v", "v NULLS FIRST", True),
        ("SELECT DAY + INTERVAL (x) DAY AS v FROM child WHERE day IS NOT NULL ORDER BY v", "v NULLS FIRST", False),
        ("SELECT id FROM child WHERE x BETWEEN 1 AND y ORDER BY y, id", "y NULLS FIRST", True),
        ("SELECT id FROM child WHERE NOT x BETWEEN 1 AND y ORDER BY y, id", "y NULLS FIRST", False),
        ("SELECT id FROM child WHERE NOT x BETWEEN 1 AND y ORDER BY x, id", "x NULLS FIRST", True),
        ("SELECT SUM(id) AS s FROM child GROUP BY ALL ORDER BY s", "s NULLS FIRST", False),
        ("SELECT SUM(id) AS s FROM child GROUP BY x ORDER BY s", "s NULLS FIRST", True),
        ("SELECT (SELECT p.size + COUNT(*) FROM child WHERE p.size > 1) AS s FROM parent p ORDER BY s", "s NULLS FIRST", False),
        ("SELECT c.id FROM child c POSITIONAL JOIN parent p ORDER BY c.id", "id NULLS FIRST", False),
    ],
    "no_ties": [
        ("SELECT ROW_NUMBER() OVER (ORDER BY id) AS r FROM child", "RANK()", True),
        ("SELECT ROW_NUMBER() OVER (ORDER BY x) AS r FROM child", "RANK()", False),
        ("SELECT SUM(x) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS s FROM child", "(ORDER BY child.id)", True),
        ("SELECT SUM(x) OVER (ORDER BY y ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS s FROM child", "(ORDER BY child.y)", False),
        ("SELECT id FROM child QUALIFY RANK() OVER (ORDER BY x) = 1", "DENSE_RANK()", True),
        ("SELECT id FROM child QUALIFY RANK() OVER (ORDER BY x) <= 2", "DENSE_RANK()", False),
        ("SELECT id, ROW_NUMBER() OVER (ORDER BY 1) AS r FROM child", "RANK()", False),
        ("SELECT x, ROW_NUMBER() OVER (ORDER BY x) AS r FROM child GROUP BY x", "RANK()", True),
        ("SELECT UNNEST([1, 1]) AS u, ROW_NUMBER() OVER (ORDER BY x) AS r FROM child GROUP BY x", "RANK()", False),
        ("SELECT SUM(x) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW EXCLUDE CURRENT ROW) AS s FROM child", "(ORDER BY child.id)", False),
    ],
    "rejected_by_filter": [
        ("SELECT c.id FROM child c JOIN parent p ON c.parent_id = p.id WHERE p.size > 1", "LEFT JOIN", True),
        ("SELECT c.id FROM child c JOIN parent p ON c.parent_id = p.id WHERE p.size > 1", "RIGHT JOIN", False),
        ("SELECT c.id FROM child c JOIN parent p ON c.parent_id = p.id WHERE p.size IS NULL", "LEFT JOIN", False),
        ("SELECT p.id FROM parent p LEFT JOIN child c ON c.parent_id = p.id WHERE c.id IS NULL", "FULL JOIN", True),
        ("SELECT p.id FROM parent p LEFT JOIN child c ON c.parent_id = p.id WHERE c.x IS NULL", "FULL JOIN", False),
        ("SELECT a.id FROM child a LEFT JOIN parent b ON a.parent_id = b.id WHERE NOT (a.x BETWEEN b.id AND 5)", "AS a JOIN", False),
        ("SELECT a.id FROM child a LEFT JOIN parent b ON a.parent_id = b.id WHERE NOT (b.size BETWEEN a.x AND 5)", "AS a JOIN", True),
        ("SELECT a.id FROM child a LEFT JOIN parent b ON a.parent_id = b.id WHERE a.x BETWEEN b.id AND 5", "AS a JOIN", True),
        ("SELECT a.id FROM child a LEFT JOIN parent b ON a.parent_id = b.id WHERE (a.x BETWEEN b.id AND 5) IS NOT NULL", "AS a JOIN", False),
        ("SELECT a.id FROM child a LEFT JOIN parent b ON a.parent_id = b.id WHERE (b.size BETWEEN 1 AND 5) IS NOT NULL", "AS a JOIN", True),
        ("SELECT a.id FROM child a LEFT JOIN parent b ON a.parent_id = b.id WHERE b.size NOT IN (SELECT y FROM child)", "AS a JOIN", False),
        ("SELECT a.id FROM child a LEFT JOIN parent b ON a.parent_id = b.id WHERE b.size NOT IN (1, 2)", "AS a JOIN", True),
        ("SELECT a.id FROM child a LEFT JOIN parent b ON a.parent_id = b.id WHERE b.size IN (SELECT y FROM child)", "AS a JOIN", True),
        ("SELECT a.id FROM child a LEFT JOIN parent b ON a.parent_id = b.id WHERE b.size > ALL (SELECT y FROM child)", "AS a JOIN", False),
        ("SELECT a.id FROM child a LEFT JOIN parent b ON a.parent_id = b.id LEFT JOIN child c ON c.x = b.size WHERE b.id IS NULL", "AS b ON a.parent_id = b.id JOIN", False),
        ("SELECT a.id FROM child a JOIN parent b ON a.parent_id = b.id LEFT JOIN child c ON c.x = b.size WHERE b.id IS NULL", "AS b ON a.parent_id = b.id JOIN", True),
        ("SELECT c.id FROM child a LEFT JOIN parent b ON a.parent_id = b.id RIGHT JOIN child c ON c.x = b.size WHERE a.id IS NULL", "AS a JOIN", False),
        ("SELECT a.id FROM child a LEFT JOIN parent b ON a.parent_id = b.id WHERE (b.size + 1) IS NULL", "AS a JOIN", False),
    ],
    "implied": [
        ("SELECT id FROM child WHERE x IS NOT NULL AND x > 1", "WHERE child.x > 1", True),
        ("SELECT id FROM child WHERE x IS NOT NULL AND (x > 1 OR y > 1)", "WHERE child.x > 1 OR child.y", False),
        ("SELECT x FROM child WHERE id IS NOT NULL", "FROM child AS child", True),
    ],
    "null_has_no_say": [
        ("SELECT COALESCE(id, 0) AS i FROM child", "SELECT child.id AS i", True),
        ("SELECT COALESCE(x, 0) AS i FROM child", "SELECT child.x AS i", False),
        ("SELECT id FROM child WHERE id <> 5", "IS DISTINCT FROM 5", True),
        ("SELECT id FROM child WHERE COALESCE(x > 1, FALSE)", "WHERE child.x > 1", True),
        ("SELECT NOT COALESCE(x > 1, FALSE) AS b FROM child", "NOT child.x > 1", False),
        ("SELECT CASE (y > 1) WHEN COALESCE(x > 1, FALSE) THEN 1 ELSE 2 END AS b FROM child", "WHEN child.x > 1", False),
        ("SELECT CASE WHEN COALESCE(x > 1, FALSE) THEN 1 ELSE 2 END AS b FROM child", "WHEN child.x > 1", True),
        ("SELECT id FROM child WHERE x IS NOT DISTINCT FROM 5", "child.x = 5", True),
        ("SELECT id FROM child WHERE x IS NOT DISTINCT FROM y", "child.x = child.y", False),
        ("SELECT x IS NOT DISTINCT FROM 5 AS b FROM child", "child.x = 5", False),
    ],
    "no_repeats": [
        ("SELECT id FROM child INTERSECT SELECT parent_id FROM child", "INTERSECT ALL", True),
        ("SELECT x FROM child INTERSECT SELECT y FROM child", "INTERSECT ALL", False),
        ("SELECT id FROM child EXCEPT SELECT parent_id FROM child", "EXCEPT ALL", True),
        ("SELECT x FROM child EXCEPT SELECT id FROM child", "EXCEPT ALL", False),
        ("SELECT id, 'a' AS s FROM child UNION ALL SELECT id, 'b' AS s FROM parent", "UNION SELECT", True),
        ("SELECT id FROM child UNION ALL SELECT id FROM parent", "UNION SELECT", False),
        ("SELECT DISTINCT id, x FROM child", "SELECT child.id AS id", True),
        ("SELECT DISTINCT x FROM child", "SELECT child.x AS x", False),
        ("SELECT COUNT(DISTINCT id) AS n FROM child", "COUNT(child.id)", True),
        ("SELECT COUNT(DISTINCT p.id) AS n FROM child c JOIN parent p ON c.parent_id = p.id", "COUNT(p.id)", False),
        ("SELECT DISTINCT ON (x) id, x FROM child", "SELECT child.id AS id", False),
        ("SELECT DISTINCT ON (id) x FROM child", "SELECT child.x AS x", True),
        ("SELECT DISTINCT id, 1 AS one FROM child", "SELECT child.id AS id, 1", True),
        ("SELECT DISTINCT UNNEST([1, 1]) AS u, x FROM child GROUP BY x", "SELECT UNNEST", False),
        ("SELECT id, 1 AS s FROM child UNION ALL SELECT id, 1.0 AS s FROM parent", "UNION SELECT", False),
        ("SELECT id, 'a' AS s FROM child UNION ALL BY NAME SELECT 'b' AS t, id FROM parent", "UNION BY NAME", False),
        ("SELECT (SELECT COUNT(DISTINCT p.id) FROM child) AS n FROM parent p", "COUNT(p.id)", False),
    ],
    "determined_key": [
        ("SELECT id, x, COUNT(*) AS n FROM child GROUP BY id, x", "ANY_VALUE(child.x)", True),
        ("SELECT x, y, COUNT(*) AS n FROM child GROUP BY x, y", "ANY_VALUE(child.x)", False),
        ("SELECT x % 7 AS d, CASE x % 7 WHEN 0 THEN 'a' END AS w, COUNT(*) AS n FROM child GROUP BY d, w", "ANY_VALUE(CASE", True),
        ("SELECT id, x, y, COUNT(*) AS n FROM child GROUP BY id, x, ROLLUP (y)", "ANY_VALUE(child.x)", False),
        ("SELECT id, RANDOM() AS r, COUNT(*) AS n FROM child GROUP BY id, RANDOM()", "ANY_VALUE(RAND", False),
    ],
    "constant_zero": [
        ("SELECT SUM(CAST(id IS NULL AS INT)) AS n FROM child", "MAX(CAST", True),
        ("SELECT SUM(CAST(x IS NULL AS INT)) AS n FROM child", "MAX(CAST", False),
        ("SELECT SUM(CAST(id IS NULL AS INT)) AS n FROM child", "AVG(CAST", True),
        ("SELECT SUM(CAST(id IS NULL AS INT)) || 'x' AS n FROM child", "AVG(CAST", False),
        ("SELECT x FROM child GROUP BY x HAVING SUM(CAST(id IS NULL AS INT)) < 1", "AVG(CAST", True),
    ],
    "unused": [
        ("SELECT t.x FROM (SELECT * FROM child) AS t", "child.parent_id AS id", True),
        ("SELECT t.x FROM (SELECT * FROM child) AS t", "child.y AS x", False),
        ("SELECT t.x FROM (SELECT DISTINCT x, y FROM child) AS t", "child.id AS y", False),
        ("SELECT t.n FROM (SELECT x + y AS z, COUNT(*) AS n FROM child GROUP BY z) AS t", "child.x - child.y", False),
        ("WITH c AS (SELECT x, y FROM child) SELECT d.x FROM c AS d", "child.y AS x", False),
        ("WITH c AS (SELECT x, y FROM child) SELECT d.x FROM c AS d", "child.id AS y", True),
        ("WITH c AS (SELECT x, y FROM child) SELECT a.x, b.y FROM c AS a JOIN c AS b ON a.x = b.x", "child.id AS y", False),
        ("SELECT t.b FROM (SELECT NULLIF(5, SUM(x)) AS a, 7 AS b FROM child) AS t", "SELECT 5 AS a", False),
        ("SELECT t FROM (SELECT x, y FROM child) AS t", "child.y AS x", False),
        ("SELECT t.x FROM (SELECT x, y FROM child) AS t NATURAL JOIN (SELECT y FROM child) AS u", "child.id AS y", False),
        ("SELECT t.x FROM (SELECT x, y FROM child ORDER BY y LIMIT 2) AS t", "child.id AS y", False),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "sql", "part", "equal"), [(r, *c) for r, cases in PROVED.items() for c in cases]
)
def test_rules_prove_what_is_so_and_no_more(rule, sql, part, equal):
    query = resolved(sql)
    found = [m for m in mutants(query) if part in m.sql]
    assert found, [m.sql for m in mutants(query)]
    if equal:
        assert any(equivalence(query, m) == rule for m in found)
    else:
        assert all(equivalence(query, m) is None for m in found)


def test_a_cast_of_json_may_be_null():
    columns = {"t": {"id": "int64", "doc": "json"}}
    for sql, rule in (
        (
            "SELECT CAST(doc AS INT) AS v FROM t WHERE doc IS NOT NULL ORDER BY v",
            None,
        ),  # of the document `null`
        ("SELECT CAST(id AS TEXT) AS v FROM t ORDER BY v", "null_order"),
    ):
        query = Query(sql, columns, {"t": "id"})
        (turned,) = [m for m in mutants(query) if "NULLS FIRST" in m.sql]
        assert equivalence(query, turned) == rule


def test_every_rule_is_tested():
    assert set(PROVED) == set(RULES)


@pytest.fixture(scope="module")
def rows():
    return RandomRows(0)


def claimed_in_vain(query, rows):
    """The mutants that rules call equal and that rows tell apart; and how many rules call equal."""
    trial = Trial(query, rows)
    claimed = [(rule, m) for m in mutants(query) if (rule := equivalence(query, m))]
    refuted = []
    for rule, mutant in claimed:
        with contextlib.suppress(duckdb.BinderException):  # no valid query, and so neither equal nor not
            if trial.killer(mutant) is not None:
                refuted.append((rule, query.sql, mutant.sql))
    return refuted, len(claimed)


@pytest.mark.parametrize("sql", dict.fromkeys(sql for cases in PROVED.values() for sql, *_ in cases))
def test_no_rule_claims_a_mutant_of_the_examples_that_random_rows_tell_apart(sql, rows):
    assert claimed_in_vain(resolved(sql), rows)[0] == []


@pytest.mark.parametrize("seed", range(4))
def test_no_rule_claims_a_mutant_of_random_queries_that_random_rows_tell_apart(seed, rows):
    rng, claimed = random.Random(seed), 0
    for _ in range(20):
        refuted, count = claimed_in_vain(resolved(random_query(rng)), rows)
        assert refuted == []
        claimed += count
    assert claimed >= 20


@pytest.mark.parametrize(
    "task",
    [
        name
        for name, task in TASKS.items()
        if any(f.kind == "ibis" for f in (*task.input.values(), *task.target.values()))
    ],
)
def test_no_rule_claims_a_mutant_that_the_sample_rows_tell_apart(task, catalog, webshop):
    engine = engine_for(webshop)
    types = {name: {c: str(t) for c, t in table.schema.items()} for name, table in webshop.tables.items()}
    keys = {name: table.key for name, table in webshop.tables.items()}
    records = list(generate(catalog, task, "webshop", Options(), Tally()))
    claimed = 0
    for record in records[:: len(records) // 40 + 1]:
        if texts := queries_of(record, engine):
            refuted, count = claimed_in_vain(Query(texts[0], types, keys), engine)
            assert refuted == []
            claimed += count
    assert claimed
