"""A worker: a process that confines itself and then does what it is asked to, one request after another, until its parent is gone.

It is started as `python -c START SETTINGS` with the protocol's pipes as its standard input and output.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ibert_builder.errors import InputError
from ibert_builder.workers import frames
from ibert_builder.workers.confinement import Limits, confine, limit_cpu_time
from ibert_builder.workers.readable import readable

if TYPE_CHECKING:
    from ibert_builder.workers.channel import Channel

# Nothing of this package can be imported before `sys.path` is the parent's; nor, if that fails, help to say so.
START = """
import json, os, struct, sys, traceback
settings = json.loads(sys.argv[1])
sys.path[:] = settings["path"]
try:
    from ibert_builder.workers.main import main
except BaseException:
    content = json.dumps({"failed": traceback.format_exc()}).encode()
    os.write(1, struct.pack("!Q", len(content)) + content)
    raise
main(settings)
"""
IDLE = 600.0  # seconds after which an unused worker ends itself
DRAFT_CPU = 60.0  # seconds of CPU time for the proof of a draft
OTHER_CPU = 300.0  # for whatever comes between two proofs: reading templates, making rows, drawing


class _Abandoned(BaseException):
    """Nobody wants the rest of an answer. Not an Exception, since nobody else may catch it."""


def main(settings: Mapping[str, Any]) -> None:
    """Serve the parent until it is gone."""
    sys.dont_write_bytecode = True
    # From here on, what is printed goes nowhere, and what is read is empty.
    requests, answers = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides
        _end_with_parent(settings["lifeline"], settings["parent"])
        confined: dict[str, str] = {}
        if settings["confined"]:
            confined = confine(Limits(readable(settings["read"]), tuple(settings["write"])))
        # Under the walls: code of the packages runs when they are imported, and starts threads.
        import ibert_builder.generation.generate  # noqa: F401
        from ibert_builder.workers.channel import Pipe
    except BaseException:  # a module may even exit when it is imported
        frames.write(answers, frames.encode_answer({"failed": traceback.format_exc()}))
        return
    frames.write(answers, frames.encode_answer({"ready": confined}))
    with contextlib.suppress(EOFError, BrokenPipeError):
        while select.select([requests], [], [], IDLE)[0]:
            _serve(frames.read_request(requests), answers, Pipe)


def _serve(request: bytes, answers: int, pipe: Callable[..., Channel]) -> None:
    abandoned = threading.Event()
    signal.signal(signal.SIGUSR1, lambda *_: abandoned.set())

    def send(answer: Any) -> None:
        frames.write(answers, frames.encode_answer(answer))

    def watch(proving: bool) -> None:
        if abandoned.is_set():
            raise _Abandoned
        limit_cpu_time(DRAFT_CPU if proving else OTHER_CPU)

    limit_cpu_time(OTHER_CPU)
    try:
        function, arguments, refused = frames.decode_request(request)
        function(pipe(send, watch, refused), *arguments)
        send({"end": None})
    except _Abandoned:
        send({"end": None})
    except InputError as error:
        place = None if error.file is None else str(error.file)
        send({"wrong": {"problem": error.problem, "file": place, "line": error.line, "key": error.key}})
    except Exception:
        send({"failed": traceback.format_exc()})


def _end_with_parent(lifeline: int, parent: int) -> None:
    """End this process when its parent does: by the system where that can be, otherwise by a thread that looks.

    The parent has the other end of the lifeline, a pipe, open and never writes to it, so that all that can happen there is its end.
    """
    import fcntl  # which Windows has not, where this module can be imported all the same

    os.set_inheritable(lifeline, False)
    if hasattr(fcntl, "F_SETSIG"):  # Linux
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    else:
        threading.Thread(target=lambda: (os.read(lifeline, 1), os._exit(1)), daemon=True).start()
    if os.getppid() != parent:  # it was gone before
        os._exit(1)
