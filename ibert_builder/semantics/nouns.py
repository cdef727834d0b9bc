"""Words for rows, columns and measures: nouns with articles and number, verbs that agree.

A noun is written `order`, which takes a regular plural and article; `woman|women` with its plural; `an hour|hours` with its article
too; `some revenue` has no number. A verb phrase is written `lives|live in {v}`, the forms for one and for many apart by a bar, or
as a list of two texts where more than a word differs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_BAR = re.compile(r"(\w+)\|(\w+)")


@dataclass(frozen=True)
class Noun:
    """A noun phrase without its article.

    Attributes:
        one, many: singular and plural; the same of a mass noun.
        article: `a`, `an`, or "" of a mass noun.
    """

    one: str
    many: str
    article: str

    @property
    def indefinite(self) -> str:
        return f"{self.article} {self.one}".strip()

    @property
    def definite(self) -> str:
        return f"the {self.one}"

    def counted(self, number: int) -> str:
        return self.one if number == 1 else self.many


def noun(text: str) -> Noun:
    """Parse a noun.

    Raises:
        ValueError: it is empty.
    """
    singular, _, plural = (part.strip() for part in text.partition("|"))
    if not singular:
        raise ValueError("expected a noun")
    if singular.startswith("some "):
        mass = singular.removeprefix("some ")
        return Noun(mass, mass, "")
    article = "an" if re.match(r"[aeiouAEIO]", singular) else "a"
    if match := re.match(r"(an?) (.+)", singular):
        article, singular = match.groups()
    return Noun(singular, plural or _plural(singular), article)


def _plural(singular: str) -> str:
    if re.search(r"[^aeiou]y$", singular):
        return f"{singular[:-1]}ies"
    return f"{singular}es" if re.search(r"(s|x|z|ch|sh)$", singular) else f"{singular}s"


@dataclass(frozen=True)
class Verbs:
    """A verb phrase for one subject and for many."""

    one: str
    many: str


def verbs(text: str | list[str]) -> Verbs:
    """Parse a verb phrase.

    Raises:
        ValueError: a list has not two texts.
    """
    if isinstance(text, str):
        return Verbs(_BAR.sub(r"\1", text), _BAR.sub(r"\2", text))
    if len(text) != 2:
        raise ValueError(f"expected two forms, for one and for many, found {len(text)}")
    return Verbs(*text)
