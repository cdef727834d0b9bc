"""Work spread over processes, its results in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

Item = TypeVar("Item")
Done = TypeVar("Done")


def in_order(function: Callable[[Item], Done], items: Sequence[Item], num_proc: int) -> Iterator[Done]:
    """The results of a function for every item, in the order of the items; in this process if `num_proc` is 1."""
    if num_proc == 1:
        yield from map(function, items)
        return
    # Fresh processes: a fork would inherit DuckDB's threads half alive.
    with ProcessPoolExecutor(num_proc, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(function, item) for item in items]
        try:
            for future in futures:
                yield future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
