"""The parent's side of a worker: start it, send it requests, read its answers, end it."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from ibert_builder.errors import InputError, wrong_value
from ibert_builder.workers import frames
from ibert_builder.workers.main import START

Given = TypeVar("Given")

OTHER_SECONDS = 300.0  # between two signs of life outside of proofs
STOP_SECONDS = 2.0  # for a worker to stop that is told to

ENVIRONMENT = (
    "PATH",
    "LANG",
    "LC_ALL",
    "TZ",
    "PYTHONHASHSEED",
    "SYSTEMROOT",
)  # all that a worker sees of its parent's

# What an end by a signal means; a process that is killed and not by us was usually killed for want of memory.
REASONS = {"SIGXCPU": "over_time", "SIGKILL": "over_memory"}


class Died(Exception):
    """A worker ended in the middle of a request.

    Attributes:
        reason: `over_time`, `over_memory` or `crashed`.
        draft: the key of the draft it was proving, None if there was none.
    """

    def __init__(self, reason: str, draft: str | None) -> None:
        super().__init__(f"{reason} at {draft}" if draft else reason)
        self.reason, self.draft = reason, draft


class WorkerError(RuntimeError):
    """A bug in what a worker runs; the message is its traceback."""


@dataclass(frozen=True)
class Place:
    """What workers must have in common to stand in for one another.

    Attributes:
        templates_dir: the folder of templates, which they may read.
        read: other files and folders that they may read.
        write: folders that they may write to, besides their own.
        trusted: whether the templates may be read where nothing confines the worker.
        draft_seconds: for the proof of a draft, by the clock; it takes milliseconds.
        confined: False only in tests.
        in_process: do the work in this process instead, for tests whose tasks or dialects no worker knows.
    """

    templates_dir: str | None = None
    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()
    trusted: bool = False
    draft_seconds: float = 90.0
    confined: bool = True
    in_process: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.trusted, bool):
            raise wrong_value("trust_templates", self.trusted, "True or False")


class Worker:
    """A worker process. One thread at a time may use it, and only in the process that started it.

    Attributes:
        confined: by what each part of its confinement holds; see `confinement.PARTS`.
        is_idle: whether it waits for a request, so that it can be used again.
    """

    def __init__(self, place: Place) -> None:
        """Start a worker and wait until it is ready.

        Raises:
            InputError: this is no POSIX system.
            WorkerError: it cannot be set up.
            Died: it ends before that.
        """
        if os.name != "posix":
            raise InputError(
                "template code runs in worker processes, which need Linux, macOS or the like (on Windows: WSL)"
            )
        self.is_idle = False
        self._place = place
        self._owner = os.getpid()
        self._draft: str | None = None
        self._folder = tempfile.mkdtemp(prefix="ibert-worker-")
        lifeline, self._lifeline = os.pipe()
        settings = {
            "path": [str(Path(entry).absolute()) for entry in sys.path],
            "read": [path for path in (place.templates_dir, *place.read) if path],
            "write": [self._folder, *place.write],
            "confined": place.confined,
            "lifeline": lifeline,
            "parent": os.getpid(),
        }
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", START, json.dumps(settings)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                pass_fds=(lifeline,),
                cwd=self._folder,
                env=_environment(self._folder),
                bufsize=0,
            )
        except OSError as error:
            os.close(self._lifeline)
            shutil.rmtree(self._folder, ignore_errors=True)
            raise WorkerError(f"a worker process does not start: {error}") from error
        finally:
            os.close(lifeline)
        assert self._process.stdin and self._process.stdout
        _living.add(self)
        self._requests = self._process.stdin.fileno()
        self._answers = frames.Answers(self._process.stdout.fileno())
        answer = self._next()
        if "ready" not in answer:
            self.kill()
            raise WorkerError(f"a worker process does not start: {answer.get('failed')}")
        self.confined: Mapping[str, str] = answer["ready"]
        self.is_idle = True

    def ask(
        self,
        function: Callable[..., None],
        arguments: tuple[Any, ...],
        gives: TypeAdapter[Given],
        refused: Mapping[str, str],
    ) -> Iterator[Given]:
        """Let it call a function with a `Channel` and arguments, and yield what that gives.

        Args:
            function: of a module that can be imported.
            arguments: they are pickled.
            gives: the type of what it gives; nothing else comes out of this.
            refused: the drafts that are not to be proved, and why.

        Raises:
            Died: the worker is gone, by itself or because it took too long.
            InputError: the function raised it.
            WorkerError: the function raised anything else, or gave what it should not.
        """
        self.is_idle, self._draft = False, None
        try:
            frames.write(self._requests, frames.encode_request((function, arguments, dict(refused))))
        except OSError:
            raise self._death() from None
        while True:
            answer = self._next()
            if "give" in answer:
                self._draft = None
                yield self._validated(answer["give"], gives)
            elif "at" in answer:
                self._draft = answer["at"]
            elif "end" in answer:
                self.is_idle = True
                return
            else:
                self.is_idle = True
                raise InputError(**answer["wrong"]) if "wrong" in answer else WorkerError(answer["failed"])

    def _validated(self, given: Any, gives: TypeAdapter[Given]) -> Given:
        try:
            return gives.validate_python(given)
        except ValidationError as error:
            self.kill()
            raise WorkerError(f"a worker process gives what is not expected: {error}") from error

    def stop(self) -> None:
        """Let it leave a request of which nobody wants the rest; afterwards it is idle, or gone."""
        if self._is_own and not self.is_idle:
            self._process.send_signal(signal.SIGUSR1)
            end = time.monotonic() + STOP_SECONDS
            with contextlib.suppress(frames.Silent, frames.Closed, frames.Malformed, OSError):
                while not self.is_idle and time.monotonic() < end:
                    self.is_idle = "end" in self._answers.next(end - time.monotonic())
        if not self.is_idle:
            self.kill()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._is_own and self._process.poll() is None

    def interrupt(self) -> None:
        """Kill it, for another thread than the one that uses it, which then finds it dead."""
        if self._is_own:
            self._process.kill()

    def kill(self) -> None:
        """End it at once, with what it wrote."""
        self.is_idle = False
        _living.discard(self)
        if self._is_own:
            self._process.kill()
            self._process.wait()
            shutil.rmtree(self._folder, ignore_errors=True)
            self.let_go()

    def let_go(self) -> None:
        """Close the pipes, without a word to the worker."""
        assert self._process.stdin and self._process.stdout
        self._owner = 0
        self._process.stdin.close()
        self._process.stdout.close()
        os.close(self._lifeline)

    @property
    def _is_own(self) -> bool:
        return self._owner == os.getpid()

    def _next(self) -> dict[str, Any]:
        if not self._is_own:  # a fork of the process that started it
            raise Died("crashed", None)
        try:
            answer = self._answers.next(self._place.draft_seconds if self._draft else OTHER_SECONDS)
        except frames.Silent:
            draft = self._draft
            self.kill()
            raise Died("over_time", draft) from None
        except frames.Malformed:
            draft = self._draft
            self.kill()
            raise Died("crashed", draft) from None
        except frames.Closed:
            raise self._death() from None
        if not isinstance(answer, dict) or len(answer) != 1:
            self.kill()
            raise Died("crashed", self._draft)
        return answer

    def _death(self) -> Died:
        """What ended it."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        code = self._process.returncode
        self.kill()
        name = signal.Signals(-code).name if code is not None and code < 0 else ""
        return Died(REASONS.get(name, "crashed"), self._draft)


def _environment(folder: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
    return {**kept, "HOME": folder, "TMPDIR": folder}


def _forget_in_fork() -> None:
    """A fork has copies of the pipes, and no children."""
    for worker in _living:
        worker.let_go()
    _living.clear()


def _end_all() -> None:
    for worker in list(_living):
        worker.kill()


_living: set[Worker] = set()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_fork)
atexit.register(_end_all)
