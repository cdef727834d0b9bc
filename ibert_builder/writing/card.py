"""The generated parts of the dataset card: a real record of every task, and the results of the audit."""

from __future__ import annotations

import json
import re
from pathlib import Path

from ibert_builder.errors import InputError
from ibert_builder.generation.generate import Options, Tally
from ibert_builder.tasks.base import Record
from ibert_builder.tasks.registry import TASKS
from ibert_builder.workers.shards import prove
from ibert_builder.workers.worker import Place

DATABASE = "webshop"  # of train
SHOWN = "sql_to_ibis"  # in full; the other tasks are folded


def examples(place: Place) -> str:
    """Markdown with a record of each task: one in full, the others folded and without their messages.

    Raises:
        InputError: a template is wrong.
    """
    folded = "\n\n".join(_folded(task, _shortest(place, task)) for task in TASKS if task != SHOWN)
    whole = _json(_shortest(place, SHOWN))
    return f"`{SHOWN}`, in full:\n\n{whole}\n\nThe other tasks, without `messages`:\n\n{folded}"


def _shortest(place: Place, task: str) -> Record:
    """The shortest record that a task makes of the database, by its JSON."""
    records = prove((task, DATABASE), Options(10), Tally(), place=place)
    return min(records, key=lambda record: (len(json.dumps(record)), record["id"]))


def _folded(task: str, record: Record) -> str:
    shown = {key: value for key, value in record.items() if key != "messages"}
    return f"<details>\n<summary><code>{task}</code></summary>\n\n{_json(shown)}\n\n</details>"


def _json(record: Record) -> str:
    return f"```json\n{json.dumps(record, indent=2, ensure_ascii=False)}\n```"


def with_block(text: str, name: str, content: str) -> str:
    """The text of a card with one of its generated blocks replaced.

    Raises:
        InputError: the card lacks the comments that mark the block.
    """
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    if begin not in text or end not in text:
        raise InputError(f"expected the lines {begin} and {end}")
    block = f"{begin}\n\n{content}\n\n{end}"
    return re.sub(f"{re.escape(begin)}.*{re.escape(end)}", lambda _: block, text, flags=re.DOTALL)


def update(card: Path, name: str, content: str) -> None:
    """Rewrite a generated block of a card.

    Raises:
        InputError: there is no such file, or it lacks the comments that mark the block.
    """
    if not card.is_file():
        raise InputError("there is no such file", file=card)
    try:
        text = with_block(card.read_text(encoding="utf-8"), name, content)
    except InputError as error:
        raise InputError(str(error), file=card) from None
    card.write_text(text, encoding="utf-8")
