"""Public names of the installed Ibis, and their parameters. Deprecated names do not count.

What is cached here takes no arguments: one value each, as long as the process has one Ibis.
"""

from __future__ import annotations

import functools
import inspect
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Any

import ibis
import ibis.expr.types as ir
from ibis import selectors
from ibis.backends.duckdb import Backend
from ibis.expr.types.groupby import GroupedTable
from ibis.expr.types.temporal import DayOfWeek

from ibert_builder.errors import unknown


class UnknownName(ValueError):
    """A text names something that Ibis does not have."""


@functools.cache
def classes() -> MappingProxyType[str, type]:
    """The classes whose methods count, by the names that texts use for them."""
    kinds: dict[str, type] = {}
    for name, kind in vars(ir).items():
        if isinstance(kind, type) and issubclass(kind, ir.Expr):
            kinds[name] = kind
    kinds |= {
        "GroupedTable": GroupedTable,
        "DayOfWeek": DayOfWeek,
        "Schema": ibis.Schema,
        "Deferred": ibis.Deferred,
        "Backend": Backend,
    }
    return MappingProxyType(kinds)


def roots() -> dict[str, Any]:
    """What the first part of a dotted name may be."""
    return {"ibis": ibis, "s": selectors, "con": Backend, **classes()}


@functools.cache
def _backends() -> frozenset[str]:
    return frozenset(point.name for point in entry_points(group="ibis.backends"))


@functools.cache
def members() -> MappingProxyType[str, tuple[Any, ...]]:
    """What each public name may mean: the attributes of that name in all classes and in `ibis` itself."""
    found: dict[str, list[Any]] = {}
    for owner in (*classes().values(), ibis):
        for name in _public(owner):
            # Not getattr: it would load the backends of `ibis`, most of which are not installed.
            value = inspect.getattr_static(owner, name, None)
            if not _is_deprecated(value):
                found.setdefault(name, []).append(value)
    return MappingProxyType({name: tuple(values) for name, values in found.items()})


def _public(owner: Any) -> list[str]:
    if owner is selectors:
        return list(selectors.__all__)
    return [name for name in dir(owner) if not name.startswith("_")]


def _is_deprecated(value: Any) -> bool:
    return "DEPRECATED" in (getattr(value, "__doc__", None) or "")


def resolve(path: str) -> Any:
    """Look up a dotted name, such as `Table.head`, `ibis.duckdb.connect` or `s.across`.

    Raises:
        UnknownName: there is no such name (the message has the nearest one), or it is deprecated.
    """
    root, *rest = written = path.split(".")
    if root not in roots():
        raise UnknownName(unknown("class or module", root, roots()))
    value = roots()[root]
    if root == "ibis" and rest and rest[0] in _backends():
        rest[0] = "duckdb"  # every backend's module has the same functions, but few are installed
    for depth, name in enumerate(rest):
        if name.startswith("_") or (not hasattr(value, name) and name not in _public(value)):
            raise UnknownName(unknown(f"name in {'.'.join(written[: depth + 1])}", name, _public(value)))
        value = getattr(value, name)
        if _is_deprecated(value):
            raise UnknownName(f"'{path}' is deprecated")
    return value


def parameters(path: str) -> dict[str, inspect.Parameter]:
    """The parameters of a function or method, without `self`.

    Raises:
        UnknownName: it does not exist, or has no signature.
    """
    return signature(resolve(path), path)


def signature(function: Any, path: str) -> dict[str, inspect.Parameter]:
    """The parameters of a function, which messages call `path`.

    Raises:
        UnknownName: it has no signature.
    """
    try:
        found = inspect.signature(inspect.unwrap(function)).parameters
    except (TypeError, ValueError):
        raise UnknownName(f"'{path}' has no signature") from None
    return {name: parameter for name, parameter in found.items() if name != "self"}
