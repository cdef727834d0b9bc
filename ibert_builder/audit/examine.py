"""Rebuild one shard of the dataset and examine it: note every draft, prove a seeded share of the records again, and try
their queries against mutants.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field

import duckdb
from sqlglot.errors import SqlglotError

from ibert_builder.audit.kills import Kills, kill
from ibert_builder.audit.meaning import Meanings, meanings
from ibert_builder.audit.query_properties.query import Query
from ibert_builder.dialects.duckdb import DUCKDB
from ibert_builder.dialects.registry import DIALECTS
from ibert_builder.execution.engine import CodeFails, Engine, engine_for
from ibert_builder.execution.proofs import Rejected
from ibert_builder.execution.results import same_rows
from ibert_builder.generation.catalog import load_catalog
from ibert_builder.generation.generate import Options, Tally, generate
from ibert_builder.tasks.base import Record
from ibert_builder.tasks.drafts import Draft
from ibert_builder.tasks.registry import TASKS
from ibert_builder.tidy.tidy import tidy
from ibert_builder.workers.channel import Channel


@dataclass(frozen=True)
class Work:
    """A shard to examine, and the share of its records to prove again."""

    templates_dir: str
    split: str
    task: str
    database: str
    options: Options
    share: float


@dataclass(frozen=True)
class Drawn:
    """What matters of a draft for splits and duplicates."""

    split: str
    task: str
    difficulty: str
    database: str
    skeleton: str
    asks: bool  # whether it is about tables; without them there is no query
    unseen: bool
    input: str
    without_literals: str


@dataclass
class Examined:
    """What was found in a shard.

    Attributes:
        drawn: every draft.
        records: the sampled ones, each with its split.
        failures: (record id, task, reason, detail) of the records that could not be proved again.
        kills: what became of the mutants of the records' queries.
        opaque: queries whose columns cannot be resolved and that therefore have no mutants.
        outcomes: how many of the sampled drafts were kept, or rejected for which reason.
        meanings: what the records' queries do that makes no sense.
    """

    drawn: list[Drawn] = field(default_factory=list)
    records: list[tuple[str, Record]] = field(default_factory=list)
    failures: list[tuple[str, str, str, str]] = field(default_factory=list)
    kills: Kills = field(default_factory=Kills)
    opaque: list[str] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    meanings: Meanings = field(default_factory=Meanings)

    def add(self, other: Examined) -> None:
        for name in ("drawn", "records", "failures", "opaque"):
            getattr(self, name).extend(getattr(other, name))
        self.kills.add(other.kills)
        self.meanings.add(other.meanings)
        self.outcomes.update(other.outcomes)


def examine(channel: Channel, work: Work) -> None:
    """Rebuild a shard, examine it and give what was found, as `Examined`."""
    catalog = load_catalog(work.templates_dir)
    engine = engine_for(catalog.databases[work.database])
    found, tally = Examined(), Tally()

    def note(key: str, draft: Draft, unseen: bool) -> bool:
        channel.done()
        found.drawn.append(
            Drawn(
                work.split, work.task, draft.template.spec.difficulty, draft.database.name, draft.skeleton,
                bool(draft.template.tables), unseen, _digest(draft.key), _digest(draft.without_literals),
            )
        )  # fmt: skip
        if not is_sampled(key, work.share):
            return False
        channel.at(key)
        return True

    for record in generate(catalog, work.task, work.database, work.options, tally, only=note):
        found.records.append((work.split, record))
        if failure := why_not_proved(record, engine):
            found.failures.append((record["id"], work.task, *failure))
            continue
        if texts := queries_of(record, engine):
            query = next(filter(None, (_resolved(sql, engine) for sql in texts)), None)
            if query is None:
                found.opaque.append(texts[0])
            else:
                found.kills.add(kill(query, engine))
                found.meanings.add(meanings(query, engine))
    for (_, _, outcome), count in tally.outcomes.items():
        found.outcomes[outcome] += count
    channel.give(found)


def why_not_proved(record: Record, engine: Engine) -> tuple[str, str] | None:
    """Prove a record again from its own text: None, or the reason and the detail of why that fails."""
    try:
        TASKS[record["task"]].recheck(record, engine)
    except Rejected as error:
        return error.reason, str(error)
    except Exception as error:  # the code of a record may raise anything
        return type(error).__name__, str(error)
    return None


def is_sampled(key: str, share: float) -> bool:
    """Whether a draft belongs to a sample of the given share, which is the same one on every machine."""
    return int.from_bytes(hashlib.sha256(f"sample/{key}".encode()).digest()[:8], "big") < share * 2**64


def queries_of(record: Record, engine: Engine) -> list[str]:
    """The query that a record is about, in DuckDB's SQL: the record's own, or what its Ibis code compiles to, tidied and as it
    is. The first that can be resolved is as good as any; there are none for a record without a query.
    """
    task = TASKS[record["task"]]
    if (queries := task.texts(record, "sql")) and DIALECTS[
        record["input"].get("dialect", DUCKDB.name)
    ].is_native:
        return queries
    code = task.texts(record, "ibis")
    try:
        compiled = engine.to_sql(code[0]) if code else None
    except CodeFails:
        compiled = None  # code that reads or writes files is not a query on the sample database
    if compiled is None:
        return []
    tables = engine.database.tables
    keys = {name: (table.key,) for name, table in tables.items()}
    columns = {name: tuple(table.columns) for name, table in tables.items()}
    return [tidy(compiled, DUCKDB, columns, keys), compiled]


def _resolved(sql: str, engine: Engine) -> Query | None:
    tables = engine.database.tables
    types = {name: {c: str(t) for c, t in table.schema.items()} for name, table in tables.items()}
    try:
        query = Query(sql, types, {name: table.key for name, table in tables.items()})
        same = same_rows(engine.run_sql(sql).rows, engine.run_sql(query.sql).rows, ordered=False)
    except (SqlglotError, duckdb.Error):
        return None
    return query if same else None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
