"""SQLite."""

from __future__ import annotations

import re

import sqlglot
from ibis.backends.sql.compilers import SQLiteCompiler
from sqlglot import exp
from sqlglot.dialects import SQLite

from ibert_builder.dialects.base import Dialect, words
from ibert_builder.execution.sqlite import IN_SQLITE


def _json_extract(generator: sqlglot.Generator, node: exp.JSONExtract) -> str:
    """`JSON_EXTRACT(x, '$.a')` as Ibis means it, not `x -> '$.a'`, which gives JSON."""
    path = node.expression
    if node.expressions:
        return generator.function_fallback_sql(node)
    if isinstance(path, exp.JSONPath):
        path = exp.Literal.string("$" + "".join(part.sql() for part in path.expressions[1:]))
    return generator.func("JSON_EXTRACT", node.this, path)


SQLITE = Dialect(
    name="sqlite",
    grammar=SQLite,
    executor=IN_SQLITE,
    compiler=SQLiteCompiler,
    functions=words(
        """
        LENGTH SUBSTR SUBSTRING INSTR IIF IFNULL DATE STRFTIME TOTAL GROUP_CONCAT CEIL SQRT LN EXP POWER SIGN MOD FILTER
        """
    ),
    # It has LIKE, which minds no case there.
    never=re.compile(r"\bLIKE\b|\bINTERVAL\b|\bILIKE\b|\bTIMESTAMP\b|\bAS DATE\b|\bDATE '", re.IGNORECASE),
    groups_by_alias=True,
    prints={exp.JSONExtract: _json_extract},
)
