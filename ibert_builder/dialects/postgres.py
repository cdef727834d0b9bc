"""PostgreSQL."""

from __future__ import annotations

import re

from ibis.backends.sql.compilers import PostgresCompiler
from ibis.backends.sql.compilers.base import SQLGlotCompiler
from sqlglot.dialects import Postgres

from ibert_builder.dialects.base import Dialect, words
from ibert_builder.dialects.functions import NUMBERS, PADDING, STATISTICS

POSTGRES = Dialect(
    name="postgres",
    grammar=Postgres,
    compiler=PostgresCompiler,
    # Its own method casts JSON and maps to text for the Python client.
    to_sqlglot=SQLGlotCompiler.to_sqlglot,
    functions=NUMBERS
    | STATISTICS
    | PADDING
    | words(
        """
        LOG LENGTH SUBSTRING CONCAT CONCAT_WS DATE_TRUNC EXTRACT SPLIT_PART STARTS_WITH STRPOS POSITION TO_CHAR STRING_AGG
        ARRAY_AGG PERCENTILE_CONT CORR BOOL_AND BOOL_OR FILTER INITCAP REGEXP_REPLACE ASCII DATE_PART TO_TIMESTAMP
        """
    ),
    never=re.compile(
        r"\bROUND\(.*,\s*\d+\)", re.IGNORECASE
    ),  # only for NUMERIC, and most numbers here are not
    groups_by_alias=True,
    has_escape_strings=True,
    day="MAKE_DATE",
    moment="CAST",
)
