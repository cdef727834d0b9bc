"""What an answer says about a signature of Ibis, checked against the installed one."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from ibert_builder.errors import unknown
from ibert_builder.ibis_api.names import parameters, resolve
from ibert_builder.yaml_source import Strict


class Claim(Strict):
    """One such statement: a parameter's default, all the parameters, or the value of an option."""

    of: str = Field(
        description="as the answer would name it: Table.head, ibis.row_number, ibis.options.interactive"
    )
    parameter: str | None = None
    default: Any = Field(None, description="of that parameter; `null` for None")
    parameters: list[str] | None = Field(None, description="all of them, in order")
    value: Any = Field(None, description="of an option or other attribute")

    @property
    def is_about_a_default(self) -> bool:
        return bool({"default", "value"} & self.model_fields_set)

    @model_validator(mode="after")
    def _holds(self) -> Claim:
        if "value" in self.model_fields_set:
            found = resolve(self.of)
            if found != self.value:
                raise ValueError(f"{self.of} is {found!r}, not {self.value!r}")
            return self
        known = parameters(self.of)
        if self.parameters is not None and list(known) != self.parameters:
            raise ValueError(f"the parameters of {self.of} are {list(known)}, not {self.parameters}")
        if self.parameters is None and self.parameter is None:
            raise ValueError("expected a `parameter`, all `parameters` or a `value`")
        if self.parameter is not None:
            if self.parameter not in known:
                raise ValueError(unknown(f"parameter of {self.of}", self.parameter, known))
            found = known[self.parameter].default
            if found is known[self.parameter].empty:
                raise ValueError(f"{self.of} has no default for '{self.parameter}'")
            if "default" in self.model_fields_set and (
                found != self.default or type(found) is not type(self.default)
            ):
                raise ValueError(
                    f"the default of '{self.parameter}' in {self.of} is {found!r}, not {self.default!r}"
                )
        return self
