"""A query whose names are resolved: which table or subquery each of its columns comes from."""

from __future__ import annotations

import functools
from collections.abc import Mapping

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, traverse_scope

from ibert_builder.audit.query_properties.structure import projections

DIALECT = "duckdb"


class Query:
    """A DuckDB query with every column qualified, every star spelled out and every alias in GROUP BY and HAVING resolved.

    `twins` holds, by the id of a node of a projection, its copies that came from an alias; `copies` all of their ids.

    Args:
        sql: the query.
        columns: table -> column -> type, of the whole database.
        keys: table -> the column that is unique and never NULL.

    Raises:
        SqlglotError: it cannot be read or resolved, or is not a query.
    """

    def __init__(self, sql: str, columns: Mapping[str, Mapping[str, str]], keys: Mapping[str, str]) -> None:
        self.columns, self.keys = columns, keys
        tree = qualify(
            sqlglot.parse_one(sql, read=DIALECT),
            dialect=DIALECT,
            schema={table: dict(types) for table, types in columns.items()},
            quote_identifiers=False,
            validate_qualify_columns=False,
        )
        if not isinstance(tree, exp.Query):
            raise ParseError(f"not a query: {sql}")
        self.tree = tree
        self.sql = self.tree.sql(DIALECT)
        self.twins, self.copies = _twins(self.tree)
        self._scopes = {id(scope.expression): scope for scope in traverse_scope(self.tree)}

    @functools.cached_property
    def is_plain(self) -> bool:
        """Whether it has nothing but what the functions of this package know how to follow."""
        return not any(_is_unusual(node) for node in self.tree.walk())

    @functools.cached_property
    def has_json(self) -> bool:
        """Whether it reads or makes JSON, whose `null` a cast turns into NULL."""
        names = {
            name for types in self.columns.values() for name, kind in types.items() if "json" in kind.lower()
        }
        return any(
            node.name in names if isinstance(node, exp.Column) else node.is_type("json")
            for node in self.tree.find_all(exp.Column, exp.DataType)
        )

    def scope_of(self, node: exp.Expression) -> Scope | None:
        """The scope of the query that a node stands in, or is."""
        query = node if isinstance(node, exp.Query) else node.find_ancestor(exp.Query)
        while isinstance(query, exp.Subquery):
            query = query.find_ancestor(exp.Query)
        return self._scopes.get(id(query)) if query is not None else None

    def source_of(self, column: exp.Column) -> exp.Table | Scope | None:
        """The table or the scope of the subquery that a qualified column comes from."""
        scope = self.scope_of(column)
        return scope.sources.get(column.table) if scope is not None and column.table else None

    def table_of(self, column: exp.Column) -> str | None:
        """The base table of a column, where it is one's."""
        source = self.source_of(column)
        return source.name if isinstance(source, exp.Table) and source.name in self.columns else None

    def is_key(self, column: exp.Expression) -> bool:
        return isinstance(column, exp.Column) and self.keys.get(self.table_of(column) or "") == column.name

    def origins(self, column: exp.Column) -> list[exp.Expression]:
        """What a column stands for: a projection of the subquery it comes from (of each side of a set operation), or by
        alias of its own query; empty where that is not known.
        """
        source = self.source_of(column) if column.table else self.scope_of(column)
        if not isinstance(source, Scope):
            return []
        found = projections(source.expression, column.name)
        return [] if any(p is column for p in found) else found


def _is_unusual(node: exp.Expression) -> bool:
    """Whether a node brings about columns, rows or NULLs in a way that is not followed here."""
    if isinstance(node, exp.Pivot | exp.Any | exp.All):
        return True
    if isinstance(node, exp.With):
        return bool(node.recursive)
    if isinstance(node, exp.Join):
        return node.method not in ("", "ASOF")  # NATURAL, POSITIONAL
    if isinstance(node, exp.SetOperation):
        return bool(node.args.get("by_name"))
    if isinstance(node, exp.Table):
        return bool(node.alias_column_names)
    if isinstance(node, exp.Star):
        return not isinstance(node.parent, exp.Count)  # that could not be spelled out
    if isinstance(node, exp.Column):
        return not node.table and _is_a_whole_row(node)
    return False


def _is_a_whole_row(column: exp.Column) -> bool:
    """Whether a name without a table is an alias of a source: `SELECT t FROM child AS t`."""
    select = column.parent_select
    return select is not None and any(
        source.alias_or_name == column.name
        for source in select.find_all(exp.Table, exp.Subquery)
        if isinstance(source.parent, exp.From | exp.Join)
    )


def _twins(tree: exp.Expression) -> tuple[dict[int, list[exp.Expression]], set[int]]:
    twins: dict[int, list[exp.Expression]] = {}
    copies: set[int] = set()
    for select in tree.find_all(exp.Select):
        clauses = [select.args[c] for c in ("group", "having", "qualify", "order") if select.args.get(c)]
        shown = [p.unalias() for p in select.selects]
        for original in (node for node in shown if not isinstance(node, exp.Column | exp.Literal)):
            for clause in clauses:
                for copy in [node for node in clause.walk() if node == original]:
                    for one, other in zip(original.walk(), copy.walk(), strict=True):
                        twins.setdefault(id(one), []).append(other)
                        copies.add(id(other))
    return twins, copies
