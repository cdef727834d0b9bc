"""The build: `<task>.jsonl` and `train_complete.jsonl` for train, the same in the folders `validation/` and `test/`."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

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
from ibert_builder.writing.formats import WRITERS, Writer
from ibert_builder.writing.fruitless import refuse_fruitless
from ibert_builder.writing.links import check_link, refuse_own_files

COMPLETE = "train_complete"  # the file with all tasks of train
REJECTED = "rejected.jsonl"

Progress = Callable[[int, int], None]  # shards done, shards in all


@dataclass
class Report:
    """What a build did for each task: the tally of its drafts, the records kept per split, and the seconds it took."""

    tallies: dict[str, Tally] = field(default_factory=dict)
    kept: dict[str, dict[str, int]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _Made:
    piece: bytes  # of a file
    count: int
    tally: Tally
    seconds: float


def _make(place: Place, options: Options, writer: Writer, shard: Shard, cancellation: Cancellation) -> _Made:
    started = time.perf_counter()
    tally = Tally()
    records = list(prove(shard, options, tally, place=place, cancellation=cancellation))
    return _Made(writer.encode(records), len(records), tally, time.perf_counter() - started)


def build(
    out: Path,
    configs: tuple[str, ...] = ("all",),
    options: Options | None = None,
    *,
    templates_dir: str | Path | None = None,
    num_proc: int = 1,
    links: Mapping[str, Path] | None = None,
    output_format: str = "jsonl",
    trust_templates: bool = False,
    progress: Progress | None = None,
    _in_process: bool = False,
) -> Report:
    """Generate, prove and write the dataset.

    Everything is written to a temporary folder inside `out` first and moved to its final name at the very end, file by
    file, so a run that is killed or fails leaves what was there before; see `workspace`.

    Args:
        out: the folder to write to; created if necessary.
        configs: tasks, or `all`.
        options: what decides which examples come out.
        templates_dir: a folder of templates; None for the ones that come with the package.
        num_proc: how many worker processes do the work. The bytes are the same for any number.
        links: JSONL files to use as a task's train file instead of generating it; every line is checked.
        output_format: one of `WRITERS`.
        trust_templates: run templates from outside the package even where the system cannot confine them.
        progress: called after every shard.

    Raises:
        InputError: a template is wrong or yields nothing, a link is wrong, `out` cannot be written to, another build is
            writing to it, or the disk is full.
    """
    options, links = options or Options(), dict(links or {})
    if output_format not in WRITERS:
        raise InputError(unknown("format", output_format, WRITERS), key="output_format")
    writer = WRITERS[output_format]
    name_of = functools.partial(file_of, suffix=writer.suffix)
    place = Place(str(resolve_templates_dir(templates_dir)), trusted=trust_templates, in_process=_in_process)
    tasks = list({task.name: task for config in configs for task in tasks_of(config)}.values())
    for name in links:
        if name not in {task.name for task in tasks}:
            raise InputError(unknown("task", name, [task.name for task in tasks]), key="--link")
    for task in tasks:
        options.dialects_of(task)
    made = [task for task in tasks if task.name not in links]
    of_splits = shards_of(place, [task.name for task in made])
    work = [(split, shard) for split, those in of_splits.items() for shard in those]
    written = [name_of(split, task.name) for split in SPLITS for task in made]
    complete = name_of(SPLITS[0], COMPLETE)
    names = [*written, complete, REJECTED, *(name_of(SPLITS[0], name) for name in links)]
    refuse_own_files(links, out, names)
    with workspace(out, names) as temporary:
        counts = {name: check_link(TASKS[name], path) for name, path in links.items()}
        report = Report(
            {t.name: Tally() for t in made},
            {t.name: dict.fromkeys(SPLITS, 0) for t in tasks},
            {t.name: 0.0 for t in made},
        )
        with ExitStack() as stack:
            files = {
                name: stack.enter_context(writer.open(_with_folder(temporary / name))) for name in written
            }
            make = functools.partial(_make, place, options, writer)
            results = stack.enter_context(closing(in_order(make, [shard for _, shard in work], num_proc)))
            for done, ((split, (task_name, _)), result) in enumerate(zip(work, results, strict=True), 1):
                files[name_of(split, task_name)].write(result.piece)
                report.tallies[task_name].add(result.tally)
                report.kept[task_name][split] += result.count
                report.seconds[task_name] += result.seconds
                if progress:
                    progress(done, len(work))
        _write_rejections(temporary / REJECTED, report)
        call(refuse_fruitless, place.templates_dir, report.tallies, place=place, gives=bool)
        for name, count in counts.items():
            report.kept[name][SPLITS[0]] = count
            (temporary / name_of(SPLITS[0], name)).symlink_to(links[name].resolve())
        writer.join([temporary / name_of(SPLITS[0], task.name) for task in tasks], temporary / complete)
    return report


def file_of(split: str, task: str, suffix: str = "jsonl") -> str:
    """The file with a task's records in a split, relative to the folder of the build."""
    return f"{task}.{suffix}" if split == SPLITS[0] else f"{split}/{task}.{suffix}"


def _with_folder(path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    return path


def _write_rejections(path: Path, report: Report) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for tally in report.tallies.values():
            for task, template, reason, detail in tally.rejections:
                line = {"task": task, "template": template, "reason": reason, "detail": detail}
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
