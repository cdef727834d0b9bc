"""The command line: `ibert-multitask build | audit | infos | databases | schema | card`."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich import progress
from rich.console import Console
from rich.table import Table

from ibert_builder import __version__, card, contamination, infos, pieces
from ibert_builder.audit import SAMPLE, audit, showing
from ibert_builder.build import COMPLETE, REJECTED, Progress, Report, build
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
        "audit", help="make the dataset anew and put every claim of its card to the proof"
    )
    scope = command.add_mutually_exclusive_group()
    scope.add_argument(
        "--sample", type=int, default=SAMPLE, metavar="N", help="about how many records; default: %(default)s"
    )
    scope.add_argument("--full", action="store_true", help="all records")
    scope.add_argument(
        "--against",
        type=Path,
        nargs="+",
        metavar="PATH",
        help="instead, look for what JSONL, SQL, Python and Markdown files have in common with train",
    )
    command.add_argument("--json", type=Path, metavar="FILE", help="write the findings for machines, too")
    command.add_argument(
        "--card", type=Path, metavar="FILE", help="write the table to this dataset card, too"
    )
    command.add_argument("--seed", type=int, default=0, metavar="N")
    _add_num_proc(command)
    _add_templates_dir(command)
    command.set_defaults(run=_audit)

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
    command.add_argument(
        "--row-sets", action="store_true", help="write the further row sets, too: DIR/NAME-1.duckdb and so on"
    )
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


def _audit(chosen: argparse.Namespace) -> int:
    if chosen.sample < 1:
        raise InputError(f"expected at least 1, found {chosen.sample}", key="--sample")
    for path in filter(None, (chosen.json, chosen.card)):
        if not path.absolute().parent.is_dir():
            raise InputError("there is no such folder", file=path.absolute().parent)
    if chosen.against:
        return _against(chosen)
    with _proving(chosen.num_proc) as show:
        result = audit(
            Options(seed=chosen.seed),
            templates_dir=chosen.templates_dir,
            sample=None if chosen.full else chosen.sample,
            num_proc=chosen.num_proc,
            progress=show,
        )
    _console().print(showing.table(result))
    print(*showing.remarks(result), sep="\n")
    _write_json(chosen.json, result.as_json())
    if chosen.card:
        card.update(chosen.card, "audit", showing.markdown(result))
    return 0 if result.holds else 1


def _against(chosen: argparse.Namespace) -> int:
    pieces.files(chosen.against)  # before minutes of work
    with _proving(chosen.num_proc) as show, tempfile.TemporaryDirectory(prefix="ibert-audit-") as folder:
        build(
            Path(folder),
            options=Options(seed=chosen.seed),
            templates_dir=chosen.templates_dir,
            num_proc=chosen.num_proc,
            progress=show,
        )
        with (Path(folder) / COMPLETE).open(encoding="utf-8") as lines:
            report = contamination.compare(map(json.loads, lines), chosen.against)
    _console().print(showing.overlap(report))
    print(*showing.findings(report), sep="\n")
    _write_json(chosen.json, dataclasses.asdict(report))
    return 1 if report.failures else 0


def _write_json(path: Path | None, content: Any) -> None:
    if path is not None:
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _console() -> Console:
    console = Console()
    # In a pipe or log there is no width to keep to.
    return console if console.is_terminal else Console(width=140)


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
    _console().print(table)


def _databases(chosen: argparse.Namespace) -> int:
    if chosen.row_sets and chosen.out is None:
        raise InputError("expected --out DIR with it", key="--row-sets")
    databases = choose(load_library(chosen.templates_dir).databases, chosen.names)
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


def _schema(chosen: argparse.Namespace) -> int:
    for path in write_schemas(resolve_templates_dir(chosen.templates_dir)):
        print(path)
    return 0


def _card(chosen: argparse.Namespace) -> int:
    card.update(chosen.card, "examples", card.examples(load_library(chosen.templates_dir)))
    print(chosen.card)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
