"""Oracle Database."""

from __future__ import annotations

from ibis.backends.sql.compilers import OracleCompiler
from sqlglot.dialects import Oracle

from ibert_builder.dialects.base import Dialect, words

ORACLE = Dialect(
    name="oracle",
    grammar=Oracle,
    compiler=OracleCompiler,
    star_beside_columns=False,
    day="TO_DATE",
    moment="TO_TIMESTAMP",
    reserved=words("access comment file level mode number option public raw rows session share size start"),
)
