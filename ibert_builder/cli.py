"""The command line: `ibert-multitask build | audit | infos | databases | schema | card | doctor`."""

from __future__ import annotations

import argparse
import sys

from ibert_builder import __version__
from ibert_builder.commands import audit, build, card, databases, doctor, infos, schema
from ibert_builder.errors import InputError

COMMANDS = (build, audit, infos, databases, schema, card, doctor)


def main(arguments: list[str] | None = None) -> int:
    """Run a command; the exit status is 0, 1 for bad input, 2 for a command line that is wrong itself."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    try:
        return int(chosen.run(chosen))
    except InputError as error:
        print(f"ibert-multitask: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("ibert-multitask: interrupted; earlier files are as they were", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ibert-multitask", description="Proved multi-task training examples for Ibis."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
