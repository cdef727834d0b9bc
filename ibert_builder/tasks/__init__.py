"""The tasks, by name and in the order of the `all` config."""

from __future__ import annotations

from ibert_builder.tasks.base import Task
from ibert_builder.tasks.code_completion import CodeCompletion
from ibert_builder.tasks.documentation import Documentation
from ibert_builder.tasks.ibis_to_sql import IbisToSql
from ibert_builder.tasks.sql_to_ibis import SqlToIbis

TASKS: dict[str, Task] = {task.name: task for task in (CodeCompletion(), SqlToIbis(), IbisToSql(), Documentation())}
