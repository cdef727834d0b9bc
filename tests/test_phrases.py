"""Every phrase, alone: its Ibis and its SQL give equal results over every column of every database that it fits."""

from __future__ import annotations

import random

import pytest

from ibert_builder.draw import Drawer, NoFit
from ibert_builder.engine import difference, engine_for
from ibert_builder.library import load_library
from ibert_builder.text import Placeholder
from ibert_builder.values import CANONICAL, TableValue

PHRASES = load_library().phrasebook.phrases
PLACE = Placeholder("", None, None)
DRAWS = 8  # per table; columns and literals are drawn, so several draws see all of them


@pytest.mark.parametrize("name", PHRASES)
def test_phrase_says_the_same_in_ibis_and_sql(name, library):
    phrase, proved = PHRASES[name], 0
    for database in library.databases.values():
        engine = engine_for(database)
        for table in database.tables.values():
            seen = set()
            for index in range(DRAWS):
                drawer = Drawer(database, engine, library.phrasebook, random.Random(f"{name}/{table.name}/{index}"))
                try:
                    value = drawer.fill(phrase, "any", TableValue("t", table, table.name), depth=2)
                except NoFit:
                    continue
                ibis_text, sql_text = (value.render(language, PLACE, CANONICAL).text for language in ("ibis", "sql"))
                if sql_text in seen:
                    continue
                seen.add(sql_text)
                if phrase.kind == "aggregate":
                    code, sql = f"{table.name}.agg(v={ibis_text})", f"SELECT {sql_text} AS v FROM {table.name}"
                else:
                    code = f"{table.name}.select({table.name}.{table.key}, v={ibis_text})"
                    sql = f"SELECT {table.key}, {sql_text} AS v FROM {table.name}"
                expected = engine.run_sql(sql)
                assert difference(expected, engine.run_code(code), ordered=False) is None, (sql, code)
                if phrase.kind != "scalar":
                    assert not engine.depends_on_row_order(sql, expected, ordered=False), sql
                proved += 1
    assert proved >= 3, f"{phrase.place}: fits next to nothing"


def test_there_are_enough_phrases_of_every_kind():
    kinds = {kind: sum(phrase.kind == kind for phrase in PHRASES.values()) for kind in ("scalar", "aggregate", "window")}
    assert len(PHRASES) >= 120
    assert min(kinds.values()) >= 15, kinds


def test_every_phrase_reads_as_english():
    for phrase in PHRASES.values():
        text = phrase.frames["en"].text
        assert not text.startswith(("the ", "a ", "an ")), f"{phrase.place}: templates add the article"
        assert "  " not in text and text == text.strip(), phrase.place
