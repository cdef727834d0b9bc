"""A location in a YAML file, for errors about what stands there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from ibert_builder.errors import InputError
from ibert_builder.yaml_source import Location, Source


@dataclass(frozen=True)
class Located:
    source: Source
    at: Location = ()

    def within(self, *keys: int | str) -> Located:
        return Located(self.source, (*self.at, *keys))

    def error(self, problem: str) -> InputError:
        return self.source.error(problem, self.at)

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """Report a ValueError as one about this location."""
        try:
            yield
        except InputError:
            raise
        except ValueError as error:
            raise self.error(str(error)) from error
