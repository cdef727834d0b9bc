"""Queries of one dialect put in another by sqlglot."""

from __future__ import annotations

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError

from ibert_builder.dialects.base import Dialect
from ibert_builder.dialects.duckdb import DUCKDB

# As `Dialect.in_duckdb`, for functions of several dialects.
_IN_DUCKDB = {
    "cardinality": "LEN({0})",
    "isnotnull": "({0}) IS NOT NULL",
    "isnull": "({0}) IS NULL",
}


def transpile(sql: str, read: Dialect, write: Dialect) -> str:
    """A query as people write it in another dialect.

    Raises:
        SqlglotError: one of the dialects cannot say it, as far as sqlglot knows.
    """
    tree = sqlglot.parse_one(sql, read=read.grammar, error_level=ErrorLevel.RAISE)
    if isinstance(tree, exp.Command):
        raise SqlglotError("parsed as a bare command")
    return tree.sql(write.grammar, unsupported_level=ErrorLevel.RAISE)


def to_duckdb(sql: str, dialect: Dialect) -> str:
    """A query that Ibis compiled for a dialect, tidied or not, as DuckDB SQL.

    Raises:
        SqlglotError: sqlglot cannot read it.
    """
    try:
        parsed = sqlglot.parse(sql, read=dialect.compiled_grammar, error_level=ErrorLevel.RAISE)
        if len(parsed) != 1 or parsed[0] is None:
            raise SqlglotError("expected one query")
        return parsed[0].transform(_in_duckdb, dialect).sql(DUCKDB.grammar)
    except (
        AttributeError,
        IndexError,
        KeyError,
        TypeError,
        ValueError,
    ) as error:  # sqlglot trips over some trees
        raise SqlglotError(f"{type(error).__name__}: {error}") from error


def _in_duckdb(node: exp.Expression, dialect: Dialect) -> exp.Expression:
    if isinstance(node, exp.StrToDate | exp.TsOrDsToDate | exp.StrToTime) and isinstance(
        node.this, exp.Literal
    ):
        return exp.cast(node.this, "DATE" if len(node.this.name) == 10 else "TIMESTAMP")  # 'FXYYYY-MM-DD'
    if isinstance(node, exp.TimestampTrunc | exp.DateTrunc) and isinstance(node.this, exp.Literal):
        return exp.cast(node.this, "DATE")
    if isinstance(node, exp.Pad):
        node.set("expression", exp.cast(node.expression, "INT"))  # DuckDB's LPAD takes no BIGINT
        return node
    if dialect.plus_concatenates and isinstance(node, exp.Add):
        is_text = any(isinstance(side, exp.Literal) and side.is_string for side in (node.left, node.right))
        return exp.DPipe(this=node.this, expression=node.expression) if is_text else node
    if isinstance(node, exp.Anonymous | exp.AnonymousAggFunc):
        name = node.name.lower()
        if text := dialect.in_duckdb.get(name) or _IN_DUCKDB.get(name):
            arguments = [argument.sql(DUCKDB.grammar) for argument in node.expressions]
            try:
                filled = text.replace("{*}", ", ".join(arguments)).format(*arguments)
            except IndexError:  # it is called with fewer arguments than it usually has
                return node
            return sqlglot.parse_one(filled, read=DUCKDB.grammar)
    return node


# What it cannot say comes as an exception or as a difference; its warnings would be in the user's way.
