"""The command line: `ibert-multitask build | audit | infos | databases | schema | card | doctor`."""

from __future__ import annotations

import argparse
import sys

from ibert_builder import __version__
from ibert_builder.commands import audit, build, card, databases, doctor, infos, schema
from ibert_builder.errors import InputError

COMMANDS = (build, audit, infos, databases, schema, card, doctor)


def main(arguments: list[str] | None = None) -> int:
    """Run a command.

    Returns:
        The exit status: 0, 1 for bad input or a check that fails, 130 if interrupted. argparse itself exits with 2 for a
        malformed command line.
    """
    chosen = parser().parse_args(arguments)
    try:
        return int(chosen.run(chosen))
    except InputError as error:
        print(f"ibert-multitask: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("ibert-multitask: interrupted; earlier files are unchanged", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    top = argparse.ArgumentParser(
        prog="ibert-multitask", description="Proved multi-task training examples for Ibis."
    )
    top.add_argument("--version", action="version", version=__version__)
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return top


if __name__ == "__main__":
    raise SystemExit(main())
