"""The record of a proved draft: the seed's nesting, an id of its content, and the messages that SFT trainers read."""

from __future__ import annotations

import json
import uuid
from typing import Any

from ibert_builder.tasks.base import Record, Task
from ibert_builder.tasks.drafts import Draft, Proved

NAMESPACE = uuid.UUID("5f0a3c1e-6d0b-5c0e-9d1c-2f6f2f1f9b7a")  # of record ids; must never change


def make_record(task: Task[Any], draft: Draft, proved: Proved, unseen: bool) -> Record:
    """The complete record of a proved draft. `unseen`: whether its skeleton is withheld from train."""
    spec = draft.template.spec
    tables = draft.database.tables
    body: Record = {
        "task": task.name,
        **{name: proved.input[name] for name in task.columns},
        "system_prompt": "",
        "context": {
            "tables": {
                name: {"schema": {column: str(kind) for column, kind in tables[name].schema.items()}}
                for name in draft.tables
            }
        },
        "input": dict(proved.input),
        "target": dict(proved.target),
    }
    identity = json.dumps(body, sort_keys=True, ensure_ascii=False)
    record = {
        "id": str(uuid.uuid5(NAMESPACE, identity)),
        **body,
        "meta": {
            "template": spec.name,
            "difficulty": spec.difficulty,
            "features": list(spec.features),
            "database": draft.database.name,
            "skeleton": draft.skeleton,
            "unseen_skeleton": unseen,
            **proved.meta,
        },
    }
    record["system_prompt"] = task.instruction(record)
    record["messages"] = [
        {"role": "system", "content": record["system_prompt"]},
        {"role": "user", "content": _schemas(record) + task.question(record)},
        {"role": "assistant", "content": task.answer(record)},
    ]
    return record


def _schemas(record: Record) -> str:
    lines = [
        f"{name}({', '.join(f'{column}: {kind}' for column, kind in table['schema'].items())})"
        for name, table in record["context"]["tables"].items()
    ]
    return "Tables:\n" + "\n".join(lines) + "\n\n" if lines else ""
