"""Text with slots, in one of three languages, and the parentheses that keep its meaning when a slot is filled.

A frame is the text of a phrase or template: `{x}.upper()`, `SELECT {cols} FROM {t} WHERE {p}`. A placeholder is
`{slot}` or `{slot.part}`, either of them with an optional spec: `{slot:spec}`. `{{` and `}}` are literal braces. What a
spec means is up to the value in the slot (see `values.py`).
"""

from __future__ import annotations

import ast
import functools
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import sqlglot
from sqlglot import exp

Language = Literal["ibis", "sql", "en"]

_PLACEHOLDER = re.compile(
    r"\{\{|\}\}|\{([a-z_][a-z0-9_]*)(?:\.([a-z_]+))?(?::([A-Za-z_][A-Za-z0-9_]*))?\}|[{}]"
)
_QUOTED = re.compile(r"('(?:[^']|'')*'|\"[^\"]*\")")


@dataclass(frozen=True)
class Placeholder:
    slot: str
    part: str | None
    spec: str | None


@dataclass(frozen=True)
class Piece:
    """Rendered text and its shape: the frame it was made from, or None if it never needs parentheses."""

    text: str
    shape: str | None = None


Fill = Callable[[Placeholder], Piece]


@dataclass(frozen=True)
class Frame:
    """A text with placeholders. `segments` has one more element than `placeholders`; the two alternate."""

    text: str
    language: Language
    segments: tuple[str, ...]
    placeholders: tuple[Placeholder, ...]
    canonical: tuple[str, ...]  # stand-ins for the placeholders when the frame is parsed on its own
    is_statement: bool
    plain: Frame | None = None  # the frame of which this is a variant in case or layout

    @functools.cached_property
    def lower(self) -> Frame:
        """The frame with its keywords in lower case; quoted text is left alone."""
        return self._with_segments(lambda outside: outside.lower())

    @functools.cached_property
    def one_line(self) -> Frame:
        return self._with_segments(lambda outside: re.sub(r"\s+", " ", outside))

    def _with_segments(self, change: Callable[[str], str]) -> Frame:
        changed = tuple(
            "".join(part if i % 2 else change(part) for i, part in enumerate(_QUOTED.split(segment)))
            for segment in self.segments
        )
        return replace(self, segments=changed, plain=self.plain or self)

    def render(self, fill: Fill) -> str:
        parts = [self.segments[0]]
        plain = self.plain or self
        for index, placeholder in enumerate(self.placeholders):
            piece = fill(placeholder)
            wrap = (
                piece.shape is not None
                and self.language != "en"
                and _needs_parentheses(plain, index, piece.shape)
            )
            parts.append(f"({piece.text})" if wrap else piece.text)
            parts.append(self.segments[index + 1])
        return "".join(parts)

    @functools.cached_property
    def shape(self) -> str:
        """The frame with its canonical fillings, by which a surrounding frame decides on parentheses."""
        return self.filled()

    def filled(self, at: int = -1, text: str = "") -> str:
        """The frame with its canonical fillings, and `text` in placeholder `at`."""
        fillings = [text if index == at else filling for index, filling in enumerate(self.canonical)]
        return self.segments[0] + "".join(f + s for f, s in zip(fillings, self.segments[1:], strict=True))

    def parse(self) -> ast.AST | exp.Expression:
        """Parse the frame with its canonical fillings.

        Raises:
            SyntaxError, sqlglot.errors.SqlglotError: it does not parse in its language.
        """
        return _parse(self.filled(), self.language, self.is_statement)

    @functools.cached_property
    def deferrable(self) -> frozenset[int]:
        """The placeholders where a column of the only table may be written `_.column`.

        These are the ones among the arguments of a method call on a table, before any join.
        """
        marks = {f"mark_{index}_": index for index in range(len(self.placeholders))}
        text = self.segments[0]
        for (mark, index), segment in zip(marks.items(), self.segments[1:], strict=True):
            keep = self.placeholders[index].spec is not None or not self.canonical[index].isidentifier()
            text += (self.canonical[index] if keep else mark) + segment
        found: set[int] = set()
        for node in ast.walk(ast.parse(join_chains(text))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and _is_table_chain(node.func.value)
            ):
                for argument in (*node.args, *(keyword.value for keyword in node.keywords)):
                    found.update(
                        marks[n.id] for n in ast.walk(argument) if isinstance(n, ast.Name) and n.id in marks
                    )
        return frozenset(found)


def _is_table_chain(node: ast.AST) -> bool:
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr.endswith("join"):
            return False
        node = node.func.value
    return isinstance(node, ast.Name) and node.id.startswith("mark_")


def parse_frame(
    text: str,
    language: Language,
    canonical: Callable[[Placeholder], str] | None = None,
    is_statement: bool = False,
) -> Frame:
    """Split a text into segments and placeholders.

    Args:
        text: as written in the YAML.
        language: of the text.
        canonical: the stand-in for a placeholder when the frame is parsed on its own; by default the slot's name.
        is_statement: whether the text is a query or program rather than an expression.

    Raises:
        ValueError: a brace is not part of a placeholder.
    """
    segments, placeholders, current, end = [], [], "", 0
    for match in _PLACEHOLDER.finditer(text):
        current += text[end : match.start()]
        end = match.end()
        if match[1]:
            segments.append(current)
            placeholders.append(Placeholder(match[1], match[2], match[3]))
            current = ""
        elif match[0] in ("{{", "}}"):
            current += match[0][0]
        else:
            raise ValueError(
                f"a lone '{match[0]}' at column {match.start() + 1} (write '{match[0] * 2}' for a brace)"
            )
    segments.append(current + text[end:])
    fillings = tuple((canonical or (lambda p: p.slot))(placeholder) for placeholder in placeholders)
    return Frame(text, language, tuple(segments), tuple(placeholders), fillings, is_statement)


@functools.lru_cache(maxsize=32_768)  # more than the shapes that meet in a build of all tasks
def _needs_parentheses(frame: Frame, index: int, shape: str) -> bool:
    """Whether putting an expression of `shape` there without parentheses changes how the text parses."""
    beside = frame.segments[index].rstrip()[-1:] + frame.segments[index + 1].lstrip()[:1]
    if frame.language == "sql" and "%" in beside:
        return True  # sqlglot reads % as loosely as + and -
    with_them = _parse(frame.filled(index, f"({shape})"), frame.language, frame.is_statement)
    try:
        without = _parse(frame.filled(index, shape), frame.language, frame.is_statement)
    except (SyntaxError, sqlglot.errors.SqlglotError):
        return True
    if isinstance(with_them, ast.AST) and isinstance(without, ast.AST):
        return ast.dump(with_them) != ast.dump(without)
    return bool(without != with_them)


def _parse(text: str, language: Language, is_statement: bool) -> ast.AST | exp.Expression:
    try:
        return _parse_shallow(text, language, is_statement)
    except (RecursionError, MemoryError):
        raise SyntaxError("it is nested too deeply") from None


def _parse_shallow(text: str, language: Language, is_statement: bool) -> ast.AST | exp.Expression:
    if language == "ibis":
        with warnings.catch_warnings():
            # Attempts such as `5.ifelse(...)` are meant to fail quietly.
            warnings.simplefilter("ignore", SyntaxWarning)
            return ast.parse(
                join_chains(text) if is_statement else text, mode="exec" if is_statement else "eval"
            )
    parsed = sqlglot.parse(text if is_statement else f"SELECT {text}", read="duckdb")
    if len(parsed) != 1 or not isinstance(parsed[0], exp.Query):
        raise sqlglot.errors.ParseError("expected one query")
    for parenthesis in reversed(list(parsed[0].find_all(exp.Paren))):
        parenthesis.replace(parenthesis.this)
    return parsed[0]


_CONTINUATION = re.compile(r"\n\s*(?=\.)")


def join_chains(code: str) -> str:
    """Join lines that start with a dot to the line before: templates write chains one call per line."""
    return _CONTINUATION.sub("", code)
