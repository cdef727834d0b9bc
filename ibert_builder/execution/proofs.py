"""The steps of every proof: run a query, compare two of them on every row set, reject an example under a name."""

from __future__ import annotations

import re

import duckdb

from ibert_builder.databases.row_sets import KINDS
from ibert_builder.execution.engine import Engine
from ibert_builder.execution.results import Result, difference


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


# What can make an answer depend on the order in which a table happens to store its rows.
ORDER_SENSITIVE = re.compile(
    r"\b(LIMIT|OFFSET|OVER|FIRST|LAST|LIST|ARRAY_AGG|STRING_AGG|MODE|ANY_VALUE|ARG_MIN|ARG_MAX|DISTINCT ON)\b",
    re.I,
)


def run_query(engine: Engine, sql: str, ordered: bool) -> Result:
    """Execute the reference SQL of an example.

    Raises:
        Rejected: it fails, returns no rows or only NULLs, or its answer depends on row order by accident.
    """
    try:
        result = engine.run_sql(sql)
    except duckdb.Error as error:
        raise Rejected("sql_fails", f"{error}\n{sql}") from error
    if not result.rows:
        raise Rejected("empty_result", sql)
    if all(cell is None for row in result.rows for cell in row):
        raise Rejected("only_nulls", sql)
    limited = " LIMIT " in sql.upper().replace("\n", " ")
    if ORDER_SENSITIVE.search(sql) and engine.depends_on_row_order(sql, result, ordered and limited):
        raise Rejected("depends_on_row_order", sql)
    return result


class Rejected(Exception):
    """An example could not be proved. `reason` is the name it is counted under, `detail` says what happened."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason, self.detail = reason, detail
