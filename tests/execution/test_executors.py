from __future__ import annotations

import pytest

from ibert_builder.execution.engine import engine_for
from ibert_builder.execution.executors import ExecutionFails, InEngine
from ibert_builder.execution.sqlite import IN_SQLITE

EXECUTORS = {"DuckDB": InEngine(), "SQLite": IN_SQLITE}


@pytest.mark.parametrize("thorough", [False, True])
@pytest.mark.parametrize("name", EXECUTORS)
def test_the_same_query_does_not_differ_and_another_does(name, thorough, webshop):
    engine, executor = engine_for(webshop), EXECUTORS[name]
    one, other = "SELECT SUM(amount) AS s FROM orders", "SELECT SUM(amount) + 1 AS s FROM orders"
    assert executor.differs(engine, one, one, False, thorough) is None
    assert "values" in executor.differs(engine, one, other, False, thorough)


def test_what_tells_two_queries_apart_is_found_on_further_rows(webshop):
    """A difference that the first rows do not show is found thoroughly, and in SQLite always."""
    engine = engine_for(webshop)
    most = engine.run_sql("SELECT COUNT(*) FROM orders").rows[0][0]
    one = "SELECT COUNT(*) AS n FROM orders"
    other = f"SELECT MIN(n) AS n FROM (SELECT COUNT(*) AS n FROM orders UNION ALL SELECT {most}) AS q"
    assert InEngine().differs(engine, one, other, False) is None
    assert InEngine().differs(engine, one, other, False, thorough=True).startswith("row set ")
    assert IN_SQLITE.differs(engine, one, other, False).startswith("row set ")


def test_a_query_that_does_not_run_there_is_no_difference(webshop):
    with pytest.raises(ExecutionFails, match="no such function: SPLIT_PART"):
        IN_SQLITE.differs(engine_for(webshop), "SELECT 1 AS x", "SELECT SPLIT_PART('a', 'b', 1) AS x", False)
