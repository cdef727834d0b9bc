"""Output formats: how records become files. A format is one `Writer` in `WRITERS`; `build` knows no more of it than that."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from ibert_builder.tasks.base import Record


class Sink(Protocol):
    """A file that is being written."""

    def write(self, chunk: bytes, /) -> object: ...


class Writer(Protocol):
    """One output format.

    Attributes:
        suffix: of its files, without the dot.
    """

    suffix: str

    def encode(self, records: Iterable[Record]) -> bytes:
        """Records of one task, as the piece of a file that a process hands to the one that writes."""

    def open(self, path: Path) -> AbstractContextManager[Sink]:
        """A new file, to which pieces are written in their order; a file without pieces is one without records."""

    def join(self, parts: Sequence[Path], whole: Path) -> None:
        """Write a file with the records of several others, one after the other."""


class Jsonl:
    """A record a line, nested as the seed has it."""

    suffix = "jsonl"

    def encode(self, records: Iterable[Record]) -> bytes:
        return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()

    def open(self, path: Path) -> AbstractContextManager[Sink]:
        return path.open("wb")

    def join(self, parts: Sequence[Path], whole: Path) -> None:
        with whole.open("wb") as joined:
            for part in parts:
                with part.open("rb") as lines:
                    shutil.copyfileobj(lines, joined)


WRITERS: dict[str, Writer] = {"jsonl": Jsonl()}
