"""The sample databases as DuckDB files, for anyone who wants to run a model's answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from ibert_builder.databases.duckdb_tables import NO_SPILL, write_tables
from ibert_builder.databases.load import load_databases
from ibert_builder.databases.model import Database
from ibert_builder.databases.row_sets import KINDS, row_set
from ibert_builder.errors import InputError, unknown
from ibert_builder.generation.catalog import load_catalog, resolve_templates_dir
from ibert_builder.staging import workspace
from ibert_builder.workers.channel import Channel
from ibert_builder.workers.pool import call
from ibert_builder.workers.worker import Place


@dataclass(frozen=True)
class Described:
    """A sample database. `tables` maps a name to the number of rows and the type of each column."""

    name: str
    split: str
    domain: str
    tables: dict[str, tuple[int, dict[str, str]]]


def describe(names: Sequence[str], place: Place) -> list[Described]:
    """The databases with these names, or all of them if there are no names.

    The rows of all databases are checked against their rules of coherence.

    Raises:
        InputError: there is no database with one of the names, or something in the templates folder is wrong.
    """
    return call(give_descriptions, place.templates_dir, tuple(names), place=place, gives=list[Described])


def give_descriptions(channel: Channel, templates_dir: str, names: tuple[str, ...]) -> None:
    databases = load_databases(resolve_templates_dir(templates_dir) / "_databases", rules=True)
    for name in names:
        if name not in databases:
            raise InputError(unknown("database", name, databases))
    channel.give([_described(databases[name]) for name in names or databases])


def _described(database: Database) -> Described:
    tables = {
        name: (len(table.rows), {column: str(kind) for column, kind in table.schema.items()})
        for name, table in database.tables.items()
    }
    return Described(database.name, database.split, database.domain, tables)


def export(names: Sequence[str], out: Path, row_sets: bool, place: Place) -> list[Path]:
    """Write each database to `out/NAME.duckdb`; existing files are replaced only once all the new ones are complete.

    With `row_sets`, the other row sets go to `out/NAME-1.duckdb`, `out/NAME-2.duckdb` and so on.

    Raises:
        InputError: there is no database with one of the names, `out` cannot be written to, another process is writing to it,
            or the disk is full.
    """
    numbers = range(len(KINDS) if row_sets else 1)
    chosen = {
        f"{described.name}{f'-{number}' if number else ''}.duckdb": (described.name, number)
        for described in describe(names, place)
        for number in numbers
    }
    with workspace(out, chosen) as folder:
        there = replace(place, write=(str(folder.resolve()),))
        call(write_files, place.templates_dir, str(folder.resolve()), chosen, place=there, gives=bool)
    return [out / name for name in chosen]


def write_files(
    channel: Channel, templates_dir: str, folder: str, chosen: dict[str, tuple[str, int]]
) -> None:
    """Write DuckDB files, each from a database and the number of one of its row sets, and give True."""
    databases = load_catalog(templates_dir).databases
    for file, (name, number) in chosen.items():
        with duckdb.connect(Path(folder) / file, config=NO_SPILL) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            write_tables(connection, row_set(databases[name], number))
            # Closing alone would not report a full disk, and would leave the rows in a log file next to it.
            connection.execute("CHECKPOINT")
    channel.give(True)
