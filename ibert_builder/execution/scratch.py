"""Running examples that read, write, connect and execute, each in a temporary folder of its own.

The folder has the tables that the code names as `<table>.csv`, `<table>.parquet` or `<table>.json`; each `*.duckdb` file
that it names holds all tables. The folder is the working directory while the code runs, and is deleted afterwards.
"""

from __future__ import annotations

import ast
import contextlib
import gc
import io
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
from ibis import selectors
from ibis.config import Config

from ibert_builder.databases.duckdb_tables import NO_SPILL, write_tables
from ibert_builder.databases.model import SPLITS, Database
from ibert_builder.errors import InputError
from ibert_builder.execution.engine import CONFIG, NESTING
from ibert_builder.execution.results import Result
from ibert_builder.sandbox.compiling import builtins_for, compile_code
from ibert_builder.sandbox.limits import limit_code
from ibert_builder.sandbox.policy import FILES, MISTAKEN, Rules
from ibert_builder.staging import lack_of_space

FORMATS = ("csv", "parquet", "json")
SNIPPET = replace(FILES, absent_names=True, builtins=FILES.builtins | MISTAKEN.builtins)
Seen = TypeVar("Seen")

_NO_TABLES = Database("none", "no tables", SPLITS[0], {}, ())


class NothingCame(ValueError):
    """The code ran and left nothing to look at: no rows, no value, no file."""


@dataclass(frozen=True)
class Outcome:
    """What code gave: the rows of its last statement if that is a table, and the names of the files it wrote."""

    table: Result | None
    files: tuple[str, ...]


def run(code: str, database: Database, tables: tuple[str, ...]) -> Outcome:
    """Run checked code in a folder of its own.

    Args:
        code: it sees `ibis`, `_`, `s` and the tables, which belong to the default backend.
        database: where the rows come from.
        tables: the tables that the example is about.

    Raises:
        SyntaxError, ForbiddenCode: the code is refused, or (LimitReached) takes too much time or memory.
        InputError: there is no space for temporary files.
        NothingCame: it gave no rows, no value and no new file.
        Exception: whatever the code raises.
    """
    database = replace(database, tables={name: database.tables[name] for name in tables})
    (gave_nothing, found), written = _work(code, database, FILES, lambda value: (value is None, _seen(value)))
    if gave_nothing and not written:
        raise NothingCame("the code gives nothing and writes no file")
    return Outcome(found, written)


def value_of(code: str) -> Any:
    """Run a checked snippet in a folder of its own. It makes its own tables, and may name what Ibis does not have.

    Returns:
        What its last statement gives, as plain Python (see `as_python`).

    Raises:
        SyntaxError, ForbiddenCode: the code is refused, or (LimitReached) takes too much time or memory.
        InputError: there is no space for temporary files.
        FutureWarning: it uses something deprecated.
        Exception: whatever the code raises.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        return _work(code, _NO_TABLES, SNIPPET, as_python)[0]


def as_python(value: Any) -> Any:
    """Numbers, texts, booleans and None as they are, tables as their columns, columns as lists; the rest as its text."""
    if isinstance(value, ir.Expr):
        value = value.to_pyarrow()
    if isinstance(value, pd.DataFrame | pd.Series):
        value = value.to_dict("list") if isinstance(value, pd.DataFrame) else value.tolist()
    elif isinstance(value, pa.Table | pa.RecordBatch):
        value = value.to_pydict()
    elif isinstance(value, pa.Array | pa.ChunkedArray):
        value = value.to_pylist()
    elif isinstance(value, pa.Scalar):
        value = value.as_py()
    if isinstance(value, dict):
        return {key: as_python(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [as_python(each) for each in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _work(
    code: str, database: Database, rules: Rules, see: Callable[[Any], Seen]
) -> tuple[Seen, tuple[str, ...]]:
    """What `see` makes of the value of the code, and the names of the files that the code wrote."""
    tables = tuple(database.tables)
    names = {*tables}.union(*(table.columns for table in database.tables.values()))
    before, last = compile_code(code, names, rules)
    with _folder() as folder, _own_options():
        backend = ibis.duckdb.connect(**CONFIG)
        backend.con.execute("SET TimeZone = 'UTC'")
        backend.con.execute(NESTING)
        write_tables(backend.con, database)
        _write_files(backend.con, code, database)
        there = set(folder.iterdir())
        ibis.set_backend(backend)
        namespace = {
            "ibis": ibis,
            "_": ibis._,
            "s": selectors,
            **{name: backend.table(name) for name in tables},
        }
        namespace["__builtins__"] = builtins_for(rules)

        def work() -> tuple[Any, Seen]:
            if before is not None:
                exec(before, namespace)
            value = eval(last, namespace)
            return value, see(value)

        def interrupt() -> None:
            for connection in _connections(backend, dict(namespace)):
                connection.interrupt()

        with contextlib.redirect_stdout(io.StringIO()):
            value, seen = limit_code(work, interrupt)
        written = tuple(sorted(path.name for path in set(folder.iterdir()) - there if path.stat().st_size))
        connections = _connections(backend, namespace)
        if ".cache(" in code:  # a cached table is dropped with its expression, which needs the connection
            del value
            namespace.clear()
            gc.collect()
        for connection in connections:
            connection.close()
    return seen, written


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    before = Path.cwd()
    try:
        with tempfile.TemporaryDirectory(prefix="ibert_") as name:
            os.chdir(name)
            try:
                yield Path(name)
            finally:
                os.chdir(before)
    except Exception as error:
        if cause := lack_of_space(error):  # the code is not to blame
            raise InputError(f"cannot write there: {cause}", file=tempfile.gettempdir()) from error
        raise


def _write_files(connection: duckdb.DuckDBPyConnection, code: str, database: Database) -> None:
    for table in database.tables:
        for kind in FORMATS:
            if f"{table}.{kind}" in code:
                connection.execute(f"COPY {table} TO '{table}.{kind}'")
    constants = (node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant))
    for name in sorted(
        {value for value in constants if isinstance(value, str) and value.endswith(".duckdb")}
    ):
        with duckdb.connect(name, config=NO_SPILL) as other:
            write_tables(other, database)


@contextlib.contextmanager
def _own_options() -> Iterator[None]:
    """Restore every option of Ibis afterwards."""

    def read(options: Config) -> dict[str, Any]:
        values = {name: getattr(options, name) for name in options.__argnames__}
        return {name: read(value) if isinstance(value, Config) else value for name, value in values.items()}

    def write(options: Config, saved: dict[str, Any]) -> None:
        for name, value in saved.items():
            if isinstance(value, dict) and isinstance(getattr(options, name), Config):
                write(getattr(options, name), value)
            else:
                setattr(options, name, value)

    saved = read(ibis.options)
    try:
        yield
    finally:
        write(ibis.options, saved)


def _connections(backend: Any, namespace: dict[str, Any]) -> list[duckdb.DuckDBPyConnection]:
    backends = [backend, *(value for value in namespace.values() if isinstance(value, type(backend)))]
    return [one.con for one in backends if hasattr(one, "con")]


def _seen(value: Any) -> Result | None:
    """The rows of a value, if it is a table.

    Raises:
        NothingCame: it is empty.
    """
    if isinstance(value, ir.Expr):
        value = value.to_pyarrow()
    if isinstance(value, pd.DataFrame | pd.Series):
        value = value.to_frame() if isinstance(value, pd.Series) else value
        value = pa.Table.from_pandas(value, preserve_index=False)
    if isinstance(value, pa.Table):
        if not value.num_rows:
            raise NothingCame("the result has no rows")
        if all(column.null_count == value.num_rows for column in value.columns):
            raise NothingCame("the result has only NULLs")
        return Result(tuple(value.column_names), (), [tuple(row.values()) for row in value.to_pylist()])
    if isinstance(value, pa.Scalar):
        value = value.as_py()
        if value is None:
            raise NothingCame("the result is NULL")
    if hasattr(value, "__len__") and not len(value):
        raise NothingCame("the result is empty")
    return None
