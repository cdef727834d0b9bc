"""One shard of the dataset made anew and examined: every draft noted, a seeded share of the records proved again and
their queries tried against mutants.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field

import duckdb
from sqlglot.errors import SqlglotError

from ibert_builder.audit.kills import Kills, kill
from ibert_builder.audit.query_properties import Query
from ibert_builder.dialects.compilers import grammar
from ibert_builder.execution.engine import CodeFails, Engine, engine_for
from ibert_builder.execution.proofs import Rejected
from ibert_builder.execution.results import same_rows
from ibert_builder.generation.catalog import load_catalog
from ibert_builder.generation.generate import Options, Tally, generate
from ibert_builder.tasks.base import Draft, Record
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
    """A draft, as far as the splits are concerned."""

    split: str
    task: str
    difficulty: str
    database: str
    skeleton: str
    asks: bool  # whether it is about tables; texts without them ask no query
    unseen: bool
    input: str
    without_literals: str


@dataclass
class Examined:
    """What was found in a shard.

    Attributes:
        records: the sampled ones, with the split.
        failures: (record id, task, reason, detail) of those not proved again.
        opaque: queries in which columns cannot be resolved, so that they have no mutants.
        outcomes: of the sampled drafts, as `Tally` counts them.
    """

    drawn: list[Drawn] = field(default_factory=list)
    records: list[tuple[str, Record]] = field(default_factory=list)
    failures: list[tuple[str, str, str, str]] = field(default_factory=list)
    kills: Kills = field(default_factory=Kills)
    opaque: list[str] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)

    def add(self, other: Examined) -> None:
        for name in ("drawn", "records", "failures", "opaque"):
            getattr(self, name).extend(getattr(other, name))
        self.kills.add(other.kills)
        self.outcomes.update(other.outcomes)


def examine(channel: Channel, work: Work) -> None:
    """Make a shard anew, examine it and give what was `Examined`."""
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
        try:
            TASKS[work.task].recheck(record, engine)
        except (Rejected, CodeFails, duckdb.Error, SqlglotError) as error:
            reason = error.reason if isinstance(error, Rejected) else type(error).__name__
            found.failures.append((record["id"], work.task, reason, str(error)))
            continue
        if texts := queries_of(record, engine):
            query = next(filter(None, (_resolved(sql, engine) for sql in texts)), None)
            if query is None:
                found.opaque.append(texts[0])
            else:
                found.kills.add(kill(query, engine))
    for (_, _, outcome), count in tally.outcomes.items():
        found.outcomes[outcome] += count
    channel.give(found)


def is_sampled(key: str, share: float) -> bool:
    """Whether a draft belongs to a sample of the given size: the same ones on every machine."""
    return int.from_bytes(hashlib.sha256(f"sample/{key}".encode()).digest()[:8], "big") < share * 2**64


def queries_of(record: Record, engine: Engine) -> list[str]:
    """The query that a record is about in DuckDB's SQL: as it stands there; or as its Ibis code compiles, tidied and not."""
    task = TASKS[record["task"]]
    if (queries := task.texts(record, "sql")) and record["input"]["dialect"] == "duckdb":
        return queries
    code = task.texts(record, "ibis")
    try:
        compiled = engine.to_sql(code[0]) if code else None
    except CodeFails:
        compiled = None  # code that reads and writes files is no query on the sample database
    if compiled is None:
        return []
    tables = engine.database.tables
    keys = {name: (table.key,) for name, table in tables.items()}
    columns = {name: tuple(table.columns) for name, table in tables.items()}
    return [tidy(compiled, "duckdb", grammar("duckdb"), columns, keys), compiled]


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
