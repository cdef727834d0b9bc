"""Markdown falls into the blocks that its readers see, each on its own line."""

from __future__ import annotations

import pytest

from ibert_builder.decontamination.markdown import blocks

# Markdown, and of each block the line, the language and the text
CASES = {
    "headings and paragraphs": (
        "# One\ntwo\nthree\n\n\nfour\n===\n",
        [(1, "", "One"), (2, "", "two\nthree"), (6, "", "four")],
    ),
    "items": ("- a\n- b\n  c\n\n  d\n1. e\n", [(1, "", "a"), (2, "", "b\nc"), (5, "", "d"), (6, "", "e")]),
    "a fence": ("a\n\n```sql\nSELECT 1;\n\nSELECT 2;\n```\nb", [(1, "", "a"), (4, "sql", "SELECT 1;\n\nSELECT 2;"), (8, "", "b")]),
    "a fence of tildes": ("~~~PY title\nx\n```\n~~~", [(2, "py", "x\n```")]),
    "a fence right after text": ("a\n```sql\nb\n```", [(1, "", "a"), (3, "sql", "b")]),
    "a fence in an item": ("1. a\n\n   ```sql\n   SELECT\n     2\n   ```\n2. b", [(1, "", "a"), (4, "sql", "SELECT\n  2"), (7, "", "b")]),
    "a fence in an item of an item": ("- a\n  - ```py\n    x\n    ```\n", [(1, "", "a"), (3, "py", "x")]),
    "a fence in a quote": ("> a\n>\n> ```sql\n> b\n> ```\n", [(1, "", "a"), (4, "sql", "b")]),
    "a quote that ends a fence": ("> ```sql\n> a\n\nb", [(2, "sql", "a"), (4, "", "b")]),
    "indented code": ("a\n\n    b\n\n      c\n\nd", [(1, "", "a"), (3, "text", "b\n\n  c"), (7, "", "d")]),
    "a fence in a longer one": ("````md\n```sql\na\n```\n````\nb", [(2, "md", "```sql\na\n```"), (6, "", "b")]),
    "a fence without a language": ("```\na\n```", [(2, "text", "a")]),
    "a fence that is never closed": ("a\n\n```sql\nb\n\n# c", [(1, "", "a"), (4, "sql", "b\n\n# c")]),
    "no fence within a line": ("a ``` b\nc", [(1, "", "a ``` b\nc")]),
    "an empty fence": ("```sql\n```\n\na", [(4, "", "a")]),
    "Windows line ends": ("a\r\n\r\n```sql\r\nb\r\nc\r\n```\r\nd", [(1, "", "a"), (4, "sql", "b\nc"), (7, "", "d")]),
    "rows": ("a\n\n| b | c |\n|---|---|\n| d | e |\n", [(1, "", "a"), (3, "", "b | c"), (5, "", "d | e")]),
    "HTML": ("<details>\n```sql\na\n```\n</details>\n", [(1, "", "<details>"), (3, "sql", "a"), (5, "", "</details>")]),
    "a link's definition": ('[a]: b "How many?"\n', [(1, "", '[a]: b "How many?"')]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_blocks_stand_on_their_lines(case):
    text, expected = CASES[case]
    assert [(block.line, block.language, block.text) for block in blocks(text)] == expected


def test_rows_have_cells():
    header, row = blocks("| question | sql |\n|---|---|\n| How many? | SELECT a \\|\\| b | left over |\n")
    assert header.cells == ("question", "sql")
    assert row.cells == ("How many?", "SELECT a || b")
    assert row.text.endswith("left over")


def test_lists_and_quotes_are_followed_far_down():
    text = "> " * 40 + "- " * 10 + "a"
    assert [block.text for block in blocks(text)] == ["a"]
