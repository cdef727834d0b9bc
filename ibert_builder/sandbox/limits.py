"""How long untrusted code and SQL may run, and how much memory they may take besides what is taken already.

One thread watches everything that runs in the process. The ceiling on memory is the operating system's own and exists
where it has one (Linux); it holds for what is asked for while the code runs, so that a bomb fails before it goes off.
"""

from __future__ import annotations

import ctypes
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from ibert_builder.errors import ForbiddenCode

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

TIME_LIMIT = 5.0  # seconds; sample queries take milliseconds
MEMORY_LIMIT = 512 << 20  # bytes
SWEEP = 0.2  # seconds between two looks at the clock
AGAIN = 1.0  # seconds after which code that has swallowed its end is stopped once more

T = TypeVar("T")
Stop = Callable[[], object]


class LimitReached(ForbiddenCode):
    """Code that ran out of time or memory; the message says which, and how much it had."""


class TimeIsUp(BaseException):
    """Ends code in mid-flight. Not an Exception, since libraries catch those and go on."""


class _Watch:
    """What is running, by thread, with the moment it has to end and what ends it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[int, tuple[float, Stop]] = {}
        self._thread: threading.Thread | None = None

    def begin(self, stop: Stop) -> None:
        if self._thread is None or not self._thread.is_alive():  # a forked process has none
            self._lock = threading.Lock()
            self._thread = threading.Thread(target=self._sweep, name="ibert-limits", daemon=True)
            self._thread.start()
        self._running[threading.get_ident()] = (time.monotonic() + TIME_LIMIT, stop)

    def end(self) -> None:
        """Afterwards nothing is stopped any more."""
        with self._lock:
            self._running.pop(threading.get_ident(), None)

    def _sweep(self) -> None:
        while True:
            time.sleep(SWEEP)
            with self._lock:
                now = time.monotonic()
                for thread, (end, stop) in list(self._running.items()):
                    if now > end:
                        stop()
                        self._running[thread] = (now + AGAIN, stop)


_watch = _Watch()


def run_query(work: Callable[[], T], interrupt: Stop) -> T:
    """Run something that a call of `interrupt` ends.

    Raises:
        MemoryError: it wanted more than MEMORY_LIMIT.
        Exception: whatever `work` raises, when interrupted too.
    """
    _watch.begin(interrupt)
    ceiling = _lower_ceiling()
    try:
        return work()
    finally:
        _raise_ceiling(ceiling)
        _watch.end()


def run_code(work: Callable[[], T], interrupt: Stop) -> T:
    """Run Python code that nothing needs to help end; `interrupt` ends a query of its.

    Raises:
        LimitReached: it ran out of time or memory, or nested too deeply.
        Exception: whatever `work` raises.
    """
    thread = threading.get_ident()
    is_stopped = threading.Event()

    def stop() -> None:
        is_stopped.set()
        interrupt()
        _throw(thread, TimeIsUp)

    ceiling = _lower_ceiling()
    try:
        try:
            _watch.begin(stop)
            return work()
        finally:
            _watch.end()
            _throw(thread, None)  # one that was thrown at the last moment and has not arrived
    except (Exception, TimeIsUp) as error:
        _watch.end()  # where the end arrived before that was done
        if is_stopped.is_set():  # whatever libraries made of their end
            raise LimitReached(f"stopped at the time limit of {TIME_LIMIT:g} s") from None
        if isinstance(error, MemoryError):
            raise LimitReached(f"stopped at the memory limit of {MEMORY_LIMIT >> 20} MiB") from None
        if isinstance(error, RecursionError):
            raise LimitReached(f"stopped at Python's limit of nesting: {error}") from None
        raise
    finally:
        _raise_ceiling(ceiling)


def _throw(thread: int, kind: type[BaseException] | None) -> None:
    exception = ctypes.py_object() if kind is None else ctypes.py_object(kind)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), exception)


def _lower_ceiling() -> bool:
    """Let the process grow by MEMORY_LIMIT and no more; whether it could be done."""
    if _USUAL is None:
        return False
    file = os.open(_SIZE, os.O_RDONLY)  # not a Path: this runs several times for every example
    size = int(os.read(file, 32).split(maxsplit=1)[0]) * _PAGE
    os.close(file)
    ceiling, hard = size + MEMORY_LIMIT, _USUAL[1]
    if 0 <= _USUAL[0] < ceiling:
        return False  # the user's own ceiling is lower
    resource.setrlimit(resource.RLIMIT_AS, (ceiling, hard))
    return True


def _raise_ceiling(was_lowered: bool) -> None:
    if was_lowered and _USUAL is not None:
        resource.setrlimit(resource.RLIMIT_AS, _USUAL)


_SIZE = "/proc/self/statm"
_PAGE = resource.getpagesize() if resource else 0
_USUAL = resource.getrlimit(resource.RLIMIT_AS) if resource and Path(_SIZE).exists() else None
