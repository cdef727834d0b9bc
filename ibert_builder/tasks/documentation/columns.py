"""The columns that a function reads from each table it is given, as far as its code names them.

The function's statements are followed with a `Relation` for each table in the making, so that `_.amount`, `kept.amount` and
`"amount"` are traced back to the parameter that the column comes from. Names that arrive in arguments are not known here.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace

import ibis.expr.types as ir

# Methods of tables whose strings name columns, and those whose keywords name new ones.
_NAMING = frozenset(
    ["select", "group_by", "order_by", "drop", "drop_null", "distinct", "relocate", "unnest", "rename"]
)
_MAKING = frozenset(["mutate", "select", "agg", "aggregate", "group_by", "rename"])
_NAMING_KEYWORDS = frozenset(["id_cols", "names_from", "values_from", "group_by", "order_by"])
_MAKING_KEYWORDS = frozenset(["names_to", "values_to"])
_NAMING_FUNCTIONS = frozenset(["desc", "asc", "cols"])
_SCALARS = frozenset(["count", "nunique"])


class UnclearColumn(ValueError):
    """A column could be of either table of a join."""


@dataclass(frozen=True)
class Relation:
    """A table in the making, or a column of one.

    Attributes:
        sources: the parameters that its columns come from.
        made: the columns that the function adds to it.
    """

    sources: tuple[str, ...]
    made: frozenset[str] = frozenset()
    is_column: bool = False

    def with_made(self, names: set[str]) -> Relation:
        return replace(self, made=self.made | names)

    def joined(self, other: Relation) -> Relation:
        return Relation(tuple(dict.fromkeys(self.sources + other.sources)), self.made | other.made)


def columns_read(code: str) -> dict[str, tuple[str, ...]]:
    """For each parameter of a function, the columns that are read from it by name, in the order of the code.

    Raises:
        UnclearColumn: a column that is named behind a join could be of either table.
    """
    function = ast.parse(code).body[0]
    assert isinstance(function, ast.FunctionDef)
    arguments = function.args
    reader = _Reader([each.arg for each in (*arguments.args, *arguments.kwonlyargs)])
    reader.follow(function.body)
    return {name: tuple(columns) for name, columns in reader.read.items()}


class _Reader:
    def __init__(self, parameters: list[str]) -> None:
        self.read: dict[str, dict[str, None]] = {name: {} for name in parameters}
        self._names: dict[str, Relation | None] = {name: Relation((name,)) for name in parameters}

    def follow(self, body: list[ast.stmt]) -> None:
        for statement in body:
            if isinstance(statement, ast.Assign):
                value = self._value(statement.value, None)
                for target in statement.targets:
                    self._assign(target, value)
            elif isinstance(statement, ast.For):
                self._value(statement.iter, None)
                self._assign(statement.target, None)
                self.follow(statement.body)
            elif isinstance(statement, ast.If):
                self._value(statement.test, None)
                self.follow(statement.body)
                self.follow(statement.orelse)
            else:
                for child in ast.iter_child_nodes(statement):
                    self._value(child, None)

    def _assign(self, target: ast.expr, value: Relation | None) -> None:
        for node in ast.walk(target):
            if isinstance(node, ast.Name):
                self._names[node.id] = value

    def _see(self, relation: Relation | None, column: str) -> None:
        if relation is None or column in relation.made:
            return
        known = [source for source in relation.sources if column in self.read[source]]
        if len(relation.sources) == 1:
            self.read[relation.sources[0]][column] = None
        elif not known:
            raise UnclearColumn(f"'{column}' could be of {' or '.join(relation.sources)}")

    def _names_in(self, node: ast.AST, relation: Relation | None) -> None:
        """See the columns that the strings of an argument name."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            self._see(relation, node.value)
        elif isinstance(node, (ast.List, ast.Tuple)):
            for element in node.elts:
                self._names_in(element, relation)
        elif isinstance(node, ast.Dict):
            for value in node.values:
                self._names_in(value, relation)
        else:
            self._value(node, relation)

    def _value(self, node: ast.AST, scope: Relation | None) -> Relation | None:
        """What an expression is, if a relation, after seeing the columns in it; `scope` is what `_` stands for."""
        if isinstance(node, ast.Name):
            return scope if node.id == "_" else self._names.get(node.id)
        if isinstance(node, ast.Attribute):
            return self._attribute(self._value(node.value, scope), node.attr)
        if isinstance(node, ast.Subscript):
            relation = self._value(node.value, scope)
            if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
                return self._attribute(relation, node.slice.value, is_column=True)
            self._value(node.slice, scope)
            return relation and replace(relation, is_column=True)
        if isinstance(node, ast.Call):
            return self._call(node, scope)
        if isinstance(node, (ast.ListComp, ast.DictComp, ast.GeneratorExp)):
            for generator in node.generators:
                self._value(generator.iter, scope)
                self._assign(generator.target, None)
        parts = [self._value(child, scope) for child in ast.iter_child_nodes(node)]
        first = next(filter(None, parts), None)
        return first and replace(first, is_column=True)

    def _attribute(self, relation: Relation | None, name: str, is_column: bool = False) -> Relation | None:
        if relation is None or relation.is_column:
            return relation
        if is_column or not hasattr(ir.Table, name):
            self._see(relation, name)
        return replace(relation, is_column=True)

    def _call(self, node: ast.Call, scope: Relation | None) -> Relation | None:
        function = node.func
        method = function.attr if isinstance(function, ast.Attribute) else ""
        relation = self._value(function.value, scope) if isinstance(function, ast.Attribute) else None
        if relation is not None and not relation.is_column:
            return self._table_method(relation, method, node)
        names_columns = relation is None and method in _NAMING_FUNCTIONS
        found = [relation]
        for argument in node.args:
            if names_columns:
                self._names_in(argument, scope)
            else:
                found.append(self._value(argument, scope))
        for keyword in node.keywords:
            if keyword.arg in _NAMING_KEYWORDS:
                self._names_in(keyword.value, scope or relation)
            else:
                found.append(self._value(keyword.value, scope))
        relations = [each for each in found if each is not None]
        if method in ("union", "intersect", "difference") and len(relations) > 1:
            return relations[0].joined(relations[1])
        return replace(relations[0], is_column=True) if relations else None

    def _table_method(self, table: Relation, method: str, node: ast.Call) -> Relation:
        if method.endswith("join"):
            return self._join(table, method, node)
        for argument in node.args:
            if method in _NAMING:
                self._names_in(argument, table)
            else:
                self._value(argument, table)
        made: set[str] = set()
        for keyword in node.keywords:
            if method in _NAMING or keyword.arg in _NAMING_KEYWORDS:
                self._names_in(keyword.value, None if keyword.arg == "how" else table)
            else:
                self._value(keyword.value, table)
            if method in _MAKING and keyword.arg:
                made.add(keyword.arg)
            if keyword.arg in _MAKING_KEYWORDS and isinstance(keyword.value, ast.Constant):
                made.add(str(keyword.value.value))
        return replace(table.with_made(made), is_column=method in _SCALARS)

    def _join(self, table: Relation, method: str, node: ast.Call) -> Relation:
        other = self._value(node.args[0], None) or Relation(())
        for predicate in node.args[1:]:
            self._key(predicate, table, other)
        return table if method in ("semi_join", "anti_join") else table.joined(other)

    def _key(self, node: ast.expr, table: Relation, other: Relation) -> None:
        """See the columns of a join's predicate: a condition, one name for both tables, or a pair of names."""
        if isinstance(node, ast.Constant):
            self._names_in(node, table)
            self._names_in(node, other)
        elif isinstance(node, ast.List):
            for each in node.elts:
                self._key(each, table, other)
        elif isinstance(node, ast.Tuple):
            for each, side in zip(node.elts, (table, other), strict=True):
                self._names_in(each, side)
        else:
            self._value(node, table)
