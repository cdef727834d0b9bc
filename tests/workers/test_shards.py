"""The records of a shard out of workers: the same as without workers, whatever happens to those."""

from __future__ import annotations

import functools
import itertools
import os
import random
import signal

import pytest

from ibert_builder.errors import InputError
from ibert_builder.execution.proofs import Rejected
from ibert_builder.generation.catalog import load_catalog
from ibert_builder.generation.generate import Options, Tally, generate
from ibert_builder.tasks.registry import TASKS
from ibert_builder.workers import shards
from ibert_builder.workers.shards import prove, shards_of
from ibert_builder.workers.worker import Died, Place, Worker
from ibert_builder.writing.jsonl import build
from tests.conftest import ROOT, contents
from tests.workers import functions
from tests.workers.attacks import PYTHON, STEPS

OPTIONS = Options(6)
SHARD = ("sql_to_ibis", "webshop")


@pytest.fixture(scope="module")
def place(small_dir) -> Place:
    return Place(str(small_dir), read=(str(ROOT / "tests"),))


@pytest.fixture(scope="module")
def built(small_dir, tmp_path_factory) -> dict[str, bytes]:
    """The files of a build in this process."""
    out = tmp_path_factory.mktemp("built")
    build(out, options=OPTIONS, templates_dir=small_dir, _in_process=True)
    return contents(out)


@pytest.mark.parametrize("num_proc", [1, 2])
def test_files_are_the_same_with_workers_and_without(built, small_dir, tmp_path, num_proc):
    build(tmp_path, options=OPTIONS, templates_dir=small_dir, num_proc=num_proc)
    assert contents(tmp_path) == built


@pytest.mark.parametrize(
    ("seed", "num_proc"),
    [(1, 2), *(pytest.param(*case, marks=pytest.mark.slow) for case in ((0, 1), (2, 2)))],
)
def test_files_are_the_same_when_workers_are_killed_at_random(
    built, small_dir, tmp_path, monkeypatch, seed, num_proc
):
    answers = sum(content.count(b"\n") for name, content in built.items() if name != "train_complete.jsonl")
    moments = set(random.Random(seed).sample(range(2 * answers), 5))  # each is announced by an answer, too
    numbers, killed = itertools.count(), []  # of the threads of several workers
    hear = Worker._next

    def hear_or_kill(self):
        number = next(numbers)
        if number in moments:
            os.kill(self.pid, signal.SIGKILL)
            killed.append(number)
        return hear(self)

    monkeypatch.setattr(Worker, "_next", hear_or_kill)
    build(tmp_path, options=OPTIONS, templates_dir=small_dir, num_proc=num_proc)
    assert len(killed) == 5
    assert contents(tmp_path) == built


def test_the_shards_are_those_of_the_catalog(place, small_dir):
    catalog = load_catalog(small_dir)
    assert shards_of(place, TASKS) == {
        split: shards.shards(catalog, split, TASKS.values()) for split in ("train", "validation", "test")
    }


def test_a_draft_that_ends_workers_is_rejected_by_name_and_the_rest_goes_on(place, monkeypatch):
    def refuse(key, draft, unseen):
        if end := functions.end_of(key):
            raise Rejected(end, key)
        return True

    options, expected, found = Options(12), Tally(), Tally()
    records = list(generate(load_catalog(place.templates_dir), *SHARD, options, expected, only=refuse))
    assert {reason for *_, reason, _ in expected.rejections} >= set(functions.ENDS)
    monkeypatch.setattr(shards, "give_records", functions.give_spoiled_records)
    impatient = Place(place.templates_dir, place.read, draft_seconds=4)
    assert list(prove(SHARD, options, found, place=impatient)) == records
    assert found == expected


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
def test_a_draft_in_a_step_that_nothing_interrupts_is_as_if_it_had_been_refused(
    step, place, tmp_path, monkeypatch
):
    def refuse(key, draft, unseen):
        if functions.is_attacked(key):
            raise Rejected("refused", key)
        return True

    options, expected, found = Options(6), Tally(), Tally()
    records = list(generate(load_catalog(place.templates_dir), *SHARD, options, expected, only=refuse))
    assert len(expected.rejections) == 1 < len(records)
    source = PYTHON[step].format(F=tmp_path, P=0, PID=os.getpid())
    monkeypatch.setattr(shards, "give_records", functools.partial(functions.give_attacked_records, source))
    impatient = Place(place.templates_dir, place.read, draft_seconds=2)
    assert list(prove(SHARD, options, found, place=impatient)) == records
    ((*_, reason, key),) = found.rejections
    assert functions.is_attacked(key) and reason in {"over_time", "over_memory", "crashed", "refused"}
    assert not [*tmp_path.iterdir()]


def test_a_stream_that_a_fork_goes_on_with_stays_whole(place):
    whole = list(prove(SHARD, OPTIONS, Tally(), place=place))
    stream = prove(SHARD, OPTIONS, Tally(), place=place)
    start = [next(stream) for _ in range(2)]
    child = os.fork()
    if child == 0:
        os._exit(0 if [*start, *stream] == whole else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert [*start, *stream] == whole


def test_a_folder_that_workers_die_of_is_an_error(place, monkeypatch):
    def die(self):
        raise Died("crashed", None)

    monkeypatch.setattr(Worker, "_next", die)
    with pytest.raises(InputError, match="a worker process crashed while it read templates"):
        shards_of(Place(place.templates_dir, draft_seconds=4), TASKS)
