"""The sample databases as DuckDB files, for anyone who wants to run a model's answers."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb

from ibert_builder.databases.duckdb_tables import NO_SPILL, write_tables
from ibert_builder.databases.model import Database
from ibert_builder.databases.row_sets import KINDS, row_set
from ibert_builder.errors import InputError, unknown
from ibert_builder.staging import workspace


def choose(databases: dict[str, Database], names: Iterable[str]) -> list[Database]:
    """The databases with these names, or all of them if there are no names.

    Raises:
        InputError: there is no database with one of the names.
    """
    for name in names:
        if name not in databases:
            raise InputError(unknown("database", name, databases))
    return [databases[name] for name in names] or list(databases.values())


def export(databases: Iterable[Database], out: Path, row_sets: bool = False) -> list[Path]:
    """Write each database to `out/NAME.duckdb`; existing files are replaced only once all the new ones are complete.

    With `row_sets`, the other row sets go to `out/NAME-1.duckdb`, `out/NAME-2.duckdb` and so on.

    Raises:
        InputError: `out` cannot be written to or is being written to by another process, or the disk is full.
    """
    numbers = range(len(KINDS) if row_sets else 1)
    chosen = {
        f"{database.name}{f'-{number}' if number else ''}.duckdb": row_set(database, number)
        for database in databases
        for number in numbers
    }
    with workspace(out, chosen) as folder:
        for name, database in chosen.items():
            with duckdb.connect(folder / name, config=NO_SPILL) as connection:
                connection.execute("SET TimeZone = 'UTC'")
                write_tables(connection, database)
                # Closing alone would not report a full disk, and would leave the rows in a log file next to it.
                connection.execute("CHECKPOINT")
    return [out / name for name in chosen]
