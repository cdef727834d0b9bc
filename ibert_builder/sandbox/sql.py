"""What SQL may do: one SELECT from tables by name, with functions that neither reach outside nor harm the engine.

DuckDB's own parser says what a text means, so that nothing is read differently here than where it runs.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from typing import Any

import duckdb
import sqlglot

from ibert_builder.errors import ForbiddenCode

TABLE_FUNCTIONS = frozenset({"generate_series", "range", "repeat", "unnest"})

# They read or change what outlives the query: the engine's settings, logs and variables, its state of chance.
_REACHING = frozenset(
    [
        "current_setting", "currval", "error", "getenv", "getvariable", "json_execute_serialized_sql", "nextval",
        "python_map_function", "query", "query_table", "setseed", "write_log",
    ]
)  # fmt: skip
# They crash DuckDB on deeply nested values, or take hours within one step, which nothing interrupts.
_HARMFUL = frozenset(
    ["damerau_levenshtein", "editdist3", "json_contains", "json_group_structure", "json_structure"]
)
REFUSED_FUNCTIONS = _REACHING | _HARMFUL

# They make a long value of a number; the longest of a template has a few dozen items.
_GROWING = frozenset({"array_resize", "list_resize", "lpad", "repeat", "rpad"})
LONGEST_VALUE = 100_000

# They compare every character with every other.
_COMPARING = frozenset({"jaro_similarity", "jaro_winkler_similarity", "levenshtein"})
LONGEST_COMPARED = 1_000

_SUSPICIOUS_TABLES = r"(?:enable|disable|truncate|read|sniff|parquet|duckdb|pragma|which)_\w+|\w+_scan|glob|checkpoint|force_checkpoint"
_SUSPICIOUS = re.compile(
    rf"\b(?:(?:{'|'.join(sorted(REFUSED_FUNCTIONS | _COMPARING))}|{_SUSPICIOUS_TABLES})\b|bignum|varint)"
    rf"|\b(?:{'|'.join(sorted(_GROWING))})\b.*\d{{6}}",
    re.I | re.S,
)
_LONGEST_SUSPICIOUS = 50_000  # characters


def check_sql(sql: str) -> None:
    """Check the SQL that template code holds: its every statement, as it is and as Ibis passes it on.

    Raises:
        ForbiddenCode: it is anything but one SELECT, or does what no SQL here may do.
    """
    try:
        passed_on = sqlglot.transpile(sql, read="duckdb", write="duckdb")
    except (sqlglot.errors.SqlglotError, RecursionError) as error:
        raise ForbiddenCode("the SQL should be one SELECT from tables by their names") from error
    for text in (sql, ";".join(passed_on)):
        nodes = list(_nodes(text))
        _check_nodes(nodes)
        for node in nodes:
            _check_source(node)


def check_query(sql: str) -> None:
    """Check a query of an engine that is shut off from files anyway; quick, since most are above suspicion.

    Raises:
        ForbiddenCode: it calls a function that reaches outside the query or harms the engine.
    """
    if not _SUSPICIOUS.search(sql):
        return
    if len(sql) > _LONGEST_SUSPICIOUS:
        raise ForbiddenCode(f"the SQL is too long to be checked: {len(sql)} characters")
    _check_nodes(list(_nodes(sql)))


def _check_nodes(nodes: list[dict[str, Any]]) -> None:
    compares = any(_name(node) in _COMPARING for node in nodes)
    for node in nodes:
        _check_node(node, LONGEST_COMPARED if compares else LONGEST_VALUE)


def _name(node: dict[str, Any]) -> str:
    return str(node.get("function_name", "")).lower()


def _check_node(node: dict[str, Any], longest: int) -> None:
    kind, name = node.get("type"), _name(node)
    if name in REFUSED_FUNCTIONS:
        raise ForbiddenCode(f"the SQL function '{name}' is not allowed")
    if kind == "TABLE_FUNCTION":
        called = _name(node["function"])
        if called not in TABLE_FUNCTIONS:
            raise ForbiddenCode(
                f"the SQL function '{called}' is not allowed in FROM (only: {', '.join(sorted(TABLE_FUNCTIONS))})"
            )
    if name in _GROWING and any(_number(child) > longest for child in node["children"]):
        raise ForbiddenCode(f"the SQL function '{name}' makes too long a value (at most {longest})")
    if node.get("id") in ("BIGNUM", "VARINT"):
        raise ForbiddenCode("the SQL type BIGNUM is not allowed, since its arithmetic has no time limit")


def _check_source(node: dict[str, Any]) -> None:
    kind = node.get("type")
    if kind == "SHOW_REF":
        raise ForbiddenCode("the SQL should be one SELECT, not DESCRIBE, SHOW or SUMMARIZE")
    if kind == "BASE_TABLE" and (
        node["catalog_name"] or node["schema_name"] or not node["table_name"].isidentifier()
    ):
        raise ForbiddenCode(
            f"the SQL should be one SELECT from tables by their names, not '{node['table_name']}'"
        )


def _number(node: dict[str, Any]) -> int:
    value = node.get("value", {}).get("value") if node.get("class") == "CONSTANT" else None
    return value if isinstance(value, int) else 0


def _nodes(sql: str) -> Iterator[dict[str, Any]]:
    """All nodes of the syntax tree that DuckDB makes of a text."""
    cursor = _parser().cursor()
    try:
        statements = cursor.extract_statements(sql)
        kinds = [statement.type.name for statement in statements]
        if kinds != ["SELECT"]:
            raise ForbiddenCode(f"the SQL should be one SELECT, not {', '.join(kinds) or 'nothing'}")
        row = cursor.execute("SELECT json_serialize_sql(?)", [statements[0].query]).fetchone()
        tree = json.loads(row[0] if row else "{}")
    except duckdb.Error as error:
        raise ForbiddenCode(f"the SQL does not parse: {error}") from error
    except RecursionError as error:
        raise ForbiddenCode("the SQL is nested too deeply") from error
    if tree.get("error", True):
        raise ForbiddenCode(f"the SQL should be one SELECT: {tree.get('error_message')}")
    stack: list[Any] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            yield node
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)


@functools.cache  # one for the process
def _parser() -> duckdb.DuckDBPyConnection:
    """A database without tables, to parse with."""
    connection = duckdb.connect(config={"threads": 1, "temp_directory": ""})
    connection.execute("SET enable_external_access = false")
    return connection
