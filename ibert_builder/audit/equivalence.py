"""Mutants that cannot be told from their query on any data, each by a rule that proves it.

A rule takes a query and a mutant of it and says whether they give the same result over every database whose keys are
unique and never NULL. No mutant is left out for any other reason.
"""

from __future__ import annotations

from collections.abc import Callable

from ibert_builder.audit.mutants import Mutant
from ibert_builder.audit.query_properties.query import Query
from ibert_builder.audit.rules.joins import rejected_by_filter
from ibert_builder.audit.rules.nulls import constant_zero, implied, null_has_no_say, null_order
from ibert_builder.audit.rules.uniqueness import determined_key, no_repeats, no_ties
from ibert_builder.audit.rules.unread import unused

Rule = Callable[[Query, Mutant], bool]

RULES: dict[str, Rule] = {
    "null_order": null_order,
    "no_ties": no_ties,
    "rejected_by_filter": rejected_by_filter,
    "implied": implied,
    "null_has_no_say": null_has_no_say,
    "no_repeats": no_repeats,
    "determined_key": determined_key,
    "constant_zero": constant_zero,
    "unused": unused,
}


def equivalence(query: Query, mutant: Mutant) -> str | None:
    """The name of the rule by which a mutant equals its query, or None."""
    if not query.is_plain:
        return None
    return next((name for name, rule in RULES.items() if rule(query, mutant)), None)
