"""List the sample databases, or write them as DuckDB files."""

from __future__ import annotations

import argparse
from pathlib import Path

from ibert_builder.commands.common import (
    Commands,
    add_templates,
    place_of,
)
from ibert_builder.errors import InputError
from ibert_builder.writing.databases import describe, export


def add(commands: Commands) -> None:
    command = commands.add_parser(
        "databases", help="list the sample databases, or write them as DuckDB files"
    )
    command.add_argument("names", nargs="*", metavar="NAME", help="which ones; default: all")
    command.add_argument("--out", type=Path, metavar="DIR", help="write DIR/NAME.duckdb")
    command.add_argument(
        "--row-sets", action="store_true", help="also write the further row sets: DIR/NAME-1.duckdb and so on"
    )
    add_templates(command)
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    if chosen.row_sets and chosen.out is None:
        raise InputError("expected --out DIR as well", key="--row-sets")
    place = place_of(chosen)
    if chosen.out is not None:
        for path in export(chosen.names, chosen.out, chosen.row_sets, place):
            print(path)
        return 0
    for database in describe(chosen.names, place):
        print(f"{database.name} ({database.split}): {database.domain}")
        for name, (rows, columns) in database.tables.items():
            print(
                f"  {name}: {rows} rows; {', '.join(f'{column} {kind}' for column, kind in columns.items())}"
            )
    return 0
