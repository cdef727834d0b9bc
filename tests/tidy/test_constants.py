"""Tidying keeps what constants say on all data: tabs, line breaks and quotes too, here run on DuckDB and SQLite."""

from __future__ import annotations

import sqlite3

import duckdb
import ibis
import pytest
import sqlglot

from ibert_builder.dialects.registry import DIALECTS
from ibert_builder.dialects.translate import to_duckdb
from ibert_builder.tidy.print import escape_string
from ibert_builder.tidy.tidy import tidy

COLUMNS = {"t": ("a", "n")}
TEXTS = ["a", " a ", "\ta\n", "\n a\t b \r", "\x0ba\x0c", "it's", "v\\f", "", None]
t = ibis.table({"a": "string", "n": "int64"}, name="t")
EXPRESSIONS = {
    "strip": t.a.strip(),
    "lstrip": t.a.lstrip(),
    "rstrip": t.a.rstrip(),
    "a tab and a quote": t.a + "\t'\\",
    "a line break": t.a.replace("\n", "\n\n"),
    "a comparison": t.a == "\ta\n",
    "two constants": t.a + (ibis.literal("x\t") + "y\n"),
}


def answers(name: str, sql: str) -> list:
    rows = [(text, number) for number, text in enumerate(TEXTS)]
    connection = duckdb.connect() if name == "duckdb" else sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (a VARCHAR, n BIGINT)")
    connection.executemany("INSERT INTO t VALUES (?, ?)", rows)
    return connection.execute(sql).fetchall()


@pytest.mark.parametrize("name", ["duckdb", "sqlite"])
@pytest.mark.parametrize("case", EXPRESSIONS)
def test_tidied_constants_give_the_same_answer(case, name):
    expression = t.select(x=EXPRESSIONS[case], n=t.n).order_by("n")
    compiled = DIALECTS[name].compile(expression)
    tidied = tidy(compiled, DIALECTS[name], COLUMNS)
    assert answers(name, tidied) == answers(name, compiled), tidied


@pytest.mark.parametrize("name", ["duckdb", "postgres", "bigquery", "clickhouse"])
@pytest.mark.parametrize("case", ["strip", "lstrip", "rstrip"])
def test_no_control_character_is_on_the_page_and_the_way_back_has_them_all(case, name):
    compiled = DIALECTS[name].compile(t.select(x=EXPRESSIONS[case]))
    tidied = tidy(compiled, DIALECTS[name], COLUMNS)
    assert tidied.replace("\n", "").isprintable() and "\\t\\n\\r" in tidied
    one, other = (answers("duckdb", to_duckdb(sql, DIALECTS[name])) for sql in (compiled, tidied))
    assert one == other
    assert one[TEXTS.index("\ta\n")] != ("\ta\n",)


def test_escape_strings_are_read_back_as_they_were():
    text = "".join(map(chr, range(1, 128)))
    assert duckdb.execute(f"SELECT {escape_string(text)}").fetchone() == (text,)
    assert escape_string(" \t\n\r\x0b\x0c") == r"E' \t\n\r\x0B\f'"


@pytest.mark.parametrize(
    ("name", "sql", "kept"),
    [
        ("mysql", "SELECT '1' + '2' AS x FROM t", "'1' + '2'"),
        ("mssql", "SELECT 'a' + 'b' AS x FROM t", "'ab'"),
        ("mssql", "SELECT LEN('ab ') AS x FROM t", "'ab '"),
        ("oracle", "SELECT LENGTH('') AS x FROM t", "LENGTH('')"),
        ("postgres", "SELECT LENGTH('ab') AS x FROM t", "SELECT 2 AS x"),
        ("postgres", "SELECT CAST(1 = 1 AS TEXT) AS x FROM t", "CAST(1 = 1 AS TEXT)"),
        ("postgres", "SELECT CAST('2024-01-02 03:04:05' AS TIMESTAMPTZ) AS x FROM t", "TIMESTAMPTZ"),
        ("postgres", "SELECT CAST('2024-01-02 03:04:05' AS TIMESTAMP) AS x FROM t", "TIMESTAMP '2024"),
        ("duckdb", "SELECT n FROM t QUALIFY MY_SHARE() OVER (ORDER BY n) - 1 < 3", "- 1 < 3"),
        ("duckdb", "SELECT n FROM t QUALIFY RANK() OVER (ORDER BY n) - 1 < 3", "<= 3"),
    ],
)
def test_constants_are_folded_only_where_that_is_the_same_on_all_data(name, sql, kept):
    assert kept in tidy(sql, DIALECTS[name], COLUMNS)
    sqlglot.parse_one(tidy(sql, DIALECTS[name], COLUMNS), read=DIALECTS[name].compiled_grammar)
