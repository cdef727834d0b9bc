"""How work in a worker reports to its parent: the draft it is proving, in case that ends the worker, and its results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from ibert_builder.execution.proofs import Rejected


class Channel(Protocol):
    """What a function that runs in a worker gets as its first argument."""

    def at(self, draft: str) -> None:
        """Say that a draft is about to be proved.

        Raises:
            Rejected: it ended the workers that tried before.
        """

    def done(self) -> None:
        """Say that no draft is being proved any more."""

    def give(self, value: Any) -> None:
        """Hand over something that JSON or pydantic can write."""


class Pipe:
    """The channel of a worker.

    Args:
        send: writes an answer.
        watch: called with whether a draft begins or ends, to set limits and to see whether to stop.
        refused: the reasons for which drafts are rejected without a proof.
    """

    def __init__(
        self, send: Callable[[Any], None], watch: Callable[[bool], None], refused: Mapping[str, str]
    ) -> None:
        self._send, self._watch, self._refused = send, watch, refused
        self._is_proving = False

    def at(self, draft: str) -> None:
        if draft in self._refused:
            raise Rejected(self._refused[draft], draft)
        self._watch(True)
        self._is_proving = True
        self._send({"at": draft})

    def done(self) -> None:
        self._watch(False)
        if self._is_proving:
            self._is_proving = False
            self._send({"at": None})

    def give(self, value: Any) -> None:
        self._send({"give": value})


class Here:
    """The channel of work that is done in this process, for tests."""

    def __init__(self) -> None:
        self.given: list[Any] = []

    def at(self, draft: str) -> None:
        pass

    def done(self) -> None:
        pass

    def give(self, value: Any) -> None:
        self.given.append(value)
