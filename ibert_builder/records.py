"""The columns of each config, and conversion between records (as in JSONL) and rows (as in Arrow).

Arrow has no dictionaries with free keys: there the tables of `context` are a list of `{name, schema: [{name, type}]}`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from datasets import Dataset, Features, Value

from ibert_builder.errors import InputError, unknown
from ibert_builder.tasks.base import Record, Task
from ibert_builder.tasks.fields import TextField
from ibert_builder.tasks.registry import TASKS

ALL = "all"

_COMMON_META = {
    "template": "string", "difficulty": "string", "features": ["string"], "database": "string", "skeleton": "string",
    "unseen_skeleton": "bool",
}  # fmt: skip
_CONTEXT = {"tables": [{"name": "string", "schema": [{"name": "string", "type": "string"}]}]}


def configs() -> tuple[str, ...]:
    """The names of the configs: every task, and `all`."""
    return (*TASKS, ALL)


def tasks_of(config: str) -> tuple[Task[Any], ...]:
    """The tasks of a config.

    Raises:
        InputError: there is no such config.
    """
    if config not in configs():
        raise InputError(unknown("config", config, configs()), key="config")
    return tuple(TASKS.values()) if config == ALL else (TASKS[config],)


def features(config: str) -> Features:
    """The Arrow columns of a config. `all` has the union of the tasks' columns, null where a task has none."""
    return Features(_typed(columns(config), Value))


def features_json(config: str) -> dict[str, Any]:
    """The same as JSON that every version of `datasets` reads (they do not agree on how to write lists)."""
    return _typed(columns(config), lambda kind: {"dtype": kind, "_type": "Value"})


def columns(config: str) -> dict[str, Any]:
    """The columns of a config as names of Arrow types in dictionaries (structs) and lists of one item."""
    tasks = tasks_of(config)
    return {
        "id": "string",
        "task": "string",
        **{name: "string" for task in tasks for name in task.columns},
        "system_prompt": "string",
        "context": _CONTEXT,
        "input": _texts(task.input for task in tasks),
        "target": _texts(task.target for task in tasks),
        "meta": {**_COMMON_META, **_texts(task.meta for task in tasks)},
        "messages": [{"role": "string", "content": "string"}],
    }


def _texts(mappings: Iterable[Mapping[str, TextField]]) -> dict[str, str]:
    return {name: "string" for fields in mappings for name in fields}


def _typed(kind: Any, value: Callable[[str], Any]) -> Any:
    if isinstance(kind, str):
        return value(kind)
    if isinstance(kind, list):
        return [_typed(kind[0], value)]
    return {name: _typed(inner, value) for name, inner in kind.items()}


def as_all(dataset: Dataset) -> Dataset:
    """A task's dataset with the columns of `all`, so that it can be interleaved with those of other tasks."""
    columns = features(ALL)
    for name in columns:
        if name not in dataset.column_names:
            dataset = dataset.add_column(name, [None] * len(dataset))
    return dataset.select_columns(list(columns)).cast(columns)


def to_row(record: Record, columns: Features) -> dict[str, Any]:
    """A record as a row of these columns."""
    row = {name: record.get(name) for name in columns}
    tables = record["context"]["tables"]
    row["context"] = {
        "tables": [
            {
                "name": name,
                "schema": [{"name": column, "type": kind} for column, kind in table["schema"].items()],
            }
            for name, table in tables.items()
        ]
    }
    for struct in ("input", "target", "meta"):
        row[struct] = {name: record[struct].get(name) for name in columns[struct]}
    return row


def to_record(row: Mapping[str, Any]) -> Record:
    """A row as the record it was made from, without the columns that only other tasks have."""
    task = TASKS[row["task"]]
    record: Record = {}
    for name, value in row.items():
        if name == "context":
            schemas = {t["name"]: {c["name"]: c["type"] for c in t["schema"]} for t in value["tables"]}
            record[name] = {"tables": {table: {"schema": schema} for table, schema in schemas.items()}}
        elif name in ("input", "target"):
            record[name] = {key: value[key] for key in getattr(task, name)}
        elif name == "meta":
            record[name] = {key: value[key] for key in (*_COMMON_META, *task.meta)}
        elif name in ("id", "task", "system_prompt", "messages") or name in task.columns:
            record[name] = value
    return record
