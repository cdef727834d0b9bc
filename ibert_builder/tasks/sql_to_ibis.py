"""SQL to Ibis: a query as people write it, and the one canonical Ibis expression that gives the same result."""

from __future__ import annotations

import re
from dataclasses import dataclass

import duckdb
import sqlglot
from pydantic import Field
from sqlglot import exp
from sqlglot.errors import SqlglotError

from ibert_builder.dialects.base import Dialect
from ibert_builder.dialects.duckdb import DUCKDB
from ibert_builder.dialects.portable import foreign_to
from ibert_builder.dialects.registry import DIALECTS, portable
from ibert_builder.dialects.translate import transpile
from ibert_builder.execution.engine import Engine
from ibert_builder.execution.executors import ExecutionFails
from ibert_builder.execution.proofs import Rejected, disagreement, rejecting, run_query, to_query
from ibert_builder.execution.results import Result, difference, is_ordered
from ibert_builder.tasks.base import Record, Task
from ibert_builder.tasks.drafts import Draft, Proved, Setting
from ibert_builder.tasks.fields import TextField
from ibert_builder.templating.layout import layout
from ibert_builder.templating.rendering import render_frame
from ibert_builder.templating.style import sql_style
from ibert_builder.templating.templates import Template, TemplateSpec
from ibert_builder.tidy.print import write

# The share of queries in a dialect other than DuckDB's: in practice, queries come from many systems.
FOREIGN = 0.3


class SqlToIbisTemplate(TemplateSpec):
    """A query in SQL and in Ibis."""

    sql: str = Field(description="DuckDB SQL; keywords in upper case, a clause a line")
    ibis: str = Field(description="canonical Ibis; one call of a chain a line; ends in the result")
    languages = {"sql": "sql", "ibis": "ibis"}


@dataclass(frozen=True, kw_only=True)
class Query(Draft):
    """A query in DuckDB's SQL, and the dialect to put it in."""

    sql: str
    dialect: str
    or_duckdb: bool  # whether DuckDB's SQL will do where the dialect cannot express the query


class SqlToIbis(Task[Query]):
    name = "sql_to_ibis"
    system_prompt = "Translate the SQL query to equivalent Ibis code."
    template = SqlToIbisTemplate
    examples = 10
    # The dialect may be missing from linked files: the seed's older records lack it.
    input = {"sql": TextField("sql"), "dialect": TextField("label", optional=True)}
    target = {"ibis": TextField("ibis")}

    @property
    def dialects(self) -> tuple[str, ...]:
        return (DUCKDB.name, *portable())

    def expand(self, template: Template, setting: Setting) -> Query:
        rng = setting.rng
        bound = setting.bind(template)
        sql = render_frame(template.frames["sql"][0], bound, sql_style(rng, bound))
        ibis_code = layout(render_frame(template.frames["ibis"][0], bound))
        dialect = draw_dialect(setting)
        # The dialect is not part of the key: a query that its dialect cannot express stays in DuckDB's.
        return Query(
            template=template, database=setting.database, bound=bound, key=sql, code=ibis_code,
            sql=sql, dialect=dialect, or_duckdb=setting.dialects is None or DUCKDB.name in setting.dialects,
        )  # fmt: skip

    def prove(self, draft: Query, engine: Engine) -> Proved:
        sql, dialect = draft.sql, DIALECTS[draft.dialect]
        ordered = is_ordered(sql)
        expected = run_query(engine, sql)
        compiled = to_query(engine, draft.code)
        with rejecting("ibis_fails", draft.code):
            found = engine.run_sql(compiled)
        if different := difference(expected, found, ordered):
            raise Rejected(
                f"results_differ_in_{different}", f"{sql}\n{draft.code}\n{_contrast(expected, found)}"
            )
        if not dialect.is_native:
            try:
                sql = self._foreign(engine, sql, dialect, ordered)
            except Rejected:
                if not draft.or_duckdb:
                    raise
                dialect = DUCKDB
        return Proved({"sql": sql, "dialect": dialect.name}, {"ibis": draft.code})

    def recheck(self, record: Record, engine: Engine) -> None:
        sql, dialect = record["input"]["sql"], DIALECTS[record["input"]["dialect"]]
        compiled = to_query(engine, record["target"]["ibis"])
        ordered = is_ordered(sql)
        if dialect.is_native:
            different = disagreement(engine, sql, compiled, ordered)
        elif dialect.executor is not None:
            try:
                different = dialect.executor.differs(engine, compiled, sql, ordered, thorough=True)
            except ExecutionFails as error:
                raise Rejected(f"{dialect.name}_fails", f"{error}\n{sql}") from error
        else:
            different = disagreement(engine, transpile(sql, dialect, DUCKDB), compiled, ordered)
        if different:
            raise Rejected("results_differ", f"{different}\n{sql}\n{record['target']['ibis']}")

    @staticmethod
    def _foreign(engine: Engine, sql: str, dialect: Dialect, ordered: bool) -> str:
        """The query in another dialect, proved by running it there or, failing that, by translating it back."""
        try:
            foreign = _as_written(transpile(sql, DUCKDB, dialect), dialect, several_lines="\n" in sql)
            if stranger := foreign_to(dialect, foreign):
                raise Rejected("dialect_cannot_say_it", f"{dialect.name} has no {stranger}\n{foreign}")
            if dialect.executor is not None:
                different = dialect.executor.differs(engine, sql, foreign, ordered)
            else:
                different = disagreement(engine, sql, transpile(foreign, dialect, DUCKDB), ordered)
        except (SqlglotError, duckdb.Error, ExecutionFails) as error:
            raise Rejected("dialect_cannot_say_it", f"{dialect.name}: {error}") from error
        if different:
            raise Rejected("dialect_changes_the_result", f"{dialect.name}: {different}\n{foreign}")
        return foreign

    def question(self, record: Record) -> str:
        return f"SQL ({record['input']['dialect']}):\n{record['input']['sql']}"

    def answer(self, record: Record) -> str:
        return record["target"]["ibis"]


def draw_dialect(setting: Setting) -> str:
    """DuckDB for most queries and another dialect for the rest; one of the dialects asked for, if any were."""
    foreign, other = setting.rng.random() < FOREIGN, setting.rng.choice(portable())
    if setting.dialects is not None:
        return setting.rng.choice(setting.dialects)
    return other if foreign else DUCKDB.name


def _as_written(sql: str, dialect: Dialect, several_lines: bool) -> str:
    """sqlglot's text as a person would write it."""
    tree = sqlglot.parse_one(sql, read=dialect.grammar)
    for count in tree.find_all(exp.Count):
        count.set("big_int", False)  # COUNT_BIG, which nobody writes where COUNT will do
    text = write(tree, dialect)
    return text if several_lines else re.sub(r"\s*\n\s*", " ", text).replace("( ", "(").replace(" )", ")")


def _contrast(expected: Result, found: Result) -> str:
    return f"expected {expected.columns} {expected.types} {expected.rows[:3]}\nfound    {found.columns} {found.types} {found.rows[:3]}"
