"""The work on a dataset that is done in workers: which shards it has, and the proved records of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pydantic import TypeAdapter

from ibert_builder.databases.model import SPLITS
from ibert_builder.execution.proofs import Rejected
from ibert_builder.generation.catalog import load_catalog
from ibert_builder.generation.generate import NOT_DRAWN, Options, Tally, drafts_in_all, generate, shards
from ibert_builder.tasks.base import Record
from ibert_builder.tasks.drafts import Draft
from ibert_builder.tasks.registry import TASKS
from ibert_builder.templating.templates import Template
from ibert_builder.workers.channel import Channel
from ibert_builder.workers.pool import Cancellation, Deaths, call, lease
from ibert_builder.workers.worker import Died, Place

Shard = tuple[str, str]  # task, database

# Of a draft: its outcome, its template, why it was rejected, the record.
OUTCOME = TypeAdapter(tuple[str, str, str | None, Record | None])


def shards_of(place: Place, tasks: Iterable[str]) -> dict[str, list[Shard]]:
    """The shards of every split, in the order of its rows.

    Raises:
        InputError: something in the templates folder is wrong.
    """
    return call(give_shards, place.templates_dir, tuple(tasks), place=place, gives=dict[str, list[Shard]])


def drafts_of(place: Place, options: Options) -> int:
    """How many drafts all templates ask for; see `drafts_in_all`."""
    return call(give_drafts_in_all, place.templates_dir, options, place=place, gives=int)


def give_drafts_in_all(channel: Channel, templates_dir: str, options: Options) -> None:
    channel.give(drafts_in_all(load_catalog(templates_dir), options))


def give_shards(channel: Channel, templates_dir: str, tasks: tuple[str, ...]) -> None:
    catalog = load_catalog(templates_dir)
    channel.give({split: shards(catalog, split, [TASKS[name] for name in tasks]) for split in SPLITS})


def prove(
    shard: Shard,
    options: Options,
    tally: Tally,
    *,
    place: Place,
    cancellation: Cancellation | None = None,
) -> Iterator[Record]:
    """The proved records of a shard, as `generate` gives them, out of a worker; counted into `tally`.

    A draft that ends its worker is rejected as `over_time`, `over_memory` or `crashed`, and another worker goes on after it.
    """
    if place.in_process:
        yield from generate(load_catalog(place.templates_dir), *shard, options, tally)
        return
    deaths = Deaths()
    told = 0
    ids: list[str] = []
    while True:
        try:
            with lease(place, cancellation) as worker:
                arguments = (place.templates_dir, shard, options, Past(told, tuple(ids)))
                outcomes = worker.ask(give_records, arguments, OUTCOME, deaths.refused)
                for outcome, template, why, record in outcomes:
                    deaths.progress()
                    told += 1
                    tally.outcomes[shard[0], template, outcome] += 1
                    if why is not None:
                        tally.rejections.append((shard[0], template, outcome, why))
                    if record is not None:
                        ids.append(record["id"])
                        yield record
                return
        except Died as died:
            deaths.note(died)


@dataclass(frozen=True)
class Past:
    """What earlier workers told of a shard: so many outcomes, and the ids of the records among them."""

    told: int = 0
    ids: tuple[str, ...] = ()


class _Telling(Tally):
    """Tells every outcome as it is counted, except for those that earlier workers told."""

    def __init__(self, channel: Channel, told: int) -> None:
        super().__init__()
        self._channel, self._told = channel, told

    def was_told(self) -> bool:
        """Whether the next outcome is one of those."""
        self._told -= 1
        return self._told >= 0

    def count(self, template: Template, outcome: str) -> None:
        if outcome in NOT_DRAWN and not self.was_told():
            self._channel.give((outcome, template.name, None, None))

    def reject(self, template: Template, rejected: Rejected) -> None:
        self._channel.give((rejected.reason, template.name, rejected.detail, None))


def give_records(channel: Channel, templates_dir: str, shard: Shard, options: Options, past: Past) -> None:
    """Give the OUTCOME of every draft of a shard, less those of the past."""
    telling = _Telling(channel, past.told)

    def is_new(key: str, draft: Draft, unseen: bool) -> bool:
        if telling.was_told():
            return False
        channel.at(key)
        return True

    catalog = load_catalog(templates_dir)
    for record in generate(catalog, *shard, options, telling, only=is_new, known=past.ids):
        channel.give(("kept", record["meta"]["template"], None, record))
