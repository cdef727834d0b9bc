"""The error that users see for bad input, and its hint at the nearest known name."""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any


class InputError(ValueError):
    """Bad input: a template, a database, a phrase, an option.

    The message reads `FILE:LINE: KEY: PROBLEM`, with as many of those parts as are known.
    """

    def __init__(
        self, problem: str, *, file: str | Path | None = None, line: int | None = None, key: str | None = None
    ) -> None:
        place = "" if file is None else f"{file}:{line}: " if line else f"{file}: "
        super().__init__(f"{place}{key + ': ' if key else ''}{problem}")
        self.problem, self.file, self.line, self.key = problem, file, line, key

    def __reduce__(self) -> tuple[Callable[..., InputError], tuple[Any, ...]]:
        # Exceptions with keyword-only arguments do not survive the trip back from a worker process by themselves.
        return _rebuild, (self.problem, self.file, self.line, self.key)


def _rebuild(problem: str, file: str | Path | None, line: int | None, key: str | None) -> InputError:
    return InputError(problem, file=file, line=line, key=key)


def unknown(kind: str, found: object, known: Iterable[str]) -> str:
    """A message that `found` is not a known `kind`, with the nearest known name and up to 12 known names."""
    names = sorted({*known})
    if not isinstance(found, str):
        return f"expected the name of a {kind}, found {reprlib.repr(found)}"
    near = difflib.get_close_matches(found, names, n=1, cutoff=0.5)
    hint = f", did you mean '{near[0]}'?" if near else ""
    listed = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f"unknown {kind} '{found}'{hint} (expected one of: {listed or 'none are defined'})"


def wrong_value(key: str, found: object, expected: str) -> InputError:
    """The error for an argument whose value is not what is expected."""
    return InputError(f"expected {expected}, found {reprlib.repr(found)}", key=key)


class ForbiddenCode(ValueError):
    """Code does something that the allow-list does not name."""
