"""Every phrase, alone: its Ibis and its SQL give equal results over every column of every database that it fits."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

import pytest

from ibert_builder.execution.engine import engine_for
from ibert_builder.execution.results import difference
from ibert_builder.generation.catalog import load_catalog
from ibert_builder.templating.frames import Placeholder
from ibert_builder.templating.sampler import NoFit, Sampler
from ibert_builder.templating.scope import EMPTY, Scope
from ibert_builder.templating.slots import parse_slot
from ibert_builder.templating.values import CANONICAL, TableValue

PHRASES = load_catalog().phrasebook.phrases
PLACE = Placeholder("", None, None)


ANY = parse_slot("any")


@dataclass(frozen=True)
class SamplerFor(Sampler):
    """Draws a given column first, if that fits what is asked for."""

    first: list[str] = field(default_factory=list)

    def column(self, slot, owner, bound, scope):
        if not self.first:
            return super().column(slot, owner, bound, scope)
        first = self.first.pop()
        others = frozenset((owner.slot, name) for name in owner.table.columns if name != first)
        return super().column(slot, owner, bound, Scope(settled=others))


def fillings(phrase, database, table, catalog):
    """The phrase over every column of a table that fits its first slot, by the texts in Ibis and SQL."""
    owner, texts = TableValue("t", table, table.name), {}
    for column in table.columns:
        rng = random.Random(f"{phrase.name}/{column}")
        sampler = SamplerFor(database, engine_for(database), catalog.phrasebook, rng, first=[column])
        try:
            value = sampler.fill(phrase, replace(ANY, kind=phrase.kind), owner, 2, EMPTY)
        except NoFit:
            continue
        texts[value.render("sql", PLACE, CANONICAL).text] = value.render("ibis", PLACE, CANONICAL).text
    return list(texts.items())


@pytest.mark.parametrize("name", PHRASES)
def test_phrase_says_the_same_in_ibis_and_sql(name, catalog):
    phrase, proved = PHRASES[name], 0
    for database in catalog.databases.values():
        engine = engine_for(database)
        for table in database.tables.values():
            pairs = fillings(phrase, database, table, catalog)
            if not pairs:
                continue
            sql = ", ".join(f"{text} AS v{i}" for i, (text, _) in enumerate(pairs))
            code = ", ".join(f"v{i}={text}" for i, (_, text) in enumerate(pairs))
            if phrase.kind == "aggregate":
                sql, code = f"SELECT {sql} FROM {table.name}", f"{table.name}.agg({code})"
            else:
                sql, code = (
                    f"SELECT {table.key}, {sql} FROM {table.name}",
                    f"{table.name}.select({table.name}.{table.key}, {code})",
                )
            expected = engine.run_sql(sql)
            assert difference(expected, engine.run_code(code), ordered=False) is None, (sql, code)
            if phrase.kind != "scalar":
                assert not engine.depends_on_row_order(sql, expected, ordered=False), sql
            proved += len(pairs)
    assert proved >= 3, f"{phrase.place}: fits next to nothing"


def test_the_column_asked_for_is_the_one_drawn(catalog, webshop):
    found = fillings(PHRASES["is_missing"], webshop, webshop.tables["customers"], catalog)
    nullable = {c.name for c in webshop.tables["customers"].columns.values() if c.nullable}
    assert len(nullable) > 1
    assert {text.removesuffix(" IS NULL") for text, _ in found} == nullable


def test_there_are_enough_phrases_of_every_kind():
    kinds = {
        kind: sum(phrase.kind == kind for phrase in PHRASES.values())
        for kind in ("scalar", "aggregate", "window")
    }
    assert len(PHRASES) >= 120
    assert min(kinds.values()) >= 15, kinds


def test_phrases_leave_the_article_to_the_templates():
    for phrase in PHRASES.values():
        text = phrase.frames["en"].text
        assert not text.startswith(("the ", "a ", "an ")), phrase.place
        assert "  " not in text and text == text.strip(), phrase.place
