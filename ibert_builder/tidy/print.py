"""Printing a query: a clause a line, quotes only where the dialect needs them."""

from __future__ import annotations

import functools
import re
from typing import Any

import sqlglot
from sqlglot import exp

from ibert_builder.dialects.base import Dialect

WIDTH = 80

# Words that sqlglot reserves, but that no engine minds as names.
_NAMES = frozenset(
    ["city", "details", "first", "format", "model", "name", "settings", "stage", "status", "unknown", "year"]
)


def write(tree: exp.Expression, dialect: Dialect, is_compiled: bool = False, width: int = WIDTH) -> str:
    """Print a query, a clause a line, with quotes only where the dialect needs them.

    Args:
        tree: the query, which is used up.
        dialect: the one it is in.
        is_compiled: whether it is in Ibis's variant of the dialect's grammar.
        width: of the lines, as far as they can be broken.
    """
    reserved = _reserved(dialect, is_compiled)
    for identifier in tree.find_all(exp.Identifier):
        plain = re.fullmatch(r"[a-z_][a-z0-9_]*", identifier.name) is not None
        identifier.set("quoted", not plain or identifier.name in reserved)
    writer = _writer(dialect, is_compiled)(dialect=_grammar(dialect, is_compiled)(), pretty=True)
    sql = reflow(writer.generate(tree, copy=False), width)
    for number, text in enumerate(writer.broken):
        sql = sql.replace(_placeholder(number), text)
    return sql


@functools.cache
def _reserved(dialect: Dialect, is_compiled: bool) -> frozenset[str]:
    grammar = _grammar(dialect, is_compiled)
    words = {*grammar.tokenizer_class.KEYWORDS, *grammar.generator_class.RESERVED_KEYWORDS}
    return (frozenset(word.lower() for word in words) - _NAMES) | dialect.reserved


def _grammar(dialect: Dialect, is_compiled: bool) -> type[sqlglot.Dialect]:
    return dialect.compiled_grammar if is_compiled else dialect.grammar


_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ESCAPES = {"\\": r"\\", "'": "''", "\t": r"\t", "\n": r"\n", "\r": r"\r", "\f": r"\f"}


def escape_string(text: str) -> str:
    """A string literal without control characters on the page: `E' \\t\\n'`."""
    escaped = "".join(_ESCAPES.get(c, f"\\x{ord(c):02X}" if _CONTROL.match(c) else c) for c in text)
    return f"E'{escaped}'"


def _placeholder(number: int) -> str:
    return f"'__text_{number}__'"


@functools.cache
def _writer(dialect: Dialect, is_compiled: bool) -> Any:
    """sqlglot's generator of a grammar, but for what people write otherwise."""
    base: Any = _grammar(dialect, is_compiled).generator_class

    class Writer(base):
        TRANSFORMS = {**base.TRANSFORMS, **dialect.prints}

        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.broken: list[str] = []  # literals with line breaks, in which no line is to be joined

        def literal_sql(self, node: exp.Literal) -> str:
            if node.is_string and dialect.has_escape_strings and _CONTROL.search(node.name):
                return escape_string(node.name)
            text: str = super().literal_sql(node)
            if not node.is_string or "\n" not in node.name:
                return text
            self.broken.append(text.replace(self.SENTINEL_LINE_BREAK, "\n"))
            return _placeholder(len(self.broken) - 1)

        def not_sql(self, node: exp.Not) -> str:
            """`x IS NOT NULL`, `x NOT IN (1, 2)` rather than `NOT x IS NULL`, `NOT x IN (1, 2)`."""
            inner = node.this.this if isinstance(node.this, exp.Paren) else node.this
            if isinstance(inner, exp.NullSafeEQ):
                return self.sql(exp.NullSafeNEQ(this=inner.left, expression=inner.right))
            operand = self.sql(inner, "this")
            if isinstance(inner, exp.Is) and isinstance(inner.expression, exp.Null):
                return f"{operand} IS NOT NULL"
            if isinstance(inner, exp.In | exp.Like | exp.ILike | exp.Between):
                text = self.sql(inner)
                if text.startswith(f"{operand} "):  # and not `LOWER(x) LIKE`, for want of ILIKE
                    return f"{operand} NOT{text.removeprefix(operand)}"
            return super().not_sql(node)

        def filter_sql(self, node: exp.Filter) -> str:
            """`SUM(x) FILTER (WHERE p)`, with a blank."""
            if not self.AGGREGATE_FILTER_SUPPORTED:
                return super().filter_sql(node)
            return f"{self.sql(node, 'this')} FILTER ({self.sql(node, 'expression').strip()})"

        def limit_sql(self, node: exp.Limit, top: bool = False) -> str:
            """`SELECT TOP 5`, on one line."""
            text: str = super().limit_sql(node, top)
            return f" {text.lstrip()}" if top else text

    return Writer


_CLAUSE = re.compile(r"(WHERE|HAVING|QUALIFY|LIMIT|ON)")


_OVER = re.compile(r"OVER \(")


_IN_WINDOW = re.compile(r" (?=ORDER BY |ROWS |RANGE )")


def reflow(sql: str, width: int = WIDTH) -> str:
    """Put what sqlglot breaks over several lines on one line where it fits: `SELECT a, b` rather than three lines."""
    lines = [(len(line) - len(line.lstrip()), line.strip()) for line in sql.splitlines()]

    def block(start: int) -> int:
        """The end of the lines that belong to line `start`: those under it, and a bracket that closes it."""
        end = start + 1
        while end < len(lines) and lines[end][0] > lines[start][0]:
            end += 1
        while end < len(lines) and lines[end][0] == lines[start][0] and lines[end][1][0] in ")":
            end += 1
            while end < len(lines) and lines[end][0] > lines[start][0]:
                end += 1
        return end

    def joined(texts: list[str]) -> str:
        line = texts[0]
        for text in texts[1:]:
            line += text if line.endswith("(") or text.startswith(")") else f" {text}"
        return line

    def emit(start: int, stop: int, shift: int, out: list[str]) -> None:
        index = start
        while index < stop:
            end = min(block(index), stop)
            indent, first = lines[index][0] - shift, lines[index][1]
            texts = [text for _, text in lines[index:end]]
            # WHEN and THEN are one line each for sqlglot.
            if (
                first.startswith("WHEN ")
                and end < stop
                and lines[end][1].startswith("THEN ")
                and min(block(end), stop) == end + 1
                and len(texts) == 1
                and indent + len(first) + 1 + len(lines[end][1]) <= width
            ):
                texts, end = [first, lines[end][1]], end + 1
            line = joined(texts)
            nested = any(text.startswith(("SELECT", "WITH", "FROM ")) for text in texts[1:])
            # A bracket that opens a term of a sum is better not broken at.
            limit = width + 20 if first in ("(", "NOT (") else width
            if len(texts) == 1 or (indent + len(line) <= limit and not nested):
                out += _windows(" " * indent + line, width)
            elif nested and _CLAUSE.fullmatch(first) and block(index + 1) >= end and texts[1].endswith("("):
                # One condition that is a subquery: WHERE x IN (
                out.append(" " * indent + f"{first} {texts[1]}")
                emit(index + 2, end, shift + 2, out)
            else:
                out.append(" " * indent + first)
                emit(index + 1, end, shift, out)
            index = end

    out: list[str] = []
    emit(0, len(lines), 0, out)
    return "\n".join(out)


def _windows(line: str, width: int) -> list[str]:
    """A line, broken in its windows where it is too long."""
    match = _OVER.search(line) if len(line) > width else None
    if match is None:
        return [line]
    depth, end = 1, match.end()
    while depth and end < len(line):
        depth += {"(": 1, ")": -1}.get(line[end], 0)
        end += 1
    indent = " " * (len(line) - len(line.lstrip()))
    parts = _IN_WINDOW.split(line[match.end() : end - 1])
    if depth or len(parts) < 2:
        return [line]
    return [
        line[: match.end()],
        *(f"{indent}  {part}" for part in parts),
        *_windows(indent + line[end - 1 :], width),
    ]
