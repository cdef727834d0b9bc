from __future__ import annotations

import pytest

from ibert_builder.templating.frames import Piece, parse_frame
from ibert_builder.templating.layout import layout


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
    assert {joined.placeholders[index].slot for index in joined.deferrable} <= {"u", "p"}


LAYOUTS = {
    "short chains stand on one line": ("t\n.filter(t.a > 1)\n.select('a')", "t.filter(t.a > 1).select('a')"),
    "long chains take a line a call": (
        "x = t\n.filter(t.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa > 1)\n.select('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')",
        "x = (\n    t.filter(t.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa > 1)\n"
        "    .select('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')\n)",
    ),
    "grouping parentheses never become tuples": (
        "t.filter((t.aaaaaaaaaaaaaaaaaaaaaaaaaaaaa > 1) & ((t.bbbbbbbbbbbbbbbbbbbbbbbbbbbb > 2) | (t.cccccccccccccccccccccccc > 3)))",
        "t.filter(\n    (t.aaaaaaaaaaaaaaaaaaaaaaaaaaaaa > 1)\n    & ((t.bbbbbbbbbbbbbbbbbbbbbbbbbbbb > 2) | (t.cccccccccccccccccccccccc > 3))\n)",
    ),
    "strings keep their brackets and commas": ("t.filter(t.a == '(,')", "t.filter(t.a == '(,')"),
    "functions keep their indentation": (
        "def f(t):\n    return t\n    .head()\n",
        "def f(t):\n    return t.head()",
    ),
}


@pytest.mark.parametrize("case", LAYOUTS)
def test_layout(case):
    code, expected = LAYOUTS[case]
    assert layout(code) == expected


def test_layout_never_changes_what_code_says(catalog):
    import ast

    from ibert_builder.templating.frames import join_chains

    for templates in catalog.templates.values():
        for template in templates:
            for frames in template.frames.values():
                for frame in frames:
                    if frame.language == "ibis":
                        for width in (88, 40, 20):
                            code = frame.filled()
                            assert ast.dump(ast.parse(layout(code, width))) == ast.dump(
                                ast.parse(join_chains(code))
                            ), template.name
