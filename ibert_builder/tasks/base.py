"""The contract of a task. What flows through it: Template -> Draft -> Proved -> Record, or rejected under a named reason."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Generic, TypeVar

from ibert_builder.execution.engine import Engine
from ibert_builder.tasks.drafts import Draft, Proved, Setting
from ibert_builder.tasks.fields import Kind, TextField
from ibert_builder.templating.templates import Template, TemplateSpec

Record = dict[str, Any]
D = TypeVar("D", bound=Draft)


class Task(ABC, Generic[D]):
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
        """The SQL dialects it knows, if any. Read from `DIALECTS` each time, so that later additions count."""
        return ()

    @abstractmethod
    def expand(self, template: Template, setting: Setting) -> D:
        """Bind a template to the setting's database. Cheap: nothing is proved here.

        Raises:
            NoFit: the database has nothing that fits the template.
        """

    @abstractmethod
    def prove(self, draft: D, engine: Engine) -> Proved:
        """Run the draft.

        Raises:
            Rejected: it does not hold, under a named reason.
        """

    @abstractmethod
    def recheck(self, record: Record, engine: Engine) -> None:
        """Prove a finished record from its own text alone, on every row set on which the proof can hold.

        Raises:
            Rejected: it does not hold, under a named reason.
        """

    @abstractmethod
    def question(self, record: Record) -> str:
        """The user message without the table schemas, which precede it."""

    @abstractmethod
    def answer(self, record: Record) -> str:
        """The assistant message."""

    def instruction(self, record: Record) -> str:
        """The system message."""
        return self.system_prompt

    def most(self, template: Template) -> int | None:
        """The most drafts that a template can yield, where that is known: a text without slots yields one."""
        return None

    def has_silent_mistake(self, record: Record) -> bool:
        """Whether a record holds code that raises nothing but returns a wrong result, which its proof must show."""
        return False

    @property
    def columns(self) -> tuple[str, ...]:
        """The fields of `input` that are also columns of their own."""
        return tuple(name for name, field in self.input.items() if field.is_column)

    def texts(self, record: Record, kind: Kind) -> list[str]:
        """The texts of a kind in a record's `input` and `target`, leaving out nulls."""
        found = [
            record[struct].get(name)
            for struct, fields in (("input", self.input), ("target", self.target))
            for name, field in fields.items()
            if field.kind == kind
        ]
        return [text for text in found if text is not None]
