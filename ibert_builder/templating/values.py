"""What can fill a slot, and how it reads in each language.

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
| `bare` | | | a number without its unit: 100 |
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
from ibert_builder.semantics.nouns import Noun, Verbs, verbs
from ibert_builder.templating.english import ROWS, VERB_SPECS
from ibert_builder.templating.frames import Frame, Language, Piece, Placeholder
from ibert_builder.templating.literals import literal
from ibert_builder.templating.phrases import Phrase


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
            return Piece(json.dumps(self.table.name) if place.spec == "str" else self.table.name)
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


@dataclass(frozen=True)
class PhraseValue:
    """A phrase with its slots filled: an expression known in all three languages."""

    phrase: Phrase
    arguments: Mapping[str, Any]
    type_class: str
    owner: TableValue
    kind: str | None = None  # what its values are, if that is known
    unit: Noun | None = None
    words: Mapping[Any, str] = field(default_factory=dict, compare=False)  # how its values are said

    @property
    def alias(self) -> str:
        return self.phrase.alias.render(self._fill_alias)

    def _fill_alias(self, place: Placeholder) -> Piece:
        if place.slot in ROWS:
            return Piece(_identifier(self._called(place.slot)))
        value = self.arguments[place.slot]
        return Piece(value.alias if hasattr(value, "alias") else _identifier(value))

    def render(self, language: Language, place: Placeholder, style: Style) -> Piece:
        if place.spec == "alias":
            return Piece(self.alias)
        if language == "en":
            return Piece(self._in_english(place.spec, style))
        frame = self.phrase.frames[language]
        spec = place.spec

        def fill(inner: Placeholder) -> Piece:
            value = self.arguments[inner.slot]
            # A prefix given from outside goes down to every column, unless the phrase itself says otherwise.
            takes_prefix = hasattr(value, "type_class") and not isinstance(value, LiteralValue)
            passed = Placeholder(inner.slot, inner.part, spec) if takes_prefix and not inner.spec else inner
            return value.render(language, passed, style)

        styled = frame.lower if language == "sql" and style.keywords_lower else frame
        return Piece(styled.render(fill), frame.shape)

    def _in_english(self, spec: str | None, style: Style) -> str:
        def fill(place: Placeholder) -> Piece:
            if place.slot in ROWS:
                return Piece(self._called(place.slot))
            value = self.arguments[place.slot]
            is_number = isinstance(value, LiteralValue) and not isinstance(value, FieldValue)
            if is_number and place.spec is None and not says and self._mentions(value.unit):
                place = Placeholder(place.slot, place.part, "bare")
            return value.render("en", place, style)

        frames, says = self.phrase.frames, self._clause is not None
        if "it" not in frames:
            text = frames["en"].render(fill)
            if self.owner.table.entity.person:
                text = text.replace(f"{self._called('rows')} that ", f"{self._called('rows')} who ")
            return f"the {text}" if spec == "the" else text
        clause = self._clause
        if clause is not None:
            said = clause.one if spec == "it" else clause.many
            what = frames["says"].render(fill)
            text = ("it " if spec == "it" else "that ") + said.replace("{v}", what).replace("{when}", what)
        else:
            text = frames["it" if spec == "it" else "en"].render(fill)
        is_person = self.owner.table.entity.person
        return f"who {text.removeprefix('that ')}" if is_person and text.startswith("that ") else text

    def _called(self, slot: str) -> str:
        """What {rows} or {row} of the table are called."""
        return self.owner.table.noun.many if slot == "rows" else self.owner.table.noun.one

    def _mentions(self, unit: Noun | None) -> bool:
        """Whether the noun of {x} has the unit in it: the number of seats is 5, not 5 seats."""
        value = self.arguments.get("x")
        if unit is None or not isinstance(value, ColumnValue | PhraseValue):
            return False
        words = value.render("en", Placeholder("", None, None), CANONICAL).text.split()
        return unit.one in words or unit.many in words

    @property
    def _clause(self) -> Verbs | None:
        """What the column says of a row, if the condition is one on a column that says something."""
        value = self.arguments.get("x")
        if (
            "says" not in self.phrase.frames
            or not isinstance(value, ColumnValue)
            or not value.column.meaning.clause
        ):
            return None
        return verbs(value.column.meaning.clause)


def _identifier(value: Any) -> str:
    option = getattr(value, "option", value)
    text = str(getattr(value, "value", option["en"] if isinstance(option, dict) else option))
    return "".join(c if c.isalnum() else "_" for c in text.lower()).strip("_") or "x"


def enumeration(words: list[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def render_frame(frame: Frame, values: Mapping[str, Any], style: Style = CANONICAL) -> str:
    """Fill a frame's placeholders with values, in the frame's language."""
    if frame.language == "sql":
        frame = frame.lower if style.keywords_lower else frame
        frame = frame.one_line if style.one_line else frame
    if frame.language == "en":
        return frame.render(lambda place: _in_english(place, values, style))
    if not (style.deferred and frame.language == "ibis"):
        return frame.render(lambda place: values[place.slot].render(frame.language, place, style))
    plain = Style(brackets=style.brackets)
    order = iter(range(len(frame.placeholders)))
    return frame.render(
        lambda place: values[place.slot].render(
            "ibis", place, style if next(order) in frame.deferrable else plain
        )
    )


def _in_english(place: Placeholder, values: Mapping[str, Any], style: Style) -> Piece:
    """A value in an English text, which may quote the value's code."""
    quoted = {"code": None, "deferred": "_"}
    if place.spec in quoted:
        return values[place.slot].render(
            "ibis", Placeholder(place.slot, place.part, quoted[place.spec]), style
        )
    return values[place.slot].render("en", place, style)
