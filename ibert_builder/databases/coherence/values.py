"""Repairs within a row: states, values that follow from others, values that are known together."""

from __future__ import annotations

import random
import re
import unicodedata
from typing import Any

from ibert_builder.databases.coherence.places import Place, filled
from ibert_builder.databases.coherence.rows import ATTEMPTS, Rows
from ibert_builder.databases.makers import make_text
from ibert_builder.semantics.rules import (
    Holds,
    KnownWhen,
    Lifecycle,
    Lookup,
    NullsWith,
    Set,
    TextFrom,
)


def states(rule: Lifecycle) -> list[str]:
    """The states of a life cycle, each once."""
    return list(dict.fromkeys(state for step in rule.steps for state in step.split(" > ")))


def lifecycle(rule: Lifecycle, rows: Rows, rng: random.Random, turn: int) -> None:
    place = rows.place(rule.lifecycle)
    known = states(rule)
    for i, value in enumerate(rows.values(place)):
        if value is not None and str(value) not in known:
            rows.set(place, i, rows.redrawn(place, i, rng, lambda state: str(state) in known))


def wanted_known(share: float, count: int) -> int:
    """In how many of so many rows a share of values is known: at least one."""
    return max(1, int(share * count + 0.5)) if count else 0


def known_when(rule: KnownWhen, rows: Rows, rng: random.Random, turn: int) -> None:
    place = rows.place(rule.known_when)
    by = rows.place(rule.by, place.table)
    wanted = [by.typed(value) for value in rule.values]
    fitting = [i for i in rows.indices(place.table) if rows.get(by, i) in wanted]
    for i in rows.indices(place.table):
        if i not in fitting:
            rows.set(place, i, None)
    known = [i for i in fitting if rows.get(place, i) is not None]
    number = wanted_known(rule.share, len(fitting))
    for i in rng.sample(known, max(0, len(known) - number)):
        rows.set(place, i, None)
    unknown = [i for i in fitting if i not in known]
    for i in rng.sample(unknown, max(0, number - len(known))):
        rows.set(place, i, rows.redrawn(place, i, rng))


def lookup(rule: Lookup, rows: Rows, rng: random.Random, turn: int) -> None:
    place = rows.place(rule.lookup)
    if place.make.map is not None:
        _lookup_by_key(rule, place, rows, rng)
        return
    by = rows.place(rule.by, place.table)
    allowed = {by.typed(value): [place.typed(v) for v in listed(given)] for value, given in rule.map.items()}
    for i, value in enumerate(rows.values(place)):
        options = allowed.get(rows.get(by, i))
        # NULL says that the value is unknown, whatever it is.
        if options is not None and value is not None and value not in options:
            rows.set(place, i, rng.choice(options))


def listed(given: Any) -> list[Any]:
    """The values that an entry of a `lookup` allows."""
    return given if isinstance(given, list) else [given]


def _lookup_by_key(rule: Lookup, place: Place, rows: Rows, rng: random.Random) -> None:
    for i, value in enumerate(rows.values(place)):
        if value is not None:
            mended = {
                key: rng.choice(listed(rule.map[key]))
                if key in rule.map and found not in listed(rule.map[key])
                else found
                for key, found in value.items()
            }
            rows.set(place, i, mended)


def nulls_with(rule: NullsWith, rows: Rows, rng: random.Random, turn: int) -> None:
    """Keep as many rows of NULLs as are declared, and fill the others; from the second turn on, do either by chance."""
    places = [rows.place(name) for name in rule.nulls_with]
    count = len(rows.indices(places[0].table))
    nulls = [[rows.get(place, i) is None for place in places] for i in range(count)]
    mixed = [i for i in range(count) if any(nulls[i]) and not all(nulls[i])]
    number = round(max(place.spec.nulls for place in places) * count) - sum(map(all, nulls))
    number = rng.randint(0, len(mixed)) if turn else min(len(mixed), max(0, number))
    emptied = rng.sample(mixed, number)
    for i in mixed:
        for place in places:
            if i in emptied:
                rows.set(place, i, None)
            elif rows.get(place, i) is None:
                rows.set(place, i, rows.redrawn(place, i, rng))


def first_word(text: str) -> str:
    """The first run of letters or digits, in lower case and without accents."""
    plain = "".join(c for c in unicodedata.normalize("NFD", text.lower()) if not unicodedata.combining(c))
    found = re.search("[a-z0-9]+", plain)
    return found[0] if found else ""


def text_from(rule: TextFrom, rows: Rows, rng: random.Random, turn: int) -> None:
    """Make the text anew from its patterns, with the other column's word as that part."""
    place = rows.place(rule.text_from)
    source = rows.place(rule.column, place.table)
    make = place.make.text
    if make is None:
        return
    taken = {value for value in rows.values(place) if value}
    for i, text in enumerate(rows.values(place)):
        word = first_word(rows.get(source, i) or "")
        if (
            not text
            or not word
            or any(re.fullmatch(form(p, make.parts, rule.part, word), text) for p in make.patterns)
        ):
            continue
        for _ in range(ATTEMPTS):
            text = make_text(make, rng, {rule.part: word})
            if not place.spec.unique or text not in taken:
                break
        else:
            raise ValueError(f"{place} has too few texts with '{word}'")
        taken.add(text)
        rows.set(place, i, text)


def form(pattern: str, parts: dict[str, list[str]], part: str, word: str) -> str:
    """A regular expression for the texts of a pattern with a given word as one part."""
    options = {name: "|".join(map(re.escape, words)) for name, words in parts.items()} | {
        part: re.escape(word)
    }
    pieces = re.split(r"\{(\w+)\}", pattern)
    return "".join(
        f"(?:{options[piece]})"
        if index % 2
        else re.escape(piece).replace(r"\#", "[0-9]").replace(r"\?", "[A-Z]")
        for index, piece in enumerate(pieces)
    )


def set_(rule: Set, rows: Rows, rng: random.Random, turn: int) -> None:
    place = rows.place(rule.set)
    for i, value in enumerate(rows.values(place)):
        if value is not None:
            rows.set(place, i, list(dict.fromkeys(value)))


def holds(rule: Holds, rows: Rows, rng: random.Random, turn: int) -> None:
    """Draw the columns of the condition anew in rows that break it; from the third turn on, copy them from rows that do not."""
    condition = filled(rows.spec, rule.holds, rule.table, "t")
    table = rows.spec.tables[rule.table]
    words = set(re.findall(r"\w+", rule.holds))
    words |= {
        after.column for name in words & set(table.columns) if (after := table.columns[name].make.after)
    }
    named = [rows.place(name, rule.table) for name in table.columns if name in words and name != table.key]
    # References only where nothing else can change.
    columns = [place for place in named if place.make.ref is None] or named
    broken = rows.breaking(rule.table, condition)
    kept = sorted(set(rows.indices(rule.table)) - set(broken))
    for _ in range(ATTEMPTS):
        if not broken:
            return
        if not columns:
            raise ValueError("the condition names no column that can be made anew")
        drafts = [i for i in broken for _ in range(_DRAFTS)]
        made = [_draft(columns, i, kept if turn > 1 else [], rows, rng) for i in drafts]
        drawn = {place.column: [draft[place.column] for draft in made] for place in columns}
        bad = set(rows.breaking(rule.table, condition, drafts, drawn))
        for draft, i in enumerate(drafts):
            if draft not in bad and i in broken:
                broken.remove(i)
                for place in columns:
                    rows.set(place, i, drawn[place.column][draft])
    raise ValueError(f"the condition does not hold in {len(broken)} rows, however they are made")


_DRAFTS = 8  # of each row at a time, as a query takes longer than a draft


def _draft(columns: list[Place], i: int, kept: list[int], rows: Rows, rng: random.Random) -> dict[str, Any]:
    """Other values of a row: those of one of the rows `kept`, or new ones for one column or for all.

    A value that is NULL stays so, unless the row is a copy.
    """
    if kept:
        model = rng.choice(kept)
        return {place.column: rows.get(place, model) for place in columns}
    draft = {place.column: rows.get(place, i) for place in columns}
    known = [place for place in columns if draft[place.column] is not None]
    if known and rng.random() < 0.7:
        known = [rng.choice(known)]
    # What comes after another column is drawn after it.
    for place in sorted(known, key=lambda place: place.make.after is not None):
        draft[place.column] = rows.redrawn(place, i, rng, own=draft)
    return draft
