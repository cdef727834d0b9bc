"""The contract of a task, on one screen, and what flows through it: Template -> Draft -> Example -> kept or rejected."""

from __future__ import annotations

import json
import random
import uuid
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any, ClassVar

from ibert_builder.databases.model import Database
from ibert_builder.execution.engine import Engine
from ibert_builder.tasks.fields import Kind, TextField
from ibert_builder.templating.phrases import Phrasebook
from ibert_builder.templating.skeleton import skeleton_id, without_literals
from ibert_builder.templating.templates import Template, TemplateSpec
from ibert_builder.templating.values import TableValue

Record = dict[str, Any]


NAMESPACE = uuid.UUID("5f0a3c1e-6d0b-5c0e-9d1c-2f6f2f1f9b7a")  # of example ids; never to change


@dataclass(frozen=True)
class Setting:
    """What a draft is drawn from, besides its template."""

    database: Database
    engine: Engine
    phrasebook: Phrasebook
    rng: random.Random
    dialects: tuple[str, ...] | None = None
    index: int = 0  # which of the template's drafts this is


@dataclass(frozen=True)
class Draft:
    """A template bound to one database and written out, not yet proved.

    Attributes:
        key: the input that a user of the dataset sees; no two examples share one.
        code: the query in canonical Ibis, by which its skeleton is known.
        texts: whatever the task needs to render and prove the example.
        whole: what the key is only a part of, if it is.
    """

    template: Template
    database: Database
    bound: Mapping[str, Any]
    key: str
    code: str
    texts: Mapping[str, Any] = dataclass_field(default_factory=dict)
    whole: str | None = None

    @property
    def skeleton(self) -> str:
        return skeleton_id(self.code)

    @property
    def without_literals(self) -> str:
        """What drafts have in common that differ in nothing but literals."""
        tables = self.database.tables
        names = {*tables}.union(*(table.columns for table in tables.values()))
        return without_literals(self.whole or self.key, names)

    def context(self) -> Record:
        """The tables it uses: `{"tables": {name: {"schema": {column: type}}}}`."""
        tables = {v.table.name: v.table for v in self.bound.values() if isinstance(v, TableValue)}
        return {
            "tables": {
                n: {"schema": {c: str(t) for c, t in table.schema.items()}} for n, table in tables.items()
            }
        }


class Task(ABC):
    """One kind of example. A task is stateless; `TASKS` holds one object of each.

    Attributes:
        name: of the task, its config and its folder of templates.
        system_prompt: the instruction, as the seed words it.
        template: what its templates look like.
        examples: drafts per template, where neither the template nor the user says how many; a multiple of ten, so that
            the splits have their shares.
        input, target, meta: the fields of those structs (besides the `meta` that all tasks have).
    """

    name: ClassVar[str]
    system_prompt: ClassVar[str]
    template: ClassVar[type[TemplateSpec]]
    examples: ClassVar[int]
    input: ClassVar[Mapping[str, TextField]]
    target: ClassVar[Mapping[str, TextField]]
    meta: ClassVar[Mapping[str, TextField]] = {}

    @property
    def dialects(self) -> tuple[str, ...]:
        """The SQL dialects that it has, if any; whatever is in `DIALECTS` by now counts."""
        return ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The fields of `input` that are columns of their own, too."""
        return tuple(name for name, field in self.input.items() if field.is_column)

    def texts(self, record: Record, kind: Kind) -> list[str]:
        """The texts of a kind in a record's `input` and `target`, without those that are null."""
        found = [
            record[struct].get(name)
            for struct, fields in (("input", self.input), ("target", self.target))
            for name, field in fields.items()
            if field.kind == kind
        ]
        return [text for text in found if text is not None]

    def most(self, template: Template) -> int | None:
        """How many drafts a template can give at the most, where that is known: texts without slots give one each."""
        return None

    @abstractmethod
    def expand(self, template: Template, setting: Setting) -> Draft:
        """Bind a template to the setting's database. Cheap: nothing is proved here.

        Raises:
            NoFit: the database has nothing that fits the template.
        """

    @abstractmethod
    def prove(self, draft: Draft, engine: Engine) -> Record:
        """Run the draft and give its `input`, `target` and own `meta`.

        Raises:
            Rejected: it is not proved, under a named reason.
        """

    @abstractmethod
    def recheck(self, record: Record, engine: Engine) -> None:
        """Prove a finished record from its own text alone, on every row set.

        Raises:
            Rejected: it is not proved, under a named reason.
        """

    @abstractmethod
    def question(self, record: Record) -> str:
        """The user message, without the schemas, which are put before it."""

    @abstractmethod
    def answer(self, record: Record) -> str:
        """The assistant message."""

    def instruction(self, record: Record) -> str:
        return self.system_prompt

    def record(self, draft: Draft, proved: Record, unseen: bool) -> Record:
        """The whole record of a proved draft."""
        spec = draft.template.spec
        body: Record = {
            "task": self.name,
            **{name: proved["input"][name] for name in self.columns},
            "system_prompt": "",
            "context": draft.context(),
            "input": proved["input"],
            "target": proved["target"],
        }
        identity = json.dumps(body, sort_keys=True, ensure_ascii=False)
        record = {
            "id": str(uuid.uuid5(NAMESPACE, identity)),
            **body,
            "meta": {
                "template": spec.name,
                "difficulty": spec.difficulty,
                "features": list(spec.features),
                "database": draft.database.name,
                "skeleton": draft.skeleton,
                "unseen_skeleton": unseen,
                **proved.get("meta", {}),
            },
        }
        record["system_prompt"] = self.instruction(record)
        record["messages"] = [
            {"role": "system", "content": record["system_prompt"]},
            {"role": "user", "content": _schemas(record) + self.question(record)},
            {"role": "assistant", "content": self.answer(record)},
        ]
        return record


def _schemas(record: Record) -> str:
    lines = [
        f"{name}({', '.join(f'{column}: {kind}' for column, kind in table['schema'].items())})"
        for name, table in record["context"]["tables"].items()
    ]
    return "Tables:\n" + "\n".join(lines) + "\n\n" if lines else ""
