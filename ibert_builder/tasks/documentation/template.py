"""The templates of `documentation`: a function, what it does, and calls that show it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from ibert_builder.errors import unknown
from ibert_builder.tasks.documentation.checks import check_summary
from ibert_builder.tasks.documentation.signatures import signature
from ibert_builder.templating.frames import Language, join_chains, parse_frame
from ibert_builder.templating.templates import TemplateSpec


def _entries(data: Any) -> tuple[str, ...]:
    """A mapping of names to texts as `name: text`, one text each as far as slots are concerned."""
    if not isinstance(data, dict) or not all(isinstance(text, str) for text in data.values()):
        raise ValueError("expected a mapping of names to texts")
    return tuple(f"{name}: {text}" for name, text in data.items())


Entries = Annotated[
    tuple[str, ...],
    BeforeValidator(_entries),
    WithJsonSchema({"type": "object", "additionalProperties": {"type": "string"}}),
]


class DocumentationTemplate(TemplateSpec):
    """A function, what it does, and calls that show it.

    Names in `parameters`, `raises` and `types` may have slots too: a parameter that is named after its table
    is `"{t:code}"`.
    """

    code: str = Field(description="the definition of one function; one call of a chain a line")
    summary: str | list[str] = Field(
        description="English, in the imperative mood, ends with a period; or several to choose from"
    )
    details: str | None = Field(None, description="English: what a caller should know besides")
    parameters: Entries = Field(description="parameter to English, in the order of the signature")
    returns: str = Field(description="English: what comes back")
    raises: Entries = Field(
        (), description="exception to English: when it is raised; in the order of the code"
    )
    types: Entries = Field(
        (), description="of a function without type hints: parameter (and `return`) to type"
    )
    calls: list[str] = Field(
        min_length=1, description="Ibis expressions that call the function on the sample tables"
    )
    fails: list[str] = Field([], description="calls that raise the documented exceptions")
    facts: list[str] = Field(
        [], description="Ibis expressions that must be true: what the docstring says of edge cases"
    )
    languages: ClassVar[Mapping[str, Language]] = {
        **dict.fromkeys(("code", "calls", "fails", "facts"), "ibis"),
        **dict.fromkeys(("summary", "details", "parameters", "returns", "raises", "types"), "en"),
    }

    @model_validator(mode="after")
    def _docstring_fits_code(self) -> DocumentationTemplate:
        try:
            function = signature(join_chains(_shape(self.code)))
        except SyntaxError:
            return self  # the error is reported when its slots are checked
        parameters = [parameter.name for parameter in function.parameters]
        _same("parameter", _names(self.parameters), parameters)
        _same("exception", _names(self.raises), list(function.raises))
        _same("type", _names(self.types), [] if function.is_hinted else [*parameters, "return"])
        if not any(place.slot in self.tables for place in parse_frame(self.code, "ibis").placeholders):
            raise ValueError(
                "the code should name a table, or several databases would give the same function"
            )
        if bool(self.fails) != bool(self.raises):
            raise ValueError("`fails` should have calls for the exceptions in `raises`, and only for them")
        for summary in [self.summary] if isinstance(self.summary, str) else self.summary:
            if not summary.startswith("{"):  # a first word from a slot is checked when it is drawn
                check_summary(summary)
        return self


def _shape(text: str) -> str:
    return parse_frame(text, "ibis").filled()


def _names(entries: tuple[str, ...]) -> list[str]:
    return [_shape(entry).partition(": ")[0] for entry in entries]


def _same(kind: str, found: list[str], wanted: list[str]) -> None:
    if missing := [name for name in wanted if name not in found]:
        raise ValueError(f"the {kind} '{missing[0]}' is not documented")
    if invented := [name for name in found if name not in wanted]:
        raise ValueError(f"documents what the code does not have: {unknown(kind, invented[0], wanted)}")
    if found != wanted:
        raise ValueError(f"the {kind}s stand in another order than in the code: {found} instead of {wanted}")
