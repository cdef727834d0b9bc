"""Facts: what the English of a template claims besides what its proof shows, as Ibis expressions that must be true.

An explanation that says "`|` lets through everything that is not missing" has a fact that counts the two. Facts are proved for
each draft and are no part of its record.
"""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

from ibert_builder.databases.row_sets import FULL
from ibert_builder.execution.engine import Engine
from ibert_builder.execution.proofs import Rejected, to_query
from ibert_builder.sandbox.policy import STRICT, Rules


def prove_facts(facts: Iterable[str], engine: Engine, rules: Rules = STRICT, before: str = "") -> None:
    """Run facts on every full row set.

    Args:
        facts: Ibis expressions, each of a single boolean.
        before: code that the facts need, such as the definition of a function.

    Raises:
        Rejected: one fails (`fact_fails`), or is not true (`fact_is_false`).
    """
    for fact in facts:
        sql = to_query(engine, f"{before}{fact}", rules=rules, reason="fact_fails")
        for rows in FULL:
            try:
                found = engine.run_sql(sql, rows).rows
            except duckdb.Error as error:
                raise Rejected("fact_fails", f"{error} on row set {rows}\n{fact}\n{before}") from error
            if found != [(True,)]:
                raise Rejected("fact_is_false", f"{found} on row set {rows}\n{fact}\n{before}")
