"""Every template gives examples, and the templates cover what the project promises."""

from __future__ import annotations

import random

import pytest

from ibert_builder.execution.engine import engine_for
from ibert_builder.execution.proofs import Rejected
from ibert_builder.generation.catalog import load_catalog
from ibert_builder.tasks.drafts import Setting
from ibert_builder.tasks.record import make_record
from ibert_builder.tasks.registry import TASKS
from ibert_builder.templating.sampler import NoFit

LIBRARY = load_catalog()
TEMPLATES = [(task, template) for task, templates in LIBRARY.templates.items() for template in templates]


@pytest.mark.parametrize(
    ("task_name", "template"), TEMPLATES, ids=[f"{task}-{t.name}" for task, t in TEMPLATES]
)
def test_template_gives_proved_examples(task_name, template):
    task, kept, rejected = TASKS[task_name], 0, []
    for index, database in enumerate(LIBRARY.databases.values()):
        engine = engine_for(database)
        setting = Setting(
            database,
            engine,
            LIBRARY.phrasebook,
            random.Random(f"test/{template.name}/{database.name}"),
            None,
            index,
        )
        if (most := task.most(template)) is not None and index >= most:
            break
        try:
            draft = task.expand(template, setting)
            record = make_record(task, draft, task.prove(draft, engine), unseen=False)
        except NoFit:
            continue
        except Rejected as reason:
            rejected.append(str(reason))
            continue
        kept += 1
        assert all(message["content"].strip() for message in record["messages"])
    assert kept >= 2, rejected
    assert kept >= len(rejected), rejected


LEAST = {
    "sql_to_ibis": 42,
    "ibis_to_sql": 20,
    "code_completion": 20,
    "error_resolution": 20,
    "qa": 30,
    "documentation": 20,
}


@pytest.mark.parametrize("task", TASKS)
def test_task_has_enough_templates_of_every_difficulty(task):
    templates = LIBRARY.templates[task]
    assert len(templates) >= LEAST[task]
    assert {template.spec.difficulty for template in templates} == {"easy", "medium", "hard"}
