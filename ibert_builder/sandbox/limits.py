"""How long untrusted code and SQL may run, and how much memory they may allocate while they do.

One thread watches everything that runs in the process. The memory limit is the operating system's limit on the address
space, where there is one (Linux). It is lowered while code runs, so that an allocation beyond it fails at once.
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
MEMORY_LIMIT = 512 << 20  # bytes, on top of what the process has when the code starts
SWEEP = 0.2  # seconds between two looks at the clock
AGAIN = 1.0  # seconds after which code that caught its own interruption is interrupted again

T = TypeVar("T")
Stop = Callable[[], object]


class LimitReached(ForbiddenCode):
    """Code ran out of time or memory; the message says which, and what the limit is."""


class TimeIsUp(BaseException):
    """Interrupts running code. Not an Exception, since libraries catch those and carry on."""


class _Watch:
    """What is running, by thread: when its time is up, and the function that stops it."""

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
        """Forget what this thread runs. Once this has returned, its `stop` is not called any more."""
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


def limit_query(work: Callable[[], T], interrupt: Stop) -> T:
    """Run a query, and call `interrupt` when its time is up.

    Raises:
        MemoryError: it wanted more than MEMORY_LIMIT.
        Exception: whatever `work` raises, also on being interrupted.
    """
    _watch.begin(interrupt)
    ceiling = _lower_ceiling()
    try:
        return work()
    finally:
        _raise_ceiling(ceiling)
        _watch.end()


def limit_code(work: Callable[[], T], interrupt: Stop) -> T:
    """Run Python code within the limits; `interrupt` stops the queries it may be waiting for.

    Raises:
        LimitReached: it ran out of time or memory, or nested too deeply.
        Exception: whatever `work` raises.
    """
    thread = threading.get_ident()
    is_stopped = threading.Event()

    def stop() -> None:
        is_stopped.set()
        interrupt()
        _interrupt(thread)

    ceiling = _lower_ceiling()
    try:
        try:
            _watch.begin(stop)
            return work()
        finally:
            _watch.end()
            if is_stopped.is_set():
                _absorb_interruption(thread)
    except (Exception, TimeIsUp) as error:
        _watch.end()  # the interruption may have arrived before the call above was done
        if is_stopped.is_set():  # whatever libraries made of the interruption
            raise LimitReached(f"stopped at the time limit of {TIME_LIMIT:g} s") from None
        if isinstance(error, MemoryError):
            raise LimitReached(f"stopped at the memory limit of {MEMORY_LIMIT >> 20} MiB") from None
        if isinstance(error, RecursionError):
            raise LimitReached(f"stopped at Python's recursion limit: {error}") from None
        raise
    finally:
        _raise_ceiling(ceiling)


def _interrupt(thread: int) -> None:
    """Have a thread raise TimeIsUp at its next step of Python."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(TimeIsUp))


def _absorb_interruption(thread: int) -> None:
    """Let an interruption of this thread that may be on its way arrive here, and nowhere later.

    One is thrown for certain, in the place of any that has not arrived. Taking it back instead (with NULL) makes
    CPython 3.11 hang under a profiler, tracer or debugger.
    """
    try:
        _interrupt(thread)
        while True:
            pass
    except TimeIsUp:
        return


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
