"""Rebuild the dataset and check every claim in its card.

`mutants` turns right queries into wrong ones, `equivalence` proves which of those no data can tell from the right one, and
`kills` checks that the sample rows tell all others. `examine` works through a shard, `near_duplicates` compares records
between splits, `claims` sums it all up and `report` prints it.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ibert_builder import __version__
from ibert_builder.audit.claims import Claim, claims
from ibert_builder.audit.examine import Examined, Work, examine
from ibert_builder.audit.near_duplicates import minhash
from ibert_builder.generation.catalog import resolve_templates_dir
from ibert_builder.generation.generate import Options
from ibert_builder.tasks.registry import TASKS
from ibert_builder.workers.pool import Cancellation, call, in_order
from ibert_builder.workers.shards import drafts_of, shards_of
from ibert_builder.workers.worker import Place
from ibert_builder.writing.infos import made_with
from ibert_builder.writing.jsonl import Progress

SAMPLE = 1400  # records, with more than a thousand queries


@dataclass(frozen=True)
class Audit:
    """The claims, and the findings that they rest on."""

    claims: list[Claim]
    found: Examined
    is_full: bool

    @property
    def holds(self) -> bool:
        return all(claim.holds for claim in self.claims)

    def as_json(self) -> dict[str, Any]:
        """For machines: the claims, every record that failed, every mutant that survived, and the versions of what made it."""
        kills = self.found.kills
        survivors = [
            dict(zip(("family", "operator", "query", "mutant"), s, strict=True)) for s in kills.survivors
        ]
        failures = [
            dict(zip(("id", "task", "reason", "detail"), f, strict=True)) for f in self.found.failures
        ]
        counters = ("killed", "alive", "equivalent", "invalid", "by_first", "rules")
        return {
            "version": __version__,
            "made_with": made_with(),
            "full": self.is_full,
            "holds": self.holds,
            "records": len(self.found.records),
            "claims": [asdict(claim) for claim in self.claims],
            "failures": failures,
            "meanings": {
                "asked": dict(sorted(self.found.meanings.asked.items())),
                "found": dict(sorted(self.found.meanings.found.items())),
                "examples": [{"what": what, "query": query} for what, query in self.found.meanings.examples],
            },
            "mutants": {
                "queries": kills.queries,
                **{name: dict(sorted(getattr(kills, name).items())) for name in counters},
                "survivors": survivors,
                "queries_without_mutants": self.found.opaque,
            },
        }


def audit(
    options: Options | None = None,
    *,
    templates_dir: str | Path | None = None,
    sample: int | None = SAMPLE,
    num_proc: int = 1,
    trust_templates: bool = False,
    progress: Progress | None = None,
    _in_process: bool = False,
) -> Audit:
    """Rebuild the dataset and examine it.

    Splits and literals are checked on all drafts; proofs, mutants and near-duplicates on a sample of the records.

    Args:
        options: of the build.
        templates_dir: a folder of templates; None for those of the package.
        sample: about how many records to check; None for all of them.
        num_proc: how many worker processes to use; the findings do not depend on it.
        trust_templates: run templates from outside the package even where the system cannot confine them.
        progress: called after each shard with the number of shards done and of all shards.

    Raises:
        InputError: a template is wrong, or the extra `audit` is not installed.
    """
    minhash()  # fail before minutes of work
    options = options or Options()
    folder = str(resolve_templates_dir(templates_dir))
    place = Place(folder, trusted=trust_templates, in_process=_in_process)
    share = 1.0 if sample is None else min(1.0, sample / drafts_of(place, options))
    work = [
        Work(folder, split, *shard, options, share)
        for split, those in shards_of(place, TASKS).items()
        for shard in those
    ]

    def examined(item: Work, cancellation: Cancellation) -> Examined:
        return call(examine, item, place=place, gives=Examined, cancellation=cancellation)

    found = Examined()
    with closing(in_order(examined, work, num_proc)) as results:
        for done, each in enumerate(results, 1):
            found.add(each)
            if progress:
                progress(done, len(work))
    return Audit(claims(found, options), found, sample is None)
