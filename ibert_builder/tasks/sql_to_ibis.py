"""SQL to Ibis: a query as people write it, and the one canonical Ibis expression that gives the same result."""

from __future__ import annotations

import re
import sqlite3

import duckdb
import sqlglot
from pydantic import Field
from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError

from ibert_builder.dialects.portable import foreign_to
from ibert_builder.execution.engine import CodeFails, Engine
from ibert_builder.execution.proofs import Rejected, disagreement, run_query
from ibert_builder.execution.results import Result, difference, orders_result
from ibert_builder.execution.sqlite import differs_in_sqlite
from ibert_builder.tasks.base import Draft, Record, Setting, Task
from ibert_builder.tasks.fields import TextField
from ibert_builder.templating.layout import layout
from ibert_builder.templating.sampler import Sampler
from ibert_builder.templating.style import sql_style
from ibert_builder.templating.templates import Template, TemplateSpec, bind
from ibert_builder.templating.values import render_frame
from ibert_builder.tidy.print import write

# A share of the queries is put in another dialect, as they come from other systems in practice.
DIALECTS = (
    "postgres",
    "mysql",
    "sqlite",
    "bigquery",
    "snowflake",
    "trino",
    "mssql",
    "databricks",
    "redshift",
    "clickhouse",
)


_SQLGLOT_NAMES = {"mssql": "tsql"}


FOREIGN = 0.3


class SqlToIbisTemplate(TemplateSpec):
    """A query in SQL and in Ibis."""

    sql: str = Field(description="DuckDB SQL; keywords in upper case, a clause a line")
    ibis: str = Field(description="canonical Ibis; one call of a chain a line; ends in the result")
    languages = {"sql": "sql", "ibis": "ibis"}


class SqlToIbis(Task):
    name = "sql_to_ibis"
    system_prompt = "Translate the SQL query to equivalent Ibis code."
    template = SqlToIbisTemplate
    examples = 10
    # In linked files the dialect may be missing: the seed's older records do not have it.
    input = {"sql": TextField("sql"), "dialect": TextField("label", optional=True)}
    target = {"ibis": TextField("ibis")}
    dialects = ("duckdb", *DIALECTS)

    def expand(self, template: Template, setting: Setting) -> Draft:
        rng = setting.rng
        bound = bind(template, Sampler(setting.database, setting.engine, setting.phrasebook, rng))
        sql = render_frame(template.frames["sql"][0], bound, sql_style(rng, bound))
        ibis_code = layout(render_frame(template.frames["ibis"][0], bound))
        dialect = draw_dialect(setting, DIALECTS)
        # The key leaves the dialect out: a query that its dialect cannot say stays in DuckDB's.
        texts = {
            "sql": sql,
            "dialect": dialect,
            "or_duckdb": setting.dialects is None or "duckdb" in setting.dialects,
        }
        return Draft(template, setting.database, bound, sql, ibis_code, texts)

    def prove(self, draft: Draft, engine: Engine) -> Record:
        sql, dialect = draft.texts["sql"], draft.texts["dialect"]
        ordered = draft.template.frames["sql"][0].is_ordered
        expected = run_query(engine, sql, ordered)
        try:
            found = engine.run_code(draft.code)
        except CodeFails as error:
            raise Rejected("ibis_fails", str(error)) from error
        if different := difference(expected, found, ordered):
            raise Rejected(
                f"results_differ_in_{different}", f"{sql}\n{draft.code}\n{_contrast(expected, found)}"
            )
        if dialect != "duckdb":
            try:
                sql = self._foreign(engine, sql, dialect, expected, ordered)
            except Rejected:
                if not draft.texts["or_duckdb"]:
                    raise
                dialect = "duckdb"
        return {"input": {"sql": sql, "dialect": dialect}, "target": {"ibis": draft.code}}

    def recheck(self, record: Record, engine: Engine) -> None:
        sql, dialect = record["input"]["sql"], record["input"]["dialect"]
        compiled = engine.to_sql(record["target"]["ibis"])
        ordered = orders_result(sql)
        if dialect == "sqlite":
            different = differs_in_sqlite(engine, compiled, sql, ordered)
        else:
            grammar = _SQLGLOT_NAMES.get(dialect, dialect)
            query = sql if dialect == "duckdb" else transpile(sql, grammar, "duckdb")
            different = disagreement(engine, query, compiled, ordered)
        if different:
            raise Rejected("results_differ", f"{different}\n{sql}\n{record['target']['ibis']}")

    @staticmethod
    def _foreign(engine: Engine, sql: str, dialect: str, expected: Result, ordered: bool) -> str:
        """The query in another dialect, proved by its way back, or for SQLite by running it there."""
        pretty = "\n" in sql
        grammar = _SQLGLOT_NAMES.get(dialect, dialect)
        try:
            foreign = _as_written(transpile(sql, "duckdb", grammar), grammar, pretty)
            if stranger := foreign_to(dialect, foreign):
                raise Rejected("dialect_cannot_say_it", f"{dialect} has no {stranger}\n{foreign}")
            if dialect == "sqlite":
                different = differs_in_sqlite(engine, sql, foreign, ordered)
            else:
                different = difference(
                    expected, engine.run_sql(transpile(foreign, grammar, "duckdb")), ordered
                )
        except (SqlglotError, duckdb.Error, sqlite3.Error) as error:
            raise Rejected("dialect_cannot_say_it", f"{dialect}: {error}") from error
        if different:
            raise Rejected("dialect_changes_the_result", f"{dialect}: {different}\n{foreign}")
        return foreign

    def question(self, record: Record) -> str:
        return f"SQL ({record['input']['dialect']}):\n{record['input']['sql']}"

    def answer(self, record: Record) -> str:
        return record["target"]["ibis"]


def draw_dialect(setting: Setting, others: tuple[str, ...]) -> str:
    """DuckDB for most queries, another dialect for a share; among the dialects asked for, if any were."""
    foreign, other = setting.rng.random() < FOREIGN, setting.rng.choice(others)
    if setting.dialects is not None:
        return setting.rng.choice(setting.dialects)
    return other if foreign else "duckdb"


def transpile(sql: str, read: str, write: str) -> str:
    """Put a query in another dialect.

    Raises:
        SqlglotError: one of the dialects cannot say it, as far as sqlglot knows.
    """
    tree = sqlglot.parse_one(sql, read=read, error_level=ErrorLevel.RAISE)
    if isinstance(tree, exp.Command):
        raise SqlglotError("parsed as a bare command")
    return tree.sql(write, unsupported_level=ErrorLevel.RAISE)


_SAME_NAME = re.compile(r"\b(\w+) AS \1\b")


def _as_written(sql: str, dialect: str, several_lines: bool) -> str:
    """sqlglot's text as a person would write it."""
    tree = sqlglot.parse_one(sql, read=dialect)
    for count in tree.find_all(exp.Count):
        count.set("big_int", False)  # COUNT_BIG, which nobody types where COUNT will do
    text = _SAME_NAME.sub(r"\1", write(tree, sqlglot.Dialect.get_or_raise(dialect).__class__))
    return text if several_lines else re.sub(r"\s*\n\s*", " ", text).replace("( ", "(").replace(" )", ")")


def _contrast(expected: Result, found: Result) -> str:
    return f"expected {expected.columns} {expected.types} {expected.rows[:3]}\nfound    {found.columns} {found.types} {found.rows[:3]}"
