"""MySQL."""

from __future__ import annotations

import re

import sqlglot
from ibis.backends.sql.compilers import MySQLCompiler
from sqlglot import exp
from sqlglot.dialects import MySQL

from ibert_builder.dialects.base import Dialect, words
from ibert_builder.dialects.functions import NUMBERS, PADDING


def _rlike(generator: sqlglot.Generator, node: exp.RegexpLike) -> str:
    """`name RLIKE '^a'`, which Ibis's variant puts in brackets everywhere."""
    text = generator.binary(node, "RLIKE")
    plain = isinstance(node.this, exp.Column) and isinstance(node.expression, exp.Literal)
    return text if plain else f"({text})"


MYSQL = Dialect(
    name="mysql",
    grammar=MySQL,
    compiler=MySQLCompiler,
    functions=NUMBERS
    | PADDING
    | words(
        """
        STDDEV_SAMP STDDEV_POP VAR_SAMP VAR_POP LOG10 CHAR_LENGTH SUBSTRING CONCAT CONCAT_WS LOCATE INSTR DATE_FORMAT DATE_ADD
        DATE_SUB TIMESTAMPDIFF GROUP_CONCAT IF IFNULL YEAR MONTH DAY QUARTER HOUR MINUTE DAYOFYEAR EXTRACT REGEXP_REPLACE DATE
        POW
        """
    ),
    never=re.compile(r"\|\||\bILIKE\b|\bFULL\b|\bNULLS\b|\bAS TEXT\b|\bBOOLEAN\b", re.IGNORECASE),
    groups_by_alias=True,
    orders_by_alias_within=True,
    day="DATE",
    moment="TIMESTAMP",
    reserved=words("groups key rank rows"),
    prints={exp.RegexpLike: _rlike},
)
