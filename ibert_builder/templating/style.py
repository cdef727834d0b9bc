"""Seeded styles for inputs. Targets are always written in the one canonical style."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from ibert_builder.templating.values import Style, TableValue


def sql_style(rng: random.Random, bound: Mapping[str, Any]) -> Style:
    """Draw how a query is written: the case of its keywords, its line breaks, its table aliases."""
    tables = [value for value in bound.values() if isinstance(value, TableValue)]
    several = len(tables) > 1
    draw = rng.random()
    aliased = draw < 0.75 if several else draw < 0.15
    aliases: dict[str, str] = {}
    for value in tables:
        if value.variable != value.table.name:
            aliases[value.slot] = value.variable
        elif aliased:
            aliases[value.slot] = _alias(value.table.name, set(aliases.values()))
    return Style(
        keywords_lower=rng.random() < 0.25,
        one_line=rng.random() < 0.35,
        aliases=aliases,
        qualify=several or aliased or draw > 0.93,
        use_as=rng.random() < 0.4,
    )


def ibis_style(rng: random.Random, bound: Mapping[str, Any]) -> Style:
    """Draw how Ibis code refers to columns."""
    single = sum(isinstance(value, TableValue) for value in bound.values()) == 1
    draw = rng.random()
    return Style(brackets=draw < 0.15, deferred=single and draw > 0.6)


def _alias(table: str, taken: set[str]) -> str:
    """The alias of a table: `o` for `orders`, `oi` for `order_items`, `of` for `offers` where `o` is taken."""
    words = table.split("_")
    options = ["".join(word[0] for word in words), table[:2], table[:3]]
    # SQL reserves these short words.
    return next(
        (o for o in options if o not in taken | {"as", "is", "in", "on", "or", "by", "to", "at", "do", "if"}),
        table,
    )
