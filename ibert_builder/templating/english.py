"""Conditions in English: of many rows as a relative clause, of one as a statement.

`whose {x} is more than {v}` is a condition as it follows a plural (orders whose amount is more than 100 EUR), and
`its {x} is more than {v}` says it of one row; `that has|have no {x}` gives `that have no {x}` and `it has no {x}`.
"""

from __future__ import annotations

import re

from ibert_builder.semantics.nouns import verbs

ROWS = ("rows", "row")  # slots that every English text of a phrase has: what the rows of its table are called
# Specs of a column whose text is a verb phrase; with `_one` it speaks of one row.
VERB_SPECS = ("holds", "fails", "known", "unknown")

_BEGINNING = re.compile(r"whose |that |for which |other than those \{|either \{|\{")
_CONDITION = re.compile(r"\{([pqr])\}")  # a condition within a condition; templates and phrases call them so


def condition(text: str) -> dict[str, str]:
    """The frames of a condition: `en` of many rows, `it` of one.

    Raises:
        ValueError: it is not a relative clause.
    """
    if not _BEGINNING.match(text):
        raise ValueError(
            f"expected a relative clause such as `whose {{x}} is ...` or `that has|have ...`, found '{text}'"
        )
    said = verbs(text)
    it = re.sub(r"\bwhose ", "its ", re.sub(r"\bthat ", "it ", said.one.removeprefix("for which ")))
    it = _CONDITION.sub(r"{\1:it}", it)
    for spec in VERB_SPECS:
        it = it.replace(f":{spec}}}", f":{spec}_one}}")
    return {"en": said.many, "it": it}
