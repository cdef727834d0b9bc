"""JSON Schemas of the YAML files, with which editors complete and check them as you type."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, create_model

from ibert_builder.databases.spec import DatabaseSpec
from ibert_builder.tasks.registry import TASKS
from ibert_builder.templating.phrases import PhraseFile


def schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schemas by file name: one for databases, one for phrases, and one for the templates of each task."""
    models: dict[str, type[BaseModel]] = {"database": DatabaseSpec, "phrases": PhraseFile}
    for task in TASKS.values():
        listed: Any = list[task.template]  # type: ignore[name-defined]
        models[task.name] = create_model(f"{task.template.__name__}File", templates=(listed, ...))
    return {f"{name}.json": model.model_json_schema() for name, model in models.items()}


def write_schemas(folder: Path) -> list[Path]:
    """Write the schemas to `_schema` in a templates folder, and give their paths."""
    target = folder / "_schema"
    target.mkdir(exist_ok=True)
    paths = []
    for name, schema in schemas().items():
        paths.append(target / name)
        paths[-1].write_text(json.dumps(schema, indent=2) + "\n", encoding="utf-8")
    return paths
