"""The parts of the dataset card that are generated: one real record of every task."""

from __future__ import annotations

import json
import re
from pathlib import Path

from ibert_builder.errors import InputError
from ibert_builder.generate import Options, Tally, generate
from ibert_builder.library import Library
from ibert_builder.tasks import TASKS

DATABASE = "webshop"
_BEGIN, _END = "<!-- examples: begin -->", "<!-- examples: end -->"


def examples(library: Library) -> str:
    """Markdown with the shortest record that each task makes of one train database, the first with its messages."""
    parts: list[str] = []
    for task in TASKS:
        records = list(generate(library, task, DATABASE, Options(10), Tally()))
        record = min(records, key=lambda record: (len(json.dumps(record)), record["id"]))
        if parts:
            del record["messages"]
        parts.append(f"`{task}`:\n\n```json\n{json.dumps(record, indent=2, ensure_ascii=False)}\n```")
    return "\n\n".join(parts) + "\n\nThe others have `messages` too, left out here."


def with_examples(text: str, library: Library) -> str:
    """The text of a card with its examples made anew.

    Raises:
        InputError: the card has no place for them.
    """
    if _BEGIN not in text or _END not in text:
        raise InputError(f"expected the lines {_BEGIN} and {_END}")
    block = f"{_BEGIN}\n\n{examples(library)}\n\n{_END}"
    return re.sub(f"{re.escape(_BEGIN)}.*{re.escape(_END)}", lambda _: block, text, flags=re.DOTALL)


def update(card: Path, library: Library) -> None:
    """Rewrite the generated parts of a card."""
    card.write_text(with_examples(card.read_text(encoding="utf-8"), library), encoding="utf-8")
