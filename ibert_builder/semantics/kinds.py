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
        "key": "identifier",
        "reference": "foreign_key",
        # Few values, which are words: what rows are divided by. The kind of this name is never asked for alone.
        "category": "category ordinal status",
        # What rows are grouped by.
        "group": "category ordinal status flag foreign_key",
        # Sums mean something: not of prices, rates, ratings or temperatures; of levels at one moment only, so never here.
        "summable": "amount quantity",
        # Averages, medians and the like; an average of rates would have to be weighted.
        "averageable": "amount quantity level price measurement score",
        # Less and greater, ranges and bands, lowest and highest.
        "measurable": "amount quantity level price rate measurement score",
        # Steps from one row to the next in time; those between single events say nothing.
        "followed": "level price measurement",
        # What is put in order of time and compared.
        "moment": "event_time period_bound attribute_date",
        # What people search, trim, split and shorten.
        "text": "name free_text code",
        # What is read beside a key in a list of rows.
        "fact": "name category ordinal status amount quantity level price rate measurement score event_time attribute_date"
        " period_bound",
    }.items()
}
# What is meant by a class alone: a number is something measured or counted, not a key or a house number.
OF_CLASS: dict[str, frozenset[str]] = {
    **dict.fromkeys(("numeric", "integer", "float", "decimal"), TRAITS["measurable"]),
    **dict.fromkeys(("temporal", "date", "timestamp"), TRAITS["moment"]),
    "string": frozenset(["name", "category", "ordinal", "status", "code", "free_text"]),
    "comparable": TRAITS["measurable"] | TRAITS["moment"] | {"name"},
    "scalar": TRAITS["fact"] | {"flag"},
}


def is_meaning(word: str) -> bool:
    """Whether a word is a kind or a trait."""
    return word in KINDS or word in TRAITS


def has_meaning(kind: str, wanted: str | None, of_class: str = "any") -> bool:
    """Whether a column of a kind is what is asked for: a kind or trait, or what a class means without one."""
    if wanted is None:
        return of_class not in OF_CLASS or kind in OF_CLASS[of_class]
    return kind in TRAITS.get(wanted, (wanted,))
