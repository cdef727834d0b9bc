"""What the two sides of a worker say to each other: frames, each a length and so many bytes, over two pipes.

Requests are pickles, since a worker may believe its parent. Answers are JSON, because the parent must not: untrusted code runs in the
worker, and a pickle of its making would run in the user's process.
"""

from __future__ import annotations

import json
import os
import pickle
import select
import struct
import time
from typing import Any

from pydantic_core import to_jsonable_python

_LENGTH = struct.Struct("!Q")
LONGEST = 256 << 20  # bytes of an answer; those of the largest shard's audit are a fiftieth of that
_CHUNK = 1 << 16


class Malformed(Exception):
    """An answer that is too long or is not JSON."""


class Silent(Exception):
    """No whole answer came in time."""


class Closed(Exception):
    """The other side is gone."""


def encode_request(request: Any) -> bytes:
    return _framed(pickle.dumps(request))


def encode_answer(answer: Any) -> bytes:
    """A frame of what JSON knows, or pydantic turns into that: dataclasses, counters, paths."""
    return _framed(json.dumps(answer, default=to_jsonable_python).encode())


def _framed(content: bytes) -> bytes:
    return _LENGTH.pack(len(content)) + content


def write(pipe: int, frame: bytes) -> None:
    """Write a whole frame.

    Raises:
        BrokenPipeError: the other side is gone.
    """
    view = memoryview(frame)
    while view:
        view = view[os.write(pipe, view) :]


def read_request(pipe: int) -> bytes:
    """Wait for a request.

    Raises:
        EOFError: there will be no more.
    """
    return _exactly(pipe, _LENGTH.unpack(_exactly(pipe, _LENGTH.size))[0])


def decode_request(content: bytes) -> Any:
    """What was asked. Imports the modules that it names, and raises what they do."""
    return pickle.loads(content)


def _exactly(pipe: int, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        part = os.read(pipe, size - len(parts))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)


class Answers:
    """The answers that come out of a pipe, one by one."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._buffer = bytearray()
        self._poll = select.poll()
        self._poll.register(pipe, select.POLLIN)

    def next(self, seconds: float) -> Any:
        """The next answer.

        Raises:
            Silent: it is not there whole after so many seconds.
            Closed: the pipe ended before it.
            Malformed: it cannot be read.
        """
        end = time.monotonic() + seconds
        self._fill(_LENGTH.size, end)
        (size,) = _LENGTH.unpack_from(self._buffer)
        if size > LONGEST:
            raise Malformed(f"an answer of {size:,} bytes")
        self._fill(_LENGTH.size + size, end)
        content = bytes(self._buffer[_LENGTH.size : _LENGTH.size + size])
        del self._buffer[: _LENGTH.size + size]
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as error:
            raise Malformed(str(error)) from None

    def _fill(self, size: int, end: float) -> None:
        while len(self._buffer) < size:
            if not self._poll.poll(1000 * max(0, end - time.monotonic())):
                raise Silent
            part = os.read(self._pipe, max(_CHUNK, size - len(self._buffer)))
            if not part:
                raise Closed
            self._buffer += part
