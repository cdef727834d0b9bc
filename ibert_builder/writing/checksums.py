"""Checksums of a dataset in the cache of `datasets`: written when it is made, compared whenever it is opened.

pyarrow notices that a file is cut off, but not that a bit of a text has flipped: it would give wrong rows in silence.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import xxhash
from filelock import FileLock

from ibert_builder.errors import InputError
from ibert_builder.staging import lack_of_space

FILE = "checksums.json"
INFO = "dataset_info.json"  # `datasets` writes it last, and takes a folder that has it for complete
REMEDY = "delete the folder, or pass download_mode='force_redownload'"
CHUNK = 1 << 20

_log = logging.getLogger(__name__)


def record(folder: Path) -> None:
    """Write the checksums of all files in a folder that is complete."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != FILE)
    checksums = {path.name: _checksum(path) for path in files}
    (folder / FILE).write_text(json.dumps(checksums, indent=1) + "\n", encoding="utf-8")


def damaged_file(folder: Path) -> Path | None:
    """The first file of a prepared dataset that is not as it was written.

    Returns:
        None if every file is, or if the folder holds no prepared dataset.
    """
    if not (folder / INFO).is_file():
        return None
    try:
        checksums = json.loads((folder / FILE).read_bytes())
        files = {folder / name: checksum for name, checksum in checksums.items()}
    except (OSError, ValueError, AttributeError):
        return folder / FILE
    return next((path for path, checksum in files.items() if _checksum(path) != checksum), None)


def refuse_damaged(folder: Path) -> None:
    """Refuse a prepared dataset that is not as it was written.

    Raises:
        InputError: naming the first such file and what to do.
    """
    if (file := damaged_file(folder)) is not None:
        raise InputError(f"damaged since it was written; {REMEDY}", file=file)


def remove_damaged(folder: Path) -> None:
    """Remove a prepared dataset that is not as it was written, so that `datasets` makes it anew.

    Raises:
        InputError: it cannot be removed.
    """
    if damaged_file(folder) is None:
        return
    try:
        # `datasets` holds this lock while it prepares; another process may be replacing the folder right now.
        with FileLock(f"{folder}_builder.lock"):
            if (file := damaged_file(folder)) is not None:
                (folder / INFO).unlink()  # first: without it, what is left is not taken for complete
                shutil.rmtree(folder)
                _log.warning("%s: damaged since it was written; its folder is removed, to be made anew", file)
    except OSError as error:
        raise InputError(
            f"damaged since it was written, and cannot be removed ({error.strerror}); {REMEDY}", file=folder
        ) from error


@contextmanager
def explaining(folder: Path, key: str) -> Iterator[None]:
    """Turn what `datasets` raises while it prepares a folder into an error that says what happened.

    Args:
        folder: where the data go.
        key: the argument that decides where.

    Raises:
        InputError: the disk is full; or the InputError behind what `datasets` raises.
    """
    try:
        yield
    except Exception as error:
        chain = list(_chain(error))
        for cause in chain:
            if isinstance(cause, InputError):
                raise cause from cause.__cause__
        for cause in chain:
            if words := lack_of_space(cause):
                raise InputError(f"cannot write there: {words}", file=folder, key=key) from error
        raise


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _checksum(path: Path) -> str | None:
    """The checksum of a file; None if it cannot be read."""
    found = xxhash.xxh3_128()
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                found.update(chunk)
    except OSError:
        return None
    return found.hexdigest()
