"""A task from outside the package: how many rows does this code give?"""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import Field

from ibert_builder.execution.engine import Engine
from ibert_builder.execution.proofs import Rejected, run_query, to_query
from ibert_builder.tasks.base import Record, Task
from ibert_builder.tasks.drafts import Draft, Proved, Setting
from ibert_builder.tasks.fields import TextField
from ibert_builder.templating.layout import layout
from ibert_builder.templating.rendering import render_frame
from ibert_builder.templating.templates import Template, TemplateSpec


class RowCountTemplate(TemplateSpec):
    """Code whose rows are to be counted."""

    ibis: str = Field(description="canonical Ibis")
    languages = {"ibis": "ibis"}


@dataclass(frozen=True, kw_only=True)
class Counted(Draft):
    """Code whose rows are to be counted."""


class RowCount(Task[Counted]):
    name = "row_count"
    system_prompt = "Say how many rows the code gives."
    template = RowCountTemplate
    examples = 10
    input = {"ibis": TextField("ibis")}
    target = {"rows": TextField("label")}

    def expand(self, template: Template, setting: Setting) -> Counted:
        bound = setting.bind(template)
        code = layout(render_frame(template.frames["ibis"][0], bound))
        return Counted(template=template, database=setting.database, bound=bound, key=code, code=code)

    def prove(self, draft: Counted, engine: Engine) -> Proved:
        return Proved({"ibis": draft.code}, {"rows": self._count(draft.code, engine)})

    def recheck(self, record: Record, engine: Engine) -> None:
        found = self._count(record["input"]["ibis"], engine)
        if found != record["target"]["rows"]:
            raise Rejected("another_count", found)

    def question(self, record: Record) -> str:
        return record["input"]["ibis"]

    def answer(self, record: Record) -> str:
        return record["target"]["rows"]

    @staticmethod
    def _count(code: str, engine: Engine) -> str:
        return str(len(run_query(engine, to_query(engine, code)).rows))


TEMPLATES = """templates:
- name: count_filtered
  difficulty: easy
  features: [filter]
  tables: {t: any}
  slots: {p: boolean, k: column key}
  ibis: |
    {t}.filter({p}).select({k:str})
- name: count_groups
  difficulty: medium
  features: [group_by]
  tables: {t: any}
  slots: {c: column category}
  ibis: |
    {t}.group_by({c:str}).agg(rows=_.count())
- name: count_filtered_groups
  difficulty: hard
  features: [filter, group_by]
  tables: {t: any}
  slots: {p: boolean, c: column category}
  ibis: |
    {t}.filter({p}).group_by({c:str}).agg(rows=_.count())
"""
