"""What every proof is made of: evaluate, compile, run, compare on every row set, or reject under a name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import ibis.expr.types as ir

from ibert_builder.databases.row_sets import FULL, KINDS
from ibert_builder.execution.constants import constant_aggregates
from ibert_builder.execution.engine import Engine
from ibert_builder.execution.results import Result, difference, is_ordered
from ibert_builder.sandbox.policy import STRICT, Rules

Exceptions = tuple[type[BaseException], ...]


class Rejected(Exception):
    """An example that is not proved. `reason` is the name it is counted under, `detail` says what happened."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason, self.detail = reason, detail


@contextmanager
def rejecting(reason: str, code: str, let_through: Exceptions = ()) -> Iterator[None]:
    """Reject whatever fails in here: Ibis raises exceptions of many classes.

    Args:
        let_through: what says something else than that the example is wrong.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, (Rejected, *let_through)):
            raise
        raise Rejected(reason, f"{type(error).__name__}: {error}\n{code}") from error


def to_expression(
    engine: Engine,
    code: str,
    *,
    rules: Rules = STRICT,
    reason: str = "ibis_fails",
    let_through: Exceptions = (),
) -> ir.Expr:
    """The expression that Ibis code ends in.

    Args:
        rules: what the code may do.
        reason: the one to reject it under where it fails.
        let_through: exceptions that are not turned into rejections.

    Raises:
        Rejected: it fails, or (`not_an_expression`) ends in something else.
    """
    with rejecting(reason, code, let_through):
        value = engine.evaluate(code, rules)
    if not isinstance(value, ir.Expr):
        raise Rejected("not_an_expression", f"{type(value).__name__}\n{code}")
    return value


def to_query(
    engine: Engine,
    code: str,
    *,
    rules: Rules = STRICT,
    reason: str = "ibis_fails",
    let_through: Exceptions = (),
) -> str:
    """The DuckDB SQL of the expression that Ibis code ends in; arguments and rejections as of `to_expression`."""
    expression = to_expression(engine, code, rules=rules, reason=reason, let_through=let_through)
    with rejecting(reason, code, let_through):
        return engine.compile(expression)


# What can make an answer depend on the order in which rows happen to lie in a table.
ORDER_SENSITIVE = re.compile(
    r"\b(LIMIT|OFFSET|OVER|FIRST|LAST|LIST|ARRAY_AGG|STRING_AGG|MODE|ANY_VALUE|ARG_MIN|ARG_MAX|DISTINCT ON)\b",
    re.I,
)


def run_query(engine: Engine, sql: str, reason: str = "sql_fails") -> Result:
    """Execute the query of an example.

    Args:
        reason: the one to reject it under where it fails.

    Raises:
        Rejected: it fails, gives no rows or only NULLs, an aggregate that is the same in all groups, or its answer is an
            accident of row order.
    """
    try:
        result = engine.run_sql(sql)
    except duckdb.Error as error:
        raise Rejected(reason, f"{error}\n{sql}") from error
    if not result.rows:
        raise Rejected("empty_result", sql)
    if all(cell is None for row in result.rows for cell in row):
        raise Rejected("only_nulls", sql)
    by_order = is_ordered(sql) and " LIMIT " in sql.upper().replace("\n", " ")
    if constant := constant_aggregates(engine, sql, result):
        raise Rejected("constant_aggregate", f"{', '.join(constant)}\n{sql}")
    if ORDER_SENSITIVE.search(sql) and engine.depends_on_row_order(sql, result, by_order):
        raise Rejected("depends_on_row_order", sql)
    return result


def run_on_every_row_set(engine: Engine, sql: str) -> Result:
    """Execute the query of an example on every row set, and return its result on the first one.

    On the first one it must hold as `run_query` says. On all others it must run, and on most of the full ones it must give
    rows: where columns that go together in the first rows are dealt out anew, a rare combination may be missing from some.
    The row sets also hold values that the first rows do not, so one on which a number does not fit its type says nothing.

    Raises:
        Rejected: it does not.
    """
    first = run_query(engine, sql)
    empty = []
    for rows in range(1, len(KINDS)):
        try:
            found = engine.run_sql(sql, rows)
        except duckdb.OutOfRangeException:
            continue
        except duckdb.Error as error:
            raise Rejected("sql_fails", f"on row set {rows}: {error}\n{sql}") from error
        if rows in FULL and not found.rows:
            empty.append(rows)
    if len(empty) > len(FULL) // 2:
        raise Rejected("empty_result", f"on row sets {empty}\n{sql}")
    return first


def disagreement(engine: Engine, one: str, other: str, ordered: bool) -> str | None:
    """How two queries differ on the first row set where they do, or None if they agree on all.

    Row sets on which the first query fails, or on which its answer depends on row order by accident, are passed over.
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
