"""Trino."""

from __future__ import annotations

from ibis.backends.sql.compilers import TrinoCompiler
from sqlglot.dialects import Trino

from ibert_builder.dialects.base import Dialect, words
from ibert_builder.dialects.functions import NUMBERS, STATISTICS

TRINO = Dialect(
    name="trino",
    grammar=Trino,
    compiler=TrinoCompiler,
    functions=NUMBERS
    | STATISTICS
    | words(
        """
        LPAD RPAD REVERSE LENGTH SUBSTR SUBSTRING CONCAT STRPOS STARTS_WITH DATE_TRUNC EXTRACT DATE_DIFF DATE_ADD DATE_FORMAT IF
        TRY_CAST LISTAGG ARRAY_AGG CORR BOOL_AND BOOL_OR COUNT_IF FILTER REGEXP_EXTRACT REGEXP_REPLACE REGEXP_LIKE SPLIT_PART
        YEAR MONTH DAY QUARTER HOUR MINUTE LOG10
        """
    ),
    in_duckdb={
        "from_iso8601_date": "CAST({0} AS DATE)",
        "from_iso8601_timestamp": "CAST({0} AS TIMESTAMP)",
    },
    day="FROM_ISO8601_DATE",
    moment="CAST",
)
