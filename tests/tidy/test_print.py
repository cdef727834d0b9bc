"""What people write otherwise than sqlglot does."""

from __future__ import annotations

import pytest
import sqlglot

from ibert_builder.dialects.registry import DIALECTS
from ibert_builder.tidy.print import write


@pytest.mark.parametrize(
    ("name", "condition", "printed"),
    [
        ("duckdb", "NOT a IS NULL", "a IS NOT NULL"),
        ("duckdb", "NOT (a IS NULL)", "a IS NOT NULL"),
        ("clickhouse", "NOT (a IS NULL)", "a IS NOT NULL"),
        ("duckdb", "NOT a IN (1, 2)", "a NOT IN (1, 2)"),
        ("duckdb", "NOT a LIKE 'x%'", "a NOT LIKE 'x%'"),
        ("postgres", "NOT a ILIKE 'x%'", "a NOT ILIKE 'x%'"),
        ("duckdb", "NOT (a BETWEEN 1 AND 2)", "a NOT BETWEEN 1 AND 2"),
        ("duckdb", "NOT (a IS NOT DISTINCT FROM b)", "a IS DISTINCT FROM b"),
        ("duckdb", "NOT (a = 1 OR b = 1)", "NOT (a = 1 OR b = 1)"),
        ("duckdb", "NOT CONTAINS(a, 'x')", "NOT CONTAINS(a, 'x')"),
        ("mysql", "a RLIKE '^x'", "a RLIKE '^x'"),
        ("mysql", "LOWER(a) RLIKE '^x'", "(LOWER(a) RLIKE '^x')"),
    ],
)
def test_conditions(name, condition, printed):
    tree = sqlglot.parse_one(f"SELECT a FROM t WHERE {condition}", read=DIALECTS[name].compiled_grammar)
    text = write(tree, DIALECTS[name], is_compiled=True)
    assert " ".join(text.split()).replace("( ", "(").replace(" )", ")") == f"SELECT a FROM t WHERE {printed}"


@pytest.mark.parametrize(
    ("name", "sql", "printed"),
    [
        ("duckdb", "SELECT SUM(a) FILTER (WHERE b > 1) AS s FROM t", "SELECT SUM(a) FILTER (WHERE b > 1) AS s\nFROM t"),
        ("mssql", "SELECT TOP 5 a, b FROM t", "SELECT TOP 5 a, b\nFROM t"),
        ("mssql", "SELECT STDEV(a) AS s FROM t", "SELECT STDEV(a) AS s\nFROM t"),
        ("mssql", 'SELECT "plan" FROM t', "SELECT [plan]\nFROM t"),
        ("mssql", "SELECT q.a FROM (SELECT a FROM t) AS q", "SELECT q.a\nFROM (\n  SELECT a\n  FROM t\n) AS q"),
        ("duckdb", 'SELECT "plan" FROM t', "SELECT plan\nFROM t"),
        ("sqlite", "SELECT JSON_EXTRACT(a, '$.b') AS b FROM t", "SELECT JSON_EXTRACT(a, '$.b') AS b\nFROM t"),
        ("sqlite", "SELECT 'a\n  b' AS x FROM t", "SELECT 'a\n  b' AS x\nFROM t"),
        ("duckdb", "SELECT 'a\n\tb' AS x FROM t", "SELECT E'a\\n\\tb' AS x\nFROM t"),
    ],
)  # fmt: skip
def test_queries(name, sql, printed):
    tree = sqlglot.parse_one(sql, read=DIALECTS[name].compiled_grammar)
    assert write(tree, DIALECTS[name], is_compiled=True) == printed
    tree = sqlglot.parse_one(sql, read=DIALECTS[name].grammar)
    assert write(tree, DIALECTS[name]) == printed
