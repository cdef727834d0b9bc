"""The phrasebook: typed expressions that say the same thing in Ibis, in SQL and in English.

A phrase takes slots (see `slots.py`) and gives a value of a class. Phrases nest by class, so a seeded draw makes
expressions that are known in all three languages at once.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import sqlglot
from pydantic import Field

from ibert_builder.databases.type_classes import CLASSES, fits, is_class
from ibert_builder.dialects.registry import DialectName
from ibert_builder.errors import InputError, unknown
from ibert_builder.semantics.kinds import KINDS, is_meaning
from ibert_builder.templating.english import ROWS, condition
from ibert_builder.templating.frames import Frame, Language, Placeholder, parse_frame
from ibert_builder.templating.slots import Slot, SlotDeclaration, parse_slot
from ibert_builder.yaml_source import Source, Strict, read_folder

CanonicalFilling = Callable[[Placeholder, Language], str]


class PhraseSpec(Strict):
    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    takes: dict[str, SlotDeclaration] = {}
    gives: str = Field(description="the class of the result, or `=x` for the class of slot x")
    means: str | None = Field(
        None,
        description="the kind of the result, or `=x` for that of slot x, which is usual where it has the class of x",
    )
    ibis: str
    sql: str
    en: str = Field(
        description="a noun phrase without an article, or of a condition a relative clause: `whose {x} is more than {v}`,"
        " `that has|have no {x}`"
    )
    it: str | None = Field(
        None, description="of a condition: the statement about one row, if it is not to be made from `en`"
    )
    says: str | None = Field(
        None,
        description="of a condition on {x}: how its values are said, for columns with a clause of their own: `more than {v}`",
    )
    alias: str | None = Field(
        None, description="the natural name of the result: `total_{x}`; by default `{x}_NAME`"
    )
    weight: float = Field(1.0, gt=0, description="how often it is drawn, relative to the others")
    top_only: bool = Field(False, description="never nested in other phrases")
    not_in: list[DialectName] = Field(
        [], description="dialects in which it cannot be expressed or cannot be proved"
    )


class PhraseFile(Strict):
    """A file in `templates/_phrases`. The file's name without its number is the group that its phrases belong to."""

    kind: Literal["scalar", "aggregate", "window"] = "scalar"
    phrases: list[PhraseSpec]


@dataclass(frozen=True)
class Phrase:
    """A phrase of the phrasebook.

    Attributes:
        means: the kind of what it gives, or `=x` for that of slot x; None if it has none.
        frames: its texts by language; a condition has `it` besides, a statement about one row, and perhaps `says`.
    """

    name: str
    group: str
    kind: str
    takes: dict[str, Slot] = field(compare=False)
    gives: str
    means: str | None
    frames: dict[str, Frame] = field(compare=False)
    alias: Frame = field(compare=False)
    weight: float
    top_only: bool
    not_in: frozenset[str]
    place: str = field(compare=False)

    def argument_class(self, slot: str, wanted: str) -> str | None:
        """The class to draw for a slot so that the phrase gives `wanted`; None if it cannot."""
        takes = self.takes[slot].wanted
        if self.gives != f"={slot}" or fits(takes, wanted):
            return takes
        return wanted if fits(wanted, takes) else None

    def can_give(self, wanted: str) -> bool:
        if self.gives.startswith("="):
            slot = self.gives[1:]
            return self.takes[slot].kind == "literal" or self.argument_class(slot, wanted) is not None
        return fits(self.gives, wanted)


@dataclass(frozen=True)
class Phrasebook:
    phrases: dict[str, Phrase]
    # By (kind, class): there are a few dozen pairs, and they are gone when the phrasebook is.
    _giving: dict[tuple[str, str], tuple[Phrase, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @functools.cached_property
    def groups(self) -> frozenset[str]:
        return frozenset(phrase.group for phrase in self.phrases.values())

    def giving(self, kind: str, wanted: str) -> tuple[Phrase, ...]:
        """The phrases of a kind that can give a class, in file order."""
        if (kind, wanted) not in self._giving:
            found = (p for p in self.phrases.values() if p.kind == kind and p.can_give(wanted))
            self._giving[kind, wanted] = tuple(found)
        return self._giving[kind, wanted]


def load_phrases(folder: Path) -> Phrasebook:
    """Read every phrase of a folder.

    Raises:
        InputError: a file is malformed, a text does not parse in its language, a slot is unknown or unused.
    """
    phrases: dict[str, Phrase] = {}
    for source in read_folder(folder):
        group = source.path.stem.split("_", 1)[-1]
        file = source.parse(PhraseFile)
        for index, spec in enumerate(file.phrases):
            if spec.name in phrases:
                raise source.error(f"there is another phrase named '{spec.name}'", ("phrases", index, "name"))
            phrases[spec.name] = _phrase(source, index, spec, group, file.kind)
    if not phrases:
        raise InputError("no phrases here (expected *.yaml files)", file=folder)
    return Phrasebook(phrases)


def _phrase(source: Source, index: int, spec: PhraseSpec, group: str, kind: str) -> Phrase:
    at = ("phrases", index)
    takes = parse_slots(source, (*at, "takes"), spec.takes)
    gives = spec.gives.removeprefix("=")
    if gives != spec.gives and gives not in takes:
        raise source.error(unknown("slot", gives, takes), (*at, "gives"))
    if gives == spec.gives and not is_class(gives):
        raise source.error(unknown("class", gives, CLASSES), (*at, "gives"))
    canonical = canonical_filling(takes)
    means = spec.means or (spec.gives if spec.gives != gives else None)
    if means is not None and not is_meaning(means.removeprefix("=")) and means.removeprefix("=") not in takes:
        raise source.error(unknown("kind", means, KINDS), (*at, "means"))
    frames: dict[str, Frame] = {
        language: checked_frame(source, (*at, language), getattr(spec, language), language, takes, canonical)
        for language in ("ibis", "sql")
    }
    for key, text in _english(source, at, spec, kind).items():
        frames[key] = checked_frame(source, (*at, "en"), text, "en", {*takes, *ROWS}, canonical)
    for slot in takes:
        for language in ("ibis", "sql"):
            if not any(place.slot == slot for place in frames[language].placeholders):
                raise source.error(f"the slot '{slot}' is not used in `{language}`", (*at, "takes", slot))
    # Named after its first argument, if it has one: literals rarely make good names.
    named = next(iter(takes), None)
    alias = spec.alias or (f"{{{named}}}_{spec.name}" if named else spec.name)
    return Phrase(
        spec.name, group, kind, takes, spec.gives, means, frames,
        checked_frame(source, (*at, "alias"), alias, "en", {*takes, *ROWS}, canonical),
        spec.weight, spec.top_only, frozenset(spec.not_in), f"{source.path}:{source.line(at)}",
    )  # fmt: skip


def _english(source: Source, at: tuple[str | int, ...], spec: PhraseSpec, kind: str) -> dict[str, str]:
    """The English frames: `en`, and of a condition what `english.condition` makes of it and `says`."""
    if spec.gives != "boolean" or kind != "scalar":
        return {"en": spec.en}
    try:
        given = {key: text for key, text in (("it", spec.it), ("says", spec.says)) if text}
        return {**condition(spec.en), **given}
    except ValueError as error:
        raise source.error(str(error), (*at, "en")) from None


def parse_slots(
    source: Source, at: tuple[str | int, ...], declarations: dict[str, SlotDeclaration]
) -> dict[str, Slot]:
    """Parse the slot declarations at a location in a file.

    Raises:
        InputError: one is not valid, or a literal is drawn from a slot that is not declared before it.
    """
    slots: dict[str, Slot] = {}
    for name, declaration in declarations.items():
        try:
            slots[name] = slot = parse_slot(declaration)
        except ValueError as error:
            raise source.error(str(error), (*at, name)) from None
        if slot.kind == "literal":
            if slot.of not in declarations:
                raise source.error(unknown("slot", str(slot.of), declarations), (*at, name))
            if slot.of not in slots or slots[slot.of].kind not in ("column", "scalar"):
                raise source.error(
                    f"expected '{slot.of}' to be a column or expression declared before it", (*at, name)
                )
    return slots


def canonical_filling(slots: Mapping[str, Slot]) -> CanonicalFilling:
    """The stand-in for each slot when a text is parsed on its own: its first option, or else its own name."""

    def fill(place: Placeholder, language: Language) -> str:
        slot = slots.get(place.slot)
        if slot is not None and slot.kind == "choice":
            for option in slot.options:
                if isinstance(option, dict) and language not in option:
                    raise ValueError(f"an option of the slot '{place.slot}' has no `{language}`: {option}")
            option = slot.options[0]
            if isinstance(option, dict):
                return str(option[language])
            return repr(option) if place.spec == "str" else str(option)
        if place.spec == "str":
            return f'"{place.slot}"' if language == "ibis" else f"'{place.slot}'"
        return place.slot

    return fill


def checked_frame(
    source: Source,
    at: tuple[str | int, ...],
    text: str,
    language: Language,
    known: Collection[str],
    canonical: CanonicalFilling,
    is_statement: bool = False,
) -> Frame:
    """Make a frame of the text at a location in a file.

    Raises:
        InputError: a placeholder is not `known`, or the text does not parse.
    """
    try:
        frame = parse_frame(text.rstrip(), language, lambda place: canonical(place, language), is_statement)
    except ValueError as error:
        raise source.error(str(error), at) from None
    for place in frame.placeholders:
        if place.slot not in known:
            raise source.error(unknown("slot", place.slot, known), at)
    if language != "en":
        try:
            frame.parse()
        except (SyntaxError, sqlglot.errors.SqlglotError) as error:
            reason = str(error).splitlines()[0]
            raise source.error(
                f"does not parse as {language}: {reason} (in: {frame.filled()!r})", at
            ) from None
    return frame
