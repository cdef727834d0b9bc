"""The command line: `ibert-multitask build | infos | databases | schema | card`."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich import progress
from rich.console import Console
from rich.table import Table

from ibert_builder import __version__, card, infos
from ibert_builder.build import REJECTED, Progress, Report, build
from ibert_builder.databases import SPLITS
from ibert_builder.errors import InputError
from ibert_builder.export import choose, export
from ibert_builder.generate import NOT_DRAWN, Options
from ibert_builder.library import load_library, resolve_templates_dir
from ibert_builder.records import CONFIGS
from ibert_builder.schemas import write_schemas


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

    command = commands.add_parser("build", help="generate, prove and write the dataset as JSONL")
    command.add_argument(
        "--out", type=Path, default=Path("data/multitask"), metavar="DIR", help="default: %(default)s"
    )
    command.add_argument(
        "--config", nargs="+", default=["all"], metavar="NAME", help=f"some of: {', '.join(CONFIGS)}"
    )
    command.add_argument(
        "--examples-per-template", type=int, metavar="N", help="drafts per template, over all splits"
    )
    command.add_argument("--seed", type=int, default=0, metavar="N")
    command.add_argument("--dialects", nargs="+", metavar="NAME", help="the SQL dialects to draw from")
    _add_num_proc(command)
    command.add_argument(
        "--link",
        action="append",
        default=[],
        metavar="TASK=FILE",
        help="let an existing JSONL file stand for a task's train file",
    )
    _add_templates_dir(command)
    command.set_defaults(run=_build)

    command = commands.add_parser(
        "infos", help="record the default build's features, counts, sizes and digests, or compare with them"
    )
    command.add_argument(
        "--out", type=Path, default=Path("dataset_infos"), metavar="DIR", help="default: %(default)s"
    )
    command.add_argument(
        "--check", action="store_true", help="write nothing; exit with 1 where a build differs from DIR"
    )
    _add_num_proc(command)
    _add_templates_dir(command)
    command.set_defaults(run=_infos)

    command = commands.add_parser(
        "databases", help="list the sample databases, or write them as DuckDB files"
    )
    command.add_argument("names", nargs="*", metavar="NAME", help="default: all")
    command.add_argument("--out", type=Path, metavar="DIR", help="write DIR/NAME.duckdb")
    _add_templates_dir(command)
    command.set_defaults(run=_databases)

    command = commands.add_parser("schema", help="write the JSON Schemas of the YAML files, for editors")
    _add_templates_dir(command)
    command.set_defaults(run=_schema)

    command = commands.add_parser("card", help="make the examples in the dataset card anew")
    command.add_argument(
        "card", type=Path, nargs="?", default=Path("README.md"), metavar="FILE", help="default: %(default)s"
    )
    _add_templates_dir(command)
    command.set_defaults(run=_card)
    return parser


def _add_templates_dir(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--templates-dir", type=Path, metavar="DIR", help="default: the templates that come with the package"
    )


def _add_num_proc(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--num-proc",
        type=int,
        default=1,
        metavar="N",
        help="processes; the bytes are the same for any number",
    )


@contextmanager
def _proving(num_proc: int) -> Iterator[Progress]:
    """A bar that shows how much of a build is done."""
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


def _build(chosen: argparse.Namespace) -> int:
    links = {}
    for link in chosen.link:
        task, equals, path = link.partition("=")
        if not equals or not path:
            raise InputError(f"expected TASK=FILE, found '{link}'", key="--link")
        links[task] = Path(path)
    options = Options(
        chosen.examples_per_template, chosen.seed, tuple(chosen.dialects) if chosen.dialects else None
    )
    with _proving(chosen.num_proc) as show:
        report = build(
            chosen.out,
            tuple(chosen.config),
            options,
            templates_dir=chosen.templates_dir,
            num_proc=chosen.num_proc,
            links=links,
            progress=show,
        )
    _print(report)
    print(f"Written to {chosen.out}. What was rejected, and why, is in {chosen.out / REJECTED}.")
    return 0


def _infos(chosen: argparse.Namespace) -> int:
    recorded = infos.read(chosen.out) if chosen.check else {}
    with _proving(chosen.num_proc) as show:
        made = infos.infos(chosen.templates_dir, chosen.num_proc, show)
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


def _print(report: Report) -> None:
    table = Table("task")
    for name in ("templates", "drafts", "kept", *SPLITS, "rejected", "seconds"):
        table.add_column(name, justify="right")
    table.add_column("rejected by reason")
    for task, kept in report.kept.items():
        tally = report.tallies.get(task)
        if tally is None:
            table.add_row(
                task,
                "linked",
                "",
                str(sum(kept.values())),
                *(str(kept[split]) for split in SPLITS),
                "",
                "",
                "",
            )
            continue
        reasons: Counter[str] = Counter()
        for (_, _, outcome), count in tally.outcomes.items():
            reasons[outcome] += count
        rejected = {reason: count for reason, count in reasons.items() if reason not in NOT_DRAWN | {"kept"}}
        drafts = reasons["kept"] + sum(rejected.values())
        table.add_row(
            task,
            str(len({template for _, template, _ in tally.outcomes})),
            str(drafts),
            str(reasons["kept"]),
            *(str(kept[split]) for split in SPLITS),
            f"{sum(rejected.values())} ({sum(rejected.values()) / max(drafts, 1):.1%})",
            f"{report.seconds[task]:.1f}",
            "\n".join(
                f"{reason} {count}"
                for reason, count in sorted(rejected.items(), key=lambda item: (-item[1], item[0]))
            ),
        )
    console = Console()
    # In a pipe or log there is no width to keep to.
    Console(width=None if console.is_terminal else 140).print(table)


def _databases(chosen: argparse.Namespace) -> int:
    databases = choose(load_library(chosen.templates_dir).databases, chosen.names)
    if chosen.out is not None:
        for path in export(databases, chosen.out):
            print(path)
        return 0
    for database in databases:
        print(f"{database.name} ({database.split}): {database.domain}")
        for table in database.tables.values():
            print(
                f"  {table.name}: {len(table.rows)} rows; {', '.join(f'{c} {t}' for c, t in table.schema.items())}"
            )
    return 0


def _schema(chosen: argparse.Namespace) -> int:
    for path in write_schemas(resolve_templates_dir(chosen.templates_dir)):
        print(path)
    return 0


def _card(chosen: argparse.Namespace) -> int:
    if not chosen.card.is_file():
        raise InputError("there is no such file", file=chosen.card)
    card.update(chosen.card, load_library(chosen.templates_dir))
    print(chosen.card)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
