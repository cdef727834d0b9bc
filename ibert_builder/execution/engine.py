"""The engine that proves examples: one DuckDB connection per process and database, without access to anything outside.

`Engine.run_sql` and `Engine.run_code` give a `Result`; `difference` says whether two results are the same answer.
"""

from __future__ import annotations

import functools
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir
from ibis import selectors

from ibert_builder.databases.duckdb_tables import NO_SPILL, write_tables
from ibert_builder.databases.model import Database
from ibert_builder.databases.row_sets import KINDS, row_set
from ibert_builder.errors import ForbiddenCode
from ibert_builder.execution.results import Result, difference, without_width
from ibert_builder.sandbox import limits
from ibert_builder.sandbox.compiling import builtins_for, compile_code
from ibert_builder.sandbox.limits import MEMORY_LIMIT, limit_code, limit_query
from ibert_builder.sandbox.policy import STRICT, Rules
from ibert_builder.sandbox.sql import check_query

CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,
    "memory_limit": f"{MEMORY_LIMIT >> 22}MiB",  # a quarter, since DuckDB does not count the texts it makes
    **NO_SPILL,
}


# DuckDB takes 15 seconds for a thousand nested functions, and cannot be interrupted meanwhile.
NESTING = "SET max_expression_depth = 250"
ROW_LIMIT = 100_000  # of a result; sample tables have up to 200 rows each
REMEMBERED = 4_096  # values and truths that an engine keeps


class CodeFails(Exception):
    """Ibis code is refused, raises an exception or does not give an expression; the cause says which."""


class Engine:
    """Runs SQL and Ibis code on one sample database.

    The schema `main` holds the rows. Further schemas, created on first use, hold the other row sets, and all of
    them once more in reverse order, so that `depends_on_row_order` can tell an answer from an accident.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self._connection = duckdb.connect(config=CONFIG)
        self._connection.execute("SET TimeZone = 'UTC'")
        write_tables(self._connection, database)
        # By row set and direction; opened at once, since their settings are locked below.
        self._connections = {
            (rows, backwards): self._connection.cursor()
            for rows in range(len(KINDS))
            for backwards in (False, True)
        }
        self._connections[0, False] = self._connection
        self._filled = {(0, False)}
        for connection in self._connections.values():
            connection.execute(NESTING)
        self.backend = ibis.duckdb.from_connection(self._connection)
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET lock_configuration = true")
        self.tables = {name: self.backend.table(name) for name in database.tables}
        self._names = frozenset(self.tables).union(*(table.columns for table in database.tables.values()))
        self._namespace = {"ibis": ibis, "_": ibis._, "s": selectors, **self.tables}
        self.values = functools.lru_cache(maxsize=REMEMBERED)(self._find_values)
        self.truths = functools.lru_cache(maxsize=REMEMBERED)(self._find_truths)

    def run_sql(self, sql: str, rows: int = 0, backwards: bool = False) -> Result:
        """Execute one DuckDB query on a row set, with its rows in reverse order if `backwards`.

        Raises:
            duckdb.Error: it is not one query, is refused, does not bind or run, or ran out of time or memory.
        """
        connection = self._filled_connection(rows, backwards)
        statements = connection.extract_statements(sql)
        found = ", ".join(statement.type.name for statement in statements) or "nothing"
        if found != "SELECT":
            raise duckdb.PermissionException(f"No permission: expected one SELECT, found {found}")
        try:
            check_query(sql)
        except ForbiddenCode as error:
            raise duckdb.PermissionException(f"No permission: {error}") from error

        def work() -> tuple[Any, list[tuple[Any, ...]]]:
            cursor = connection.execute(statements[0])
            return cursor, cursor.fetchmany(ROW_LIMIT + 1)

        try:
            cursor, fetched = limit_query(work, connection.interrupt)
        except duckdb.InterruptException as error:
            limit = f"Interrupted at the time limit of {limits.TIME_LIMIT:g} s"
            raise duckdb.InterruptException(limit) from error
        except (MemoryError, RuntimeError) as error:  # while rows are fetched
            raise duckdb.OutOfMemoryException(f"Over the memory limit: {error}") from error
        if len(fetched) > ROW_LIMIT:
            raise duckdb.OutOfMemoryException(f"Over the limit of {ROW_LIMIT:,} rows")
        names, types = zip(*(column[:2] for column in cursor.description), strict=True)
        return Result(names, tuple(without_width(str(kind)) for kind in types), fetched)

    def _filled_connection(self, rows: int, backwards: bool) -> duckdb.DuckDBPyConnection:
        """The connection to the schema of a row set, which is filled on first use."""
        connection = self._connections[rows, backwards]
        if (rows, backwards) not in self._filled:
            schema = "main" if rows == 0 else f"rows_{rows}"
            if backwards:
                self._filled_connection(rows, False)
                connection.execute(f"CREATE SCHEMA {schema}_reversed")
                connection.execute(f"USE {schema}_reversed")
                for table in self.database.tables:
                    connection.execute(f"CREATE TABLE {table} AS FROM {schema}.{table} ORDER BY rowid DESC")
            else:
                connection.execute(f"CREATE SCHEMA {schema}")
                connection.execute(f"USE {schema}")
                write_tables(connection, row_set(self.database, rows))
            self._filled.add((rows, backwards))
        return connection

    def evaluate(self, code: str, rules: Rules = STRICT) -> Any:
        """Check Ibis code and run it; the value of its last statement, usually an Ibis expression.

        Raises:
            SyntaxError, ForbiddenCode: the code is refused, or (LimitReached) takes too much time or memory.
            Exception: whatever Ibis raises on it.
        """
        before, last = compile_code(code, self._names, rules)
        namespace = {**self._namespace, "__builtins__": builtins_for(rules)}

        def work() -> Any:
            if before is not None:
                exec(before, namespace)
            return eval(last, namespace)

        return limit_code(work, self._connection.interrupt)

    def expression(self, code: str) -> ir.Expr:
        """Check Ibis code and run it; the expression that it ends in.

        Raises:
            CodeFails: it does not give one. Callers need not know the many classes of exceptions that Ibis raises.
        """
        try:
            value = self.evaluate(code)
        except Exception as error:
            raise CodeFails(f"{type(error).__name__}: {error}\n{code}") from error
        if not isinstance(value, ir.Expr):
            raise CodeFails(f"the code gives a {type(value).__name__}, not an Ibis expression\n{code}")
        return value

    def compile(self, expression: ibis.Expr) -> str:
        """The DuckDB SQL of an expression.

        Raises:
            LimitReached: compiling it takes too much time or memory.
            Exception: whatever Ibis raises on it.
        """
        return limit_code(lambda: str(self.backend.compile(expression)), self._connection.interrupt)

    def to_sql(self, code: str) -> str:
        """Evaluate Ibis code and compile its expression for DuckDB.

        Raises:
            CodeFails: one of the two fails.
        """
        expression = self.expression(code)
        try:
            return self.compile(expression)
        except Exception as error:
            raise CodeFails(f"{type(error).__name__}: {error}\n{code}") from error

    def run_code(self, code: str) -> Result:
        """Evaluate Ibis code, compile its expression and execute it.

        Raises:
            CodeFails: any of that fails.
        """
        sql = self.to_sql(code)
        try:
            return self.run_sql(sql)
        except duckdb.Error as error:
            raise CodeFails(f"{type(error).__name__}: {error}\n{code}") from error

    def depends_on_row_order(self, sql: str, result: Result, ordered: bool, rows: int = 0) -> bool:
        """Whether the query gives another answer when the rows of the tables are in reverse order."""
        return difference(result, self.run_sql(sql, rows, backwards=True), ordered) is not None

    def _find_values(self, table: str, sql: str) -> list[Any]:
        """The distinct non-null values of an SQL expression over a table, in ascending order."""
        query = f"SELECT DISTINCT {sql} AS v FROM {table} WHERE v IS NOT NULL ORDER BY v"
        return [row[0] for row in self.run_sql(query).rows]

    def _find_truths(self, table: str, predicate: str) -> tuple[int, int]:
        """The rows of a table for which an SQL predicate is true, and those for which it is false, as bits of a number each."""
        found = self.run_sql(f"SELECT {predicate} FROM {table}").rows
        true = sum(1 << row for row, (value,) in enumerate(found) if value)
        false = sum(1 << row for row, (value,) in enumerate(found) if value is not None and not value)
        return true, false


@functools.lru_cache(maxsize=32)
def engine_for(database: Database) -> Engine:
    """The engine of a database in this process."""
    return Engine(database)
