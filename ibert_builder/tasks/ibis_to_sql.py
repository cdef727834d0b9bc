"""Ibis to SQL: an expression and a dialect, and the query that a person would commit.

The query starts as what Ibis's own compiler prints for the dialect, which knows the dialect's semantics (integer
division, NULL order, date arithmetic, string positions). `tidy` makes it readable. Then it is proved to still say the
same: where we have an engine for the dialect, that runs it, and the result must be the expression's own on DuckDB; for
every other dialect the compiler's query and the tidied one are both put into DuckDB SQL and must give equal results.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

import duckdb
from ibis.common.exceptions import IbisError
from pydantic import Field
from sqlglot.errors import SqlglotError

from ibert_builder.dialects.base import Dialect
from ibert_builder.dialects.duckdb import DUCKDB
from ibert_builder.dialects.registry import DIALECTS, DialectName, compiled
from ibert_builder.dialects.translate import to_duckdb
from ibert_builder.execution.engine import CodeFails, Engine
from ibert_builder.execution.executors import ExecutionFails, InEngine
from ibert_builder.execution.proofs import Rejected, run_query
from ibert_builder.execution.results import orders_result
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
    not_in: list[DialectName] = Field(
        [], description="dialects that cannot say it, or in which it cannot be proved"
    )
    languages: ClassVar[Mapping[str, Language]] = {"ibis": "ibis"}


class IbisToSql(Task):
    name = "ibis_to_sql"
    system_prompt = "Translate the Ibis expression to SQL for the specified dialect."
    template = IbisToSqlTemplate
    examples = 20
    input = {"ibis": TextField("ibis"), "dialect": TextField("label", is_column=True)}
    target = {"sql": TextField("sql")}

    @property
    def dialects(self) -> tuple[str, ...]:
        return compiled()

    def expand(self, template: Template, setting: Setting) -> Draft:
        rng = setting.rng
        wanted = setting.dialects or ((DUCKDB.name,) if rng.random() < DUCKDB_SHARE else self.dialects)
        assert isinstance(template.spec, IbisToSqlTemplate)
        possible = [name for name in wanted if name not in template.spec.not_in]
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
        code, dialect = draft.texts["ibis"], DIALECTS[draft.texts["dialect"]]
        try:
            expression = engine.expression(code)
            reference = engine.compile(expression)
        except (CodeFails, IbisError) as error:
            raise Rejected("ibis_fails", str(error)) from error
        tables = {name: tuple(table.columns) for name, table in draft.database.tables.items()}
        # Keys alone: of other columns the record does not say that they are never NULL.
        never_null = {name: (table.key,) for name, table in draft.database.tables.items()}
        run_query(engine, reference, orders_result(reference))
        try:
            compiled = dialect.compile(expression)
        except Exception as error:  # compilers raise whatever they meet
            raise Rejected(
                "dialect_cannot_say_it", f"{dialect.name}: {type(error).__name__}: {error}\n{code}"
            ) from error
        try:
            sql = tidy(compiled, dialect, tables, never_null)
        except SqlglotError as error:
            raise Rejected("sqlglot_cannot_read_it", f"{dialect.name}: {error}\n{compiled}") from error
        ordered = re.search(r"^ORDER BY", sql, re.MULTILINE) is not None
        try:
            different = _differs(dialect, engine, reference, compiled, sql, ordered)
        except ExecutionFails as error:
            raise Rejected(f"{dialect.name}_fails", f"{error}\n{sql}") from error
        except (SqlglotError, duckdb.Error) as error:
            raise Rejected(
                "dialect_cannot_be_proved", f"{dialect.name}: {error}\n{compiled}\n{sql}"
            ) from error
        if different:
            raise Rejected("tidied_differs", f"{dialect.name}: {different}\n{compiled}\n{sql}")
        return {"input": {"ibis": code, "dialect": dialect.name}, "target": {"sql": sql}}

    def recheck(self, record: Record, engine: Engine) -> None:
        dialect, sql = DIALECTS[record["input"]["dialect"]], record["target"]["sql"]
        expression = engine.expression(record["input"]["ibis"])
        reference, compiled = engine.compile(expression), dialect.compile(expression)
        try:
            different = _differs(dialect, engine, reference, compiled, sql, orders_result(sql), thorough=True)
        except ExecutionFails as error:
            raise Rejected(f"{dialect.name}_fails", f"{error}\n{sql}") from error
        if different:
            raise Rejected("results_differ", f"{different}\n{dialect.name}\n{compiled}\n{sql}")

    def question(self, record: Record) -> str:
        return f"Ibis:\n{record['input']['ibis']}\n\nDialect: {record['input']['dialect']}"

    def answer(self, record: Record) -> str:
        return record["target"]["sql"]


def _differs(
    dialect: Dialect,
    engine: Engine,
    reference: str,
    compiled: str,
    sql: str,
    ordered: bool,
    thorough: bool = False,
) -> str | None:
    """How a query of a dialect differs from the expression, compiled for DuckDB (`reference`) and the dialect."""
    if dialect.executor is not None:
        return dialect.executor.differs(engine, reference, sql, ordered, thorough)
    # Two runs of one meaning: whether sqlglot's way back to DuckDB is exact does not matter here.
    one, other = (to_duckdb(text, dialect) for text in (compiled, sql))
    return InEngine().differs(engine, one, other, ordered, thorough)
