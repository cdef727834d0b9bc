"""Links: JSONL files of the user's own that take the place of a task's train file."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sqlglot

from ibert_builder.errors import InputError
from ibert_builder.tasks.base import Task


def refuse_own_files(links: Mapping[str, Path], out: Path, names: list[str]) -> None:
    """Refuse a link to one of the files, named relative to `out`, that the build itself is about to replace.

    Raises:
        InputError: naming the first such link.
    """
    own = {(out / name).parent.resolve() / Path(name).name for name in names}
    for path in links.values():
        if path.resolve() in own:
            raise InputError("this build would replace that file itself", file=path, key="--link")


def check_link(task: Task[Any], path: Path) -> int:
    """Check a JSONL file that is to take the place of a task's train file, and count its lines.

    Every line must be a record of the task, whose SQL parses and whose Ibis code parses as Python. The queries are not
    run, because we do not have their databases.

    Raises:
        InputError: naming the first line that is wrong.
    """
    lines = 0
    try:
        with path.open(encoding="utf-8") as file:
            for lines, line in enumerate(file, 1):
                _check_line(task, path, lines, line)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot be read: {error}", file=path, key="--link") from error
    if not lines:
        raise InputError("the file is empty", file=path, key="--link")
    return lines


def _check_line(task: Task[Any], path: Path, number: int, line: str) -> None:
    def wrong(key: str, problem: str) -> InputError:
        return InputError(problem, file=path, line=number, key=key)

    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise wrong("record", f"not JSON: {error.msg}") from None
    if not isinstance(record, dict) or not isinstance(record.get("id"), str):
        raise wrong("id", "expected an object with a string `id`")
    if record.get("task") != task.name:
        raise wrong("task", f"expected '{task.name}', found {record.get('task')!r}")
    for struct, wanted in (("input", task.input), ("target", task.target)):
        values = record.get(struct)
        if not isinstance(values, dict):
            raise wrong(struct, f"expected an object, found {values!r}")
        for key, field in wanted.items():
            value = values.get(key)
            if value is None and field.optional:
                continue
            if not isinstance(value, str) or not value.strip():
                raise wrong(f"{struct}.{key}", f"expected a text, found {value!r}")
            try:
                if field.kind == "sql":
                    sqlglot.parse_one(value)
                elif field.kind == "ibis":
                    ast.parse(value)
            except (SyntaxError, sqlglot.errors.SqlglotError) as error:
                raise wrong(f"{struct}.{key}", f"does not parse: {str(error).splitlines()[0]}") from None
