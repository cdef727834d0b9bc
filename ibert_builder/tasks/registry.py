"""The tasks by name, in the seed's order, which is that of the `all` config."""

from __future__ import annotations

from typing import Any

from ibert_builder.tasks.base import Task
from ibert_builder.tasks.code_completion import CodeCompletion
from ibert_builder.tasks.documentation.task import Documentation
from ibert_builder.tasks.error_resolution.task import ErrorResolution
from ibert_builder.tasks.ibis_to_sql import IbisToSql
from ibert_builder.tasks.qa.task import Qa
from ibert_builder.tasks.sql_to_ibis import SqlToIbis

_ALL: tuple[Task[Any], ...] = (
    CodeCompletion(),
    SqlToIbis(),
    IbisToSql(),
    ErrorResolution(),
    Qa(),
    Documentation(),
)
TASKS: dict[str, Task[Any]] = {task.name: task for task in _ALL}
