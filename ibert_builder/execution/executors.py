"""Engines that run a dialect's queries on the sample rows, and how their answers are compared with DuckDB's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from ibert_builder.databases.model import Database
from ibert_builder.databases.row_sets import row_set
from ibert_builder.execution.engine import Engine
from ibert_builder.execution.proofs import disagreement
from ibert_builder.execution.results import Result, difference


class ExecutionFails(Exception):
    """A query does not run in the engine of its dialect."""


class Executor(Protocol):
    """Whatever runs the queries of a dialect."""

    def differs(
        self, engine: Engine, reference: str, sql: str, ordered: bool, thorough: bool = False
    ) -> str | None:
        """How its answer to `sql` differs from DuckDB's answer to `reference`, or None where it does not.

        Args:
            engine: DuckDB, and the database that both queries are about.
            ordered: whether the order of rows counts.
            thorough: as an audit asks, rather than once for every record that is made.

        Raises:
            ExecutionFails: `sql` does not run.
            duckdb.Error: `reference` does not run in DuckDB.
        """


class InEngine:
    """DuckDB itself: on the sample rows, or thoroughly on every row set."""

    def differs(
        self, engine: Engine, reference: str, sql: str, ordered: bool, thorough: bool = False
    ) -> str | None:
        """As `Executor` says, but a query of either kind that does not run raises `duckdb.Error`."""
        if thorough:
            return disagreement(engine, reference, sql, ordered)
        return difference(engine.run_sql(reference), engine.run_sql(sql), ordered)


class Copy(Protocol):
    """A copy of a sample database in another engine."""

    def run(self, sql: str) -> Result:
        """Execute a query; whatever it raises where that fails is among its engine's `errors`."""


@dataclass(frozen=True)
class OnCopies:
    """Another engine, into which the sample rows are copied.

    Attributes:
        copy: the copy of a database in this process.
        comparable: a value of DuckDB's as this engine has it; column types are not compared.
        errors: what `Copy.run` raises where a query does not run.
        row_sets: the row sets to run queries on.
    """

    copy: Callable[[Database], Copy]
    comparable: Callable[[Any], Any]
    errors: tuple[type[Exception], ...]
    row_sets: tuple[int, ...]

    def differs(
        self, engine: Engine, reference: str, sql: str, ordered: bool, thorough: bool = False
    ) -> str | None:
        """As `Executor` says; on all its row sets, thoroughly or not."""
        for rows in self.row_sets:
            expected = self._comparable(engine.run_sql(reference, rows))
            try:
                found = self.copy(row_set(engine.database, rows)).run(sql)
            except self.errors as error:
                raise ExecutionFails(str(error)) from error
            if different := difference(expected, self._comparable(found), ordered):
                return f"row set {rows}: {different}"
        return None

    def _comparable(self, result: Result) -> Result:
        rows = [tuple(self.comparable(cell) for cell in row) for row in result.rows]
        return Result(result.columns, ("",) * len(result.columns), rows)
