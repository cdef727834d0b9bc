"""The texts of a record. Each field of `input`, `target` and `meta` declares what kind of text it is; Arrow columns, the
checks of linked files, the audit and decontamination all follow from that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal[
    "ibis",  # Ibis code that runs and ends in the record's query; a task has at most one such field
    "python",  # other Python: a function, code with a mistake in it
    "fragment",  # truncated code, which need not parse
    "sql",  # a query in the record's dialect
    "prose",  # English
    "docstring",
    "message",  # an error message of Ibis, DuckDB or Python
    "label",  # a word from a closed list, such as a dialect
]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class TextField:
    """A text of a record.

    Attributes:
        kind: what it is.
        optional: whether it may be null.
        is_column: whether it is repeated as a top-level column, as the seed does with the dialect.
    """

    kind: Kind
    optional: bool = False
    is_column: bool = False
