"""Ibis to SQL: an expression and a dialect, and the query that a person would write.

The query starts as what Ibis's own compiler prints for the dialect, which knows the dialect's semantics (integer
division, NULL order, date arithmetic, string positions). `tidy` makes it readable. Then it is proved to still say the
same: where we have an engine for the dialect, that runs it, and the result must be the expression's own on DuckDB; for
every other dialect the compiler's query and the tidied one are both put into DuckDB SQL and must give equal results.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import duckdb
from pydantic import Field
from sqlglot.errors import SqlglotError

from ibert_builder.dialects.base import Dialect
from ibert_builder.dialects.duckdb import DUCKDB
from ibert_builder.dialects.registry import DIALECTS, DialectName, compiled
from ibert_builder.dialects.translate import to_duckdb
from ibert_builder.execution.engine import Engine
from ibert_builder.execution.executors import ExecutionFails, InEngine
from ibert_builder.execution.proofs import Rejected, rejecting, run_query, to_expression
from ibert_builder.execution.results import is_ordered
from ibert_builder.tasks.base import Record, Task
from ibert_builder.tasks.drafts import Draft, Proved, Setting
from ibert_builder.tasks.fields import TextField
from ibert_builder.templating.frames import Language
from ibert_builder.templating.layout import layout
from ibert_builder.templating.rendering import render_frame
from ibert_builder.templating.sampler import NoFit
from ibert_builder.templating.style import ibis_style
from ibert_builder.templating.templates import Template, TemplateSpec
from ibert_builder.tidy.tidy import tidy

DUCKDB_SHARE = 0.25


class IbisToSqlTemplate(TemplateSpec):
    """Ibis code. Its SQL is made by Ibis, per dialect."""

    ibis: str = Field(description="Ibis code; one call of a chain a line; ends in a table expression")
    not_in: list[DialectName] = Field(
        [], description="dialects that cannot say it, or in which it cannot be proved"
    )
    languages: ClassVar[Mapping[str, Language]] = {"ibis": "ibis"}


@dataclass(frozen=True, kw_only=True)
class Expression(Draft):
    """Ibis code as people write it, and the dialect to put it in."""

    ibis: str
    dialect: str


class IbisToSql(Task[Expression]):
    name = "ibis_to_sql"
    system_prompt = "Translate the Ibis expression to SQL for the specified dialect."
    template = IbisToSqlTemplate
    examples = 20
    input = {"ibis": TextField("ibis"), "dialect": TextField("label", is_column=True)}
    target = {"sql": TextField("sql")}

    @property
    def dialects(self) -> tuple[str, ...]:
        return compiled()

    def expand(self, template: Template, setting: Setting) -> Expression:
        rng = setting.rng
        wanted = setting.dialects or ((DUCKDB.name,) if rng.random() < DUCKDB_SHARE else self.dialects)
        assert isinstance(template.spec, IbisToSqlTemplate)
        possible = [name for name in wanted if name not in template.spec.not_in]
        if not possible:
            raise NoFit(f"{template.name} cannot be said in {', '.join(wanted)}")
        dialect = rng.choice(possible)
        bound = setting.bind(template, dialect)
        frame = template.frames["ibis"][0]
        written = layout(render_frame(frame, bound, ibis_style(rng, bound)))
        return Expression(
            template=template, database=setting.database, bound=bound,
            key=f"{dialect}\n{written}", code=layout(render_frame(frame, bound)), ibis=written, dialect=dialect,
        )  # fmt: skip

    def prove(self, draft: Expression, engine: Engine) -> Proved:
        code, dialect = draft.ibis, DIALECTS[draft.dialect]
        expression = to_expression(engine, code)
        with rejecting("ibis_fails", code):
            reference = engine.compile(expression)
        tables = {name: tuple(table.columns) for name, table in draft.database.tables.items()}
        # Keys only: nothing in the record says that other columns are never NULL.
        never_null = {name: (table.key,) for name, table in draft.database.tables.items()}
        run_query(engine, reference)
        with rejecting("dialect_cannot_say_it", f"{dialect.name}\n{code}"):
            compiled = dialect.compile(expression)
        if dialect.mistaken is not None and (wrong := dialect.mistaken.search(compiled)):
            raise Rejected("compiler_is_mistaken", f"{dialect.name}: {wrong[0]}\n{compiled}")
        try:
            sql = tidy(compiled, dialect, tables, never_null)
        except SqlglotError as error:
            raise Rejected("sqlglot_cannot_read_it", f"{dialect.name}: {error}\n{compiled}") from error
        try:
            different = _differs(dialect, engine, reference, compiled, sql, is_ordered(sql))
        except ExecutionFails as error:
            raise Rejected(f"{dialect.name}_fails", f"{error}\n{sql}") from error
        except (SqlglotError, duckdb.Error) as error:
            raise Rejected(
                "dialect_cannot_be_proved", f"{dialect.name}: {error}\n{compiled}\n{sql}"
            ) from error
        if different:
            raise Rejected("tidied_differs", f"{dialect.name}: {different}\n{compiled}\n{sql}")
        return Proved({"ibis": code, "dialect": dialect.name}, {"sql": sql})

    def recheck(self, record: Record, engine: Engine) -> None:
        dialect, sql = DIALECTS[record["input"]["dialect"]], record["target"]["sql"]
        expression = to_expression(engine, record["input"]["ibis"])
        reference, compiled = engine.compile(expression), dialect.compile(expression)
        try:
            different = _differs(dialect, engine, reference, compiled, sql, is_ordered(sql), thorough=True)
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
    # Both queries take the same way back to DuckDB, so it does not matter here whether sqlglot's translation is exact.
    one, other = (to_duckdb(text, dialect) for text in (compiled, sql))
    return InEngine().differs(engine, one, other, ordered, thorough)
