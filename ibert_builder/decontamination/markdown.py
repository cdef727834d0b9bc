"""The blocks of a Markdown text, each with the line it begins on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from markdown_it import MarkdownIt

_LINE_END = re.compile(r"\r\n?|\n")
_LANGUAGE = re.compile(r"[\w+-]*")

# What stands in HTML and in link definitions is read as text, lest a query in there be missed. Lists and quotes that are
# nested deeper than 100 levels are not read: each level takes a few frames of Python's stack.
_PARSER = MarkdownIt("commonmark", {"maxNesting": 100}).enable("table").disable(["html_block", "reference"])
_PARSER.core.ruler.enableOnly(["normalize", "block"])  # not the markup within a block


@dataclass(frozen=True)
class Block:
    """A heading, a paragraph, a row of a table or a block of code.

    Attributes:
        line: where its text begins, from 1; of a fence that is the line after it.
        language: as the fence says, in lower case; empty for all other text, and `text` for code of no language.
        text: without indentation, quote marks, list markers and fences.
        cells: of a row.
    """

    line: int
    language: str
    text: str
    cells: tuple[str, ...] = ()


def blocks(text: str) -> Iterator[Block]:
    """The blocks of a Markdown text, in order and without the empty ones."""
    lines = _LINE_END.split(text)
    row: tuple[int, list[str]] | None = None
    for token in _PARSER.parse(text):
        if token.type == "tr_open" and token.map:
            row = token.map[0], []
        elif token.type == "tr_close" and row is not None:
            line, cells = row
            yield Block(line + 1, "", lines[line].strip(" >|"), tuple(cells))
            row = None
        elif token.type == "inline" and row is not None:
            row[1].append(token.content)
        elif token.map and token.content.strip():
            if token.type == "fence":
                found = _LANGUAGE.match(token.info)
                language = found[0].lower() if found else ""
                yield Block(token.map[0] + 2, language or "text", token.content.rstrip("\n"))
            elif token.type == "code_block":
                yield Block(token.map[0] + 1, "text", token.content.rstrip("\n"))
            elif token.type == "inline":
                yield Block(token.map[0] + 1, "", token.content)
