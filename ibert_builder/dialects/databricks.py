"""Databricks."""

from __future__ import annotations

from ibis.backends.sql.compilers import DatabricksCompiler
from sqlglot.dialects import Databricks

from ibert_builder.dialects.base import Dialect, words
from ibert_builder.dialects.functions import NUMBERS, PADDING, STATISTICS

DATABRICKS = Dialect(
    name="databricks",
    grammar=Databricks,
    compiler=DatabricksCompiler,
    functions=NUMBERS
    | STATISTICS
    | PADDING
    | words(
        """
        LENGTH SUBSTR SUBSTRING CONCAT CONCAT_WS LOCATE STARTSWITH ENDSWITH CONTAINS DATE_TRUNC TRUNC EXTRACT DATEDIFF DATE_ADD
        DATE_FORMAT IF IFNULL TRY_CAST CORR BOOL_AND BOOL_OR COUNT_IF FILTER INITCAP REGEXP_REPLACE SPLIT_PART YEAR MONTH DAY
        QUARTER HOUR MINUTE DAYOFYEAR LOG10 LISTAGG ELEMENT_AT SIZE
        """
    ),
    in_duckdb={
        "map_contains_key": "MAP_CONTAINS({0}, {1})",
        "try_divide": "({0}) / ({1})",
    },
    has_qualify=True,
    groups_by_alias=True,
    day="MAKE_DATE",
    moment="CAST",
)
