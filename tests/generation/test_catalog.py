"""The catalog: where templates are found, when they are read again, and what the digest depends on."""

from __future__ import annotations

import shutil

import pytest

import ibert_builder.generation.catalog as catalog_module
from ibert_builder.databases.model import SPLITS
from ibert_builder.errors import InputError
from ibert_builder.generation.catalog import (
    PROVERS,
    default_templates_dir,
    digest,
    load_catalog,
    resolve_templates_dir,
)
from ibert_builder.tasks.registry import TASKS


def edit(folder):
    path = folder / "qa" / "01_small.yaml"
    path.write_text(path.read_text().replace("small_question", "small_riddle"))


def test_the_default_folder_has_templates_of_every_task(catalog):
    assert resolve_templates_dir(None) == default_templates_dir()
    assert list(catalog.templates) == list(TASKS) and all(catalog.templates.values())
    assert {database.split for database in catalog.databases.values()} == set(SPLITS)


def test_paths_are_made_absolute(templates_dir, monkeypatch):
    monkeypatch.chdir(templates_dir.parent)
    assert resolve_templates_dir("templates") == templates_dir.resolve()


def test_a_folder_without_templates_is_refused(tmp_path):
    (tmp_path / "qa").mkdir()
    with pytest.raises(
        InputError, match=f"{tmp_path}: templates_dir: the templates folder holds no templates"
    ):
        resolve_templates_dir(tmp_path)
    with pytest.raises(
        InputError, match=f"{tmp_path / 'no'}: templates_dir: there is no such templates folder"
    ):
        resolve_templates_dir(tmp_path / "no")


def test_a_folder_is_read_again_only_when_it_has_changed(templates_dir):
    before = load_catalog(templates_dir)
    assert load_catalog(templates_dir) is before
    edit(templates_dir)
    after = load_catalog(templates_dir)
    assert [template.name for template in after.templates["qa"]] == ["small_riddle"]
    assert before.templates["qa"][0].name == "small_question"


def test_undivided_templates_are_spread_over_the_splits(catalog):
    wanted = {(task, t.name) for task, those in catalog.templates.items() for t in those if t.is_undivided}
    assert catalog.undivided.keys() == wanted
    for task in {task for task, _ in wanted}:
        splits = [split for (other, _), split in catalog.undivided.items() if other == task]
        for split, tenths in zip(SPLITS, (8, 1, 1), strict=True):
            assert abs(splits.count(split) - len(splits) * tenths / 10) < 2, (task, split)


def test_the_digest_is_of_the_contents_and_not_of_the_place(templates_dir, tmp_path):
    shutil.copytree(templates_dir, tmp_path / "copy")
    assert digest(tmp_path / "copy") == digest(templates_dir)
    edit(tmp_path / "copy")
    assert digest(tmp_path / "copy") != digest(templates_dir)


@pytest.mark.parametrize("package", PROVERS)
def test_the_digest_depends_on_every_package_that_proves(templates_dir, monkeypatch, package):
    usual, version = digest(templates_dir), catalog_module.version
    monkeypatch.setattr(catalog_module, "version", lambda name: "99" if name == package else version(name))
    assert digest(templates_dir) != usual


def test_the_digest_depends_on_the_code(templates_dir, tmp_path, monkeypatch):
    usual = digest(templates_dir)
    shutil.copytree(catalog_module.PACKAGE, tmp_path / "code", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(catalog_module, "PACKAGE", tmp_path / "code")
    assert digest(templates_dir) == usual
    with (tmp_path / "code" / "errors.py").open("a") as file:
        file.write("\n")
    assert digest(templates_dir) != usual
