"""The claims of the dataset card, each with its figure, its goal and whether it holds."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ibert_builder.audit.examine import Drawn, Examined
from ibert_builder.audit.kills import Kills
from ibert_builder.audit.meaning import Meanings
from ibert_builder.audit.mutants import FAMILIES
from ibert_builder.audit.near_duplicates import SIMILAR, across
from ibert_builder.databases.model import SPLITS
from ibert_builder.generation.generate import ALIKE, NOT_DRAWN, Options
from ibert_builder.generation.splits import is_withheld
from ibert_builder.tasks.registry import TASKS

KILLED, KILLED_IN_FAMILY = 0.97, 0.92  # shares of mutants
SHARES = (0.08, 0.12)  # of validation and of test, in every task
NEAR = 0.005  # share of validation and test that may have a near-duplicate in another split
DIFFICULTIES = ("easy", "medium", "hard")


@dataclass(frozen=True)
class Claim:
    """One line of the audit: what is claimed, the figure found, the figure required, and whether it is met."""

    topic: str
    name: str
    figure: str
    goal: str
    holds: bool


def claims(found: Examined, options: Options) -> list[Claim]:
    """Every claim about an examined dataset."""
    return [
        *_of_proofs(found),
        *_of_mutants(found.kills),
        *_of_meanings(found.meanings),
        *_of_splits(found.drawn, options),
        *_of_duplicates(found),
    ]


def _none(topic: str, name: str, count: int) -> Claim:
    return Claim(topic, name, f"{count:,}", "0", count == 0)


def _all(name: str, records: Sequence[str], unproved: set[str]) -> Claim:
    proved = sum(record not in unproved for record in records)
    return Claim("proofs", name, f"{proved:,} of {len(records):,}", "all", proved == len(records))


def _of_proofs(found: Examined) -> Iterator[Claim]:
    rejected = sum(n for outcome, n in found.outcomes.items() if outcome not in NOT_DRAWN | {"kept"})
    drafts = found.outcomes["kept"] + rejected
    yield Claim(
        "proofs",
        "drafts kept, or rejected for a named reason",
        f"{found.outcomes['kept']:,} + {rejected:,} of {drafts:,}",
        "all",
        found.outcomes["kept"] == len(found.records),
    )
    unproved = {i for i, *_ in found.failures}
    records = [record for _, record in found.records]
    yield _all("records proved again from their text on every row set", [r["id"] for r in records], unproved)
    silent = [r["id"] for r in records if TASKS[r["task"]].has_silent_mistake(r)]
    yield _all("silent mistakes whose wrong result shows on every full row set", silent, unproved)


def _of_mutants(kills: Kills) -> Iterator[Claim]:
    yield _kill_rate("all mutants", kills, FAMILIES, KILLED)
    for family in FAMILIES:
        if kills.killed[family] or kills.alive[family]:
            yield _kill_rate(family, kills, (family,), KILLED_IN_FAMILY)


def _kill_rate(name: str, kills: Kills, families: Sequence[str], goal: float) -> Claim:
    killed, alive = (sum(counter[f] for f in families) for counter in (kills.killed, kills.alive))
    rate = killed / max(killed + alive, 1)
    figure = f"{rate:.1%} ({killed:,} of {killed + alive:,})"
    return Claim("mutants killed", name, figure, f"at least {goal:.0%}", rate >= goal)


# What queries must not do, or rarely; by the names of `meaning.meanings`.
MEANINGS: dict[str, tuple[str, float]] = {
    "sum": ("sums of what is not additive", 0),
    "average": ("averages of what has none", 0),
    "extreme": ("lowest and highest of what has no order", 0),
    "pattern": ("patterns on categories, statuses and numbers", 0),
    "mixed units": ("columns of different units added, subtracted or compared", 0),
    "repeated group key": ("conditions that leave a group key one value", 0.005),
    "repeated column": ("two conditions on the same columns, ranges apart", 0.01),
    "constant aggregate": ("aggregates that are the same in all groups", 0),
}


def _of_meanings(meanings: Meanings) -> Iterator[Claim]:
    for key, (name, most) in MEANINGS.items():
        found, asked = meanings.found[key], meanings.asked[key]
        share = found / max(asked, 1)
        goal = f"at most {most:.1%}" if most else "0"
        yield Claim("meaning", name, f"{share:.1%} ({found:,} of {asked:,})", goal, share <= most)


def _of_splits(drawn: list[Drawn], options: Options) -> Iterator[Claim]:
    yield _none("splits", "databases in more than one split", _shared((d.database, d.split) for d in drawn))
    yield _none("splits", "inputs in more than one split", _shared((d.input, d.split) for d in drawn))
    asking = [d for d in drawn if d.asks]
    yield _none(
        "splits",
        "queries, of whatever task, in more than one split",
        _shared(((d.database, d.skeleton), d.split) for d in asking),
    )
    seen = {d.skeleton for d in asking if d.split == SPLITS[0]}
    yield _none(
        "splits",
        "withheld skeletons found in train",
        sum(is_withheld(skeleton, options.seed) for skeleton in seen),
    )
    wrong = sum(
        d.unseen != (is_withheld(d.skeleton, options.seed) and d.skeleton not in seen) for d in asking
    )
    yield _none("splits", "records whose unseen_skeleton is wrong", wrong)
    for split in SPLITS[1:]:
        shares = [
            sum(d.split == split for d in drawn if d.task == task)
            / max(sum(d.task == task for d in drawn), 1)
            for task in TASKS
        ]
        low, high = SHARES
        figure = f"{min(shares):.1%} to {max(shares):.1%}"
        holds = all(low <= share <= high for share in shares)
        yield Claim("splits", f"share of {split} in each task", figure, f"{low:.0%} to {high:.0%}", holds)
    there = {(d.task, d.split, d.difficulty) for d in drawn}
    missing = sum((t, s, d) not in there for t in TASKS for s in SPLITS for d in DIFFICULTIES)
    yield _none("splits", "difficulties missing from a split of a task", missing)


def _shared(pairs: Iterable[tuple[object, str]]) -> int:
    """How many things occur in more than one split."""
    splits = defaultdict(set)
    for thing, split in pairs:
        splits[thing].add(split)
    return sum(len(each) > 1 for each in splits.values())


def _of_duplicates(found: Examined) -> Iterator[Claim]:
    inputs = Counter((d.task, d.split, d.input) for d in found.drawn)
    yield _none("duplicates", "inputs that occur more than once", sum(n > 1 for n in inputs.values()))
    alike = Counter((d.task, d.split, d.database, d.without_literals) for d in found.drawn)
    most = max(alike.values(), default=0)
    name = "most inputs that differ only in literals"
    yield Claim("duplicates", name, str(most), f"at most {ALIKE}", most <= ALIKE)
    splits = [split for split, _ in found.records]
    held_out = sum(split != SPLITS[0] for split in splits)
    prompts = [record["messages"][1]["content"] for _, record in found.records]
    bare = ["\n".join(str(v) for v in record["input"].values() if v) for _, record in found.records]
    for texts, width, name in (
        (prompts, 1, "prompts (tables and input), by single tokens"),
        (bare, 5, "inputs alone, by runs of 5 tokens"),
    ):
        pairs = across(splits, texts, width)
        share = len(pairs) / max(held_out, 1)
        yield Claim(
            "duplicates",
            f"validation and test records at least {SIMILAR:.0%} similar to one in another split: {name}",
            f"{share:.2%} ({len(pairs):,} of {held_out:,})",
            f"below {NEAR:.1%}",
            share < NEAR,
        )
