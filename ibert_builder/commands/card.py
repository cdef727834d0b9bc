"""Update the examples in the dataset card."""

from __future__ import annotations

import argparse
from pathlib import Path

from ibert_builder.commands.common import (
    Commands,
    add_templates,
    place_of,
)
from ibert_builder.writing import card


def add(commands: Commands) -> None:
    command = commands.add_parser("card", help="update the examples in the dataset card")
    command.add_argument(
        "card", type=Path, nargs="?", default=Path("README.md"), metavar="FILE", help="default: %(default)s"
    )
    add_templates(command)
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    card.update(chosen.card, "examples", card.examples(place_of(chosen)))
    print(chosen.card)
    return 0
