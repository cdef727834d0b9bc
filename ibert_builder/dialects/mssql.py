"""Microsoft SQL Server."""

from __future__ import annotations

import re

import sqlglot
from ibis.backends.sql.compilers import MSSQLCompiler
from sqlglot import exp
from sqlglot.dialects import TSQL

from ibert_builder.dialects.base import Dialect, words


def _stdev(generator: sqlglot.Generator, node: exp.Stddev) -> str:
    """sqlglot reads STDEV as STDDEV, and writes that as STDEVP."""
    return generator.func("STDEV", node.this)


def _alias(generator: sqlglot.Generator, node: exp.Alias) -> str:
    """`x` rather than `x AS x`, which is how sqlglot writes every column of a subquery."""
    if isinstance(node.this, exp.Column | exp.Dot) and node.this.name == node.alias:
        return generator.sql(node.this)
    return generator.alias_sql(node)


MSSQL = Dialect(
    name="mssql",
    grammar=TSQL,
    compiler=MSSQLCompiler,
    functions=words(
        """
        CEILING SQRT EXP POWER SIGN LEN SUBSTRING CONCAT CHARINDEX LEFT RIGHT REVERSE REPLICATE DATETRUNC DATEPART DATEDIFF DATEADD
        IIF ISNULL TRY_CAST STRING_AGG STDEV STDEVP VAR VARP YEAR MONTH DAY GREATEST LEAST COUNT_BIG LOG10
        """
    ),
    # Days are counted from Sunday, unless a setting says otherwise; Ibis 12 takes the first for Monday.
    mistaken=re.compile(r"\bDATEPART\(WEEKDAY\b", re.IGNORECASE),
    never=re.compile(
        r"\bINTERVAL\b|\bILIKE\b|\bNULLS\b|\bLIMIT\b|\|\||\bBOOLEAN\b|\bFILTER\b", re.IGNORECASE
    ),
    in_duckdb={
        "datefromparts": "MAKE_DATE({0}, {1}, {2})",
        "datetime2fromparts": "MAKE_TIMESTAMP({0}, {1}, {2}, {3}, {4}, {5})",
        "stdev": "STDDEV_SAMP({0})",
        "stdevp": "STDDEV_POP({0})",
        "timefromparts": "MAKE_TIME({0}, {1}, {2})",
    },
    plus_concatenates=True,
    conditions_are_values=False,
    reserved=words("external file key percent plan public rule top user"),
    prints={exp.Alias: _alias, exp.Stddev: _stdev},
)
