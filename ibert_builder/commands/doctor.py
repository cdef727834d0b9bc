"""Say what this machine has of what is needed: versions, confinement, cache and space."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import datasets
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from rich.table import Table

from ibert_builder import __version__
from ibert_builder.commands.common import Commands, add_templates, console, place_of
from ibert_builder.errors import InputError
from ibert_builder.workers.probe import Part, probe
from ibert_builder.workers.worker import Died, Place, WorkerError

PACKAGES = (
    "ibis-framework", "sqlglot", "duckdb", "docstring-parser", "datasets", "pyarrow", "pandas", "landlockpy", "seccompy"
)  # fmt: skip
SPACE = 1 << 30  # bytes; a build with its cache takes a fifth of that


@dataclass(frozen=True)
class Finding:
    """One line of the report. `is_broken`: nothing, or not everything, works with that."""

    topic: str
    name: str
    found: str
    is_broken: bool = False


def add(commands: Commands) -> None:
    command = commands.add_parser(
        "doctor", help="check versions, the confinement of template code, the cache and the free space"
    )
    add_templates(command)
    command.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    confinement, is_confined = _confinement(place_of(chosen))
    found = [*_versions(), *confinement, *_cache()]
    shown = Table("topic", "what", "found", "")
    for finding in found:
        shown.add_row(finding.topic, finding.name, finding.found, "broken" if finding.is_broken else "")
    console().print(shown)
    print(CONFINED if is_confined else UNCONFINED)
    return int(any(finding.is_broken for finding in found))


CONFINED = "Template code is confined by the operating system."
UNCONFINED = (
    "Template code is not confined by the operating system here: the allow-list and the limits of processes remain. Templates from"
    " outside the package run only with --trust-templates, in Python `trust_templates=True`."
)


def _versions() -> Iterator[Finding]:
    yield Finding("versions", "ibert-multitask", __version__)
    yield Finding("versions", "Python", f"{platform.python_version()} on {platform.platform()}")
    wanted = _requirements()
    for name in PACKAGES:
        try:
            found = version(name)
        except PackageNotFoundError:
            yield Finding("versions", name, "not installed", is_broken=name in wanted)
            continue
        expected = wanted[name].specifier if name in wanted else SpecifierSet()
        fits = expected.contains(found, prereleases=True)
        yield Finding("versions", name, found if fits else f"{found}, expected {expected}", not fits)


def _requirements() -> dict[str, Requirement]:
    """What the installed package requires here, by name."""
    try:
        listed = [Requirement(line) for line in requires("ibert-multitask") or ()]
    except PackageNotFoundError:  # a checkout that is not installed
        return {}
    return {r.name: r for r in listed if r.marker is None or r.marker.evaluate({"extra": ""})}


def _confinement(place: Place) -> tuple[list[Finding], bool]:
    try:
        parts = probe(place)
    except (WorkerError, Died, InputError) as error:
        return [Finding("confinement", "workers", str(error), is_broken=True)], False
    return [_of_part(part) for part in parts], all(part.by and not part.breaches for part in parts)


def _of_part(part: Part) -> Finding:
    found = part.by or "not confined"
    if part.breaches:
        found += f": template code {', '.join(part.breaches)}"
    return Finding("confinement", part.name, found, is_broken=part.by is not None and bool(part.breaches))


def _cache() -> Iterator[Finding]:
    cache = Path(datasets.config.HF_DATASETS_CACHE)
    there = next(folder for folder in (cache, *cache.parents) if folder.exists())
    can_be_written = there.is_dir() and os.access(there, os.W_OK | os.X_OK)
    yield Finding(
        "cache", "folder", f"{cache}{'' if can_be_written else ' cannot be written to'}", not can_be_written
    )
    free = shutil.disk_usage(there).free
    yield Finding("cache", "free space", f"{free / 2**30:.1f} GiB", free < SPACE)
