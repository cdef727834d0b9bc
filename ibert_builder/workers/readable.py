"""What a confined worker may read: Python with its libraries and packages, this package, time zones, and what it is told besides."""

from __future__ import annotations

import importlib.util
import site
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

# Packages that may be anywhere: checkouts of them, for those who work on one.
PACKAGES = (
    "ibert_builder", "ibis", "duckdb", "sqlglot", "pyarrow", "pandas", "numpy", "pydantic", "yaml", "docstring_parser"
)  # fmt: skip
SYSTEM = (
    "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache",  # shared libraries
    "/usr/share/zoneinfo", "/etc/localtime",
    "/proc/self/statm", "/proc/self/cgroup", "/sys/fs/cgroup",  # its own size, and what DuckDB asks about its limits
    "/dev/urandom",
)  # fmt: skip


def readable(more: Iterable[str] = ()) -> tuple[str, ...]:
    """The files and folders to grant, for the `sys.path` of this process. Some may not exist."""
    found = dict.fromkeys((*_python(), *_packages(), *SYSTEM, *more))
    return tuple(path for path in found if path)


def _python() -> Iterator[str]:
    paths = sysconfig.get_paths()
    yield from (paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib"))
    for prefix in {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}:
        yield from (str(Path(prefix) / name) for name in ("lib", "lib64"))
    yield str(Path(sys.prefix) / "pyvenv.cfg")
    yield from (*site.getsitepackages(), site.getusersitepackages())


def _packages() -> Iterator[str]:
    for entry in sys.path:
        # Any other folder of the path is somebody's own, such as the one that a script is in.
        if _holds_packages(Path(entry)):
            yield entry
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        if spec is not None:
            yield from spec.submodule_search_locations or [spec.origin or ""]


def _holds_packages(folder: Path) -> bool:
    return folder.is_file() or any(folder.glob("*.dist-info"))
