"""List the sample databases, or write them as DuckDB files."""

from __future__ import annotations

import argparse
from pathlib import Path

from ibert_builder.commands.common import (
    Commands,
    add_templates_dir,
)
from ibert_builder.errors import InputError
from ibert_builder.generation.catalog import load_catalog
from ibert_builder.writing.databases import choose, export


def add(commands: Commands) -> None:
    command = commands.add_parser(
        "databases", help="list the sample databases, or write them as DuckDB files"
    )
    command.add_argument("names", nargs="*", metavar="NAME", help="which ones; default: all")
    command.add_argument("--out", type=Path, metavar="DIR", help="write DIR/NAME.duckdb")
    command.add_argument(
        "--row-sets", action="store_true", help="also write the further row sets: DIR/NAME-1.duckdb and so on"
    )
    add_templates_dir(command)
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    if chosen.row_sets and chosen.out is None:
        raise InputError("expected --out DIR as well", key="--row-sets")
    databases = choose(load_catalog(chosen.templates_dir).databases, chosen.names)
    if chosen.out is not None:
        for path in export(databases, chosen.out, chosen.row_sets):
            print(path)
        return 0
    for database in databases:
        print(f"{database.name} ({database.split}): {database.domain}")
        for table in database.tables.values():
            print(
                f"  {table.name}: {len(table.rows)} rows; {', '.join(f'{c} {t}' for c, t in table.schema.items())}"
            )
    return 0
