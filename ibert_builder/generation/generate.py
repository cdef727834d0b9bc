"""Templates in, proved records out. One call makes the records of one task on one database, the unit of all sharding.

Which rows come out depends on the options alone: draft `i` of a template goes to a split by its number and to a
database of that split by a hash, its draws are seeded by (seed, task, template, database, i), and rows are told
apart within one database only, since no two databases share a table name. Drafts are drawn in rounds (all first
drafts, then all second ones), so asking for more examples per template only adds rows. A sample of the drafts can be
proved alone: drawing does not depend on proofs.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ibert_builder.databases.model import SPLITS, Database, split_by_number
from ibert_builder.errors import InputError, unknown, wrong_value
from ibert_builder.execution.engine import engine_for
from ibert_builder.execution.proofs import Rejected
from ibert_builder.generation.catalog import Catalog
from ibert_builder.generation.splits import is_withheld
from ibert_builder.tasks.base import Record, Task
from ibert_builder.tasks.drafts import Draft, Setting
from ibert_builder.tasks.record import make_record
from ibert_builder.tasks.registry import TASKS
from ibert_builder.templating.sampler import NoFit
from ibert_builder.templating.templates import Template

DRAWS = 12  # attempts at a draft that repeats no other and whose skeleton is not withheld from train
ALIKE = 2  # the most inputs that may differ in their literals only


@dataclass(frozen=True)
class Options:
    """What decides which examples come out.

    Attributes:
        examples_per_template: drafts per template over all splits; None for each template's own number.
        seed: of every draw.
        dialects: the SQL dialects to draw from, for tasks that have dialects; None for their usual mix. Their order
            matters. A list becomes a tuple.

    Raises:
        InputError: one of them is not of its type, or there is no such dialect.
    """

    examples_per_template: int | None = None
    seed: int = 0
    dialects: tuple[str, ...] | list[str] | None = None

    def __post_init__(self) -> None:
        number = self.examples_per_template
        if number is not None and (not _is_whole(number) or number < 1):
            raise wrong_value("examples_per_template", number, "a positive whole number or None")
        if not _is_whole(self.seed):
            raise wrong_value("seed", self.seed, "a whole number")
        if self.dialects is None:
            return
        if not isinstance(self.dialects, tuple | list):
            # Nothing else that holds names has an order of its own, on which the draws depend.
            raise wrong_value(
                "dialects", self.dialects, "a list or tuple of dialects such as ['duckdb'], or None"
            )
        known = [name for task in TASKS.values() for name in task.dialects]
        for name in self.dialects:
            if name not in known:
                raise InputError(unknown("dialect", name, known), key="dialects")
        if not self.dialects:
            raise InputError("expected at least one dialect, or None", key="dialects")
        object.__setattr__(self, "dialects", tuple(self.dialects))

    def dialects_of(self, task: Task[Any]) -> tuple[str, ...] | None:
        """The dialects asked for that a task has; None for its usual mix.

        Raises:
            InputError: the task has dialects, but none of those.
        """
        if self.dialects is None or not task.dialects:
            return None
        chosen = tuple(name for name in self.dialects if name in task.dialects)
        if not chosen:
            raise InputError(
                f"{task.name} has none of {list(self.dialects)} (expected some of: {', '.join(task.dialects)})",
                key="dialects",
            )
        return chosen


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


@dataclass
class Tally:
    """What happened to the drafts: each is kept, or rejected under a named reason.

    `draws` counts by (task, template, outcome); the outcomes of drafts are `kept` and the reasons. `no_fit` (the
    database has nothing for the template) and `exhausted` (nothing new could be drawn) are outcomes of attempts to
    draw that gave no draft. `rejections` holds (task, template, reason, detail).
    """

    outcomes: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    rejections: list[tuple[str, str, str, str]] = field(default_factory=list)

    def count(self, template: Template, outcome: str) -> None:
        self.outcomes[template.task, template.name, outcome] += 1

    def reject(self, template: Template, rejected: Rejected) -> None:
        self.count(template, rejected.reason)
        self.rejections.append((template.task, template.name, rejected.reason, rejected.detail))

    def add(self, other: Tally) -> None:
        self.outcomes.update(other.outcomes)
        self.rejections.extend(other.rejections)


NOT_DRAWN = frozenset({"no_fit", "exhausted"})


def shards(catalog: Catalog, split: str, tasks: Iterable[Task[Any]]) -> list[tuple[str, str]]:
    """The (task, database) pairs that make up a split, in the order of its rows."""
    databases = [name for name, database in catalog.databases.items() if database.split == split]
    return [(task.name, database) for task in tasks for database in databases]


def _number(task: Task[Any], template: Template, options: Options) -> int:
    wanted = options.examples_per_template or template.spec.examples or task.examples
    most = task.most(template)
    return wanted if most is None else min(wanted, most)


def drafts_in_all(catalog: Catalog, options: Options) -> int:
    """How many drafts all templates together ask for; a few fit no database."""
    return sum(_number(TASKS[t.task], t, options) for those in catalog.templates.values() for t in those)


def _database_of(template: Template, index: int, seed: int, databases: list[str]) -> str:
    digest = hashlib.sha256(f"{seed}/{template.task}/{template.name}/{index}".encode()).digest()
    return databases[int.from_bytes(digest[:4], "big") % len(databases)]


def generate(
    catalog: Catalog,
    task_name: str,
    database_name: str,
    options: Options,
    tally: Tally,
    only: Callable[[str, Draft, bool], bool] | None = None,
    known: Iterable[str] = (),
) -> Iterator[Record]:
    """Make and prove the records of a task on a database, in their order in the dataset; count into `tally`.

    `only` picks drafts by their key (such as `0/qa/null_sort_order/webshop/3`), themselves and whether their skeleton is
    withheld from train; the others are drawn and let go. It may raise `Rejected`. `known` are the ids of records made of
    drafts that it lets go, which no other record may have.
    """
    task, database = TASKS[task_name], catalog.databases[database_name]
    engine = engine_for(database)
    dialects = options.dialects_of(task)
    peers = [name for name, other in catalog.databases.items() if other.split == database.split]
    seen: Counter[str] = Counter()
    ids = set(known)
    numbers = {template.name: _number(task, template, options) for template in catalog.templates[task_name]}
    for index in range(max(numbers.values())):
        for template in catalog.templates[task_name]:
            split = catalog.undivided.get((task_name, template.name)) or split_by_number(index)
            if index >= numbers[template.name] or split != database.split:
                continue
            if _database_of(template, index, options.seed, peers) != database_name:
                continue
            key = f"{options.seed}/{task_name}/{template.name}/{database_name}/{index}"
            drawn = _draw(task, template, catalog, database, key, index, dialects, options.seed, seen)
            if isinstance(drawn, str):
                tally.count(template, drawn)
                continue
            draft, unseen = drawn
            seen.update((draft.key, draft.without_literals))
            try:
                if only is not None and not only(key, draft, unseen):
                    continue
                record = make_record(task, draft, task.prove(draft, engine), unseen)
                if record["id"] in ids:  # two queries may become one when put in another dialect
                    raise Rejected("repeats_another", draft.key)
            except Rejected as rejected:
                tally.reject(template, rejected)
                continue
            except InputError:
                raise
            except Exception as error:
                problem = f"{type(error).__name__}: {error}"
                raise template.error(f"the prover failed on draft {key}: {problem}\n{draft.code}") from error
            ids.add(record["id"])
            tally.count(template, "kept")
            yield record


def _draw(
    task: Task[Any],
    template: Template,
    catalog: Catalog,
    database: Database,
    key: str,
    index: int,
    dialects: tuple[str, ...] | None,
    seed: int,
    seen: Counter[str],
) -> tuple[Draft, bool] | str:
    """A new draft and whether its skeleton is withheld from train, or the reason why there is none."""
    for attempt in range(DRAWS):
        rng = random.Random(f"{key}/{attempt}")
        try:
            draft = task.expand(
                template, Setting(database, engine_for(database), catalog.phrasebook, rng, dialects, index)
            )
        except NoFit:
            return "no_fit"
        except InputError:
            raise
        except Exception as error:  # such as a phrase whose SQL does not run
            problem = f"{type(error).__name__}: {error}"
            raise template.error(f"draft {key} cannot be written out: {problem}") from error
        # Templates without tables have no query; their texts belong to one split anyway.
        withheld = bool(template.tables) and is_withheld(draft.skeleton, seed)
        repeats = seen[draft.key] > 0 or seen[draft.without_literals] >= ALIKE
        if not repeats and not (withheld and database.split == SPLITS[0]):
            return draft, withheld
    return "exhausted"
