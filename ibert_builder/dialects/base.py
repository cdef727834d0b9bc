"""Everything that is known of an SQL dialect, in one record."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import ibis
import sqlglot
from ibis.expr import types as ir
from sqlglot import exp

from ibert_builder.execution.executors import Executor, InEngine

Print = Callable[[sqlglot.Generator, Any], str]  # a node as text


def _to_sqlglot(compiler: Any, table: ir.Table) -> exp.Expression:
    tree: exp.Expression = compiler.to_sqlglot(table)
    return tree


@dataclass(frozen=True, eq=False)
class Dialect:
    """A dialect of SQL. What is not given is as in most dialects, or not known.

    Attributes:
        name: its name in records, options and `not_in`.
        grammar: sqlglot's, to read and write queries as people write them.
        executor: what runs its queries; None where they are run by way of DuckDB's SQL.

        compiler: Ibis's compiler class; None where Ibis does not compile to it.
        to_sqlglot: how that compiler is asked for a query.

        functions: the functions it has, in upper case, for a parser alone does not know them; None where we do not.
        never: the syntax it does not have, or means otherwise, and that sqlglot writes all the same.
        mistaken: what its compiler writes and the engine takes otherwise.
        in_duckdb: functions that sqlglot leaves as they are, in lower case, and what DuckDB calls them: a text with
            {0}, {1}, ... for the arguments and {*} for all of them. They need not be exact: the compiler's query and the
            tidied one both go this way, so they must only tell different arguments apart.
        plus_concatenates: whether `+` concatenates strings.

        has_qualify: whether a condition on a window function can stand in QUALIFY.
        groups_by_alias: whether GROUP BY may use the name that the projection gives.
        orders_by_alias_within: whether ORDER BY may use such names within expressions, and not only alone.
        orders_unions: whether ORDER BY after UNION orders the whole rather than its last SELECT.
        star_beside_columns: whether it takes `SELECT *, x`.
        conditions_are_values: whether a condition can stand where a value does.
        day, moment: the function by which its compiler spells a date or a timestamp of which all parts are known, where
            `DATE '...'` and `TIMESTAMP '...'` say the same.
        moment_type: the word before a literal timestamp.
        has_escape_strings: whether `E'\\t'` is a tab.
        reserved: words that the engine reserves and sqlglot does not know of.
        prints: nodes that people write otherwise than sqlglot does, and how.
    """

    name: str
    grammar: type[sqlglot.Dialect]
    executor: Executor | None = None

    compiler: Any = None
    to_sqlglot: Callable[[Any, ir.Table], exp.Expression] = _to_sqlglot

    functions: frozenset[str] | None = None
    never: re.Pattern[str] | None = None
    mistaken: re.Pattern[str] | None = None
    in_duckdb: Mapping[str, str] = field(default_factory=dict)
    plus_concatenates: bool = False

    has_qualify: bool = False
    groups_by_alias: bool = False
    orders_by_alias_within: bool = False
    orders_unions: bool = True
    star_beside_columns: bool = True
    conditions_are_values: bool = True
    day: str | None = None
    moment: str | None = None
    moment_type: str = "TIMESTAMP"
    has_escape_strings: bool = False
    reserved: frozenset[str] = frozenset()
    prints: Mapping[type[exp.Expression], Print] = field(default_factory=dict)

    @property
    def is_native(self) -> bool:
        """Whether the engine runs its queries as they are."""
        return isinstance(self.executor, InEngine)

    @property
    def has_strings_in_double_quotes(self) -> bool:
        """Whether `"a"` is a string rather than a name."""
        return '"' in self.grammar.tokenizer_class.QUOTES

    @functools.cached_property
    def _compiler(self) -> Any:
        return self.compiler()

    @property
    def compiled_grammar(self) -> type[sqlglot.Dialect]:
        """The grammar that Ibis writes the dialect with, which may be a variant of its own."""
        grammar: type[sqlglot.Dialect] = self.grammar if self.compiler is None else self._compiler.dialect
        return grammar

    def compile(self, expression: ibis.Expr) -> str:
        """The SQL that Ibis compiles an expression to.

        Raises:
            Exception: of many classes, where the dialect cannot say it.
        """
        unbound = expression.unbind()
        table = unbound if isinstance(expression, ir.Table) else unbound.as_table()
        return self.to_sqlglot(self._compiler, table).sql(self.compiled_grammar)


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())
