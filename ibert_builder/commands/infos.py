"""Record the features, counts, sizes and digests of the default build, or compare a build with that record."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ibert_builder.commands.common import (
    Commands,
    add_num_proc,
    add_templates,
    proving,
)
from ibert_builder.writing import infos


def add(commands: Commands) -> None:
    command = commands.add_parser(
        "infos",
        help="record the features, counts, sizes and digests of the default build, or compare with them",
    )
    command.add_argument(
        "--out", type=Path, default=Path("dataset_infos"), metavar="DIR", help="default: %(default)s"
    )
    command.add_argument(
        "--check", action="store_true", help="write nothing; exit with 1 if the build differs from DIR"
    )
    add_num_proc(command)
    add_templates(command)
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    recorded = infos.read(chosen.out) if chosen.check else {}
    with proving(chosen.num_proc) as show:
        made = infos.infos(chosen.templates_dir, chosen.num_proc, show, chosen.trust_templates)
    if not chosen.check:
        for path in infos.write(made, chosen.out):
            print(path)
        return 0
    differences = infos.differences(recorded, made)
    if others := infos.other_versions(recorded, made):
        print(f"{chosen.out} was made with {'; '.join(others)}.")
    if not differences:
        print(f"The build is what {chosen.out} says.")
        return 0
    print(f"The build is not what {chosen.out} says:", *differences, infos.UPDATE, sep="\n", file=sys.stderr)
    return 1
