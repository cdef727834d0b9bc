"""A dialect from outside the package: much like DuckDB's, but that `amount` and `status` are reserved words in it."""

from __future__ import annotations

from ibis.backends.sql.compilers import DuckDBCompiler
from sqlglot.dialects import DuckDB

from ibert_builder.dialects.base import Dialect, words
from ibert_builder.dialects.functions import NUMBERS, STATISTICS
from ibert_builder.execution.executors import InEngine


class Counting:
    """An engine of the toy's own, which counts what it is asked."""

    def __init__(self) -> None:
        self.asked = self.asked_thoroughly = 0

    def differs(self, engine, reference, sql, ordered, thorough=False):
        self.asked += not thorough
        self.asked_thoroughly += thorough
        return InEngine().differs(engine, reference, sql, ordered, thorough)


def toy(executor=None) -> Dialect:
    return Dialect(
        name="toy",
        grammar=DuckDB,
        executor=executor,
        compiler=DuckDBCompiler,
        functions=NUMBERS
        | STATISTICS
        | words("LENGTH SUBSTRING EXTRACT DATE_TRUNC FILTER CONTAINS STARTS_WITH"),
        reserved=words("amount status"),
    )
