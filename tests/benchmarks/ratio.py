"""The ratio: how many times longer the builder takes than the work that no proof can do without, the floor.

    ratio = seconds to build `sql_to_ibis` / seconds of the floor, over the same kept pairs, in one process

The floor executes the SQL of every kept pair, builds its Ibis expression, compiles it and executes that. The builder does
the same and everything else: drawing, rendering, checking code, comparing results, other dialects, drafts that are
rejected, records and Arrow. Machines are noisy, so the two alternate, and the best round of each counts.

    python tests/benchmarks/ratio.py [--examples-per-template N] [--rounds N]
"""

from __future__ import annotations

import argparse
import ast
import tempfile
import time

import datasets
import ibis
from ibis import selectors

from ibert_builder.databases.model import SPLITS
from ibert_builder.execution.engine import engine_for
from ibert_builder.generation.catalog import load_catalog
from ibert_builder.generation.generate import Options, Tally, generate, shards
from ibert_builder.tasks.registry import TASKS
from ibert_builder.tasks.sql_to_ibis import SqlToIbis
from ibert_multitask import IbertMultitask

LIMIT = 2.0


class _Recorder(SqlToIbis):
    """Keeps the DuckDB SQL and the Ibis code of every kept pair, for the floor to run."""

    def __init__(self) -> None:
        self.pairs: list[tuple[str, str, str]] = []

    def prove(self, draft, engine):
        proved = super().prove(draft, engine)
        self.pairs.append((draft.database.name, draft.sql, draft.code))
        return proved


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--examples-per-template", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    datasets.disable_progress_bars()
    catalog = load_catalog()
    recorder = _Recorder()
    TASKS["sql_to_ibis"], usual = recorder, TASKS["sql_to_ibis"]
    options = Options(chosen.examples_per_template)
    for split in SPLITS:
        for shard in shards(catalog, split, [recorder]):
            list(generate(catalog, *shard, options, Tally()))
    TASKS["sql_to_ibis"] = usual

    floors, builds = [], []
    for _ in range(chosen.rounds):
        floors.append(_timed(lambda: _floor(catalog, recorder.pairs)))
        builds.append(_timed(lambda: _build(chosen.examples_per_template)))
    floor, build, pairs = min(floors), min(builds), len(recorder.pairs)
    print(f"pairs {pairs}")
    print(f"floor   {floor:6.2f} s  {1000 * floor / pairs:5.2f} ms a pair")
    print(f"builder {build:6.2f} s  {1000 * build / pairs:5.2f} ms a pair")
    print(f"ratio   {build / floor:6.2f}    (goal: at most {LIMIT})")


def _floor(catalog, pairs) -> None:
    for database, sql, code in pairs:
        engine = engine_for(catalog.databases[database])
        connection = engine.backend.con
        connection.execute(sql).fetchall()
        namespace = {"ibis": ibis, "_": ibis._, "s": selectors, **engine.tables}
        *before, last = _statements(code)
        for statement in before:
            exec(statement, namespace)
        expression = eval(last, namespace)
        connection.execute(engine.backend.compile(expression)).fetchall()


def _statements(code: str) -> list[str]:
    return [ast.unparse(node.value if isinstance(node, ast.Expr) else node) for node in ast.parse(code).body]


def _build(examples: int) -> None:
    with tempfile.TemporaryDirectory() as cache:
        IbertMultitask(
            cache_dir=cache, config_name="sql_to_ibis", examples_per_template=examples
        ).download_and_prepare()


def _timed(work) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
