"""What the tests let workers do.

Workers import this module, so it imports nothing that needs more than they may have, such as `datasets`.
"""

from __future__ import annotations

import datetime
import hashlib
import os
import re
import signal
import time
from pathlib import Path
from typing import Any

import duckdb

import ibert_builder.sandbox.check
from ibert_builder.errors import InputError
from ibert_builder.execution import engine as engine_module
from ibert_builder.generation.catalog import load_catalog
from ibert_builder.sandbox.policy import FILES
from ibert_builder.workers.channel import Channel
from ibert_builder.workers.shards import give_records
from ibert_builder.workers.worker import Place

HERE = Place(read=(str(Path(__file__).parent.parent),))


def give_back(channel: Channel, *values: Any) -> None:
    for value in values:
        channel.give(value)


def give_pid(channel: Channel) -> None:
    channel.give(os.getpid())


def give_dates(channel: Channel) -> None:
    """Today's date by Python and by DuckDB."""
    channel.give([str(datetime.date.today()), str(duckdb.sql("SELECT current_date").fetchone()[0])])


def count_drafts(channel: Channel, number: int) -> None:
    for index in range(number):
        channel.at(f"draft {index}")
        channel.give(index)


def fail(channel: Channel, kind: str) -> None:
    raise InputError("wrong", file="x.yaml", line=3, key="k") if kind == "input" else ZeroDivisionError(kind)


def hold_the_interpreter(channel: Channel) -> None:
    """Stay in one step that lets no other thread of Python's run."""
    channel.give(os.getpid())
    channel.at("a regular expression")
    re.match("(a+)+$", "a" * 60 + "b")


def run_python(channel: Channel, source: str) -> None:
    """Run Python as it is, as if there were no allow-list at all, and give what it leaves in `found`."""
    namespace: dict[str, Any] = {}
    channel.at(source[:40])
    try:
        exec(source, namespace)
    except BaseException as error:
        channel.give(f"{type(error).__name__}: {error}"[:2000])
        return
    channel.give(f"found: {namespace.get('found')!r}"[:2000])


def run_unchecked(channel: Channel, templates_dir: str, code: str) -> None:
    """Run code in the engine of a database with the allow-list switched off, and give its value."""
    ibert_builder.sandbox.check.check = lambda *_: None
    engine_module.builtins_for = lambda _: __builtins__
    engine = engine_module.engine_for(load_catalog(templates_dir).databases["webshop"])
    channel.at(code[:40])
    try:
        value = engine.evaluate(code, FILES)
        channel.give(f"found: {value!r}"[:2000])
    except Exception as error:
        channel.give(f"{type(error).__name__}: {error}"[:2000])


ENDS = {
    "crashed": lambda: os.abort(),
    "over_time": lambda: time.sleep(3600),
    "over_memory": lambda: os.kill(os.getpid(), signal.SIGKILL),
}
EVERY = 38  # so many drafts, one of them for each of the ends


def end_of(draft: str) -> str | None:
    """How the proof of a draft is to end its worker; most do not."""
    number = int.from_bytes(hashlib.sha256(draft.encode()).digest()[:4], "big") % EVERY
    return dict(enumerate(ENDS)).get(number)


class Spoiled:
    """A channel on which the proof of some drafts ends the process."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.give, self.done = channel.give, channel.done

    def at(self, draft: str) -> None:
        self._channel.at(draft)
        if end := end_of(draft):
            ENDS[end]()


def give_spoiled_records(channel: Channel, *arguments: Any) -> None:
    give_records(Spoiled(channel), *arguments)
