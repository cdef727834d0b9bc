"""Everything that a templates folder holds, read once per process and checked as a whole."""

from __future__ import annotations

import functools
import hashlib
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from ibert_builder.databases.load import load_databases
from ibert_builder.databases.model import Database, split_by_number
from ibert_builder.errors import InputError, wrong_value
from ibert_builder.generation.splits import in_seeded_order
from ibert_builder.tasks.registry import TASKS
from ibert_builder.templating.phrases import Phrasebook, load_phrases
from ibert_builder.templating.templates import Template, load_templates
from ibert_builder.yaml_source import read_bytes

# The packages whose versions decide what is proved.
PROVERS = ("ibis-framework", "sqlglot", "duckdb", "docstring-parser")
PACKAGE = Path(__file__).parent.parent


@dataclass(frozen=True)
class Catalog:
    """What a templates folder holds.

    Attributes:
        databases: by name.
        phrasebook: all phrases.
        templates: by task.
        undivided: the split of every template, by (task, name), that belongs to one split as a whole.
    """

    databases: dict[str, Database]
    phrasebook: Phrasebook
    templates: dict[str, tuple[Template, ...]]
    undivided: dict[tuple[str, str], str]


def default_templates_dir() -> Path:
    """The templates folder of the checkout, or the one inside an installed package."""
    shipped = PACKAGE / "templates"
    return shipped if shipped.is_dir() else PACKAGE.parent / "templates"


def resolve_templates_dir(templates_dir: str | Path | None) -> Path:
    """The absolute path of a templates folder; None stands for the default one.

    Raises:
        InputError: there is no such folder, or it holds no templates.
    """
    if templates_dir is None:
        folder = default_templates_dir()
    elif isinstance(templates_dir, str | Path):
        folder = _absolute(Path(templates_dir))
    else:
        raise wrong_value("templates_dir", templates_dir, "the path of a folder, or None")
    if not folder.is_dir():
        raise InputError("there is no such templates folder", file=folder, key="templates_dir")
    if not any(folder.glob("*/*.yaml")):
        raise InputError(
            "the templates folder holds no templates (expected <task>/*.yaml, _phrases/ and _databases/)",
            file=folder,
            key="templates_dir",
        )
    return folder


def _absolute(folder: Path) -> Path:
    try:
        return folder.expanduser().resolve()
    except (OSError, RuntimeError, ValueError) as error:  # no such user, a loop of links, a null character
        raise InputError(f"not a path: {error}", file=repr(str(folder)), key="templates_dir") from error


def load_catalog(templates_dir: str | Path | None = None) -> Catalog:
    """Read and check a templates folder; one that has not changed is taken from memory.

    Raises:
        InputError: something is wrong with it, with the file, line and key of the first problem.
    """
    folder = resolve_templates_dir(templates_dir)
    return _load(folder, _files_digest(folder, "**/*.yaml"))


@functools.lru_cache(maxsize=4)
def _load(folder: Path, _digest: str) -> Catalog:
    databases = load_databases(folder / "_databases")
    phrasebook = load_phrases(folder / "_phrases")
    templates = {
        name: load_templates(folder / name, name, task.template, phrasebook) for name, task in TASKS.items()
    }
    undivided = {
        (task, template.name): split_by_number(number)
        for task, those in templates.items()
        for number, template in enumerate(in_seeded_order(t for t in those if t.is_undivided))
    }
    return Catalog(databases, phrasebook, templates, undivided)


def digest(templates_dir: str | Path | None = None) -> str:
    """Twelve hex digits that change whenever the data may: with the templates, this code or the proving packages."""
    parts = [
        _files_digest(resolve_templates_dir(templates_dir), "**/*.yaml"),
        _files_digest(PACKAGE, "**/*.py"),
        *(f"{package}={version(package)}" for package in PROVERS),
        "python={}.{}".format(*sys.version_info),  # which words some of the messages in error records
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _files_digest(folder: Path, pattern: str) -> str:
    joined = hashlib.sha256()
    for path in sorted(folder.glob(pattern)):
        content = read_bytes(path)  # which sees to it that the name is text
        joined.update(path.relative_to(folder).as_posix().encode())
        joined.update(hashlib.sha256(content).digest())
    return joined.hexdigest()
