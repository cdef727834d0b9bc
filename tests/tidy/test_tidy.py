"""Tidied SQL is what a person would commit: `tidied.yaml` has Ibis code and the SQL of some dialects."""

from __future__ import annotations

import pytest
import yaml

from ibert_builder.dialects.registry import DIALECTS
from ibert_builder.execution.engine import engine_for
from ibert_builder.execution.results import difference, is_ordered
from ibert_builder.tidy.print import reflow
from ibert_builder.tidy.tidy import tidy
from tests.conftest import ROOT

CASES = yaml.safe_load((ROOT / "tests" / "tidy" / "tidied.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("case", "dialect"),
    [pytest.param(case, name, id=f"{case['name']}-{name}") for case in CASES for name in case["sql"]],
)
def test_tidied_sql(case, dialect, webshop):
    engine = engine_for(webshop)
    expression = engine.expression(case["ibis"])
    tables = {name: tuple(table.columns) for name, table in webshop.tables.items()}
    keys = {name: (table.key,) for name, table in webshop.tables.items()}
    sql = tidy(DIALECTS[dialect].compile(expression), DIALECTS[dialect], tables, keys)
    assert sql == case["sql"][dialect].rstrip()
    if DIALECTS[dialect].is_native:
        expected = engine.run_sql(engine.compile(expression))
        assert difference(expected, engine.run_sql(sql), ordered=is_ordered(sql)) is None


def test_lines_are_joined_where_they_fit_and_nowhere_else():
    pretty = "SELECT\n  a,\n  b\nFROM t\nWHERE\n  x IN (\n    SELECT\n      y\n    FROM u\n  )"
    assert reflow(pretty).splitlines()[0] == "SELECT a, b"
    assert all(line.strip() for line in reflow(pretty).splitlines())
    assert (
        max(map(len, reflow("SELECT\n  " + ",\n  ".join(f"column_{i}" for i in range(30)), 40).splitlines()))
        <= 40
    )
