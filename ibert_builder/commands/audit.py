"""Rebuild the dataset and check every claim in its card, or compare other files with it."""

from __future__ import annotations

import argparse
import dataclasses
import json
import tempfile
from pathlib import Path

from ibert_builder.audit.audit import SAMPLE, audit
from ibert_builder.audit.report import markdown, remarks, table
from ibert_builder.commands.common import (
    Commands,
    add_num_proc,
    add_templates,
    console,
    proving,
    write_json,
)
from ibert_builder.databases.model import SPLITS
from ibert_builder.decontamination.compare import compare
from ibert_builder.decontamination.report import findings, overlap
from ibert_builder.decontamination.segments import files
from ibert_builder.errors import InputError
from ibert_builder.generation.generate import Options
from ibert_builder.writing import card
from ibert_builder.writing.jsonl import COMPLETE, build, file_of


def add(commands: Commands) -> None:
    command = commands.add_parser("audit", help="rebuild the dataset and check every claim in its card")
    scope = command.add_mutually_exclusive_group()
    scope.add_argument(
        "--sample", type=int, default=SAMPLE, metavar="N", help="check about N records; default: %(default)s"
    )
    scope.add_argument("--full", action="store_true", help="check all records")
    scope.add_argument(
        "--against",
        type=Path,
        nargs="+",
        metavar="PATH",
        help="instead, look for pieces of JSONL, JSON, SQL, Python and Markdown files in train",
    )
    command.add_argument("--json", type=Path, metavar="FILE", help="also write the findings to a JSON file")
    command.add_argument(
        "--card", type=Path, metavar="FILE", help="also write the table to this dataset card"
    )
    command.add_argument(
        "--seed", type=int, default=0, metavar="N", help="seeds every draw; default: %(default)s"
    )
    add_num_proc(command)
    add_templates(command)
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    if chosen.sample < 1:
        raise InputError(f"expected at least 1, found {chosen.sample}", key="--sample")
    for path in filter(None, (chosen.json, chosen.card)):
        if not path.absolute().parent.is_dir():
            raise InputError("there is no such folder", file=path.absolute().parent)
    if chosen.against:
        return _against(chosen)
    with proving(chosen.num_proc) as show:
        result = audit(
            Options(seed=chosen.seed),
            templates_dir=chosen.templates_dir,
            trust_templates=chosen.trust_templates,
            sample=None if chosen.full else chosen.sample,
            num_proc=chosen.num_proc,
            progress=show,
        )
    console().print(table(result))
    print(*remarks(result), sep="\n")
    write_json(chosen.json, result.as_json())
    if chosen.card:
        card.update(chosen.card, "audit", markdown(result))
    return 0 if result.holds else 1


def _against(chosen: argparse.Namespace) -> int:
    files(chosen.against)  # fail before minutes of work
    with proving(chosen.num_proc) as show, tempfile.TemporaryDirectory(prefix="ibert-audit-") as folder:
        build(
            Path(folder),
            options=Options(seed=chosen.seed),
            templates_dir=chosen.templates_dir,
            trust_templates=chosen.trust_templates,
            num_proc=chosen.num_proc,
            progress=show,
        )
        with (Path(folder) / file_of(SPLITS[0], COMPLETE)).open(encoding="utf-8") as lines:
            report = compare(map(json.loads, lines), chosen.against)
    console().print(overlap(report))
    print(*findings(report), sep="\n")
    write_json(chosen.json, dataclasses.asdict(report))
    return 1 if report.failures else 0
