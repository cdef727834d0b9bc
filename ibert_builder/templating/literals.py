"""How literals are written in each language."""

from __future__ import annotations

import datetime
import json
import uuid
from decimal import Decimal
from typing import Any

from ibert_builder.templating.frames import Language

GROUPED = 5  # digits from which on a number has commas in English: 10,000, but 2023


def literal(value: Any, language: Language) -> str:
    """A Python value as a literal of a language, in the canonical style."""
    return {"ibis": _in_ibis, "sql": _in_sql, "en": _in_english}[language](value)


def _number(value: int | float | Decimal) -> str:
    text = f"{Decimal(str(value)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _in_ibis(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, float | Decimal):
        return _number(value)
    if isinstance(value, datetime.datetime):
        return f'ibis.timestamp("{value}")'
    if isinstance(value, datetime.date):
        return f'ibis.date("{value}")'
    if isinstance(value, datetime.time):
        return f'ibis.time("{value}")'
    return str(value)


def _in_sql(value: Any) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, bool) or value is None:
        return {True: "TRUE", False: "FALSE", None: "NULL"}[value]
    if isinstance(value, float | Decimal):
        return _number(value)
    if isinstance(value, datetime.datetime):
        return f"TIMESTAMP '{value}'"
    if isinstance(value, datetime.date):
        return f"DATE '{value}'"
    if isinstance(value, datetime.time):
        return f"TIME '{value}'"
    if isinstance(value, uuid.UUID):
        return f"UUID '{value}'"
    return str(value)


def _in_english(value: Any) -> str:
    if isinstance(value, str):
        return f"'{value}'" if value else "the empty string"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return str(value.date())
    if isinstance(value, datetime.datetime | datetime.time) and not value.second:
        return str(value)[: -len(":00")] if not value.microsecond else str(value)
    if isinstance(value, int | float | Decimal):
        whole, point, rest = _number(value).partition(".")
        return (
            f"{int(whole):,}{point}{rest}" if len(whole.lstrip("-")) >= GROUPED else f"{whole}{point}{rest}"
        )
    return str(value)
