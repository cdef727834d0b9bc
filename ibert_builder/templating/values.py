"""What can fill a slot, apart from phrases, and how it reads in each language.

Every value renders itself for a language and a spec, in a `Style`. The specs:

| spec | Ibis | SQL | English |
|---|---|---|---|
| none | `orders.amount` | `amount`, `o.amount` | amount |
| `_` | `_.amount` | | |
| `name` | `amount` | `amount` | |
| `str` | `"amount"` | `'amount'` | |
| `alias` | the natural name of the expression: `total_amount` | the same | the same |
| `type` | | | a column's data type: `decimal(10, 2)` |
| `code`, `deferred` | | | the Ibis code: `orders.amount`, `_.amount` |
| `one`, `many`, `a`, `the` | | | a column or row: order, orders, an order, the order |
| `count` | of a table, what a number of its rows is called: `order_count` | the same | the same |
| `holds`, `fails`, `known`, `unknown` | | | what is said of rows by a flag or a column with NULLs: are active, have no coupon |
| `it` | | | of a condition, a statement about one row: it is active |
| `bare` | | | a literal without its unit |
| `pred` | a join key, always as a predicate | | |
| another word | `word.amount` | `word.amount` | |
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import ibis.expr.types as ir

from ibert_builder.databases.model import Column, Reference, Table
from ibert_builder.sandbox.policy import NEVER_ATTRIBUTES
from ibert_builder.semantics.nouns import Noun, verbs
from ibert_builder.templating.english import VERB_SPECS
from ibert_builder.templating.frames import Language, Piece, Placeholder
from ibert_builder.templating.literals import literal


@dataclass(frozen=True)
class Style:
    """How an example is written. The default is the canonical style, which all targets use.

    Attributes:
        keywords_lower: SQL keywords and functions in lower case.
        one_line: SQL on one line.
        aliases: SQL aliases by table slot; a table without one goes by its name.
        qualify: SQL columns carry their table's alias or name.
        use_as: AS introduces table aliases.
        brackets: Ibis columns as `t["x"]` instead of `t.x`.
        deferred: Ibis columns as `_.x` where that is possible.
    """

    keywords_lower: bool = False
    one_line: bool = False
    aliases: Mapping[str, str] = field(default_factory=dict)
    qualify: bool = False
    use_as: bool = False
    brackets: bool = False
    deferred: bool = False


CANONICAL = Style()


class Value(Protocol):
    def render(self, language: Language, place: Placeholder, style: Style) -> Piece: ...


@dataclass(frozen=True)
class TableValue:
    """A table of the database in slot `slot`; `variable` is its name in code: an alias where a table is used twice."""

    slot: str
    table: Table
    variable: str

    def render(self, language: Language, place: Placeholder, style: Style) -> Piece:
        if place.spec == "count":
            return Piece(f"{self.table.noun.one}_count".replace(" ", "_"))
        if language == "ibis":
            return Piece(
                {"str": json.dumps(self.table.name), "_": "_"}.get(place.spec or "", self.table.name)
            )
        if language == "en":
            return Piece(_NOUN_FORMS[place.spec or "many"](self.table.noun))
        alias = style.aliases.get(self.slot)
        if place.spec == "name" or alias is None:
            return Piece(self.table.name)
        joiner = (" as " if style.keywords_lower else " AS ") if style.use_as else " "
        return Piece(f"{self.table.name}{joiner}{alias}")


# What `{x:spec}` is in English, for a column or table.
_NOUN_FORMS: dict[str, Callable[[Noun], str]] = {
    "one": lambda noun: noun.one,
    "many": lambda noun: noun.many,
    "a": lambda noun: noun.indefinite,
    "the": lambda noun: noun.definite,
    "the_many": lambda noun: f"the {noun.many}",
}
VERB_FORMS = {
    **{spec: (spec, "many") for spec in VERB_SPECS},
    **{f"{spec}_one": (spec, "one") for spec in VERB_SPECS},
}
_WITHOUT = {
    "unknown": "no known ",
    "none": "no ",
    "not_yet": "no ",
    "not_applicable": "no ",
    None: "no known ",
}
# What is said of a column whose meaning does not say it.
_LACKING: dict[str, Callable[[Column], str]] = {
    "unknown": lambda c: (
        f"has|have {_WITHOUT[c.meaning.missing]}{c.noun.one}{' yet' if c.meaning.missing == 'not_yet' else ''}"
    ),
    "known": lambda c: (
        f"has|have {'a known' if 'known' in _WITHOUT[c.meaning.missing] else c.noun.article} {c.noun.one}"
    ),
    "holds": lambda c: f"has|have the {c.noun.one}",
    "fails": lambda c: f"does|do not have the {c.noun.one}",
}


@dataclass(frozen=True)
class ColumnValue:
    owner: TableValue
    column: Column

    @property
    def type_class(self) -> str:
        return self.column.type_class

    @property
    def kind(self) -> str:
        return self.column.kind

    @property
    def unit(self) -> Noun | None:
        return self.column.unit

    @property
    def words(self) -> Mapping[Any, str]:
        return self.column.meaning.values or {}

    @property
    def alias(self) -> str:
        return self.column.name

    def render(self, language: Language, place: Placeholder, style: Style) -> Piece:
        name, spec = self.column.name, place.spec
        if spec in ("name", "alias"):
            return Piece(name)
        if spec == "str":
            return Piece(f'"{name}"' if language != "sql" else f"'{name}'")
        if language == "en":
            return Piece(self._english(spec))
        if language == "sql":
            return Piece(self._sql(name, spec, style))
        if spec is None and style.deferred:
            spec = "_"
        prefix = spec or self.owner.variable
        shadows = hasattr(ir.Table, name) or name in NEVER_ATTRIBUTES
        bracketed = shadows or (style.brackets and spec is None)
        return Piece(f'{prefix}["{name}"]' if bracketed else f"{prefix}.{name}")

    def _english(self, spec: str | None) -> str:
        column, said = self.column, self.column.meaning
        if spec == "type":
            return str(column.dtype)
        if spec in VERB_FORMS:
            key, form = VERB_FORMS[spec]
            return str(getattr(verbs(getattr(said, key) or _LACKING[key](column)), form))
        return _NOUN_FORMS[spec or "one"](column.noun)

    def _sql(self, name: str, spec: str | None, style: Style) -> str:
        if spec:
            return f"{spec}.{name}"
        return (
            f"{style.aliases.get(self.owner.slot, self.owner.table.name)}.{name}" if style.qualify else name
        )


@dataclass(frozen=True)
class ColumnList:
    columns: tuple[ColumnValue, ...]

    def render(self, language: Language, place: Placeholder, style: Style) -> Piece:
        words = [column.render(language, place, style).text for column in self.columns]
        return Piece(enumeration(words) if language == "en" and place.spec != "str" else ", ".join(words))


@dataclass(frozen=True)
class LiteralValue:
    """A value, or several. Of a column's values, `unit` and `words` say how people speak of them."""

    value: Any
    type_class: str
    unit: Noun | None = None
    words: Mapping[Any, str] = field(default_factory=dict, compare=False)

    def render(self, language: Language, place: Placeholder, style: Style) -> Piece:
        write = (
            self._in_english
            if language == "en"
            else functools.partial(_written, language=language, style=style)
        )
        if isinstance(self.value, tuple):
            words = [write(value) for value in self.value]
            return Piece(enumeration(words, "or") if language == "en" else ", ".join(words))
        if place.spec == "name":
            return Piece(str(self.value))
        return Piece(literal(self.value, "en") if place.spec == "bare" else write(self.value))

    def _in_english(self, value: Any) -> str:
        text = literal(value, "en")
        if value in self.words and str(self.words[value]) != str(value):
            return f"{self.words[value]} ({text})"
        return f"{text} {self.unit.counted(value)}" if self.unit else text


@dataclass(frozen=True)
class FieldValue(LiteralValue):
    """The name of a field of a struct, or of a key of a map or JSON object; `kind` is that of the values there."""

    noun: Noun = field(kw_only=True)
    kind: str | None = None

    def render(self, language: Language, place: Placeholder, style: Style) -> Piece:
        if language == "en" and place.spec not in ("name", "str"):
            return Piece(_NOUN_FORMS[place.spec or "one"](self.noun))
        return super().render(language, place, style)


def _written(value: Any, *, language: Language, style: Style) -> str:
    text = literal(value, language)
    return text.lower() if language == "sql" and style.keywords_lower and not isinstance(value, str) else text


@dataclass(frozen=True)
class ChoiceValue:
    """One of the options that a slot lists: a plain value, or a text for each language."""

    option: Any

    def render(self, language: Language, place: Placeholder, style: Style) -> Piece:
        if isinstance(self.option, dict):
            text = str(self.option[language])
        elif place.spec == "str":
            return Piece(literal(str(self.option), language))
        else:
            text = str(self.option)
        return Piece(text.lower() if language == "sql" and style.keywords_lower and "'" not in text else text)


@dataclass(frozen=True)
class JoinValue:
    """The key by which a child table refers to its parent."""

    child: TableValue
    parent: TableValue
    reference: Reference

    @property
    def columns(self) -> tuple[ColumnValue, ColumnValue]:
        child, parent, reference = self.child, self.parent, self.reference
        return (
            ColumnValue(child, child.table.columns[reference.column]),
            ColumnValue(parent, parent.table.columns[reference.key]),
        )

    def render(self, language: Language, place: Placeholder, style: Style) -> Piece:
        foreign, primary = self.columns
        if place.part:
            rest = Placeholder(place.slot, None, place.spec)
            return {"fk": foreign, "pk": primary}[place.part].render(language, rest, style)
        if language == "ibis" and place.spec != "pred" and foreign.column.name == primary.column.name:
            return Piece(f'"{foreign.column.name}"')
        rest = Placeholder(place.slot, None, None)
        left, right = (column.render(language, rest, style).text for column in (foreign, primary))
        return Piece(f"{left} {'=' if language == 'sql' else '=='} {right}")


def enumeration(words: list[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"
