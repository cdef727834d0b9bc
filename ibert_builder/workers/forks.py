"""Forked processes that end when their parent is killed, instead of waiting for ever for work or holding its locks."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

INTERVAL = 0.2  # seconds between two looks

_parent: int | None = None  # the process whose forks are to end with it


def _end_with(parent: int) -> None:
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
        _end_with(parent)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
