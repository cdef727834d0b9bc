"""What the tests of the tasks share: each template is proved once, by the tests of its own task."""

from __future__ import annotations

import random
import zlib
from pathlib import Path
from typing import Any, NamedTuple

from ibert_builder.databases.model import Database
from ibert_builder.execution.engine import engine_for
from ibert_builder.execution.proofs import Rejected
from ibert_builder.generation.catalog import load_catalog
from ibert_builder.tasks.base import Record, Task
from ibert_builder.tasks.drafts import Draft, Setting
from ibert_builder.tasks.record import make_record
from ibert_builder.templating.sampler import NoFit
from ibert_builder.templating.templates import Template, load_templates

CATALOG = load_catalog()
DATABASES = list(CATALOG.databases.values())


class Proved(NamedTuple):
    draft: Draft
    record: Record


def setting(database: Database, *seed: object, **more: Any) -> Setting:
    rng = random.Random("/".join(map(str, seed)))
    return Setting(database, engine_for(database), CATALOG.phrasebook, rng, **more)


def proved(task: Task, draft: Draft) -> Proved:
    engine = engine_for(draft.database)
    return Proved(draft, make_record(task, draft, task.prove(draft, engine), unseen=False))


def examples(task: Task, template: Template, least: int = 2) -> list[Proved]:
    """Proved examples of a template from different databases, the first of which differs from template to template.

    Drafts are made until `least` of them, and at least half of them, are kept. The slow test of the default build checks
    the same of all drafts.
    """
    kept: list[Proved] = []
    rejected: list[str] = []
    first, most = zlib.crc32(template.name.encode()), task.most(template)
    for index in range(len(DATABASES)):
        database = DATABASES[(first + index) % len(DATABASES)]
        if len(kept) >= max(least, len(rejected)) or (most is not None and index >= most):
            break
        try:
            draft = task.expand(template, setting(database, template.name, database.name, index=index))
            kept.append(proved(task, draft))
        except NoFit:
            continue
        except Rejected as reason:
            rejected.append(str(reason))
    assert len(kept) >= max(least, len(rejected)), rejected
    for _, record in kept:
        assert [message["role"] for message in record["messages"]] == ["system", "user", "assistant"]
        assert all(message["content"].strip() for message in record["messages"])
    return kept


def the_template(task: Task, folder: Path, text: str) -> Template:
    """The one template in a YAML text."""
    (folder / "01_only.yaml").write_text(text, encoding="utf-8")
    (template,) = load_templates(folder, task.name, task.template, CATALOG.phrasebook)
    return template
