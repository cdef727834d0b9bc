"""Printing a query: a clause a line, quotes only where the dialect needs them."""

from __future__ import annotations

import functools
import re

import sqlglot
from sqlglot import exp

WIDTH = 80


# Words that an engine reserves, where sqlglot does not know; and some that sqlglot knows, but no engine minds as a name.
_ALSO_RESERVED = {
    "mysql": "groups key rank rows",
    "mssql": "external file key percent plan public rule top user",
    "oracle": "access comment file level mode number option public raw rows session share size start",
    "bigquery": "groups rows",
}


_NAMES = {
    "city",
    "details",
    "first",
    "format",
    "model",
    "name",
    "settings",
    "stage",
    "status",
    "unknown",
    "year",
}


@functools.cache
def _keywords(dialect: type[sqlglot.Dialect]) -> frozenset[str]:
    words = {word.lower() for word in dialect.tokenizer_class.KEYWORDS} | {
        w.lower() for w in dialect.generator_class.RESERVED_KEYWORDS
    }
    return frozenset(words - _NAMES) | set(_ALSO_RESERVED.get(dialect.__name__.lower(), "").split())


_NOT = "__not__"  # stands between an operand and the operator it negates: sqlglot only knows NOT in front


def write(tree: exp.Query, dialect: type[sqlglot.Dialect], width: int = WIDTH) -> str:
    """Print a query in a dialect, a clause a line, with quotes only where the dialect needs them."""
    _negate_within(tree)
    reserved = _keywords(dialect)  # type: ignore[arg-type]  # classes do hash
    for identifier in tree.find_all(exp.Identifier):
        plain = re.fullmatch(r"[a-z_][a-z0-9_]*", identifier.name) is not None
        identifier.set("quoted", not plain or identifier.name in reserved)
    broken = [literal for literal in tree.find_all(exp.Literal) if literal.is_string and "\n" in literal.name]
    originals = [literal.copy() for literal in broken]
    for number, literal in enumerate(broken):
        literal.set("this", f"__text_{number}__")
    sql = (
        tree.sql(dialect, pretty=True).replace(f" AS {_NOT}", " NOT").replace("FILTER(WHERE", "FILTER (WHERE")
    )
    if dialect.__name__ == "MSSQL":
        # sqlglot breaks the line before TOP, and repeats every name in a subquery.
        sql = re.sub(r"SELECT\s+TOP", "SELECT TOP", sql)
        sql = re.sub(r"\b(\w+) AS \1(,?)$", r"\1\2", sql, flags=re.MULTILINE)
    if dialect.__name__ == "MySQL":
        sql = re.sub(
            r"(?<!\w)\(([\w.`]+ RLIKE '(?:[^']|'')*')\)", r"\1", sql
        )  # which it puts in brackets everywhere
    sql = reflow(sql, width)
    for number, literal in enumerate(originals):
        sql = sql.replace(f"'__text_{number}__'", literal.sql(dialect))
    return sql


def _negate_within(tree: exp.Query) -> None:
    """`x IS NOT NULL`, `x NOT IN (1, 2)` rather than `NOT x IS NULL`, `NOT x IN (1, 2)`."""
    for node in list(tree.find_all(exp.Not)):
        inner = node.this.this if isinstance(node.this, exp.Paren) else node.this
        if isinstance(inner, exp.Is) and isinstance(inner.expression, exp.Null):
            inner.set("expression", exp.Not(this=inner.expression))
        elif isinstance(inner, exp.NullSafeEQ):
            inner = exp.NullSafeNEQ(this=inner.left, expression=inner.right)
        elif isinstance(inner, exp.In | exp.Like | exp.ILike | exp.Between) and not isinstance(
            inner.this, exp.Alias
        ):
            inner.set("this", exp.Alias(this=inner.this, alias=exp.to_identifier(_NOT)))
        else:
            continue
        node.replace(inner)


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
