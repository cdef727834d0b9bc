"""The parts of the dataset card that are generated: one real record of every task, and what the audit found."""

from __future__ import annotations

import json
import re
from pathlib import Path

from ibert_builder.errors import InputError
from ibert_builder.generation.generate import Options, Tally
from ibert_builder.tasks.registry import TASKS
from ibert_builder.workers.shards import prove
from ibert_builder.workers.worker import Place

DATABASE = "webshop"


def examples(place: Place) -> str:
    """Markdown with the shortest record that each task makes of one train database, the first with its messages.

    Raises:
        InputError: a template is wrong.
    """
    parts: list[str] = []
    for task in TASKS:
        records = list(prove((task, DATABASE), Options(10), Tally(), place=place))
        record = min(records, key=lambda record: (len(json.dumps(record)), record["id"]))
        if parts:
            del record["messages"]
        parts.append(f"`{task}`:\n\n```json\n{json.dumps(record, indent=2, ensure_ascii=False)}\n```")
    return "\n\n".join(parts) + "\n\nThe others have `messages` too, left out here."


def with_block(text: str, name: str, content: str) -> str:
    """The text of a card with one of its generated blocks replaced.

    Raises:
        InputError: the card has no place for it.
    """
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    if begin not in text or end not in text:
        raise InputError(f"expected the lines {begin} and {end}")
    block = f"{begin}\n\n{content}\n\n{end}"
    return re.sub(f"{re.escape(begin)}.*{re.escape(end)}", lambda _: block, text, flags=re.DOTALL)


def update(card: Path, name: str, content: str) -> None:
    """Rewrite a generated block of a card.

    Raises:
        InputError: there is no such file, or it has no place for the block.
    """
    if not card.is_file():
        raise InputError("there is no such file", file=card)
    try:
        text = with_block(card.read_text(encoding="utf-8"), name, content)
    except InputError as error:
        raise InputError(str(error), file=card) from None
    card.write_text(text, encoding="utf-8")
