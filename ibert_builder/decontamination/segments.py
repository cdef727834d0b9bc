"""The pieces of a user's files that might also be in the dataset: queries, code and prose, each with its place.

A piece is read in every way it may be meant: a string in JSON can be SQL, Python, prose, or prose with code in it.

- JSONL, JSON: every string, at any depth.
- SQL: every statement, and every comment.
- Python: every statement, alone and together with those after it; every chain of calls; every string; every comment.
- Markdown: every heading, paragraph, list item, table row and block of code.
"""

from __future__ import annotations

import ast
import itertools
import json
import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ibert_builder.decontamination.fingerprints import Kind
from ibert_builder.decontamination.markdown import blocks
from ibert_builder.errors import InputError

SUFFIXES = (".jsonl", ".json", ".sql", ".py", ".md")
STATEMENTS = 5  # the longest run of statements that is compared as one; no code in the dataset has more
_RESULTS = frozenset(
    {"execute", "to_pandas", "to_polars", "to_pyarrow"}
)  # calls that fetch the result of a query

_LABEL = re.compile(r"\A[\w ()/-]{1,40}:\s+")
_SQL = re.compile(r"\s*(?:\(\s*)*(?:SELECT\b.*?\S|WITH\b.*?\bSELECT\b)", re.IGNORECASE | re.DOTALL)
_FROM = re.compile(r"\bFROM\b", re.IGNORECASE)
_LEADING = re.compile(
    r"\A(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/)+", re.DOTALL
)  # comments and space before a statement
_STATEMENT = re.compile(r"(?:'(?:''|[^'])*'|\"[^\"]*\"|`[^`]*`|--[^\n]*|/\*.*?\*/|[^;])+", re.DOTALL)
_COMMENTS = re.compile(r"(?:^[ \t]*(?:#|--)[^\n]*(?:\n|\Z))+", re.MULTILINE)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_DEFINITIONS = (*_FUNCTIONS, ast.ClassDef)
_LANGUAGES: dict[str, Kind] = {"sql": "sql", "python": "python", "py": "python", "python3": "python"}
_MARKDOWN = frozenset({"md", "markdown"})


@dataclass(frozen=True)
class Reading:
    """A text taken as SQL, Python or prose; `sure` if it can be nothing else."""

    kind: Kind
    text: str
    dialect: str | None = None
    sure: bool = False


@dataclass(frozen=True)
class Piece:
    """A place in a file and the ways to read it; the first reading is the whole piece."""

    file: str
    line: int | None
    key: str | None
    readings: tuple[Reading, ...] = field(repr=False)


def files(paths: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """The files to read, with those in folders, and the files in folders whose kind is not read.

    Hidden files and folders are ignored.

    Raises:
        InputError: a path does not exist, a file is of another kind, or a folder has no file that can be read.
    """
    chosen: list[Path] = []
    skipped: list[Path] = []
    for path in paths:
        if not path.is_dir():
            if not path.is_file():
                raise InputError("there is no such file or folder", file=path, key="--against")
            if path.suffix.lower() not in SUFFIXES:
                raise InputError(f"expected one of {', '.join(SUFFIXES)}", file=path, key="--against")
            chosen.append(path)
            continue
        inside = [p for p in sorted(path.rglob("*")) if p.is_file() and not _hidden(p.relative_to(path))]
        readable = [p for p in inside if p.suffix.lower() in SUFFIXES]
        if not readable:
            raise InputError(f"no file in it is one of {', '.join(SUFFIXES)}", file=path, key="--against")
        chosen += readable
        skipped += [p for p in inside if p not in set(readable)]
    return list(dict.fromkeys(chosen)), skipped


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def pieces(path: Path) -> Iterator[Piece]:
    """The pieces of a file, in order.

    Raises:
        InputError: it cannot be read, is not UTF-8, or is not valid JSON.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read: {error}", file=path) from error
    read = {".jsonl": _jsonl, ".json": _json, ".sql": _sql, ".py": _python, ".md": _markdown}
    return read[path.suffix.lower()](path, text)


def _jsonl(path: Path, text: str) -> Iterator[Piece]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            for key, string, beside in _loaded(path, line, number):
                yield Piece(str(path), number, key, tuple(_readings(string, beside)))


def _json(path: Path, text: str) -> Iterator[Piece]:
    for key, string, beside in _loaded(path, text, 1):
        yield Piece(str(path), None, key, tuple(_readings(string, beside)))


def _loaded(path: Path, text: str, line: int) -> list[tuple[str, str, str | None]]:
    try:
        return list(_strings(json.loads(text)))
    except json.JSONDecodeError as error:
        raise InputError(f"not JSON: {error.msg}", file=path, line=line + error.lineno - 1) from None
    except RecursionError:
        raise InputError("nested too deeply", file=path, line=line) from None


def _strings(value: Any, key: str = "", dialect: str | None = None) -> Iterator[tuple[str, str, str | None]]:
    """The strings in JSON, each with its key, such as `messages[1].content`, and the `dialect` beside it, if any."""
    if isinstance(value, str):
        yield key, value, dialect
    elif isinstance(value, dict):
        beside = value.get("dialect")
        for name, inner in value.items():
            yield from _strings(
                inner, f"{key}.{name}" if key else name, beside if isinstance(beside, str) else dialect
            )
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _strings(inner, f"{key}[{index}]", dialect)


def _readings(text: str, dialect: str | None = None) -> Iterator[Reading]:
    """The ways to read a string: as a whole, block by block, and without a label such as `SQL:`."""
    yield Reading("text", text)
    yield from _code(text, dialect)
    parts = list(blocks(text))
    for part in parts:
        if len(parts) > 1 or part.language:
            yield Reading(_LANGUAGES.get(part.language, "text"), part.text, dialect)
            yield from _code(part.text, dialect)
        for cell in part.cells:
            yield Reading("text", cell)
            yield from _code(cell, dialect)
        if label := _LABEL.match(part.text):
            yield Reading("text", part.text[label.end() :])
            yield from _code(part.text[label.end() :], dialect)


def _code(text: str, dialect: str | None = None) -> Iterator[Reading]:
    if _SQL.match(text):
        yield Reading("sql", text, dialect, sure=bool(_FROM.search(text)))
    yield Reading("python", text)  # even if it does not parse, since it may be unfinished
    if "(" in text and (tree := _parsed(text.strip())):
        yield from (Reading("text", comment) for _, comment in comments(text))
        yield from _chains(text.strip().encode().splitlines(), tree)


def _parsed(code: str) -> ast.Module | None:
    try:
        return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def comments(code: str) -> Iterator[tuple[int, str]]:
    """The comments in Python or SQL that stand on lines of their own, each with the line it begins on."""
    for match in _COMMENTS.finditer(code):
        lines = (line.strip().lstrip("#-").strip() for line in match[0].splitlines())
        yield code.count("\n", 0, match.start()) + 1, " ".join(lines)


def _sql(path: Path, text: str, first: int = 1) -> Iterator[Piece]:
    for line, comment in comments(text):
        yield Piece(str(path), first + line - 1, None, tuple(_readings(comment)))
    for match in _STATEMENT.finditer(text):
        bare = _LEADING.sub("", match[0])
        if bare:
            line = text.count("\n", 0, match.end() - len(bare))
            yield Piece(str(path), first + line, None, (Reading("sql", bare, sure=True),))


def _python(path: Path, text: str, first: int = 1) -> Iterator[Piece]:
    for line, comment in comments(text):
        yield Piece(str(path), first + line - 1, None, tuple(_readings(comment)))
    tree = _parsed(text)
    if tree is None:
        yield Piece(str(path), first, None, (Reading("python", text, sure=True), Reading("text", text)))
        return
    lines = text.encode().splitlines()
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.strip():
            yield Piece(str(path), first + node.lineno - 1, None, tuple(_readings(node.value)))
        for name in ("body", "orelse", "finalbody"):
            if isinstance(block := getattr(node, name, None), list):
                for start, statement in enumerate(block):
                    if readings := tuple(_statement(lines, statement, block[start + 1 :])):
                        yield Piece(str(path), first + statement.lineno - 1, None, readings)


def _statement(lines: list[bytes], statement: ast.stmt, after: list[ast.stmt]) -> Iterator[Reading]:
    """A function as it is; any other statement alone and with those after it, one by one, and the chains in it."""
    if isinstance(statement, ast.Import | ast.ImportFrom | ast.ClassDef):
        return
    run = [statement]
    if not isinstance(statement, _FUNCTIONS):
        run += itertools.takewhile(lambda one: not isinstance(one, _DEFINITIONS), after[: STATEMENTS - 1])
    for last in run:
        source = _source(lines, statement, last)
        if "(" in source and "." in source:
            yield Reading("python", source)
    if not hasattr(statement, "body"):
        yield from _chains(lines, statement)


def _source(lines: list[bytes], first: Any, last: Any) -> str:
    """The text from one node to another, moved to the left margin. Columns of nodes count bytes."""
    part = lines[first.lineno - 1 : last.end_lineno]
    part[-1] = part[-1][: last.end_col_offset]
    if margin := part[0][: first.col_offset].strip():  # another statement or half an expression
        part[0] = part[0].replace(margin, b" " * len(margin), 1)
    return textwrap.dedent(b"\n".join(part).decode())


def _chains(lines: list[bytes], tree: ast.AST) -> Iterator[Reading]:
    """The chains of method calls in code, each in full length, and once more without the call that fetches the result."""
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and id(node) not in inner:
            for chain in (node, node.func.value) if node.func.attr in _RESULTS else (node,):
                source = _source(lines, chain, chain)
                yield Reading("python", f"({source})" if "\n" in source else source)


def _markdown(path: Path, text: str, first: int = 1, nested: bool = False) -> Iterator[Piece]:
    for block in blocks(text):
        line = first + block.line - 1
        kind = _LANGUAGES.get(block.language)
        if block.language in _MARKDOWN and not nested:  # deeper ones are read as strings are
            yield from _markdown(path, block.text, line, nested=True)
        elif kind is not None:
            yield from (_sql if kind == "sql" else _python)(path, block.text, line)
        else:
            texts = (block.text, *block.cells)
            yield Piece(str(path), line, None, tuple(r for text in texts for r in _readings(text)))
