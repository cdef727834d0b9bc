"""What the tests let workers do.

Workers import this module, so it imports nothing that needs more than they may have, such as `datasets`.
"""

from __future__ import annotations

import ast
import builtins
import datetime
import functools
import hashlib
import os
import re
import resource
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import ibis
from ibis import selectors

from ibert_builder.databases.duckdb_tables import NO_SPILL, write_tables
from ibert_builder.databases.model import Database
from ibert_builder.errors import InputError
from ibert_builder.execution.proofs import Rejected
from ibert_builder.generation.catalog import load_catalog
from ibert_builder.generation.generate import Options, Tally, generate
from ibert_builder.tasks.registry import TASKS
from ibert_builder.templating.templates import load_templates
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
    _limit_memory()
    namespace: dict[str, Any] = {}
    channel.at(source[:40])
    try:
        exec(source, namespace)
    except BaseException as error:
        channel.give(f"{type(error).__name__}: {error}"[:2000])
        return
    channel.give(f"found: {namespace.get('found')!r}"[:2000])


def run_bare(channel: Channel, templates_dir: str, language: str, snippet: str) -> None:
    """Run a snippet on the tables of a database, without the allow-list and on a connection without restrictions.

    A process whose `ibis` is not what it was afterwards ends, so that the next snippet can do its worst, too.
    """
    _limit_memory()
    connection = duckdb.connect(config=NO_SPILL)
    write_tables(connection, _webshop(templates_dir))
    before = _state()
    channel.at(snippet[:40])
    try:
        run = (
            connection.execute(snippet).fetchall if language == "sql" else lambda: _value(connection, snippet)
        )
        channel.give(f"found: {run()!r}"[:2000])
    except BaseException as error:
        channel.give(f"{type(error).__name__}: {error}"[:2000])
    if not before.items() <= _state().items():
        os._exit(1)


def _value(connection: duckdb.DuckDBPyConnection, code: str) -> Any:
    backend = ibis.duckdb.from_connection(connection)
    ibis.set_backend(backend)
    tables = {name: backend.table(name) for name in backend.list_tables()}
    namespace = {"ibis": ibis, "_": ibis._, "s": selectors, **tables}
    *before, last = ast.parse(code).body
    exec(compile(ast.Module(before, []), "<snippet>", "exec"), namespace)
    if not isinstance(last, ast.Expr):
        exec(compile(ast.Module([last], []), "<snippet>", "exec"), namespace)
        return None
    value = eval(compile(ast.Expression(last.value), "<snippet>", "eval"), namespace)
    return value.execute() if isinstance(value, ibis.Expr) else value


@functools.cache
def _webshop(templates_dir: str) -> Database:
    return load_catalog(templates_dir).databases["webshop"]


def _state() -> dict[tuple[str, str], int]:
    modules = (ibis, selectors, builtins)
    return {(of.__name__, name): id(value) for of in modules for name, value in vars(of).items()}


def _limit_memory() -> None:
    """What may grow to gigabytes in use is stopped at one, for the sake of the machine that tests run on."""
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + (1 << 30), resource.getrlimit(resource.RLIMIT_AS)[1]))


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


def is_attacked(draft: str) -> bool:
    return draft.endswith("/0")


class Attacked:
    """A channel on which the proof of one draft attacks."""

    def __init__(self, channel: Channel, source: str) -> None:
        self._channel, self._source = channel, source
        self.give, self.done = channel.give, channel.done

    def at(self, draft: str) -> None:
        self._channel.at(draft)
        if is_attacked(draft):
            _limit_memory()
            try:
                exec(self._source, {})
            except Exception as error:
                raise Rejected("refused", draft) from error


def give_attacked_records(source: str, channel: Channel, *arguments: Any) -> None:
    give_records(Attacked(channel, source), *arguments)


def give_refusals(channel: Channel, templates_dir: str, templates: dict[str, tuple[str, str]]) -> None:
    """Read templates, each a name with a task and YAML, one at a time, and prove a draft of each.

    What is given are the messages of those that are bad input, by name.
    """
    catalog = load_catalog(templates_dir)
    folder = Path("read").absolute()
    folder.mkdir(exist_ok=True)
    refusals = {}
    for name, (task, text) in templates.items():
        (folder / "01_hostile.yaml").write_text(text, encoding="utf-8")
        channel.at(name)
        try:
            read = load_templates(folder, task, TASKS[task].template, catalog.phrasebook)
            alone = replace(catalog, templates={**catalog.templates, task: read})
            list(generate(alone, task, "webshop", Options(1), Tally()))
        except InputError as error:
            refusals[name] = str(error)
    channel.give(refusals)
