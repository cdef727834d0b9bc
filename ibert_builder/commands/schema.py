"""Write the JSON Schemas of the YAML files."""

from __future__ import annotations

import argparse

from ibert_builder.commands.common import (
    Commands,
    add_templates_dir,
)
from ibert_builder.generation.catalog import resolve_templates_dir
from ibert_builder.generation.json_schema import write_schemas


def add(commands: Commands) -> None:
    command = commands.add_parser("schema", help="write the JSON Schemas of the YAML files, for editors")
    add_templates_dir(command)
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    for path in write_schemas(resolve_templates_dir(chosen.templates_dir)):
        print(path)
    return 0
