"""Whether the walls around a worker hold: it is made to run against each of them."""

from __future__ import annotations

import contextlib
import mmap
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter

from ibert_builder.workers.channel import Channel
from ibert_builder.workers.confinement import ADDRESS_SPACE, PARTS
from ibert_builder.workers.pool import call, lease
from ibert_builder.workers.worker import ENVIRONMENT, Died, Place

BRIEF = 1.0  # seconds
OWN = ("HOME", "TMPDIR", "LC_CTYPE")  # variables that every worker has for itself


@dataclass(frozen=True)
class Outside:
    """What a worker must not reach: the files of a folder, a listening port, its parent, variables of its environment."""

    folder: str
    port: int
    parent: int
    variables: tuple[str, ...]

    @property
    def canary(self) -> Path:
        return Path(self.folder) / "canary"


@dataclass(frozen=True)
class Part:
    """A part of the confinement: by what it holds (None where nothing confines it), and what got through all the same."""

    name: str
    by: str | None
    breaches: tuple[str, ...]


def probe(place: Place) -> list[Part]:
    """Try every part of the confinement of workers, in the order of PARTS.

    Raises:
        WorkerError, Died: no worker starts.
    """
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="ibert-canary-"))
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        variables = tuple(name for name in os.environ if name not in (*ENVIRONMENT, *OWN))
        outside = Outside(folder, listener.getsockname()[1], os.getpid(), variables)
        outside.canary.write_text("", encoding="utf-8")
        with lease(place) as worker:
            confined = dict(worker.confined)
        breaches = call(give_breaches, outside, place=place, gives=list[tuple[str, str]])
    if _overstays(replace(place, draft_seconds=BRIEF)):
        breaches.append(("time", "goes on after its time"))
    return [
        Part(name, confined.get(name), tuple(words for part, words in breaches if part == name))
        for name in PARTS
    ]


def give_breaches(channel: Channel, outside: Outside) -> None:
    """Try to get out, and give (part, what could be done) for every way that was open."""
    channel.give([(part, words) for part, words, attempt in ATTEMPTS if _succeeds(attempt, outside)])


def _succeeds(attempt: Callable[[Outside], object], outside: Outside) -> bool:
    try:
        return bool(attempt(outside))
    except (OSError, MemoryError):
        return False


def _connects(outside: Outside) -> bool:
    with socket.create_connection(("127.0.0.1", outside.port), timeout=BRIEF):
        return True


def _forks(_: Outside) -> bool:
    child = os.fork()
    if child == 0:
        os._exit(0)
    return bool(os.waitpid(child, 0))


def _chmods(outside: Outside) -> bool:
    outside.canary.chmod(0o600)
    return True


def _maps(_: Outside) -> bool:
    with mmap.mmap(-1, ADDRESS_SPACE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS):  # promised, and never used
        return True


def _signals(outside: Outside) -> bool:
    os.kill(outside.parent, 0)
    return True


ATTEMPTS: tuple[tuple[str, str, Callable[[Outside], object]], ...] = (
    ("environment", "sees its parent's variables", lambda outside: set(outside.variables) & set(os.environ)),
    ("files", "reads a file", lambda outside: [outside.canary.read_bytes()]),
    ("files", "lists a folder", lambda outside: [*Path(outside.folder).iterdir()]),
    ("files", "writes a file", lambda outside: [(Path(outside.folder) / "new").write_bytes(b"")]),
    (
        "files",
        "reads its parent's variables",
        lambda outside: Path(f"/proc/{outside.parent}/environ").read_bytes(),
    ),
    ("permissions", "changes a file's permissions", _chmods),
    ("network", "connects to a port of this machine", _connects),
    ("processes", "starts a process", _forks),
    (
        "processes",
        "runs a program",
        lambda _: subprocess.run([sys.executable, "-c", ""], check=False).returncode == 0,
    ),
    ("signals", "reaches its parent with signals", _signals),
    ("memory", "gets more memory than it should", _maps),
)


def hang(channel: Channel) -> None:
    """Be at a draft for ever."""
    channel.at("hang")
    while True:
        time.sleep(BRIEF)


def _overstays(place: Place) -> bool:
    with lease(place) as worker:
        try:
            list(worker.ask(hang, (), TypeAdapter(None), {}))
        except Died as died:
            return died.reason != "over_time"
    return True
