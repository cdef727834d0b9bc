"""The audit can fail: mutants are made and told from their query, rules prove no more than is so, planted faults show."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import sys

import duckdb
import pytest

from ibert_builder.audit import near_duplicates as near
from ibert_builder.audit.audit import audit
from ibert_builder.audit.claims import claims
from ibert_builder.audit.equivalence import RULES, equivalence
from ibert_builder.audit.examine import Drawn, Examined, queries_of
from ibert_builder.audit.kills import Trial, kill
from ibert_builder.audit.mutants import mutants
from ibert_builder.audit.query_properties import Query
from ibert_builder.cli import main
from ibert_builder.databases.row_sets import FULL, KINDS, row_set
from ibert_builder.execution.engine import engine_for
from ibert_builder.generation.catalog import load_catalog
from ibert_builder.generation.generate import Options, Tally, generate
from ibert_builder.generation.splits import is_withheld
from ibert_builder.tasks.registry import TASKS

COLUMNS = {
    "parent": {"id": "int64", "kind": "string", "label": "string", "size": "int64"},
    "child": {
        "id": "int64",
        "parent_id": "int64",
        "x": "int64",
        "y": "int64",
        "note": "string",
        "day": "date",
    },
}
KEYS = {"parent": "id", "child": "id"}


def made(sql):
    """The mutants of a query, as text, by how they were made."""
    query = Query(sql, COLUMNS, KEYS)
    return query, {(m.family, m.operator): m for m in mutants(query)}, [m.sql for m in mutants(query)]


# a query, and a mutant that its family must make of it
EXAMPLES = {
    "comparison": ("SELECT id FROM child WHERE x > 5", "x >= 5"),
    "boundary": ("SELECT id FROM child WHERE x > 5", "x > 6"),
    "between": ("SELECT id FROM child WHERE x BETWEEN 1 AND 5", "child.x > 1 AND child.x <= 5"),
    "in": ("SELECT id FROM child WHERE x IN (1, 2)", "IN (1)"),
    "logic": ("SELECT id FROM child WHERE x > 5 AND y > 1", "x > 5 OR"),
    "negation": ("SELECT id FROM child WHERE NOT x > 5", "WHERE (child.x > 5)"),
    "null": ("SELECT id FROM child WHERE x IS NULL", "NOT child.x IS NULL"),
    "coalesce": ("SELECT COALESCE(x, 0) AS x FROM child", "SELECT child.x AS x"),
    "null_safe": ("SELECT id FROM child WHERE x <> 5", "IS DISTINCT FROM 5"),
    "aggregate": ("SELECT SUM(x) AS s FROM child", "AVG(child.x)"),
    "distinct": ("SELECT COUNT(DISTINCT x) AS n FROM child", "COUNT(child.x)"),
    "arithmetic": ("SELECT x + y AS z FROM child", "child.x - child.y"),
    "join": ("SELECT c.id FROM child c JOIN parent p ON c.parent_id = p.id", "LEFT JOIN"),
    "clause": ("SELECT id FROM child WHERE x > 5 LIMIT 3", "FROM child AS child LIMIT 3"),
    "conjunct": ("SELECT id FROM child WHERE x > 5 AND y > 1", "WHERE child.y > 1"),
    "order": ("SELECT id, x FROM child ORDER BY x, id", "ORDER BY x DESC, id"),
    "nulls": ("SELECT id, x FROM child ORDER BY x, id", "x NULLS FIRST"),
    "sort_key": ("SELECT id, x FROM child ORDER BY x, id", "ORDER BY x"),
    "grouping": ("SELECT x, y, COUNT(*) AS n FROM child GROUP BY x, y", "ANY_VALUE(child.x) AS x"),
    "string": ("SELECT id FROM child WHERE note LIKE 'a%'", "LIKE '%a'"),
    "window": ("SELECT SUM(x) OVER (PARTITION BY y ORDER BY id) AS s FROM child", "OVER (ORDER BY child.id)"),
    "ranking": ("SELECT RANK() OVER (ORDER BY x) AS r FROM child", "DENSE_RANK()"),
    "set": ("SELECT x FROM child UNION SELECT y FROM child", "UNION ALL"),
    "column": ("SELECT x FROM child", "SELECT child.y AS x"),
}  # fmt: skip


@pytest.mark.parametrize("case", EXAMPLES)
def test_mutants_of_every_kind_are_made(case):
    sql, wanted = EXAMPLES[case]
    _, _, texts = made(sql)
    assert any(wanted in text for text in texts), texts
    assert len(texts) == len(set(texts))


def test_making_mutants_leaves_the_query_as_it_was():
    query, _, _ = made(
        "SELECT x AS a, COUNT(*) AS n FROM child WHERE y > 1 GROUP BY a HAVING n > 2 ORDER BY n DESC, a"
    )
    assert query.tree.sql("duckdb") == query.sql


def test_copies_of_an_aliased_expression_change_together():
    _, _, texts = made("SELECT x + y AS z, COUNT(*) AS n FROM child GROUP BY z")
    assert any(text.count("child.x - child.y") == 2 for text in texts)
    assert not any("child.x - child.y" in text and "child.x + child.y" in text for text in texts)


# rule -> (query, part of an equal mutant), (query, part of a mutant that only looks like one)
PROVED = {
    "null_order": [
        ("SELECT id FROM child ORDER BY id", "id NULLS FIRST", True),
        ("SELECT id, x FROM child ORDER BY x, id", "x NULLS FIRST", False),
        ("SELECT x, COUNT(*) AS n FROM child GROUP BY x ORDER BY n, x", "n NULLS FIRST", True),
        ("SELECT id, x FROM child WHERE x > 1 ORDER BY x, id", "x NULLS FIRST", True),
        ("SELECT p.id, c.x FROM child c LEFT JOIN parent p ON c.parent_id = p.id ORDER BY p.id, c.id", "ORDER BY p.id NULLS FIRST", False),
        ("SELECT TRY_CAST(id AS INT) AS v FROM child ORDER BY v", "v NULLS FIRST", False),
        ("SELECT EXTRACT(YEAR FROM day) AS v FROM child WHERE day IS NOT NULL ORDER BY v", "v NULLS FIRST", True),
        ("SELECT x, SUM(y) FILTER (WHERE y > 1) AS s FROM child WHERE y > 0 GROUP BY x ORDER BY s", "s NULLS FIRST", False),
    ],
    "decided_before": [
        ("SELECT id, x FROM child ORDER BY id, x", "ORDER BY id, x DESC", True),
        ("SELECT id, x FROM child ORDER BY x, id", "ORDER BY x, id DESC", False),
        ("SELECT p.id, c.x FROM child c JOIN parent p ON c.parent_id = p.id ORDER BY p.id, c.x", "c.x DESC", False),
    ],
    "no_ties": [
        ("SELECT ROW_NUMBER() OVER (ORDER BY id) AS r FROM child", "RANK()", True),
        ("SELECT ROW_NUMBER() OVER (ORDER BY x) AS r FROM child", "RANK()", False),
        ("SELECT SUM(x) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS s FROM child", "(ORDER BY child.id)", True),
        ("SELECT SUM(x) OVER (ORDER BY y ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS s FROM child", "(ORDER BY child.y)", False),
        ("SELECT id FROM child QUALIFY RANK() OVER (ORDER BY x) = 1", "DENSE_RANK()", True),
        ("SELECT id FROM child QUALIFY RANK() OVER (ORDER BY x) <= 2", "DENSE_RANK()", False),
    ],
    "rejected_by_filter": [
        ("SELECT c.id FROM child c JOIN parent p ON c.parent_id = p.id WHERE p.size > 1", "LEFT JOIN", True),
        ("SELECT c.id FROM child c JOIN parent p ON c.parent_id = p.id WHERE p.size > 1", "RIGHT JOIN", False),
        ("SELECT c.id FROM child c JOIN parent p ON c.parent_id = p.id WHERE p.size IS NULL", "LEFT JOIN", False),
        ("SELECT p.id FROM parent p LEFT JOIN child c ON c.parent_id = p.id WHERE c.id IS NULL", "FULL JOIN", True),
        ("SELECT p.id FROM parent p LEFT JOIN child c ON c.parent_id = p.id WHERE c.x IS NULL", "FULL JOIN", False),
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
    ],
    "determined_key": [
        ("SELECT id, x, COUNT(*) AS n FROM child GROUP BY id, x", "ANY_VALUE(child.x)", True),
        ("SELECT x, y, COUNT(*) AS n FROM child GROUP BY x, y", "ANY_VALUE(child.x)", False),
        ("SELECT x % 7 AS d, CASE x % 7 WHEN 0 THEN 'a' END AS w, COUNT(*) AS n FROM child GROUP BY d, w", "ANY_VALUE(CASE", True),
    ],
    "constant_zero": [
        ("SELECT SUM(CAST(id IS NULL AS INT)) AS n FROM child", "MAX(CAST", True),
        ("SELECT SUM(CAST(x IS NULL AS INT)) AS n FROM child", "MAX(CAST", False),
    ],
    "unused": [
        ("SELECT t.x FROM (SELECT * FROM child) AS t", "child.parent_id AS id", True),
        ("SELECT t.x FROM (SELECT * FROM child) AS t", "child.y AS x", False),
        ("SELECT t.x FROM (SELECT DISTINCT x, y FROM child) AS t", "child.id AS y", False),
        ("SELECT t.n FROM (SELECT x + y AS z, COUNT(*) AS n FROM child GROUP BY z) AS t", "child.x - child.y", False),
    ],
    "any_at_all": [
        ("SELECT y FROM child GROUP BY y HAVING SUM(CAST(x IS NULL AS INT)) > 0", "HAVING MAX(", True),
        ("SELECT y FROM child GROUP BY y HAVING SUM(CAST(x IS NULL AS INT)) > 1", "HAVING MAX(", False),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "sql", "part", "equal"), [(r, *c) for r, cases in PROVED.items() for c in cases]
)
def test_rules_prove_what_is_so_and_no_more(rule, sql, part, equal):
    query = Query(sql, COLUMNS, KEYS)
    found = [m for m in mutants(query) if part in m.sql]
    assert found, [m.sql for m in mutants(query)]
    if equal:
        assert any(equivalence(query, m) == rule for m in found)
    else:
        assert all(equivalence(query, m) is None for m in found)


def test_every_rule_is_tested():
    assert set(PROVED) == set(RULES)


@pytest.mark.parametrize(
    "task",
    [
        name
        for name, task in TASKS.items()
        if any(f.kind == "ibis" for f in (*task.input.values(), *task.target.values()))
    ],
)
def test_no_rule_claims_a_mutant_that_data_tell_apart(task, catalog, webshop):
    engine = engine_for(webshop)
    types = {name: {c: str(t) for c, t in table.schema.items()} for name, table in webshop.tables.items()}
    records = list(generate(catalog, task, "webshop", Options(), Tally()))
    claimed = 0
    for record in records[:: len(records) // 40 + 1]:
        texts = queries_of(record, engine)
        if not texts:
            continue
        query = Query(texts[0], types, {name: table.key for name, table in webshop.tables.items()})
        trial = Trial(query, engine)
        for mutant in mutants(query):
            if rule := equivalence(query, mutant):
                claimed += 1
                with contextlib.suppress(duckdb.BinderException):  # no valid query counts either way
                    assert trial.killer(mutant) is None, (rule, query.sql, mutant.sql)
    assert claimed


def test_rows_tell_wrong_queries_from_right_ones(webshop):
    types = {name: {c: str(t) for c, t in table.schema.items()} for name, table in webshop.tables.items()}
    sql = "SELECT order_id, status FROM orders WHERE amount >= 100 ORDER BY status, order_id"
    kills = kill(
        Query(sql, types, {name: table.key for name, table in webshop.tables.items()}), engine_for(webshop)
    )
    assert sum(kills.killed.values()) >= 8
    assert not [s for s in kills.survivors if s[0] in ("order", "clause", "column")]


# --- row sets


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


# --- near-duplicates


def test_near_duplicates_are_found_across_groups_only():
    base = "SELECT customer_id, SUM(amount) AS total FROM orders WHERE status = 'paid' GROUP BY customer_id"
    texts = [base, base.replace("paid", "open"), "SELECT 1", base.replace("'paid'", "'late'")]
    assert near.across(["a", "a", "b", "b"], texts) == [(3, 0)]
    assert near.across(["a", "a", "a", "a"], texts) == []
    assert near.across(["a", "b"], ["x = 1", "completely other words stand here"]) == []


# --- claims


@pytest.fixture(scope="module")
def small(sample_dir):
    """A small dataset, audited as a whole."""
    return audit(Options(examples_per_template=3), templates_dir=sample_dir, sample=None)


def test_a_small_dataset_is_proved_again(small):
    held = {claim.name: claim for claim in small.claims}
    for claim in small.claims:
        if (
            claim.topic in ("proofs", "splits")
            and "share" not in claim.name
            and "difficulties" not in claim.name
        ):
            assert claim.holds, claim
    assert held["all mutants"].holds, held["all mutants"]
    assert len(small.found.records) > 100


def test_a_sample_is_a_part_and_the_same_for_any_number_of_processes(sample_dir, small):
    options = Options(examples_per_template=3)
    one = audit(options, templates_dir=sample_dir, sample=40)
    two = audit(options, templates_dir=sample_dir, sample=40, num_proc=2)
    assert one.as_json() == two.as_json()
    ids = {record["id"] for _, record in one.found.records}
    assert 15 <= len(ids) <= 70 and ids < {record["id"] for _, record in small.found.records}


DRAWN = Drawn("train", "qa", "easy", "webshop", "0" * 12, True, False, "a question", "a question")
PLANTED = {
    "inputs in two splits": [DRAWN, dataclasses.replace(DRAWN, split="test", database="housing")],
    "databases in two splits": [DRAWN, dataclasses.replace(DRAWN, split="test", input="another")],
    "inputs that occur twice": [DRAWN, DRAWN],
    "most inputs that differ in literals only": [dataclasses.replace(DRAWN, input=str(i)) for i in range(3)],
    "share of test, per task": [DRAWN],
    "difficulties missing from a split of a task": [DRAWN],
    "records whose meta is wrong about that": [dataclasses.replace(DRAWN, unseen=True)],
}


@pytest.mark.parametrize("name", PLANTED)
def test_planted_faults_fail_the_claim(name):
    claim = next(c for c in claims(Examined(drawn=PLANTED[name]), Options()) if c.name == name)
    assert not claim.holds


def test_a_skeleton_that_was_to_be_withheld_fails_the_claim():
    withheld = next(f"{i:012}" for i in range(100) if is_withheld(f"{i:012}", 0))
    found = Examined(drawn=[dataclasses.replace(DRAWN, skeleton=withheld)])
    claim = next(
        c for c in claims(found, Options()) if c.name == "skeletons withheld from train and found there"
    )
    assert not claim.holds


WRONG = {
    "sql_to_ibis": ("target", "ibis", lambda code: code + ".limit(1)"),
    "ibis_to_sql": ("target", "sql", lambda sql: f"SELECT * FROM ({sql}) AS t LIMIT 1"),
    "code_completion": ("input", "partial_code", lambda code: code + "_"),
    "error_resolution": ("input", "broken_code", lambda code: "no_such_table.head()"),
    "qa": ("target", "code_example", lambda code: "customers.no_such_column"),
    "documentation": ("target", "docstring", lambda text: text.removesuffix('."""') + '"""'),
}


@pytest.mark.parametrize("task", TASKS)
def test_a_record_that_was_tampered_with_is_not_proved_again(task, small, catalog):
    struct, field, spoil = WRONG[task]
    failed = 0
    for _, record in small.found.records:
        if (
            record["task"] == task
            and record[struct][field]
            and record["input"].get("dialect", "duckdb") == "duckdb"
        ):
            spoiled = json.loads(json.dumps(record))
            spoiled[struct][field] = spoil(record[struct][field])
            engine = engine_for(catalog.databases[record["meta"]["database"]])
            TASKS[task].recheck(record, engine)
            try:
                TASKS[task].recheck(spoiled, engine)
            except Exception:
                failed += 1
                if failed == 3:
                    return
    assert failed >= 3


# --- the command


def test_the_command_prints_claims_and_exits_by_them(sample_dir, tmp_path, capsys):
    card = tmp_path / "card.md"
    card.write_text("<!-- audit: begin -->\n<!-- audit: end -->\n")
    found = tmp_path / "audit.json"
    arguments = [
        "audit",
        "--sample",
        "20",
        "--templates-dir",
        str(sample_dir),
        "--json",
        str(found),
        "--card",
        str(card),
    ]
    status = main(arguments)
    out = capsys.readouterr().out
    report = json.loads(found.read_text())
    assert status == (0 if report["holds"] else 1)
    assert "mutants killed" in out and "databases in two splits" in out
    assert "| proofs |" in card.read_text()
    assert {"claims", "failures", "mutants", "made_with", "version"} <= set(report)


def test_the_command_asks_for_its_extra_before_any_work(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "datasketch", None)
    assert main(["audit", "--templates-dir", "no_such_folder"]) == 1
    assert "pip install 'ibert-multitask[audit]'" in capsys.readouterr().err


def test_the_command_refuses_what_it_cannot_do(tmp_path, capsys):
    assert main(["audit", "--sample", "0"]) == 1
    assert main(["audit", "--json", str(tmp_path / "no" / "such.json")]) == 1
    assert main(["audit", "--against", str(tmp_path / "nothing.sql")]) == 1
    assert "nothing.sql" in capsys.readouterr().err


def test_against_finds_what_train_holds(templates_dir, tmp_path, capsys):
    record = next(generate(load_catalog(templates_dir), "sql_to_ibis", "webshop", Options(), Tally()))
    theirs = tmp_path / "benchmark.sql"
    theirs.write_text("SELECT brewery, beer FROM pints;\n")
    arguments = ["audit", "--templates-dir", str(templates_dir), "--against", str(theirs)]
    assert main(arguments) == 0
    theirs.write_text(f"SELECT brewery, beer FROM pints;\n\n{record['input']['sql']};\n")
    assert main(arguments) == 1
    assert "benchmark.sql:3" in capsys.readouterr().out
