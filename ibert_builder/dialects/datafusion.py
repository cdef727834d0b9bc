"""Apache DataFusion."""

from __future__ import annotations

from ibis.backends.sql.compilers import DataFusionCompiler

from ibert_builder.dialects.base import Dialect

DATAFUSION = Dialect(
    name="datafusion",
    grammar=DataFusionCompiler.dialect,  # Ibis's own; sqlglot has none
    compiler=DataFusionCompiler,
    in_duckdb={
        "array_element": "LIST_EXTRACT({0}, {1})",
        "arrow_cast": "CAST({0} AS TIMESTAMP)",
        "regexp_match": "REGEXP_MATCHES({0}, {1})",
    },
    day="DATE_TRUNC",
    moment="ARROW_CAST",
)
