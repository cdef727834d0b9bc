"""Changed copies of nodes; the tree that they come from stays as it is."""

from __future__ import annotations

from sqlglot import exp


def with_args(node: exp.Expression, **changes: object) -> exp.Expression:
    """A copy of a node with other arguments."""
    copy = node.copy()
    for name, value in changes.items():
        copy.set(name, value.copy() if isinstance(value, exp.Expression) else value)
    return copy


def as_kind(node: exp.Expression, kind: type[exp.Expression]) -> exp.Expression:
    """A node of another class with copies of a node's arguments."""
    return kind(**{name: _copied(value) for name, value in node.args.items()})


def _copied(value: object) -> object:
    if isinstance(value, exp.Expression):
        return value.copy()
    return [_copied(item) for item in value] if isinstance(value, list) else value
