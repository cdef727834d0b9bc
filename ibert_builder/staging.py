"""Writing files into a user's folder: all of them to a temporary place first, then each renamed into place."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from filelock import AcquireReturnProxy, FileLock, Timeout

from ibert_builder.errors import InputError

LOCK = ".building.lock"
UNFINISHED = ".building-"


@contextmanager
def workspace(out: Path, names: Iterable[str]) -> Iterator[Path]:
    """A temporary folder inside `out`, whose files are moved to `out` on success; it is removed afterwards.

    Only one process at a time writes to `out`: the lock is the operating system's, so it ends with its holder, and what
    a killed one left is removed by the next. A process killed in the midst of the final renames leaves some files
    new and some as they were, each of them whole: no file system replaces several files at once.

    Args:
        out: the folder; made if need be.
        names: of the files that are going to be written, relative to `out`; checked before any work is done.

    Raises:
        InputError: `out` cannot be written to, another process writes there, or the disk is full.
    """
    with ExitStack() as stack:
        with _blaming(out):
            if out.exists() and not out.is_dir():
                raise InputError("this is a file, expected a folder", file=out, key="--out")
            out.mkdir(parents=True, exist_ok=True)
            stack.enter_context(_locked(out))
            for leftover in out.glob(f"{UNFINISHED}*"):
                shutil.rmtree(leftover, ignore_errors=True)
            for name in names:
                _check(out / name)
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=out)))
        try:
            yield folder
        except Exception as error:
            if cause := lack_of_space(error):
                raise _cannot_write(out, cause) from error
            raise
        with _blaming(out):
            _publish(folder, out)


def lack_of_space(error: BaseException) -> str | None:
    """The operating system's message for a full disk, quota or file, if an error contains one."""
    words = (os.strerror(code) for code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
    return next((cause for cause in words if cause in str(error)), None)


def _cannot_write(place: Path, cause: str | None) -> InputError:
    return InputError(f"cannot write there: {cause}", file=place, key="--out")


@contextmanager
def _blaming(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _cannot_write(out, error.strerror) from error


def _locked(out: Path) -> AcquireReturnProxy:
    try:
        return FileLock(out / LOCK).acquire(timeout=0)
    except Timeout:
        raise InputError("another build is writing there", file=out, key="--out") from None


def _check(final: Path) -> None:
    if final.is_dir():
        raise InputError(
            "this is a folder, and a file of this name is to be written", file=final, key="--out"
        )
    folder = final.parent
    if folder.exists() and not folder.is_dir():
        raise InputError("this is a file, expected a folder", file=folder, key="--out")
    if folder.exists() and not os.access(folder, os.W_OK | os.X_OK):
        raise _cannot_write(folder, os.strerror(errno.EACCES))


def _publish(folder: Path, out: Path) -> None:
    files = sorted(path for path in folder.rglob("*") if not path.is_dir())
    for path in files:
        (out / path.relative_to(folder)).parent.mkdir(exist_ok=True)
        if not path.is_symlink():
            # Writing what is only buffered may still fail; after the rename it would be too late.
            with path.open("rb+") as file:
                os.fsync(file.fileno())
    for path in files:
        path.replace(out / path.relative_to(folder))
