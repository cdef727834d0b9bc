"""Query skeletons: code with its identifiers and literals masked, by which near-identical queries are kept together."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Container

_TOKEN = re.compile(
    r"#[^\n]*|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|\d[\d_.]*|\.?[A-Za-z_]\w*\(?|\s+|[^\w\s]"
)
_LITERAL = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:''|\\.|[^'\\])*'|(?<!\w)\d[\d_.]*")
_KEPT = frozenset(
    {"ibis", "_", "s", "lambda", "for", "in", "if", "else", "None", "True", "False", "not", "and", "or"}
)


def skeleton(code: str) -> str:
    """Ibis code without its comments, and with strings, numbers, tables, columns and new names masked; methods stay."""
    parts = []
    for token in _TOKEN.findall(code):
        if token[0] in "\"'":
            parts.append("'s'")
        elif token[0].isdigit():
            parts.append("0")
        elif token.endswith("(") or token in _KEPT:
            parts.append(token)
        elif token[0] == "." and len(token) > 1:
            parts.append(".x")
        elif token[0].isalpha() or token[0] == "_":
            parts.append("x")
        elif token[0] != "#" and not token.isspace():
            parts.append(token)
    return "".join(parts)


def without_literals(text: str, names: Container[str]) -> str:
    """A text with its numbers and quoted literals masked; quoted `names` stay."""
    return _LITERAL.sub(lambda found: found[0] if found[0][1:-1] in names else "?", text)


def skeleton_id(code: str) -> str:
    """Twelve hex digits that Ibis code shares with all code of the same skeleton."""
    return hashlib.sha256(skeleton(code).encode()).hexdigest()[:12]
