"""Snowflake."""

from __future__ import annotations

import re

from ibis.backends.sql.compilers import SnowflakeCompiler
from sqlglot.dialects import Snowflake

from ibert_builder.dialects.base import Dialect, words
from ibert_builder.dialects.functions import NUMBERS, PADDING, STATISTICS

SNOWFLAKE = Dialect(
    name="snowflake",
    grammar=Snowflake,
    compiler=SnowflakeCompiler,
    functions=NUMBERS
    | STATISTICS
    | PADDING
    | words(
        """
        LENGTH SUBSTR SUBSTRING CONCAT POSITION CHARINDEX STARTSWITH ENDSWITH CONTAINS DATE_TRUNC EXTRACT DATEDIFF DATEADD TO_CHAR
        IFF IFNULL TRY_CAST LISTAGG ARRAY_AGG CORR BOOLAND_AGG BOOLOR_AGG COUNT_IF INITCAP REGEXP_REPLACE REGEXP_SUBSTR SPLIT_PART
        YEAR MONTH DAY QUARTER HOUR MINUTE DAYOFYEAR MEDIAN DATE_PART TO_DATE
        """
    ),
    never=re.compile(r"\bFILTER\b", re.IGNORECASE),
    in_duckdb={"to_variant": "{0}"},
    has_qualify=True,
    groups_by_alias=True,
    day="DATE_FROM_PARTS",
    moment="TIMESTAMP_FROM_PARTS",
)
