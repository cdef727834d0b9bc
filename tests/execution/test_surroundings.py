"""What proving leaves as it was: the user's working directory, logging, and garbage collector."""

from __future__ import annotations

import gc
import logging
import subprocess
import sys

import duckdb

from ibert_builder.databases.load import load_databases
from ibert_builder.execution.engine import Engine
from ibert_builder.generation.catalog import load_catalog
from ibert_builder.sandbox import sql
from ibert_builder.workers.worker import Place
from ibert_builder.writing.databases import export

GENERATED = """
import gc, logging, sys
before = {name: logger.level for name, logger in logging.root.manager.loggerDict.items() if hasattr(logger, "level")}
import sqlglot
before["sqlglot"] = logging.getLogger("sqlglot").level
from ibert_builder.generation.catalog import load_catalog
from ibert_builder.generation.generate import Options, Tally, generate
assert list(generate(load_catalog(sys.argv[1]), "sql_to_ibis", "webshop", Options(8), Tally()))
assert gc.get_freeze_count() == 0
assert all(logging.getLogger(name).level == level for name, level in before.items())
"""


def test_logging_and_the_garbage_collector_are_as_they_were(small_dir):
    ran = subprocess.run([sys.executable, "-c", GENERATED, str(small_dir)], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""


def test_no_connection_spills_into_the_working_directory(small_dir, tmp_path, monkeypatch):
    load_catalog(small_dir)  # which opens connections, too, but only once
    connect, folders = duckdb.connect, []

    def watched(*args, **kwargs):
        connection = connect(*args, **kwargs)
        folders.extend(connection.execute("SELECT current_setting('temp_directory')").fetchone())
        return connection

    monkeypatch.setattr(duckdb, "connect", watched)
    databases = load_databases(small_dir / "_databases")
    export([], tmp_path / "out", False, Place(str(small_dir), in_process=True))
    Engine(databases["webshop"])
    sql._parser.__wrapped__()
    assert folders == [""] * (1 + len(databases) + 1 + 1)
    assert gc.isenabled() and logging.root.manager.disable == 0
