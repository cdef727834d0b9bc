"""What a template binds its tables, joins and slots to, and that there are templates of everything promised.

That every template gives proved examples is tested beside its task, in `tests/tasks`.
"""

from __future__ import annotations

import random

import pytest

from ibert_builder.execution.engine import engine_for
from ibert_builder.generation.catalog import load_catalog
from ibert_builder.tasks.registry import TASKS
from ibert_builder.templating.rendering import render_frame
from ibert_builder.templating.sampler import NoFit, Sampler
from ibert_builder.templating.templates import bind, load_templates

CATALOG = load_catalog()

TEMPLATE = """templates:
- name: bound
  difficulty: easy
  features: [join]
  tables: {tables}
  slots: {{}}
  ibis: "{ibis}"
"""


def bound(folder, database, tables, ibis, seed=0):
    """What the tables and joins are bound to, and how the code reads then."""
    (folder / "01_bound.yaml").write_text(TEMPLATE.format(tables=tables, ibis=ibis), encoding="utf-8")
    model = TASKS["ibis_to_sql"].template
    (template,) = load_templates(folder, "ibis_to_sql", model, CATALOG.phrasebook)
    values = bind(template, Sampler(database, engine_for(database), CATALOG.phrasebook, random.Random(seed)))
    return values, render_frame(template.frames["ibis"][0], values)


def references(database):
    return {(r.child, r.column, r.parent, r.key) for r in database.references}


@pytest.mark.parametrize(
    ("tables", "child", "parent"),
    [("{c: any, p: parent of c}", "c", "p"), ("{p: any, c: child of p}", "c", "p")],
)
def test_a_parent_and_its_child_are_joined_by_their_reference(tmp_path, webshop, tables, child, parent):
    for seed in range(20):
        values, code = bound(tmp_path, webshop, tables, "{c}.join({p}, {c_p:pred})", seed)
        join = values["c_p"]
        one, other = values[child].table.name, values[parent].table.name
        assert (one, join.reference.column, other, join.reference.key) in references(webshop)
        predicate = f"{one}.{join.reference.column} == {other}.{join.reference.key}"
        assert code == f"{one}.join({other}, {predicate})"


def test_a_table_that_refers_to_itself_has_an_alias_the_second_time(tmp_path):
    database = next(d for d in CATALOG.databases.values() if any(r.child == r.parent for r in d.references))
    tables = "{c: any, p: {is: self parent of c, alias: above}}"
    values, _ = bound(tmp_path, database, tables, "{c}.join({p}, {c_p:pred})")
    assert values["c"].table == values["p"].table
    assert (values["c"].variable, values["p"].variable) == (values["c"].table.name, "above")


def test_a_database_without_such_tables_does_not_fit(tmp_path):
    database = next(d for d in CATALOG.databases.values() if all(r.child != r.parent for r in d.references))
    with pytest.raises(NoFit, match="no self parent of"):
        bound(
            tmp_path,
            database,
            "{c: any, p: {is: self parent of c, alias: above}}",
            "{c}.join({p}, {c_p:pred})",
        )
    many = ", ".join(f"t{i}: any" for i in range(len(database.tables) + 1))
    used = "".join(f".cross_join({{t{i}}})" for i in range(1, len(database.tables) + 1))
    with pytest.raises(NoFit, match=f"no further table in {database.name}"):
        bound(tmp_path, database, f"{{{many}}}", f"{{t0}}{used}")


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
    templates = CATALOG.templates[task]
    assert len(templates) >= LEAST[task]
    assert {template.spec.difficulty for template in templates} == {"easy", "medium", "hard"}
