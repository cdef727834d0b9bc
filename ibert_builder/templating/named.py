"""The named expressions of a table as phrases: its dimensions, segments, measures and metrics, over its own columns."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping

import ibis.expr.datatypes as dt

from ibert_builder.databases.type_classes import type_class
from ibert_builder.semantics.nouns import noun, verbs
from ibert_builder.semantics.spec import MeasureSpec
from ibert_builder.templating.frames import Frame, parse_frame
from ibert_builder.templating.phrase_value import PhraseValue
from ibert_builder.templating.phrases import Phrase
from ibert_builder.templating.values import ColumnValue, TableValue

# What templates call them in `only` and `avoid`; the negation of a segment is an opposite.
GROUPS = ("dimensions", "segments", "opposites", "measures", "metrics")
NEGATED = 0.3  # how often the negation of a segment is drawn, relative to the segment

# How an aggregate is written: SQL, Ibis, English of its noun, class of the result (None for that of the expression).
_AGGREGATES: dict[str, tuple[str, str, str, str | None]] = {
    "sum": ("SUM({x})", "{x}.sum()", "total {one}", None),
    "average": ("AVG({x})", "{x}.mean()", "average {one}", "float"),
    "median": ("MEDIAN({x})", "{x}.median()", "median {one}", None),
    "min": ("MIN({x})", "{x}.min()", "lowest {one}", None),
    "max": ("MAX({x})", "{x}.max()", "highest {one}", None),
    "count": ("COUNT(*)", "{t}.count()", "number of {many}", "integer"),
    "count_distinct": ("COUNT(DISTINCT {x})", "{x}.nunique()", "number of different {many}", "integer"),
    "share": ("AVG(CAST({p} AS INTEGER))", "{p}.mean()", "{one}", "float"),
}


@functools.lru_cache(maxsize=4096)
def named(owner: TableValue, group: str) -> tuple[PhraseValue, ...]:
    """The named expressions of a table, of one of the `GROUPS`."""
    return tuple(_MAKERS[group](owner))


def _dimensions(owner: TableValue) -> list[PhraseValue]:
    return [_dimension(owner, name) for name in owner.table.dimensions]


def _dimension(owner: TableValue, name: str) -> PhraseValue:
    spec = owner.table.dimensions[name]
    kind = type_class(dt.dtype(spec.type))
    called = noun(spec.noun or name.replace("_", " "))
    phrase = _phrase(
        name, "dimensions", "scalar", kind, {"sql": spec.sql, "ibis": spec.ibis, "en": called.one}
    )
    unit = noun(spec.unit) if spec.unit else None
    return PhraseValue(phrase, _arguments(owner, phrase), kind, owner, spec.kind, unit, spec.values or {})


def _segments(owner: TableValue) -> list[PhraseValue]:
    values = []
    for name, spec in owner.table.segments.items():
        values.append(_condition(owner, name, "segments", spec.sql, spec.ibis, spec.clause, 1.0))
        negated = _negated(spec.sql, "NOT "), _negated(spec.ibis, "~")
        if spec.fails is not None and negated[0] and negated[1]:
            values.append(
                _condition(owner, f"not_{name}", "opposites", negated[0], negated[1], spec.fails, NEGATED)
            )
    return values


# What people write for the opposite of a condition, in either language.
_OPPOSITES = (
    (r"(.+) IS NULL", r"\1 IS NOT NULL"), (r"(.+) IS NOT NULL", r"\1 IS NULL"), (r"(.+)\.isnull\(\)", r"\1.notnull()"),
    (r"(.+)\.notnull\(\)", r"\1.isnull()"), (r"(.+) NOT IN (\(.+\))", r"\1 IN \2"), (r"(.+) IN (\(.+\))", r"\1 NOT IN \2"),
    (r"(.+)\.notin\((.+)\)", r"\1.isin(\2)"), (r"(.+)\.isin\((.+)\)", r"\1.notin(\2)"), (r"(.+) >= (.+)", r"\1 < \2"),
    (r"(.+) <= (.+)", r"\1 > \2"), (r"(.+) <> (.+)", r"\1 = \2"), (r"(.+) != (.+)", r"\1 == \2"), (r"(.+) == (.+)", r"\1 != \2"),
    (r"(.+) > (.+)", r"\1 <= \2"), (r"(.+) < (.+)", r"\1 >= \2"), (r"(.+) = (.+)", r"\1 <> \2"), (r"NOT (.+)", r"\1"),
    (r"~(.+)", r"\1"),
)  # fmt: skip


_CALL = re.compile(
    r"[A-Z_]+\(.+\)|\{\w+\}(?:\.\w+\([^()]*\))*"
)  # LIST_CONTAINS({x}, 'a'), {x}.contains("a"), {x}


def _negated(text: str, by: str) -> str | None:
    """The opposite of a single condition, where it is known, as a person would write it."""
    if re.search(r" AND | OR | BETWEEN | & | \| |CASE |~.*[<>=]", text):
        return None
    opposites = (re.sub(f"^{was}$", now, text) for was, now in _OPPOSITES if re.fullmatch(was, text))
    return next(opposites, f"{by}{text}" if _CALL.fullmatch(text) else None)


def _condition(
    owner: TableValue, name: str, group: str, sql: str, ibis: str, clause: str | list[str], weight: float
) -> PhraseValue:
    said = verbs(clause)
    texts = {"sql": sql, "ibis": ibis, "en": f"that {said.many}", "it": f"it {said.one}"}
    phrase = _phrase(name, group, "scalar", "boolean", texts, weight)
    return PhraseValue(phrase, _arguments(owner, phrase), "boolean", owner)


def _measures(owner: TableValue) -> list[PhraseValue]:
    return [_measure(owner, name, spec) for name, spec in owner.table.measures.items()]


def _measure(owner: TableValue, name: str, spec: MeasureSpec) -> PhraseValue:
    sql, ibis, english, kind = _AGGREGATES[spec.agg]
    unit = None
    if spec.where is not None and spec.agg != "share":
        sql = f"{sql} FILTER (WHERE {{p}})"
        ibis = ibis.replace("()", "(where={p})")
    if spec.fill is not None:
        sql, ibis = f"COALESCE({sql}, {spec.fill})", f"{ibis}.fill_null({spec.fill})"
    arguments: dict[str, ColumnValue | PhraseValue | TableValue] = {"t": owner}
    if spec.expr is not None:
        arguments["x"] = operand = _operand(owner, spec.expr)
        kind = kind or operand.type_class
        unit = None if spec.agg == "count_distinct" else operand.unit
    if spec.where is not None:
        arguments["p"] = next(value for value in named(owner, "segments") if value.phrase.name == spec.where)
    if spec.agg == "average" and spec.expr and _operand(owner, spec.expr).type_class == "decimal":
        # Ibis keeps the scale of a decimal column, and DuckDB does not.
        sql, ibis = f"ROUND({sql}, 2)", f'{ibis}.cast("float64").round(2)'
    called = noun(spec.noun)
    texts = {"sql": sql, "ibis": ibis, "en": english.format(one=called.one, many=called.many)}
    phrase = _phrase(name, "measures", "aggregate", kind or "float", texts)
    return PhraseValue(phrase, arguments, kind or "float", owner, None, unit)


def _metrics(owner: TableValue) -> list[PhraseValue]:
    measures = {value.phrase.name: value for value in named(owner, "measures")}
    values = []
    for name, spec in owner.table.metrics.items():
        texts = {
            "sql": f"{'100.0' if spec.percent else '1.0'} * {{a}} / NULLIF({{b}}, 0)",
            "ibis": f"{'100 * ' if spec.percent else ''}{{a}} / {{b}}.nullif(0)",
            "en": noun(spec.noun or name.replace("_", " ")).one,
        }
        phrase = _phrase(name, "metrics", "aggregate", "float", texts)
        arguments = {"a": measures[spec.numerator], "b": measures[spec.denominator]}
        values.append(PhraseValue(phrase, arguments, "float", owner))
    return values


_MAKERS = {"dimensions": _dimensions, "segments": _segments, "measures": _measures, "metrics": _metrics}


def _operand(owner: TableValue, name: str) -> ColumnValue | PhraseValue:
    if name in owner.table.columns:
        return ColumnValue(owner, owner.table.columns[name])
    return _dimension(owner, name)


def _phrase(
    name: str, group: str, kind: str, gives: str, texts: Mapping[str, str], weight: float = 1.0
) -> Phrase:
    languages = {"sql": "sql", "ibis": "ibis"}
    frames: dict[str, Frame] = {
        key: parse_frame(text, languages.get(key, "en"))  # type: ignore[arg-type]
        for key, text in texts.items()
    }
    return Phrase(
        name, group, kind, {}, gives, None, frames, parse_frame(name, "en"), weight, False, frozenset(), name
    )


def _arguments(owner: TableValue, phrase: Phrase) -> dict[str, ColumnValue | PhraseValue]:
    slots = {place.slot: None for key in ("sql", "ibis") for place in phrase.frames[key].placeholders}
    return {slot: _operand(owner, slot) for slot in slots}
