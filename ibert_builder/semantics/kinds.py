"""What a column can be: the closed list of kinds, and what each kind permits.

Slots ask for one kind (`column status`) or for a trait that several kinds share (`column summable`). A trait is what a person may do
with values of that kind: a price is averaged but never summed, a status is counted and grouped by but has no order.
"""

from __future__ import annotations

from typing import Literal, get_args

Kind = Literal[
    "identifier", "foreign_key", "code", "name", "category", "ordinal", "status", "flag", "amount", "quantity", "level", "price",
    "rate", "measurement", "score", "event_time", "attribute_date", "period_bound", "time_of_day", "free_text", "tags", "record",
]  # fmt: skip
KINDS: tuple[str, ...] = get_args(Kind)

# A trait: the kinds that have it. The comments give the reason for what is left out.
TRAITS: dict[str, frozenset[str]] = {
    name: frozenset(kinds.split())
    for name, kinds in {
        # Sums mean something: not of prices, rates, ratings or temperatures; of levels only at one moment, so never here.
        "summable": "amount quantity",
        # Averages, medians and the like; an average of rates would have to be weighted.
        "averageable": "amount quantity level price measurement score",
        # Less and greater, ranges and bands, lowest and highest.
        "measurable": "amount quantity level price rate measurement score",
        # Differences from one row to the next in time; those of single events say nothing.
        "followed": "level price rate measurement",
        # Groups that are few and mean something.
        "groupable": "category ordinal status flag foreign_key",
        # Groups whose values are words.
        "classifying": "category ordinal status",
        # Moments that are put in order, compared, counted by month.
        "moment": "event_time period_bound attribute_date",
        # Moments at which something happened: months, weekdays and hours of them are of interest.
        "happening": "event_time",
        # Texts of people's making, to be searched, trimmed, shortened.
        "prose": "free_text",
        # Texts that show which row it is.
        "labelling": "name",
        # Texts with parts: an email address has a domain, a name has words.
        "structured": "code name",
        # Whatever a person wants to read in a result.
        "readable": "name category ordinal status flag amount quantity level price rate measurement score event_time attribute_date"
        " period_bound time_of_day free_text code",
        # What can be listed beside a key; keys are added by those who want them.
        "fact": "category ordinal status amount quantity level price rate measurement score event_time attribute_date period_bound",
    }.items()
}


def is_meaning(word: str) -> bool:
    """Whether a word is a kind or a trait."""
    return word in KINDS or word in TRAITS


def has_meaning(kind: str, wanted: str) -> bool:
    """Whether a column of a kind is what a kind or trait asks for."""
    return kind == wanted or kind in TRAITS.get(wanted, ())
