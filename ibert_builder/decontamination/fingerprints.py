"""Keys by which two texts of SQL, Python (Ibis) or prose are the same, from the strictest level to the loosest.

- `exact`: identical except for whitespace, comments and, in SQL and prose, letter case.
- `normalised`: identical except for spelling. In SQL that is quotes, letter case, the names of aliases and what sqlglot knows
  several forms of (`<>` and `!=`, `::` and CAST, INNER); in Python formatting, quotes, parentheses and docstrings.
- `skeleton`: identical once names and literals are masked as well.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel

from ibert_builder.dialects.duckdb import DUCKDB
from ibert_builder.dialects.registry import DIALECTS
from ibert_builder.templating.skeleton import skeleton

Kind = Literal["sql", "python", "text"]
Level = Literal["exact", "normalised", "overlap", "skeleton"]

_QUOTED = r"'(?:''|\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|`[^`]*`"
_SQL_TOKEN = re.compile(rf"(--[^\n]*|/\*.*?\*/)|({_QUOTED})|(\w+|[^\w\s])", re.DOTALL)
_PYTHON_TOKEN = re.compile(
    r"(#[^\n]*)|(\"\"\".*?\"\"\"|'''.*?'''|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|\w+|[^\w\s])", re.DOTALL
)
_MASKABLE = re.compile(r"'(?:''|[^'])*'|\"[^\"]*\"|`[^`]*`|\d[\w.]*|\b[a-z_]\w*\b|[^\w\s]|\w+")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Fingerprint:
    """A key that all texts share that are alike at its level. `size` is the number of tokens of a skeleton."""

    level: Level
    key: str
    size: int = 0


def words(text: str) -> list[str]:
    """The words of prose in lower case, without punctuation."""
    return _WORD.findall(text.casefold())


def fingerprints(kind: Kind, text: str, dialect: str | None = None) -> list[Fingerprint]:
    """The keys of a text: only the exact one for SQL or Python that does not parse, and none for an empty text."""
    exact = {"sql": _exact_sql, "python": _exact_python, "text": _exact_text}[kind](text)
    if not exact:
        return []
    prints = [Fingerprint("exact", f"{kind} {exact}")]
    if kind == "sql":
        for normal in dict.fromkeys(_normal_sql(text, dialect)):
            masked = _MASKABLE.sub(_mask, normal)
            prints.append(Fingerprint("normalised", f"sql {normal}"))
            prints.append(Fingerprint("skeleton", f"sql {masked}", len(_MASKABLE.findall(masked))))
    elif kind == "python" and (code := normal_python(text)):
        prints.append(Fingerprint("normalised", f"python {code}"))
        if "(" in code:  # without a call it is not a query: any English word has the skeleton `x`
            masked = skeleton(code)
            prints.append(Fingerprint("skeleton", f"python {masked}", len(_PYTHON_TOKEN.findall(masked))))
    return prints


def _exact_sql(text: str) -> str:
    tokens = (quoted or word.casefold() for comment, quoted, word in _SQL_TOKEN.findall(text) if not comment)
    return " ".join(tokens).rstrip("; ")


def _exact_python(text: str) -> str:
    return " ".join(token for _, token in _PYTHON_TOKEN.findall(text) if token)


def _exact_text(text: str) -> str:
    return " ".join(text.casefold().split()).strip("\"' ")


def normal_python(code: str) -> str | None:
    """Python as `ast.unparse` writes it, without docstrings; None where it does not parse."""
    try:
        tree = ast.parse(code.strip())
        for node in ast.walk(tree) if "def " in code else ():
            if (
                isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
                and ast.get_docstring(node) is not None
            ):
                node.body = node.body[1:] or [ast.Pass()]
        return ast.unparse(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _normal_sql(text: str, dialect: str | None) -> Iterator[str]:
    if grammar := _grammar(dialect):
        yield from _read_as(grammar, text)
        return
    # It is read as DuckDB's, and as the others' where DuckDB cannot read it. Double quotes hold names in DuckDB and
    # strings in MySQL, so a query with any is read both ways.
    first = list(_read_as(DUCKDB.compiled_grammar, text))
    others = [other for other in DIALECTS.values() if other is not DUCKDB]
    if first:
        others = [other for other in others if other.has_strings_in_double_quotes][:1] if '"' in text else []
    yield from first
    for other in others:
        yield from _read_as(other.compiled_grammar, text)


def _grammar(dialect: str | None) -> Any:
    if (known := DIALECTS.get(dialect or "")) is not None:
        return known.compiled_grammar
    return sqlglot.Dialect.get(dialect.lower()) if dialect else None


def _read_as(grammar: Any, text: str) -> Iterator[str]:
    try:
        trees = sqlglot.parse(text, read=grammar, error_level=ErrorLevel.RAISE)
        statements = [tree for tree in trees if tree is not None and not isinstance(tree, exp.Semicolon)]
        if len(statements) == 1 and not isinstance(statements[0], exp.Command):
            normalise(statements[0])
            # In the dialect it was read in, so that the same words in two dialects give the same key.
            yield statements[0].sql(grammar, comments=False, normalize_functions="upper")
    except Exception:  # sqlglot raises all kinds of errors on what it cannot read
        return


def normalise(tree: exp.Expression) -> None:
    """Rewrite a query in place: names in lower case without quotes, aliases numbered, optional words left out."""
    for identifier in tree.find_all(exp.Identifier):
        identifier.set("this", identifier.name.lower())
        identifier.set("quoted", False)
    for join in tree.find_all(exp.Join):
        if join.args.get("kind") == "INNER":
            join.set("kind", None)
    columns = list(tree.find_all(exp.Column))
    _unqualify(tree, columns)
    queries = {cte.alias for cte in tree.find_all(exp.CTE)}
    used = {column.name for column in columns}
    of_tables = {column.name for column in columns if _is_of_a_table(column, queries)}
    table_names: dict[str, str] = {}
    for alias in tree.find_all(exp.TableAlias):
        table_names.setdefault(alias.name, f"t{len(table_names)}")
    column_names: dict[str, str] = {}
    for output in list(tree.find_all(exp.Alias)):
        if output.alias not in used and isinstance(output.parent, exp.Select):
            output.replace(output.this)  # nothing refers to it
        elif output.alias not in of_tables:
            column_names.setdefault(output.alias, f"c{len(column_names)}")
    for identifier in tree.find_all(exp.Identifier):
        parent, place = identifier.parent, identifier.arg_key
        if isinstance(parent, exp.TableAlias) or (isinstance(parent, exp.Column) and place == "table"):
            names = table_names
        elif isinstance(parent, exp.Table):
            names = {name: table_names[name] for name in queries}
        else:
            names = column_names
        identifier.set("this", names.get(identifier.name, identifier.name))


def _unqualify(tree: exp.Expression, columns: list[exp.Column]) -> None:
    """Remove the table from columns whose SELECT has a single source, and the alias from tables that no column then names.

    Every other table gets an alias: its own name if it has none.
    """
    for column in columns:
        select = column.parent_select
        origin = None if select is None or select.args.get("joins") else select.args.get("from_")
        if origin is not None and column.table == origin.this.alias_or_name:
            column.set("table", None)
    needed = {column.table for column in columns}
    for table in tree.find_all(exp.Table):
        if table.alias_or_name not in needed:
            table.set("alias", None)
        elif not table.alias:
            table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name)))


def _is_of_a_table(column: exp.Column, queries: set[str]) -> bool:
    """Whether a column must be one of a table: no alias may stand there, and its SELECT reads nothing but tables."""
    node: exp.Expression = column
    while node.parent is not None and not isinstance(node.parent, exp.Select):
        node = node.parent
    select = node.parent
    if select is None or node.arg_key in ("order", "group", "having", "qualify"):
        return False
    sources = [join.this for join in select.args.get("joins") or ()]
    if origin := select.args.get("from_"):
        sources.append(origin.this)
    return all(isinstance(source, exp.Table) and source.name not in queries for source in sources)


def _mask(token: re.Match[str]) -> str:
    text = token[0]
    if text[0] == "'":
        return "'s'"
    if text[0].isdigit():
        return "0"
    return "x" if text[0] in '"`_' or text[0].islower() else text
