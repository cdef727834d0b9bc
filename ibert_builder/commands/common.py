"""What several commands share: options, a progress bar, a console."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich import progress
from rich.console import Console

from ibert_builder.errors import InputError
from ibert_builder.generation.catalog import resolve_templates_dir
from ibert_builder.workers.worker import Place
from ibert_builder.writing.jsonl import Progress

Commands = Any  # argparse has no public name for what `add_subparsers` returns


def add_templates_dir(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--templates-dir", type=Path, metavar="DIR", help="default: the package's own templates"
    )


def add_templates(command: argparse.ArgumentParser) -> None:
    """The options of a command that runs templates; see `place_of`."""
    add_templates_dir(command)
    command.add_argument(
        "--trust-templates",
        action="store_true",
        help="run templates from outside the package even where the system cannot confine them",
    )


def place_of(chosen: argparse.Namespace) -> Place:
    """What workers may see: the templates that the options name."""
    return Place(str(resolve_templates_dir(chosen.templates_dir)), trusted=chosen.trust_templates)


def add_num_proc(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--num-proc",
        type=int,
        default=1,
        metavar="N",
        help="number of worker processes, which does not change the result; default: %(default)s",
    )


@contextmanager
def proving(num_proc: int) -> Iterator[Progress]:
    """A bar that shows how many shards are done."""
    if num_proc < 1:
        raise InputError(f"expected at least 1, found {num_proc}", key="--num-proc")
    columns = (
        progress.TextColumn("proving"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TextColumn("shards"),
        progress.TimeElapsedColumn(),
    )
    with progress.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        shown = bar.add_task("", total=None)
        yield lambda done, total: bar.update(shown, completed=done, total=total)


def console() -> Console:
    console = Console()
    # A pipe or a log has no width to fit.
    return console if console.is_terminal else Console(width=140)


def write_json(path: Path | None, content: Any) -> None:
    if path is not None:
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
