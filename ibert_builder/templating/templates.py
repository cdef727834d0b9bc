"""Templates: the frames around phrases, as YAML files in `templates/<task>/NN_name.yaml`.

A template names its tables, declares its slots (see `slots.py`) and has texts that use them. Which texts a task wants,
and in which languages, is up to the task's own subclass of `TemplateSpec`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from ibert_builder.databases.model import Database, Reference
from ibert_builder.errors import InputError, unknown
from ibert_builder.templating.frames import Frame, Language
from ibert_builder.templating.named import GROUPS
from ibert_builder.templating.phrases import Phrasebook, canonical_filling, checked_frame, parse_slots
from ibert_builder.templating.sampler import Sampler
from ibert_builder.templating.slots import NoFit, Slot, SlotDeclaration
from ibert_builder.templating.values import JoinValue, TableValue
from ibert_builder.yaml_source import Location, Source, Strict, read_folder

BIND_ATTEMPTS = 40

_TABLE = re.compile(r"any|(parent|child|same|self parent) (?:of|as) (\w+)")


class TableSpec(Strict):
    """The long form of a table declaration."""

    declaration: str = Field(alias="is")
    alias: str | None = Field(
        None,
        pattern=r"^[a-z][a-z0-9_]*$",
        description="its name in code and SQL, for a second use of a table",
    )

    @model_validator(mode="after")
    def _parses(self) -> TableSpec:
        if not _TABLE.fullmatch(self.declaration):
            raise ValueError(
                f"'{self.declaration}' is not a valid table"
                " (expected one of: any, parent of T, child of T, self parent of T, same as T)"
            )
        if ("sam" in self.declaration or "self" in self.declaration) and not self.alias:
            raise ValueError("a second use of a table needs an alias")
        return self


class TemplateSpec(Strict):
    """What templates of all tasks have in common.

    Tables are declared as `any`, `parent of T` (T has a reference to it), `child of T`, `self parent of T` (T refers to
    itself) or `same as T`; the last two need an alias. A child c and its parent p have a join slot `{c_p}`: the
    condition of the join, with the parts `{c_p.fk}` and `{c_p.pk}`.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    difficulty: Literal["easy", "medium", "hard"]
    features: list[str] = Field(min_length=1)
    examples: int | None = Field(
        None, ge=1, description="drafts to make from it; by default the task's usual number"
    )
    one_split: bool = Field(
        False, description="its examples differ too little between databases to be in several splits"
    )
    tables: dict[str, str | TableSpec] = {}
    slots: dict[str, SlotDeclaration] = {}

    languages: ClassVar[Mapping[str, Language]] = {}
    texts_have_splits: ClassVar[bool] = False  # whether each text says which split it belongs to

    def texts(self) -> Iterator[tuple[str, Location, str]]:
        """The texts that are to become frames: the field of each, where it stands in the template, and itself."""
        for key in self.languages:
            text = getattr(self, key)
            for each in [] if text is None else [text] if isinstance(text, str) else text:
                yield key, (key,), each

    @model_validator(mode="after")
    def _tables_parse(self) -> TemplateSpec:
        for declaration in self.tables.values():
            if isinstance(declaration, str):
                TableSpec.model_validate({"is": declaration})
        return self


@dataclass(frozen=True)
class TableSlot:
    relation: str
    of: str | None
    alias: str | None


@dataclass(frozen=True)
class Template:
    """A checked template: its spec, its parsed slots and, for each text field, its frames."""

    task: str
    spec: TemplateSpec
    tables: dict[str, TableSlot]
    slots: dict[str, Slot]
    frames: dict[str, tuple[Frame, ...]]
    source: Source = field(repr=False)
    location: tuple[str | int, ...] = ()

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def is_undivided(self) -> bool:
        """Whether all of it belongs to one split; without tables, it would say the same in every database."""
        return self.spec.one_split or not (self.tables or self.spec.texts_have_splits)

    def error(self, problem: str, *place: str | int) -> InputError:
        """An error at a place in the template, which its keys and numbers lead to."""
        return self.source.error(problem, (*self.location, *place))

    @functools.cached_property
    def slot_owner(self) -> dict[str, str | None]:
        return {name: self._owner(slot) for name, slot in self.slots.items()}

    def _owner(self, slot: Slot) -> str | None:
        if slot.kind in ("choice", "literal"):
            return None
        return slot.of or next(iter(self.tables))


def load_templates(
    folder: Path, task: str, model: type[TemplateSpec], book: Phrasebook
) -> tuple[Template, ...]:
    """Read the templates of a task from its folder, checked against its `model` and the phrasebook.

    Raises:
        InputError: a template is malformed, with its file, line and key.
    """
    templates: dict[str, Template] = {}
    for source in read_folder(folder):
        if (
            not isinstance(source.data, dict)
            or set(source.data) != {"templates"}
            or not isinstance(source.data["templates"], list)
        ):
            raise source.error("expected one key, `templates`, with a list of templates")
        for index, data in enumerate(source.data["templates"]):
            at = ("templates", index)
            spec = source.parse(model, data, at)
            if spec.name in templates:
                other = templates[spec.name]
                raise source.error(
                    f"there is another template named '{spec.name}' in {other.source.path}", (*at, "name")
                )
            templates[spec.name] = _template(source, at, task, spec, book)
    if not templates:
        raise InputError("no templates here (expected *.yaml files)", file=folder)
    return tuple(templates.values())


def _template(
    source: Source, at: tuple[str | int, ...], task: str, spec: TemplateSpec, book: Phrasebook
) -> Template:
    tables = _table_slots(source, at, spec)
    slots = parse_slots(source, (*at, "slots"), spec.slots)
    joins = _join_names(tables)
    for name, slot in slots.items():
        here = (*at, "slots", name)
        if name in tables or name in joins:
            raise source.error("a table or join has this name too", here)
        if slot.kind not in ("choice", "literal"):
            if not tables:
                raise source.error("the template has no table to draw from", here)
            if slot.of is None and len(tables) > 1:
                raise source.error(f"say which table: '... of {next(iter(tables))}'", here)
            if slot.of is not None and slot.of not in tables:
                raise source.error(unknown("table", slot.of, tables), here)
        for phrase in slot.only | slot.avoid:
            known = {*book.phrases, *book.groups, *GROUPS}
            if phrase not in known:
                raise source.error(unknown("phrase or group", phrase, known), here)
    known = {*tables, *slots, *joins}
    canonical = canonical_filling(slots)
    frames: dict[str, tuple[Frame, ...]] = dict.fromkeys(spec.languages, ())
    for key, where, text in spec.texts():
        language = spec.languages[key]
        frame = checked_frame(
            source, (*at, *where), text, language, known, canonical, is_statement=language != "en"
        )
        frames[key] = (*frames[key], frame)
    used = {place.slot for group in frames.values() for frame in group for place in frame.placeholders}
    used |= {str(slot.of) for slot in slots.values() if slot.kind == "literal"}
    for name in (*slots, *tables):
        if name not in used and not (
            name in tables and any(name in join.split("_") for join in joins if join in used)
        ):
            kind = "tables" if name in tables else "slots"
            raise source.error(
                f"the {kind[:-1]} '{name}' is declared but not used in any text", (*at, kind, name)
            )
    return Template(task, spec, tables, slots, frames, source, at)


def _table_slots(source: Source, at: tuple[str | int, ...], spec: TemplateSpec) -> dict[str, TableSlot]:
    tables: dict[str, TableSlot] = {}
    for name, declaration in spec.tables.items():
        text, alias = (
            (declaration, None)
            if isinstance(declaration, str)
            else (declaration.declaration, declaration.alias)
        )
        match = _TABLE.fullmatch(text)
        assert match is not None
        if match[2] is not None and match[2] not in tables:
            raise source.error(unknown("table", match[2], tables), (*at, "tables", name))
        tables[name] = TableSlot(match[1] or "any", match[2], alias)
    return tables


def _join_names(tables: Mapping[str, TableSlot]) -> dict[str, tuple[str, str]]:
    """The join slots by name: (child, parent) of each."""
    joins = {}
    for name, slot in tables.items():
        if slot.relation in ("parent", "self parent"):
            joins[f"{slot.of}_{name}"] = (str(slot.of), name)
        elif slot.relation == "child":
            joins[f"{name}_{slot.of}"] = (name, str(slot.of))
    return joins


def bind(template: Template, sampler: Sampler) -> dict[str, Any]:
    """Draw a value for every table, join and slot of a template.

    Raises:
        NoFit: nothing in the database fits.
    """
    for attempt in range(BIND_ATTEMPTS):
        try:
            bound = _bind_tables(template, sampler)
            for name, slot in template.slots.items():
                owner = template.slot_owner[name]
                bound[name] = sampler.slot(slot, bound[owner] if owner else None, bound)
            return bound
        except NoFit:
            if attempt == BIND_ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


def _bind_tables(template: Template, sampler: Sampler) -> dict[str, Any]:
    database, rng = sampler.database, sampler.rng
    bound: dict[str, Any] = {}
    used: set[Reference] = set()
    for name, slot in template.tables.items():
        if slot.of is None:
            options = [
                table
                for table in database.tables.values()
                if table.name not in {v.table.name for v in bound.values() if isinstance(v, TableValue)}
            ]
            if not options:
                raise NoFit(f"no further table in {database.name}")
            table = rng.choice(options)
            bound[name] = TableValue(name, table, slot.alias or table.name)
            continue
        other: TableValue = bound[slot.of]
        if slot.relation == "same":
            bound[name] = TableValue(name, other.table, str(slot.alias))
            continue
        references = [r for r in _references(database, slot.relation, other) if r not in used]
        if not references:
            raise NoFit(f"no {slot.relation} of {other.table.name}")
        reference = rng.choice(references)
        used.add(reference)
        table = database.tables[reference.child if slot.relation == "child" else reference.parent]
        bound[name] = value = TableValue(name, table, slot.alias or table.name)
        child, parent = (value, other) if slot.relation == "child" else (other, value)
        bound[f"{child.slot}_{parent.slot}"] = JoinValue(child, parent, reference)
    names = [v.variable for v in bound.values() if isinstance(v, TableValue)]
    if len(set(names)) < len(names):
        raise NoFit("a table would be used twice without an alias")
    return bound


def _references(database: Database, relation: str, other: TableValue) -> list[Reference]:
    name = other.table.name
    if relation == "self parent":
        return [r for r in database.references if r.child == r.parent == name]
    one_way = [r for r in database.references if r.child != r.parent]
    return [r for r in one_way if (r.parent if relation == "child" else r.child) == name]
