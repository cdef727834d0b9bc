"""What the texts of a record are. Each field of `input`, `target` and `meta` declares its kind, and columns, links, the audit
and the comparison with other files follow from that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal[
    "ibis",  # a program of Ibis code that runs and ends in the record's query; a task has at most one such field
    "python",  # other Python: a function, code with a mistake in it
    "fragment",  # code that is cut off and need not parse
    "sql",  # a query in the record's dialect
    "prose",  # English
    "docstring",
    "message",  # what Ibis, DuckDB or Python itself says
    "label",  # a word of a closed list, such as a dialect
]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class TextField:
    """A text of a record.

    Attributes:
        kind: what it is.
        optional: whether it may be null.
        is_column: whether it also is a column beside `input`, as the seed has the dialect.
    """

    kind: Kind
    optional: bool = False
    is_column: bool = False
