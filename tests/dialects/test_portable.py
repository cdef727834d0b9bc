from __future__ import annotations

import pytest

from ibert_builder.dialects.portable import foreign_to
from ibert_builder.dialects.registry import DIALECTS


@pytest.mark.parametrize(
    ("dialect", "sql", "stranger"),
    [
        ("mysql", "SELECT a FROM t WHERE CONTAINS(a, 'x')", "CONTAINS()"),
        ("mysql", "SELECT a || b FROM t", "||"),
        ("mysql", "SELECT 'CONTAINS(' FROM t WHERE a IN (1, 2)", None),
        ("sqlite", "SELECT CAST(a AS DATE) FROM t", "AS DATE"),
        ("postgres", "SELECT DATE_TRUNC('month', a), COUNT(*) FROM t", None),
        ("postgres", "SELECT ROUND(a / b, 1) FROM t", "ROUND(a / b, 1)"),
        ("mssql", "SELECT a FROM t LIMIT 5", "LIMIT"),
        ("bigquery", "SELECT COUNTIF(a > 1) FROM t", None),
    ],
)
def test_what_a_dialect_does_not_have(dialect, sql, stranger):
    assert foreign_to(DIALECTS[dialect], sql) == stranger
