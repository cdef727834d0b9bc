"""JSONL files: `<task>.jsonl` and `train_complete.jsonl`, with `validation/` and `test/` beside them."""

from __future__ import annotations

import functools
import json
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from ibert_builder.databases.model import SPLITS
from ibert_builder.errors import InputError, unknown
from ibert_builder.generation.catalog import resolve_templates_dir
from ibert_builder.generation.generate import Options, Tally
from ibert_builder.records import tasks_of
from ibert_builder.staging import workspace
from ibert_builder.tasks.registry import TASKS
from ibert_builder.workers.pool import Cancellation, call, in_order
from ibert_builder.workers.shards import Shard, prove, shards_of
from ibert_builder.workers.worker import Place
from ibert_builder.writing.fruitless import refuse_fruitless
from ibert_builder.writing.links import _refuse_own_files, check_link

COMPLETE = "train_complete.jsonl"


REJECTED = "rejected.jsonl"


Progress = Callable[[int, int], None]


@dataclass
class Report:
    """What a build did, per task: the tally of its drafts, the records kept per split, and the seconds of work."""

    tallies: dict[str, Tally] = field(default_factory=dict)
    kept: dict[str, dict[str, int]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _Made:
    lines: str
    count: int
    tally: Tally
    seconds: float


def _make(
    place: Place, options: Options, in_process: bool, shard: Shard, cancellation: Cancellation
) -> _Made:
    started = time.perf_counter()
    tally = Tally()
    records = prove(shard, options, tally, place=place, cancellation=cancellation, in_process=in_process)
    lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in records]
    return _Made("".join(lines), len(lines), tally, time.perf_counter() - started)


def build(
    out: Path,
    configs: tuple[str, ...] = ("all",),
    options: Options | None = None,
    *,
    templates_dir: str | Path | None = None,
    num_proc: int = 1,
    links: Mapping[str, Path] | None = None,
    trust_templates: bool = False,
    progress: Progress | None = None,
    _in_process: bool = False,
) -> Report:
    """Generate, prove and write the dataset.

    Everything is first written to a temporary folder inside `out` and moved to its final names at the very end, file by
    file, so a run that is killed or fails leaves what was there; see `workspace`.

    Args:
        out: the folder to write to; made if need be.
        configs: tasks, or `all`.
        options: what decides which examples come out.
        templates_dir: a folder of templates; None for the ones that come with the package.
        num_proc: worker processes. The bytes are the same for any number.
        trust_templates: run templates from elsewhere even where the system cannot confine what they do.
        links: JSONL files to stand for a task's train file instead of generating it; every line is checked.
        progress: called with (shards done, shards in all).

    Raises:
        InputError: a template is wrong or gives nothing, a link is wrong, `out` cannot be written to or is being written
            to by another build, or the disk is full.
    """
    options, links = options or Options(), dict(links or {})
    place = Place(str(resolve_templates_dir(templates_dir)), trusted=trust_templates)
    tasks = list({task.name: task for config in configs for task in tasks_of(config)}.values())
    for name in links:
        if name not in {task.name for task in tasks}:
            raise InputError(unknown("task", name, [task.name for task in tasks]), key="--link")
    for task in tasks:
        options.dialects_of(task)
    made = [task for task in tasks if task.name not in links]
    of_splits = shards_of(place, [task.name for task in made])
    work = [(split, shard) for split, those in of_splits.items() for shard in those]
    written = [file_of(split, task.name) for split in SPLITS for task in made] + [COMPLETE, REJECTED]
    names = [*written, *(f"{name}.jsonl" for name in links)]
    _refuse_own_files(links, out, names)
    with workspace(out, names) as temporary:
        counts = {name: check_link(TASKS[name], path) for name, path in links.items()}
        report = Report(
            {t.name: Tally() for t in made},
            {t.name: dict.fromkeys(SPLITS, 0) for t in tasks},
            {t.name: 0.0 for t in made},
        )
        with ExitStack() as stack:
            files = stack.enter_context(_Files(temporary))
            make = functools.partial(_make, place, options, _in_process)
            results = stack.enter_context(closing(in_order(make, [shard for _, shard in work], num_proc)))
            for done, ((split, (task_name, _)), result) in enumerate(zip(work, results, strict=True), 1):
                files.write(file_of(split, task_name), result.lines)
                report.tallies[task_name].add(result.tally)
                report.kept[task_name][split] += result.count
                report.seconds[task_name] += result.seconds
                if progress:
                    progress(done, len(work))
            for task_name, template, reason, detail in (
                r for tally in report.tallies.values() for r in tally.rejections
            ):
                line = {"task": task_name, "template": template, "reason": reason, "detail": detail}
                files.write(REJECTED, json.dumps(line, ensure_ascii=False) + "\n")
            files.touch(written)
        call(refuse_fruitless, place.templates_dir, report.tallies, place=place, gives=bool)
        for name, count in counts.items():
            report.kept[name][SPLITS[0]] = count
            (temporary / f"{name}.jsonl").symlink_to(links[name].resolve())
        with (temporary / COMPLETE).open("wb") as complete:
            for task in tasks:
                with (temporary / f"{task.name}.jsonl").open("rb") as part:
                    shutil.copyfileobj(part, complete)
    return report


def file_of(split: str, task: str) -> str:
    """The file of a task's records of a split, below the folder that is built."""
    return f"{task}.jsonl" if split == SPLITS[0] else f"{split}/{task}.jsonl"


class _Files:
    """Open files by name below a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, IO[str]] = {}
        self._stack = ExitStack()

    def __enter__(self) -> _Files:
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.close()

    def write(self, name: str, text: str) -> None:
        if name not in self._open:
            path = self._folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            self._open[name] = self._stack.enter_context(path.open("w", encoding="utf-8", newline="\n"))
        self._open[name].write(text)

    def touch(self, names: list[str]) -> None:
        for name in names:
            self.write(name, "")
