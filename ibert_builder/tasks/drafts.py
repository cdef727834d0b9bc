"""Drafts: a template written out for one database and not yet proved, and what is left once it is."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ibert_builder.databases.model import Database
from ibert_builder.execution.engine import Engine
from ibert_builder.templating.phrases import Phrasebook
from ibert_builder.templating.sampler import Sampler
from ibert_builder.templating.skeleton import skeleton_id, without_literals
from ibert_builder.templating.templates import Template, bind
from ibert_builder.templating.values import TableValue

Texts = Mapping[str, str | None]


@dataclass(frozen=True)
class Setting:
    """What a draft is drawn from, apart from its template."""

    database: Database
    engine: Engine
    phrasebook: Phrasebook
    rng: random.Random
    dialects: tuple[str, ...] | None = None
    index: int = 0  # which of the template's drafts this is

    def bind(self, template: Template, dialect: str = "duckdb") -> dict[str, Any]:
        """Draw a value for every slot of a template, using only phrases that the dialect can express.

        Raises:
            NoFit: the database has nothing that fits the template.
        """
        sampler = Sampler(self.database, self.engine, self.phrasebook, self.rng, dialect)
        return bind(template, sampler)


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A template bound to one database and written out. Each task adds the texts it proves.

    Attributes:
        bound: the values in the template's slots.
        key: the input that a user of the dataset sees; no two examples share one.
        code: the query in canonical Ibis, by which its skeleton is known.
    """

    template: Template
    database: Database
    bound: Mapping[str, Any]
    key: str
    code: str

    @property
    def whole(self) -> str:
        """The text that the key is part of, or the key itself."""
        return self.key

    @property
    def skeleton(self) -> str:
        return skeleton_id(self.code)

    @property
    def without_literals(self) -> str:
        """The text with its literals masked: equal for drafts that differ in literals only."""
        tables = self.database.tables
        names = {*tables}.union(*(table.columns for table in tables.values()))
        return without_literals(self.whole, names)

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of the tables it uses, without repeats, in the order of the template's slots."""
        return tuple({v.table.name: None for v in self.bound.values() if isinstance(v, TableValue)})


@dataclass(frozen=True)
class Proved:
    """The texts of a proved draft: the record's `input` and `target`, and the task's own part of `meta`."""

    input: Texts
    target: Texts
    meta: Texts = field(default_factory=dict)
