"""Ibis to SQL: an expression and a dialect, and the query that a person would commit.

The query starts as what Ibis's own compiler prints for the dialect, which knows the dialect's semantics (integer
division, NULL order, date arithmetic, string positions). `tidy` makes it readable. Then it is proved to still say the
same: DuckDB and SQLite execute it and compare it with the expression's own result on DuckDB; for every other dialect
the compiler's query and the tidied one are both put into DuckDB SQL and must give equal results.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from typing import ClassVar

import duckdb
from ibis.common.exceptions import IbisError
from pydantic import Field
from sqlglot.errors import SqlglotError

from ibert_builder.dialects.compilers import DIALECTS, compile_for, grammar, to_duckdb
from ibert_builder.execution.engine import CodeFails, Engine
from ibert_builder.execution.proofs import Rejected, disagreement, run_query
from ibert_builder.execution.results import Result, difference, orders_result
from ibert_builder.execution.sqlite import differs_in_sqlite
from ibert_builder.tasks.base import Draft, Record, Setting, Task
from ibert_builder.tasks.fields import TextField
from ibert_builder.templating.frames import Language
from ibert_builder.templating.layout import layout
from ibert_builder.templating.sampler import NoFit, Sampler
from ibert_builder.templating.style import ibis_style
from ibert_builder.templating.templates import Template, TemplateSpec, bind
from ibert_builder.templating.values import render_frame
from ibert_builder.tidy.tidy import tidy

DUCKDB_SHARE = 0.25


class IbisToSqlTemplate(TemplateSpec):
    """Ibis code. Its SQL is made by Ibis, per dialect."""

    ibis: str = Field(description="Ibis code; one call of a chain a line; ends in a table expression")
    not_in: list[str] = Field([], description="dialects that cannot say it, or in which it cannot be proved")
    languages: ClassVar[Mapping[str, Language]] = {"ibis": "ibis"}


class IbisToSql(Task):
    name = "ibis_to_sql"
    system_prompt = "Translate the Ibis expression to SQL for the specified dialect."
    template = IbisToSqlTemplate
    examples = 20
    input = {"ibis": TextField("ibis"), "dialect": TextField("label", is_column=True)}
    target = {"sql": TextField("sql")}
    dialects = DIALECTS

    def expand(self, template: Template, setting: Setting) -> Draft:
        rng = setting.rng
        wanted = setting.dialects or (("duckdb",) if rng.random() < DUCKDB_SHARE else DIALECTS)
        assert isinstance(template.spec, IbisToSqlTemplate)
        possible = [dialect for dialect in wanted if dialect not in template.spec.not_in]
        if not possible:
            raise NoFit(f"{template.name} cannot be said in {', '.join(wanted)}")
        dialect = rng.choice(possible)
        bound = bind(template, Sampler(setting.database, setting.engine, setting.phrasebook, rng, dialect))
        frame = template.frames["ibis"][0]
        written = layout(render_frame(frame, bound, ibis_style(rng, bound)))
        return Draft(
            template,
            setting.database,
            bound,
            f"{dialect}\n{written}",
            layout(render_frame(frame, bound)),
            {"ibis": written, "dialect": dialect},
        )

    def prove(self, draft: Draft, engine: Engine) -> Record:
        code, dialect = draft.texts["ibis"], draft.texts["dialect"]
        try:
            expression = engine.expression(code)
            reference = engine.compile(expression)
        except (CodeFails, IbisError) as error:
            raise Rejected("ibis_fails", str(error)) from error
        tables = {name: tuple(table.columns) for name, table in draft.database.tables.items()}
        # Keys alone: of other columns the record does not say that they are never NULL.
        never_null = {name: (table.key,) for name, table in draft.database.tables.items()}
        expected = run_query(engine, reference, orders_result(reference))
        try:
            compiled = compile_for(expression, dialect)
        except Exception as error:  # compilers raise whatever they meet
            raise Rejected(
                "dialect_cannot_say_it", f"{dialect}: {type(error).__name__}: {error}\n{code}"
            ) from error
        try:
            sql = tidy(compiled, dialect, grammar(dialect), tables, never_null)
        except SqlglotError as error:
            raise Rejected("sqlglot_cannot_read_it", f"{dialect}: {error}\n{compiled}") from error
        ordered = re.search(r"^ORDER BY", sql, re.MULTILINE) is not None
        _prove_same(engine, dialect, reference, compiled, sql, expected, ordered)
        return {"input": {"ibis": code, "dialect": dialect}, "target": {"sql": sql}}

    def recheck(self, record: Record, engine: Engine) -> None:
        dialect, sql = record["input"]["dialect"], record["target"]["sql"]
        expression = engine.expression(record["input"]["ibis"])
        ordered = orders_result(sql)
        if dialect == "sqlite":
            if different := differs_in_sqlite(engine, engine.compile(expression), sql, ordered):
                raise Rejected("results_differ", f"{different}\n{sql}")
            return
        compiled = compile_for(expression, dialect)
        one, other = (text if dialect == "duckdb" else to_duckdb(text, dialect) for text in (compiled, sql))
        if different := disagreement(engine, one, other, ordered):
            raise Rejected("results_differ", f"{different}\n{dialect}\n{compiled}\n{sql}")

    def question(self, record: Record) -> str:
        return f"Ibis:\n{record['input']['ibis']}\n\nDialect: {record['input']['dialect']}"

    def answer(self, record: Record) -> str:
        return record["target"]["sql"]


def _prove_same(
    engine: Engine, dialect: str, reference: str, compiled: str, sql: str, expected: Result, ordered: bool
) -> None:
    try:
        if dialect == "sqlite":
            different = differs_in_sqlite(engine, reference, sql, ordered)
        elif dialect == "duckdb":
            different = difference(expected, engine.run_sql(sql), ordered)
        else:
            # Two runs of one meaning: whether sqlglot's way back to DuckDB is exact does not matter here.
            one, other = (engine.run_sql(to_duckdb(text, dialect)) for text in (compiled, sql))
            different = difference(one, other, ordered)
    except sqlite3.Error as error:
        raise Rejected("sqlite_fails", f"{error}\n{sql}") from error
    except (SqlglotError, duckdb.Error) as error:
        raise Rejected("dialect_cannot_be_proved", f"{dialect}: {error}\n{compiled}\n{sql}") from error
    if different:
        raise Rejected("tidied_differs", f"{dialect}: {different}\n{compiled}\n{sql}")
