"""Killed runs, full disks, folders that cannot be written to, two builds at once: what was there before stays intact."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import datasets
import duckdb
import pytest

import ibert_builder.writing.jsonl as build_module
from ibert_builder import load_dataset
from ibert_builder.cli import main
from ibert_builder.errors import InputError
from ibert_builder.execution.scratch import run
from ibert_builder.generation.generate import Options
from ibert_builder.staging import LOCK, UNFINISHED
from ibert_builder.writing.jsonl import build
from tests.conftest import ROOT, contents

if not sys.platform.startswith("linux"):
    pytest.skip("kills by session and mounts as Linux has them", allow_module_level=True)

OLD, NEW, LONG = Options(4), Options(8, seed=1), "2000"
DRAW = random.Random(4)


@pytest.fixture(scope="module")
def old(tmp_path_factory, small_dir) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("old")
    build(out, options=OLD, templates_dir=small_dir)
    return contents(out)


@pytest.fixture(scope="module")
def new(tmp_path_factory, small_dir) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("new")
    build(out, options=NEW, templates_dir=small_dir)
    return contents(out)


@pytest.fixture
def out(tmp_path, old) -> Path:
    """A folder with the files of an earlier build."""
    return fill(tmp_path / "out", old)


def fill(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def building(out, small_dir, *more) -> list[str]:
    command = [sys.executable, "-m", "ibert_builder.cli", "build", "--out", str(out)]
    return [*command, "--templates-dir", str(small_dir), *more]


def start(command) -> subprocess.Popen:
    """Start a command in a session of its own, so that all its processes can be found and killed."""
    return subprocess.Popen(
        command, start_new_session=True, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


def members(session: int) -> dict[int, str]:
    """The command lines of the living processes of a session."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            status = (process / "stat").read_text().rpartition(")")[2].split()
            if int(status[3]) == session and status[0] != "Z":
                found[int(process.name)] = (process / "cmdline").read_text()
        except (OSError, ValueError):  # it ended while we looked
            continue
    return found


def until(condition, process: subprocess.Popen | None = None, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert process is None or process.poll() is None, process.communicate()[1]
        assert time.monotonic() < end, "this did not happen in time"
        time.sleep(0.02)


def kill(process: subprocess.Popen, whole: bool) -> None:
    """Kill a running command, with its workers or without them, and see that none of its processes is left."""
    assert process.poll() is None, "the process ended before it could be killed"
    (os.killpg if whole else os.kill)(process.pid, signal.SIGKILL)
    process.wait()
    try:
        until(lambda: not members(process.pid), seconds=5)
    finally:
        for orphan in members(process.pid):
            os.kill(orphan, signal.SIGKILL)


def moments(number: int, most: float) -> list[float]:
    return [round(DRAW.uniform(0, most), 2) for _ in range(number)]


KILLS = [
    *((True, "1", moment) for moment in moments(2, 1)),
    *((True, "2", moment) for moment in moments(1, 1)),
    *((False, "2", moment) for moment in moments(2, 1)),
]


@pytest.mark.parametrize(("whole", "num_proc", "moment"), KILLS)
def test_a_killed_build_leaves_earlier_files_whole(out, old, new, small_dir, whole, num_proc, moment):
    process = start(building(out, small_dir, "--examples-per-template", "400", "--num-proc", num_proc))
    until(lambda: any(out.glob(f"{UNFINISHED}*/*.jsonl")), process)
    time.sleep(moment)
    kill(process, whole)
    assert contents(out) == old
    assert any(out.glob(f"{UNFINISHED}*"))
    build(out, options=NEW, templates_dir=small_dir)
    assert contents(out) == new
    assert not any(out.glob(f"{UNFINISHED}*"))


@pytest.mark.parametrize("renames", DRAW.sample(range(1, 20), 2))
def test_a_build_killed_between_the_final_renames_leaves_whole_files(out, old, new, small_dir, renames):
    code = f"""
import itertools, os, signal, sys
from pathlib import Path
from ibert_builder.cli import main

count, replace = itertools.count(), Path.replace

def replace_or_die(self, target):
    if next(count) == {renames}:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(self, target)

Path.replace = replace_or_die
main(sys.argv[1:])
"""
    arguments = building(out, small_dir, "--examples-per-template", "8", "--seed", "1")[3:]
    assert subprocess.run([sys.executable, "-c", code, *arguments]).returncode == -signal.SIGKILL
    found = contents(out)
    assert found.keys() == old.keys()
    moved = [name for name in sorted(found) if found[name] == new[name] != old[name]]
    assert moved and all(found[name] in (old[name], new[name]) for name in found)
    build(out, options=NEW, templates_dir=small_dir)
    assert contents(out) == new


def test_a_killed_worker_is_replaced(out, new, small_dir):
    process = start(
        building(out, small_dir, "--examples-per-template", "8", "--seed", "1", "--num-proc", "2")
    )

    def workers():
        return [
            pid for pid, command in members(process.pid).items() if "ibert_builder.workers.main" in command
        ]

    until(lambda: len(workers()) == 2, process)
    os.kill(workers()[0], signal.SIGKILL)
    _, printed = process.communicate()
    assert process.returncode == 0, printed
    assert contents(out) == new and not any(out.glob(f"{UNFINISHED}*"))


def test_a_second_build_is_refused_while_the_first_one_lives(out, old, new, small_dir):
    process = start(building(out, small_dir, "--examples-per-template", LONG))
    until(lambda: any(out.glob(f"{UNFINISHED}*")), process)
    first = sorted(out.glob(f"{UNFINISHED}*"))
    with pytest.raises(InputError, match=f"{out}: --out: another build is writing there"):
        build(out, options=NEW, templates_dir=small_dir)
    assert main(["databases", "webshop", "--out", str(out), "--templates-dir", str(small_dir)]) == 1
    assert sorted(out.glob(f"{UNFINISHED}*")) == first
    kill(process, whole=True)
    assert contents(out) == old
    build(out, options=NEW, templates_dir=small_dir)
    assert contents(out) == new
    assert {path.name for path in out.iterdir() if path.name.startswith(".")} <= {LOCK}


# A disk to fill: a file system of its own where one can be mounted, and a limit to the size of files anywhere.


@pytest.fixture
def mount(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", folder], check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("file systems can be mounted by root only")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


class Mounted:
    words = "No space left on device"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, command, room: int = 8_000) -> subprocess.CompletedProcess[str]:
        """Run a command while there are so many bytes left."""
        status = os.statvfs(self.folder)
        ballast = self.folder / ".ballast"
        ballast.write_bytes(bytes(status.f_bavail * status.f_frsize - room))
        try:
            return subprocess.run(command, capture_output=True, text=True)
        finally:
            ballast.unlink()


class Limited:
    words = "File too large"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, command, room: int = 8_000) -> subprocess.CompletedProcess[str]:
        limit = functools.partial(resource.setrlimit, resource.RLIMIT_FSIZE, (room, room))
        return subprocess.run(command, capture_output=True, text=True, preexec_fn=limit)


@pytest.fixture(params=["mounted", "limited"])
def disk(request, tmp_path):
    if request.param == "mounted":
        return Mounted(request.getfixturevalue("mount"))
    return Limited(tmp_path)


def test_a_full_disk_ends_a_build_with_a_message(disk, old, new, small_dir):
    out = fill(disk.folder / "out", old)
    failed = disk.run(building(out, small_dir, "--examples-per-template", "8", "--seed", "1"))
    assert failed.returncode == 1 and "Traceback" not in failed.stderr
    assert f"{out}: --out: cannot write there: {disk.words}" in failed.stderr
    assert contents(out) == old and not any(out.glob(f"{UNFINISHED}*"))
    build(out, options=NEW, templates_dir=small_dir)
    assert contents(out) == new


@pytest.mark.parametrize("room", [8_000, 100_000])  # for less than DuckDB's log file, for no more than that
def test_a_full_disk_leaves_exported_databases_whole(disk, small_dir, room):
    out = disk.folder / "dbs"
    arguments = ["databases", "webshop", "--out", str(out), "--templates-dir", str(small_dir)]
    fill(out, {"webshop.duckdb": b"as it was"})
    failed = disk.run([sys.executable, "-m", "ibert_builder.cli", *arguments], room)
    assert failed.returncode == 1 and "Traceback" not in failed.stderr
    assert f"{out}: --out: cannot write there: {disk.words}" in failed.stderr
    assert contents(out) == {"webshop.duckdb": b"as it was"} and not any(out.glob(f"{UNFINISHED}*"))
    assert main(arguments) == 0
    with duckdb.connect(out / "webshop.duckdb", read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM orders").fetchone() == (120,)


def test_a_full_folder_for_temporary_files_is_not_a_verdict_on_an_example(mount, webshop, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(mount))
    status = os.statvfs(mount)
    (mount / "ballast").write_bytes(bytes(status.f_bavail * status.f_frsize))
    with pytest.raises(InputError, match=f"{mount}: cannot write there: No space left on device"):
        run("orders.to_csv('written.csv')", webshop, ("orders",))


# A folder that cannot be written to is refused before any example is made.


@pytest.fixture
def no_work(monkeypatch):
    monkeypatch.setattr(build_module, "_make", lambda *_: pytest.fail("work has begun"))


@pytest.fixture
def read_only(request, tmp_path):
    if os.getuid() == 0:
        folder = request.getfixturevalue("mount")
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
    else:
        folder = tmp_path / "read-only"
        folder.mkdir(0o555)
    return folder


def test_a_read_only_folder(read_only, small_dir, no_work):
    with pytest.raises(InputError, match=f"{read_only}: --out: cannot write there: "):
        build(read_only, templates_dir=small_dir)
    assert main(["databases", "--out", str(read_only), "--templates-dir", str(small_dir)]) == 1


OBSTACLES = {
    "file": (lambda out: out.write_text(""), ".", "this is a file, expected a folder"),
    "file above": (lambda out: out.parent.rmdir() or out.parent.write_text(""), ".", "cannot write there: Not"),
    "folder": (lambda out: (out / "qa.jsonl").mkdir(parents=True), "qa.jsonl", "this is a folder, and a file"),
    "folder below": (lambda out: (out / "test/qa.jsonl").mkdir(parents=True), "test/qa.jsonl", "this is a"),
    "file below": (lambda out: out.mkdir() or (out / "test").write_text(""), "test", "this is a file, expected"),
}  # fmt: skip


@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_what_stands_in_the_way(tmp_path, small_dir, no_work, obstacle):
    spoil, place, problem = OBSTACLES[obstacle]
    out = tmp_path / "parent" / "out"
    out.parent.mkdir()
    spoil(out)
    with pytest.raises(InputError, match=f"{out / place}: --out: {problem}"):
        build(out, templates_dir=small_dir)
    assert not out.is_dir() or not any(out.glob(f"{UNFINISHED}*"))


# Preparing the cache of `datasets`.

PREPARE = """
import hashlib, json, sys
import {module} as loader

if __name__ == "__main__":
    chosen = dict(num_proc=2, split="train", cache_dir=sys.argv[1], templates_dir=sys.argv[2], {keywords})
    rows = loader.load_dataset({script!r}, "all", examples_per_template=30, **chosen)
    print(hashlib.sha256(json.dumps(list(rows)).encode()).hexdigest())
"""
SCRIPT = str(ROOT / "ibert_multitask.py")
LOADERS = {"class": PREPARE.format(module="ibert_builder", script=SCRIPT, keywords="")}
if datasets.__version__.startswith("3."):
    LOADERS["script"] = PREPARE.format(module="datasets", script=SCRIPT, keywords="trust_remote_code=True")


def digest(**kwargs) -> str:
    loaded = load_dataset(split="train", examples_per_template=30, **kwargs)
    return hashlib.sha256(json.dumps(list(loaded)).encode()).hexdigest()


@pytest.fixture(scope="module")
def rows(small_dir) -> str:
    """The digest of the rows of an undisturbed run."""
    return digest(streaming=True, templates_dir=str(small_dir))


def prepared(cache: Path) -> list[Path]:
    return [p for p in cache.rglob("dataset_info.json") if not p.parent.name.endswith(".incomplete")]


@pytest.mark.parametrize(
    ("loader", "whole", "moment"),
    [
        *(("class", True, moment) for moment in moments(2, 1)),
        *(("class", False, moment) for moment in moments(1, 1)),
        *(("script", True, moment) for moment in moments(1, 1) if "script" in LOADERS),
    ],
)
def test_a_killed_load_leaves_no_half_cache(tmp_path, small_dir, rows, loader, whole, moment):
    cache = tmp_path / "cache"
    command = [sys.executable, "-c", LOADERS[loader], str(cache), str(small_dir)]
    process = start(command)
    until(lambda: any(cache.rglob("*.incomplete/*.arrow")), process)
    time.sleep(moment)
    kill(process, whole)
    assert not prepared(cache)
    again = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert again.stdout.split()[-1:] == [rows], again.stderr


@pytest.mark.parametrize("num_proc", [1, 2])
@pytest.mark.parametrize("loader", LOADERS)
def test_a_full_disk_is_named_and_leaves_no_half_cache(disk, small_dir, rows, loader, num_proc):
    cache = disk.folder / "cache"
    source = LOADERS[loader].replace("num_proc=2", f"num_proc={num_proc}")
    failed = disk.run([sys.executable, "-c", source, str(cache), str(small_dir)])
    assert failed.returncode == 1
    last = failed.stderr.splitlines()[-1]
    assert last.startswith(f"ibert_builder.errors.InputError: {cache}/ibert_multitask/all-"), failed.stderr
    assert last.endswith(f": cache_dir: cannot write there: {disk.words}")
    assert not prepared(cache) and not any(cache.rglob("*.incomplete"))
    assert digest(cache_dir=str(cache), templates_dir=str(small_dir)) == rows
