"""The default build in figures: writing `<config>/dataset_info.json`, and comparing a new build with those files.

`datasets.DatasetInfo.from_directory` reads the files. They record the features, the version of the dataset and, for every
split, the number of its records, their size and a SHA-256 over them, so that no change in the data goes unnoticed. Sizes
and digests are those of the JSON lines that `ibert-multitask build` writes, in order: the size of an Arrow file depends on
the version of `datasets` and on the number of processes. Two keys are our own, and `datasets` ignores them: `sha256`, and
`made_with`, which has the versions of Python and of the packages that prove.

In about one in twenty-five `error_resolution` records, Python itself words a part of the message, and minor versions do
not all word it alike. So the sizes and digests of `error_resolution` and `all` are compared only under the Python that the
files were made with; everything else is compared everywhere. Another version of a proving package is not a difference in
itself: what counts is whether the data differ, and if they do, the versions are named.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ibert_builder import __version__
from ibert_builder.databases.model import SPLITS
from ibert_builder.errors import InputError
from ibert_builder.generation.catalog import PROVERS
from ibert_builder.records import ALL, configs, features_json, tasks_of
from ibert_builder.writing.jsonl import Progress, build, file_of

FILE = "dataset_info.json"
_WORDED = ("sha256.", "num_bytes", "dataset_size", "size_in_bytes")  # what the wording of a message changes
UPDATE = (
    "If the change is intended: raise `__version__` in ibert_builder/__init__.py, add a line to CHANGELOG.md,"
    " and run `ibert-multitask infos`. CONTRIBUTING.md lists every step."
)

Info = dict[str, Any]


def has_messages(config: str) -> bool:
    """Whether Python words a part of a config's records, and differently from one minor version to the next."""
    fields = (field for task in tasks_of(config) for field in (*task.input.values(), *task.target.values()))
    return any(field.kind == "message" for field in fields)


def infos(
    templates_dir: str | Path | None = None,
    num_proc: int = 1,
    progress: Progress | None = None,
    trust_templates: bool = False,
) -> dict[str, Info]:
    """Build the dataset with its default options, in a temporary folder, and describe every config of it.

    Raises:
        InputError: a template is wrong or yields nothing.
    """
    with tempfile.TemporaryDirectory(prefix="ibert-infos-") as folder:
        build(
            Path(folder),
            templates_dir=templates_dir,
            num_proc=num_proc,
            trust_templates=trust_templates,
            progress=progress,
        )
        return infos_of(Path(folder))


def infos_of(folder: Path) -> dict[str, Info]:
    """Describe every config of the dataset that a build wrote to a folder."""
    return {config: _info(config, folder) for config in configs()}


def _info(config: str, folder: Path) -> Info:
    splits: dict[str, Info] = {}
    digests: dict[str, str] = {}
    for split in SPLITS:
        # The rows of `all` are those of the tasks, one task after another.
        lines = b"".join((folder / file_of(split, task.name)).read_bytes() for task in tasks_of(config))
        splits[split] = {"name": split, "num_bytes": len(lines), "num_examples": lines.count(b"\n")}
        digests[split] = hashlib.sha256(lines).hexdigest()
    size = sum(split["num_bytes"] for split in splits.values())
    return {
        "license": "apache-2.0",
        "features": features_json(config),
        "builder_name": "ibert_multitask",
        "config_name": config,
        "version": __version__,
        "splits": splits,
        "download_size": 0,
        "dataset_size": size,
        "size_in_bytes": size,
        "sha256": digests,
        "made_with": made_with(),
    }


def made_with() -> dict[str, str]:
    """The minor version of Python and the versions of the packages that decide what is proved."""
    return {"python": "{}.{}".format(*sys.version_info), **{name: version(name) for name in PROVERS}}


def write(made: dict[str, Info], out: Path) -> list[Path]:
    """Write `out/<config>/dataset_info.json`; an existing file is replaced only once the new one is complete.

    Raises:
        InputError: `out` cannot be written to.
    """
    paths = []
    try:
        for config, info in made.items():
            path = out / config / FILE
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_name(f".{FILE}")
            unfinished.write_text(json.dumps(info, indent=2) + "\n", encoding="utf-8", newline="\n")
            paths.append(unfinished.replace(path))
    except OSError as error:
        raise InputError(f"cannot write there: {error.strerror}", file=out, key="--out") from error
    return paths


def read(out: Path) -> dict[str, Info]:
    """Read the files that `write` wrote.

    Raises:
        InputError: one is missing, is not JSON, or belongs to no config.
    """
    for path in sorted(out.glob(f"*/{FILE}")):
        if path.parent.name not in configs():
            raise InputError(f"there is no config '{path.parent.name}'; remove the file", file=path)
    recorded = {}
    for config in configs():
        path = out / config / FILE
        try:
            recorded[config] = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise InputError("there is no such file; `ibert-multitask infos` writes it", file=path) from None
        except json.JSONDecodeError as error:
            raise InputError(f"not JSON: {error.msg}", file=path, line=error.lineno) from None
        if not isinstance(recorded[config], dict):
            raise InputError("expected an object", file=path)
    return recorded


def differences(recorded: dict[str, Info], made: dict[str, Info]) -> list[str]:
    """Where a build differs from what is recorded, a line each: config, key (with the split), expected, found."""
    lines = []
    for config in configs():
        expected, found = dict(_flat(recorded[config])), dict(_flat(made[config]))
        worded = has_messages(config) and expected.get("made_with.python") != found["made_with.python"]
        for key in [*expected, *(key for key in found if key not in expected)]:
            if key.startswith("made_with.") or (
                worded and (key.startswith(_WORDED[0]) or key.endswith(_WORDED[1:]))
            ):
                continue
            if expected.get(key) != found.get(key):
                lines.append(f"{config}: {key}: expected {expected.get(key)}, found {found.get(key)}")
    return lines


def other_versions(recorded: dict[str, Info], made: dict[str, Info]) -> list[str]:
    """The versions that the recorded build had and this one does not have, such as `python 3.11, here 3.12`."""
    then, now = recorded[ALL].get("made_with", {}), made[ALL]["made_with"]
    return [f"{name} {then.get(name)}, here {now[name]}" for name in now if then.get(name) != now[name]]


def _flat(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of nested JSON with their dotted keys."""
    if not isinstance(value, dict | list):
        yield key, value
        return
    for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield from _flat(inner, f"{key}.{name}" if key else str(name))
