"""Google BigQuery."""

from __future__ import annotations

import re

from ibis.backends.sql.compilers import BigQueryCompiler
from sqlglot.dialects import BigQuery

from ibert_builder.dialects.base import Dialect, words
from ibert_builder.dialects.functions import NUMBERS, PADDING, STATISTICS

BIGQUERY = Dialect(
    name="bigquery",
    grammar=BigQuery,
    compiler=BigQueryCompiler,
    functions=NUMBERS
    | STATISTICS
    | PADDING
    | words(
        """
        LENGTH SUBSTR SUBSTRING CONCAT STRPOS STARTS_WITH ENDS_WITH DATE_TRUNC TIMESTAMP_TRUNC EXTRACT DATE_DIFF TIMESTAMP_DIFF
        DATE_ADD DATE_SUB TIMESTAMP_ADD FORMAT_DATE COUNTIF IF IFNULL SAFE_CAST DIV POW STRING_AGG ARRAY_AGG CORR LOGICAL_AND
        LOGICAL_OR INITCAP REGEXP_EXTRACT REGEXP_REPLACE REGEXP_CONTAINS DATE
        """
    ),
    never=re.compile(r"\bILIKE\b|\bFILTER\b", re.IGNORECASE),
    in_duckdb={"ieee_divide": "({0}) / ({1})"},
    has_qualify=True,
    groups_by_alias=True,
    day="DATE",
    moment="DATETIME",
    moment_type="DATETIME",
    reserved=words("groups rows"),
)
