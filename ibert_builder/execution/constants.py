"""Aggregates that say nothing: a grouped query in which one of them is the same for all groups, whatever the rows."""

from __future__ import annotations

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from ibert_builder.databases.row_sets import FULL
from ibert_builder.execution.engine import Engine
from ibert_builder.execution.results import Result

FEWEST = 3  # groups, before an aggregate can be said to be the same in all


def constant_aggregates(engine: Engine, sql: str, result: Result) -> list[str]:
    """The names of a query's aggregates that are the same in all groups of every full row set.

    Args:
        sql: DuckDB's. An aggregate of a subquery counts if the query shows it under its name.
        result: of the query on the first row set.
    """
    same = _same(result, range(len(result.columns)))
    if not same or "GROUP BY" not in sql.upper():
        return []
    try:
        query = sqlglot.parse_one(sql, read="duckdb")
    except SqlglotError:
        return []
    named = {
        shown.alias_or_name
        for select in query.find_all(exp.Select)
        if select.args.get("group")
        for shown in select.selects
        if shown.find(exp.AggFunc) and not shown.find(exp.Window)
    }
    same &= {i for i, name in enumerate(result.columns) if name in named}
    for rows in FULL[1:]:
        if not same:
            break
        try:
            found = engine.run_sql(sql, rows)
        except duckdb.Error:
            continue
        same &= _same(found, same) if len(found.rows) >= FEWEST else same
    return [result.columns[i] for i in sorted(same)]


def _same(result: Result, columns: set[int] | range) -> set[int]:
    """Which of the columns have one value in all rows; none if there are few rows."""
    if len(result.rows) < FEWEST:
        return set()
    return {i for i in columns if len({repr(row[i]) for row in result.rows}) == 1}
