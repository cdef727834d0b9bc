"""The templates of `error_resolution`: correct code, the same code with a mistake, and why it is one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field, field_validator, model_validator

from ibert_builder.errors import unknown
from ibert_builder.tasks.error_resolution.error_types import ERROR_TYPES
from ibert_builder.templating.frames import Language
from ibert_builder.templating.templates import TemplateSpec

_MISTAKEN = re.compile(r"\{\w+:(?:broken|typo|upper)\}")

Wordings = str | list[str]  # one text, or several to draw from


class ErrorResolutionTemplate(TemplateSpec):
    """Correct Ibis code, the same code with one mistake, and why that is a mistake.

    `broken` and the English texts know the specs of `Mistakable` besides the usual ones.
    """

    error_type: str = Field(description="one of ERROR_TYPES")
    code: str = Field(description="canonical Ibis, correct; one call of a chain a line; ends in the result")
    broken: str = Field(description="the same code with the mistake; it need not even be Python")
    raises: str | None = Field(description="the name of the exception it raises; null for a logical error")
    context_info: Wordings | None = Field(None, description="English: what helps to see the mistake")
    expectation: Wordings | None = Field(None, description="English, for logical errors: what is wanted")
    explanation: Wordings = Field(description="English, one or two sentences: what was wrong, what changed")
    sql: str | None = Field(None, description="DuckDB SQL that gives what the correct code gives")
    facts: list[str] = Field(
        [], description="Ibis expressions that must be true: what the texts say and the proof does not show"
    )

    # `broken` is declared as English so that its slots are checked but its syntax is not.
    languages: ClassVar[Mapping[str, Language]] = {
        "code": "ibis", "broken": "en", "sql": "sql", "facts": "ibis",
        "context_info": "en", "expectation": "en", "explanation": "en",
    }  # fmt: skip

    @field_validator("error_type")
    @classmethod
    def _known_kind(cls, kind: str) -> str:
        if kind not in ERROR_TYPES:
            raise ValueError(unknown("error type", kind, ERROR_TYPES))
        return kind

    @model_validator(mode="after")
    def _says_what_is_needed(self) -> ErrorResolutionTemplate:
        if self.raises is None and self.expectation is None:
            raise ValueError("a logical error (`raises: null`) needs an `expectation`")
        if self.raises is not None and self.expectation is not None:
            raise ValueError("an `expectation` is for logical errors; here it belongs in `context_info`")
        if self.code.strip() == self.broken.strip():
            raise ValueError("`broken` is the same as `code`")
        if mistaken := _MISTAKEN.search(self.code):
            raise ValueError(f"`code` is the correct code, so '{mistaken[0]}' belongs in `broken`")
        return self
