"""The sample databases as DuckDB files, for whoever runs a model's answers."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

import duckdb

from ibert_builder.databases import Database
from ibert_builder.engine import write_tables
from ibert_builder.errors import InputError, unknown


def choose(databases: dict[str, Database], names: Iterable[str]) -> list[Database]:
    """The databases of these names, or all of them for no names.

    Raises:
        InputError: there is no database of a name.
    """
    for name in names:
        if name not in databases:
            raise InputError(unknown("database", name, databases))
    return [databases[name] for name in names] or list(databases.values())


def export(databases: Iterable[Database], out: Path) -> list[Path]:
    """Write each database to `out/NAME.duckdb`, replacing a file of that name only once the new one is whole.

    Raises:
        InputError: `out` cannot be written to.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".writing-", dir=out) as folder:
            paths = []
            for database in databases:
                unfinished = Path(folder) / f"{database.name}.duckdb"
                with duckdb.connect(unfinished) as connection:
                    connection.execute("SET TimeZone = 'UTC'")
                    write_tables(connection, database)
                paths.append(out / unfinished.name)
                unfinished.replace(paths[-1])
            return paths
    except OSError as error:
        raise InputError(f"cannot write there: {error.strerror}", file=out, key="--out") from error
