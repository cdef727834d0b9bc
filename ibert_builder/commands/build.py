"""Generate, prove and write the dataset as JSONL."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

from rich.table import Table

from ibert_builder.commands.common import (
    Commands,
    add_num_proc,
    add_templates,
    console,
    proving,
)
from ibert_builder.databases.model import SPLITS
from ibert_builder.errors import InputError
from ibert_builder.generation.generate import NOT_DRAWN, Options
from ibert_builder.records import configs
from ibert_builder.writing.jsonl import REJECTED, Report, build


def add(commands: Commands) -> None:
    command = commands.add_parser("build", help="generate, prove and write the dataset as JSONL")
    command.add_argument(
        "--out", type=Path, default=Path("data/multitask"), metavar="DIR", help="default: %(default)s"
    )
    command.add_argument(
        "--config", nargs="+", default=["all"], metavar="NAME", help=f"one or more of: {', '.join(configs())}"
    )
    command.add_argument(
        "--examples-per-template", type=int, metavar="N", help="drafts for each template, over all splits"
    )
    command.add_argument(
        "--seed", type=int, default=0, metavar="N", help="seeds every draw; default: %(default)s"
    )
    command.add_argument("--dialects", nargs="+", metavar="NAME", help="the SQL dialects to draw from")
    add_num_proc(command)
    command.add_argument(
        "--link",
        action="append",
        default=[],
        metavar="TASK=FILE",
        help="use an existing JSONL file as a task's train file",
    )
    add_templates(command)
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    links = {}
    for link in chosen.link:
        task, equals, path = link.partition("=")
        if not equals or not path:
            raise InputError(f"expected TASK=FILE, found '{link}'", key="--link")
        links[task] = Path(path)
    options = Options(
        chosen.examples_per_template, chosen.seed, tuple(chosen.dialects) if chosen.dialects else None
    )
    with proving(chosen.num_proc) as show:
        report = build(
            chosen.out,
            tuple(chosen.config),
            options,
            templates_dir=chosen.templates_dir,
            trust_templates=chosen.trust_templates,
            num_proc=chosen.num_proc,
            links=links,
            progress=show,
        )
    _print(report)
    print(f"Written to {chosen.out}. Rejected drafts and their reasons are in {chosen.out / REJECTED}.")
    return 0


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
    console().print(table)
