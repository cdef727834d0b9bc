"""Snippets that prove what an answer says: each is run, and must give or raise what stands beside it."""

from __future__ import annotations

import functools
from typing import Any

from ibert_builder.errors import ForbiddenCode, InputError
from ibert_builder.execution import scratch
from ibert_builder.tasks.qa.template import Shown


class NotShown(ValueError):
    """A snippet does something else than its template says."""


def check_shown(shown: Shown) -> None:
    """Run a snippet.

    Raises:
        NotShown: it gives or raises something else than it says, with what was found and what was expected.
        InputError: there is no space for temporary files.
    """
    gave, raised = _outcome(shown.code)
    if shown.raises is not None:
        name, _, message = shown.raises.partition(": ")
        if raised is None:
            raise NotShown(f"it gives {gave!r} and does not raise {shown.raises}\n{shown.code}")
        if raised[0] != name or message not in raised[1]:
            raise NotShown(f"it raises {': '.join(raised)}, not {shown.raises}\n{shown.code}")
    elif raised is not None:
        raise NotShown(f"it raises {': '.join(raised)}\n{shown.code}")
    elif repr(gave) != repr(expected := scratch.as_python(shown.gives)):  # 1, 1.0 and True differ
        raise NotShown(f"it gives {gave!r}, not {expected!r}\n{shown.code}")


@functools.cache
def _outcome(code: str) -> tuple[Any, tuple[str, str] | None]:
    """What a snippet gives, or the class and message of what it raises."""
    try:
        return scratch.value_of(code), None
    except InputError:
        raise
    except (SyntaxError, ForbiddenCode) as error:
        raise NotShown(f"{error}\n{code}") from error
    except Exception as error:
        return None, (type(error).__name__, str(error))
