"""The tasks, by name and in the order of the `all` config."""

from __future__ import annotations

from ibert_builder.tasks.base import Task
from ibert_builder.tasks.sql_to_ibis import SqlToIbis

TASKS: dict[str, Task] = {task.name: task for task in (SqlToIbis(),)}
