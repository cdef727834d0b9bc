"""Work spread over processes, and child processes that end when their parent is killed, instead of waiting for ever for
work or holding its locks.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from typing import TypeVar

from ibert_builder.errors import InputError

Item = TypeVar("Item")
Done = TypeVar("Done")

INTERVAL = 0.2  # seconds between two looks

_parent: int | None = None  # the process whose forks are to end with it


def in_order(function: Callable[[Item], Done], items: Sequence[Item], num_proc: int) -> Iterator[Done]:
    """The results of a function for every item, in the order of the items; in this process if `num_proc` is 1.

    Raises:
        InputError: a worker process was killed.
    """
    if num_proc == 1:
        yield from map(function, items)
        return
    # Fresh processes: a fork would inherit DuckDB's threads half alive.
    with ProcessPoolExecutor(
        num_proc, mp_context=get_context("spawn"), initializer=end_with, initargs=(os.getpid(),)
    ) as pool:
        futures = [pool.submit(function, item) for item in items]
        try:
            for future in futures:
                yield future.result()
        except BrokenProcessPool:
            raise InputError(
                "a worker process was killed, perhaps for want of memory; try fewer", key="--num-proc"
            ) from None
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def end_with(parent: int) -> None:
    """Let this process end as soon as process `parent`, which started it, is gone."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(INTERVAL)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def forks_end_with_this() -> Iterator[None]:
    """While this lasts, forked children of this process, which `datasets` starts for itself, end with it."""
    global _parent
    before, _parent = _parent, os.getpid()
    try:
        yield
    finally:
        _parent = before


def _after_fork() -> None:
    global _parent
    parent, _parent = _parent, None
    if parent is not None:
        end_with(parent)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
