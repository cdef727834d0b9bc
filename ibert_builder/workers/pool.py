"""Call functions in workers, keep the workers for the next call, and carry on when one dies."""

from __future__ import annotations

import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from pydantic import TypeAdapter

from ibert_builder.errors import InputError
from ibert_builder.generation.catalog import default_templates_dir
from ibert_builder.workers.channel import Here
from ibert_builder.workers.worker import ENVIRONMENT, Died, Place, Worker

Item = TypeVar("Item")
Given = TypeVar("Given")

# How many workers a draft may end before it is refused. The first may have died of something else: nobody knows who killed it.
TRIES = {"over_time": 2, "crashed": 2, "over_memory": 3}
STARTS = 4  # workers in a row that may die before the first draft
KEPT = os.cpu_count() or 1  # idle workers

_idle: list[tuple[object, Worker]] = []
_lock = threading.RLock()  # a generator that is closed by the garbage collector may come in between


class Deaths:
    """What ended the workers of one piece of work, and what is done about it.

    Attributes:
        refused: the drafts that no worker is to prove any more, and why.
    """

    def __init__(self) -> None:
        self.refused: dict[str, str] = {}
        self._counts: Counter[str | None] = Counter()

    def progress(self) -> None:
        """Something was done since the last death."""
        del self._counts[None]

    def note(self, died: Died) -> None:
        """Decide that work goes on in another worker.

        Raises:
            InputError: it cannot.
        """
        self._counts[died.draft] += 1
        if died.draft is not None:
            if self._counts[died.draft] >= TRIES[died.reason]:
                self.refused[died.draft] = died.reason
        elif self._counts[None] >= STARTS or died.reason == "over_time":
            words = {"over_time": "took too long", "over_memory": "was killed, perhaps for want of memory"}
            raise InputError(
                f"a worker process {words.get(died.reason, 'crashed')} while it read templates or drew from them"
            )


class Cancelled(Exception):
    """Work that another thread has ended."""


class Cancellation:
    """Ends what workers do for other threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._workers: set[Worker] = set()
        self._is_cancelled = False

    @contextmanager
    def over(self, worker: Worker) -> Iterator[None]:
        """While this lasts, `cancel` ends the worker.

        Raises:
            Cancelled: it was called before.
        """
        with self._lock:
            if self._is_cancelled:
                raise Cancelled
            self._workers.add(worker)
        try:
            yield
        finally:
            with self._lock:
                self._workers.discard(worker)

    def cancel(self) -> None:
        with self._lock:
            self._is_cancelled = True
            for worker in self._workers:
                worker.interrupt()


@contextmanager
def lease(place: Place, cancellation: Cancellation | None = None) -> Iterator[Worker]:
    """A worker to oneself: an idle one, or a new one.

    Raises:
        InputError: nothing confines it, and the templates are neither the package's own nor trusted.
        Died: it does so at its start.
        WorkerError: it cannot be set up.
    """
    key = (place, tuple(sys.path), tuple(os.environ.get(name) for name in ENVIRONMENT))
    worker = _take(key) or Worker(place)
    try:
        _refuse_unconfined(worker, place)
        with (cancellation or Cancellation()).over(worker):
            yield worker
    finally:
        worker.stop()
        if worker.is_alive:
            _keep(key, worker)


def _refuse_unconfined(worker: Worker, place: Place) -> None:
    own = place.templates_dir in (None, str(default_templates_dir()))
    if "files" not in worker.confined and not own and not place.trusted:
        raise InputError(
            "template code runs with your own rights here, since this system cannot confine it (see `ibert-multitask doctor`);"
            " pass --trust-templates (in Python `trust_templates=True`) if you trust whoever wrote these templates",
            file=place.templates_dir,
        )


def _take(key: object) -> Worker | None:
    with _lock:
        for kept in [kept for kept in reversed(_idle) if kept[0] == key]:
            _idle.remove(kept)
            if kept[1].is_alive:
                return kept[1]
            kept[1].kill()
    return None


def _keep(key: object, worker: Worker) -> None:
    with _lock:
        _idle.append((key, worker))
        while len(_idle) > KEPT:
            _idle.pop(0)[1].kill()


def _forget_in_fork() -> None:
    """A fork has workers of its own."""
    global _lock
    _lock = threading.RLock()
    _idle.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_fork)


def call(
    function: Callable[..., None],
    *arguments: Any,
    place: Place,
    gives: type[Given],
    cancellation: Cancellation | None = None,
) -> Given:
    """What a function gives, once, that is called in a worker with a `Channel` and these arguments.

    Args:
        function: of a module that can be imported.
        arguments: they are pickled.
        place: what the worker may see.
        gives: the type of what it gives; what comes out of a worker is checked against it.
        cancellation: lets another thread end the call.

    Raises:
        InputError: the function raises it; or workers die, and not of a draft that can be refused.
        WorkerError: the function raises anything else.
    """
    if place.in_process:
        here = Here()
        function(here, *arguments)
        return here.given[0]
    deaths = Deaths()
    while True:
        try:
            with lease(place, cancellation) as worker:
                (given,) = worker.ask(function, arguments, TypeAdapter(gives), deaths.refused)
                return given
        except Died as died:
            deaths.note(died)


def in_order(
    work: Callable[[Item, Cancellation], Given], items: Sequence[Item], num_proc: int
) -> Generator[Given, None, None]:
    """The results of work that is done in workers, so many at a time, in the order of the items."""
    cancellation = Cancellation()
    if num_proc == 1:
        yield from (work(item, cancellation) for item in items)
        return
    with ThreadPoolExecutor(num_proc, "ibert-workers") as threads:
        futures = [threads.submit(work, item, cancellation) for item in items]
        try:
            for future in futures:
                yield future.result()
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            cancellation.cancel()
            raise
