"""The engine that proves: one DuckDB connection per process and database, shut off from the world.

`Engine.run_sql` and `Engine.run_code` give a `Result`; `difference` says whether two results are the same answer.
"""

from __future__ import annotations

import builtins
import functools
import math
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis import selectors

from ibert_builder.databases import Database, Table
from ibert_builder.row_sets import KINDS, row_set
from ibert_builder.sandbox import STRICT, Rules, compile_code

TIME_LIMIT = 5.0  # seconds a single statement may take; sample queries take milliseconds
MEMORY_LIMIT = "1GB"
FLOAT_TOLERANCE = 1e-9  # relative


@dataclass(frozen=True)
class Result:
    """What a query gave: column names, DuckDB type names with widths masked, and rows."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: list[tuple[Any, ...]]


class CodeFails(Exception):
    """Ibis code that is refused, raises, or is no expression; the cause says why."""


class Engine:
    """Runs SQL and Ibis code on one sample database.

    The rows stand in the schema `main`. Other schemas, made when they are first asked for, hold the other row sets,
    and each of them once more in reverse order, so that `depends_on_row_order` can tell an answer from an accident.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self._connection = duckdb.connect(config={"threads": 1, "memory_limit": MEMORY_LIMIT})
        self._connection.execute("SET TimeZone = 'UTC'")
        write_tables(self._connection, database)
        self._schemas = {"main": self._connection}
        self.backend = ibis.duckdb.from_connection(self._connection)
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET lock_configuration = true")
        self.tables = {name: self.backend.table(name) for name in database.tables}
        self._names = frozenset(self.tables).union(*(table.columns for table in database.tables.values()))
        self._namespace = {"ibis": ibis, "_": ibis._, "s": selectors, **self.tables}
        self._watchdog = _Watchdog()
        self._values: dict[tuple[str, str], list[Any]] = {}
        self._shares: dict[tuple[str, str], tuple[float, float]] = {}

    def run_sql(self, sql: str, rows: int = 0, backwards: bool = False) -> Result:
        """Execute one DuckDB query on a row set, if asked with its rows in reverse order.

        Raises:
            duckdb.Error: it does not bind or run, or ran out of time or memory.
        """
        connection = self._schema(rows, backwards)
        with self._watchdog.limit(connection):
            cursor = connection.execute(sql)
            fetched = cursor.fetchall()
        names, types = zip(*(column[:2] for column in cursor.description), strict=True)
        return Result(names, tuple(_masked(str(kind)) for kind in types), fetched)

    def _schema(self, rows: int, backwards: bool) -> duckdb.DuckDBPyConnection:
        name = ("main" if rows == 0 else f"rows_{rows}") + ("_reversed" if backwards else "")
        if name not in self._schemas:
            source = self._schema(rows, False) if backwards else None
            connection = self._connection.cursor()
            connection.execute(f"CREATE SCHEMA {name}")
            connection.execute(f"USE {name}")
            if source is None:
                write_tables(connection, row_set(self.database, rows))
            else:
                original = name.removesuffix("_reversed")
                for table in self.database.tables:
                    connection.execute(f"CREATE TABLE {table} AS FROM {original}.{table} ORDER BY rowid DESC")
            self._schemas[name] = connection
        return self._schemas[name]

    def evaluate(self, code: str, rules: Rules = STRICT) -> Any:
        """The value of the last statement of checked Ibis code, usually an Ibis expression.

        Raises:
            SyntaxError, ForbiddenCode: the code is not accepted.
            Exception: whatever Ibis raises on it.
        """
        before, last = compile_code(code, self._names, rules)
        namespace = dict(self._namespace)
        namespace["__builtins__"] = {
            name: getattr(builtins, name) for name in rules.builtins if hasattr(builtins, name)
        }
        if before is not None:
            exec(before, namespace)
        return eval(last, namespace)

    def expression(self, code: str) -> ir.Expr:
        """The expression that checked Ibis code ends in.

        Raises:
            CodeFails: there is none. Ibis raises exceptions of many classes, which are no concern of callers.
        """
        try:
            value = self.evaluate(code)
        except Exception as error:
            raise CodeFails(f"{type(error).__name__}: {error}\n{code}") from error
        if not isinstance(value, ir.Expr):
            raise CodeFails(f"the code gives no Ibis expression but a {type(value).__name__}\n{code}")
        return value

    def compile(self, expression: ibis.Expr) -> str:
        return str(self.backend.compile(expression))

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
        """Whether the query gives another answer when the rows stand in reverse order in their tables."""
        return difference(result, self.run_sql(sql, rows, backwards=True), ordered) is not None

    def values(self, table: str, sql: str) -> list[Any]:
        """The distinct non-null values of an SQL expression over a table, in ascending order."""
        key = (table, sql)
        if key not in self._values:
            query = f"SELECT DISTINCT {sql} AS v FROM {table} WHERE v IS NOT NULL ORDER BY v"
            self._values[key] = [row[0] for row in self.run_sql(query).rows]
        return self._values[key]

    def shares(self, table: str, predicate: str) -> tuple[float, float]:
        """The shares of a table's rows for which an SQL predicate is true, and false; for the rest it is NULL."""
        key = (table, predicate)
        if key not in self._shares:
            query = f"SELECT COUNT_IF(p) / COUNT(*), COUNT_IF(NOT p) / COUNT(*) FROM (SELECT {predicate} AS p FROM {table})"
            self._shares[key] = self.run_sql(query).rows[0]
        return self._shares[key]


def disagreement(engine: Engine, one: str, other: str, ordered: bool) -> str | None:
    """How two queries differ on the first row set on which they do, or None where they agree on all of them.

    Row sets on which the first query fails, or on which its answer is an accident of row order, say nothing.
    """
    for rows in range(len(KINDS)):
        try:
            expected = engine.run_sql(one, rows)
        except duckdb.Error:
            continue
        try:
            different = difference(expected, engine.run_sql(other, rows), ordered)
        except duckdb.Error as error:
            return f"row set {rows}: {error}"
        if different and not engine.depends_on_row_order(one, expected, ordered, rows):
            return f"row set {rows}: {different}"
    return None


def orders_result(sql: str) -> bool:
    """Whether the outermost query has an ORDER BY."""
    depth, outermost = 0, []
    for part in re.split(r"('(?:[^']|'')*'|\"[^\"]*\"|[()])", sql):
        depth += (part == "(") - (part == ")")
        outermost.append(part if depth == 0 else "")
    return "ORDER BY" in "".join(outermost).upper()


@functools.lru_cache(maxsize=32)
def engine_for(database: Database) -> Engine:
    """The engine of a database in this process."""
    return Engine(database)


def write_tables(connection: duckdb.DuckDBPyConnection, database: Database) -> None:
    """Create the tables of a database, with their rows, in the connection's current schema."""
    for table in database.tables.values():
        types = ibis.backends.sql.datatypes.DuckDBType
        columns = {
            name: types.from_ibis(column.dtype).sql("duckdb") for name, column in table.columns.items()
        }
        declared = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
        connection.execute(f"CREATE TABLE {table.name} ({declared})")
        connection.register("_rows", _arrow(table))
        casts = ", ".join(f'CAST("{name}" AS {kind})' for name, kind in columns.items())
        connection.execute(f"INSERT INTO {table.name} SELECT {casts} FROM _rows")
        connection.unregister("_rows")


def _arrow(table: Table) -> pa.Table:
    columns = {}
    for name, column in table.columns.items():
        values = table.values[name]
        if column.type_class in ("uuid", "json", "interval", "time"):
            values = [None if value is None else _spelled(value) for value in values]
            columns[name] = pa.array(values, pa.string())
        elif column.type_class.startswith("map"):
            items = [None if value is None else list(value.items()) for value in values]
            columns[name] = pa.array(items, column.dtype.to_pyarrow())
        else:
            columns[name] = pa.array(values, column.dtype.to_pyarrow())
    return pa.table(columns)


def _spelled(value: Any) -> str:
    return f"{value.total_seconds():.0f} seconds" if hasattr(value, "total_seconds") else str(value)


class _Watchdog:
    """Interrupts a connection whose statement runs longer than TIME_LIMIT, from one thread for all statements."""

    def __init__(self) -> None:
        self._current: tuple[duckdb.DuckDBPyConnection, float] | None = None
        threading.Thread(target=self._watch, daemon=True).start()

    @contextmanager
    def limit(self, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
        self._current = (connection, time.monotonic() + TIME_LIMIT)
        try:
            yield
        finally:
            self._current = None

    def _watch(self) -> None:
        while True:
            time.sleep(0.2)
            current = self._current
            if current is not None and time.monotonic() > current[1]:
                current[0].interrupt()


_WIDTHS = (
    (re.compile(r"\bU?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)\b"), "INTEGER"),
    (re.compile(r"\bFLOAT\b"), "DOUBLE"),
    (re.compile(r"\bDECIMAL\(\d+,\s*\d+\)"), "DECIMAL"),
    (re.compile(r"\bTIMESTAMP_(S|MS|NS)\b"), "TIMESTAMP"),
)


@functools.cache
def _masked(duckdb_type: str) -> str:
    """A DuckDB type without its width: whether a count is 32 or 64 bits wide is no part of an answer."""
    for pattern, mask in _WIDTHS:
        duckdb_type = pattern.sub(mask, duckdb_type)
    return duckdb_type


def difference(expected: Result, found: Result, ordered: bool) -> str | None:
    """How two results differ, or None where they are the same answer.

    Equal means: the same column names and types (widths aside), the same rows as often (floats to a relative
    tolerance, NULL equal to NULL), and in the same order if `ordered`.
    """
    if expected.columns != found.columns:
        return "columns"
    if expected.types != found.types:
        return "types"
    if len(expected.rows) != len(found.rows):
        return "row_count"
    return None if same_rows(expected.rows, found.rows, ordered) else "values"


Rows = list[tuple[Any, ...]]


def same_rows(left: Rows, right: Rows, ordered: bool) -> bool:
    """Whether two lists hold the same rows as often, and in the same order if `ordered`."""
    if len(left) != len(right):
        return False
    if left == right:
        return True
    if not ordered:
        left, right = sorted(left, key=_sort_key), sorted(right, key=_sort_key)
    return all(map(_same, left, right))


def _sort_key(row: tuple[Any, ...]) -> str:
    # Numbers that differ by rounding noise or in their class must sort alike, so they take part with few digits.
    return repr([f"{cell:.6g}" if isinstance(cell, float | int | Decimal) else cell for cell in row])


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, float) and isinstance(right, float):
        return math.isclose(left, right, rel_tol=FLOAT_TOLERANCE, abs_tol=1e-12) or (
            math.isnan(left) and math.isnan(right)
        )
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(_same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    return bool(left == right)
