"""`ibert-multitask doctor` says what is there, and what is not."""

from __future__ import annotations

import os
from collections import namedtuple

import pytest

from ibert_builder.cli import main
from ibert_builder.commands import doctor
from ibert_builder.workers import probe as probe_module
from ibert_builder.workers.probe import Part, probe
from ibert_builder.workers.worker import Place, WorkerError


@pytest.fixture
def walls(monkeypatch):
    """The parts of the confinement as a test would have them."""

    def put(*parts: Part) -> None:
        monkeypatch.setattr(doctor, "probe", lambda _: list(parts))

    put(Part("files", "Landlock (ABI 7)", ()))
    return put


def test_it_tries_every_part_of_the_confinement(capsys):
    assert main(["doctor"]) == 0
    printed = capsys.readouterr().out
    for name in (
        "ibis-framework",
        "duckdb",
        "datasets",
        "files",
        "permissions",
        "network",
        "signals",
        "memory",
        "time",
        "folder",
        "free space",
    ):
        assert name in printed
    assert "template code can" not in printed.lower()


@pytest.mark.parametrize("missing", [["landlockpy"], ["seccompy"], ["landlockpy", "seccompy"]])
def test_a_system_without_a_part_of_the_confinement_is_not_broken(missing, tmp_path, monkeypatch, capsys):
    (tmp_path / "missing.dist-info").mkdir()  # so that workers may read there
    for name in missing:
        (tmp_path / f"{name}.py").write_text("raise ImportError", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert main(["doctor"]) == 0
    printed = capsys.readouterr().out
    assert doctor.UNCONFINED in printed and "not confined" in printed


def test_what_gets_through_is_found():
    # Signal 0 to its parent, its own files and a fork: nothing that a test could not do itself.
    parts = {part.name: part for part in probe(Place(confined=False))}
    assert all(part.by is None for part in parts.values())
    assert {"reads a file", "lists a folder", "writes a file"} <= set(parts["files"].breaches)
    for name in ("permissions", "network", "processes", "signals"):
        assert parts[name].breaches
    assert not parts["time"].breaches


def test_a_wall_that_does_not_hold_is_broken(walls, capsys):
    walls(Part("files", "Landlock (ABI 7)", ("reads a file",)))
    assert main(["doctor"]) == 1
    printed = capsys.readouterr().out
    assert "reads a file" in printed and "broken" in printed and doctor.UNCONFINED in printed


def test_no_wall_is_said_plainly_and_is_not_broken(walls, capsys):
    walls(Part("files", None, ("reads a file",)))
    assert main(["doctor"]) == 0
    assert doctor.UNCONFINED in capsys.readouterr().out


def test_a_worker_that_does_not_start_is_broken(monkeypatch, capsys):
    def fail(_):
        raise WorkerError("no Python")

    monkeypatch.setattr(doctor, "probe", fail)
    assert main(["doctor"]) == 1
    assert "no Python" in capsys.readouterr().out


def test_a_full_disk_is_broken(walls, monkeypatch, capsys):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: usage(2**40, 2**40, 2**20))
    assert main(["doctor"]) == 1


def test_a_missing_package_is_broken(walls, monkeypatch, capsys):
    def version(name):
        if name == "duckdb":
            raise doctor.PackageNotFoundError(name)
        return os.environ.get(name, "99")

    monkeypatch.setattr(doctor, "version", version)
    monkeypatch.setattr(doctor, "requires", lambda _: ["duckdb>=1", "pandas<3", "pyarrow; extra == 'x'"])
    found = {finding.name: finding for finding in doctor._versions()}
    assert found["duckdb"].is_broken and found["pandas"].is_broken
    assert found["pandas"].found == "99, expected <3"
    assert not found["pyarrow"].is_broken and not found["sqlglot"].is_broken


def test_the_attempts_are_told_apart():
    words = [words for _, words, _ in probe_module.ATTEMPTS]
    assert len(set(words)) == len(words)
