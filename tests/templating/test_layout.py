"""Layout: lines break where Ibis's own documentation breaks them, and what the code says stays the same."""

from __future__ import annotations

import ast

import pytest

from ibert_builder.templating.frames import join_chains
from ibert_builder.templating.layout import fit, layout, split_arguments

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


def test_lines_are_no_longer_than_they_must_be(catalog):
    code = layout("t.filter((t.aaaa > 1) & (t.bbbb > 2) & (t.cccc > 3)).select('aaaa', 'bbbb')", 30)
    assert max(map(len, code.splitlines())) <= 30


def test_arguments_are_split_at_their_own_commas():
    assert split_arguments("a, f(b, c), 'd, e', [1, 2], g=(1,)") == [
        "a",
        "f(b, c)",
        "'d, e'",
        "[1, 2]",
        "g=(1,)",
    ]
    assert split_arguments("'it\\'s, so', b,") == ["'it\\'s, so'", "b"]
    assert split_arguments("") == []


def test_an_expression_that_fits_is_left_alone_and_one_that_cannot_be_broken_is_kept():
    assert fit("t.select(t.a, t.b)", 4, 30) == "t.select(t.a, t.b)"
    assert fit("a_name_without_brackets", 4, 10) == "a_name_without_brackets"
    assert fit("broken(a))", 0, 5) == "broken(a))"
