"""Frames: parentheses where they are needed, variants, and where `_` may stand for the table."""

from __future__ import annotations

import pytest

from ibert_builder.templating.frames import Piece, parse_frame


def fill(text, language, shape):
    frame = parse_frame(text, language)
    return frame.render(lambda place: Piece(shape, shape))


@pytest.mark.parametrize(
    ("text", "language", "shape", "expected"),
    [
        ("{x}.upper()", "ibis", "a + b", "(a + b).upper()"),
        ("{x}.upper()", "ibis", "a.lower()", "a.lower().upper()"),
        ("{x} & {x}", "ibis", "a > 1", "(a > 1) & (a > 1)"),
        ("~{x}", "ibis", "a == 1", "~(a == 1)"),
        ("{x} * 2", "ibis", "a + b", "(a + b) * 2"),
        ("{x} + 2", "ibis", "a * b", "a * b + 2"),
        ("f({x})", "ibis", "a | b", "f(a | b)"),
        ("{x} AND {x}", "sql", "a > 1", "a > 1 AND a > 1"),
        ("{x} AND {x}", "sql", "a OR b", "(a OR b) AND (a OR b)"),
        ("NOT {x}", "sql", "a AND b", "NOT (a AND b)"),
        ("{x} * 2", "sql", "a + b", "(a + b) * 2"),
        ("{x} % 2", "sql", "a - 1", "(a - 1) % 2"),
        ("{x} and {x}", "en", "a or b", "a or b and a or b"),
    ],
)
def test_parentheses_stand_where_they_are_needed_and_nowhere_else(text, language, shape, expected):
    assert fill(text, language, shape) == expected


def test_variants_change_keywords_and_line_breaks_but_no_string():
    frame = parse_frame("SELECT {x}\nFROM T WHERE y = 'It''S  A'", "sql", is_statement=True)
    assert frame.lower.segments[1] == "\nfrom t where y = 'It''S  A'"
    assert frame.one_line.segments[1] == " FROM T WHERE y = 'It''S  A'"


@pytest.mark.parametrize("text", ["a {", "a }", "{X}", "{a b}", "{}"])
def test_lone_braces_are_refused(text):
    with pytest.raises(ValueError, match="lone"):
        parse_frame(text, "en")


def test_only_arguments_of_methods_on_the_table_can_be_deferred():
    frame = parse_frame(
        "x = {t}\n{t}.filter({p}).mutate(a={q}, b=ibis.ifelse({r}, 1, 2))\n{s}.sum()",
        "ibis",
        is_statement=True,
    )
    assert {frame.placeholders[index].slot for index in frame.deferrable} == {"p", "q", "r"}
    joined = parse_frame("{t}.join({u}, {p}).select({q})", "ibis", is_statement=True)
    assert {joined.placeholders[index].slot for index in joined.deferrable} == {"u", "p"}
