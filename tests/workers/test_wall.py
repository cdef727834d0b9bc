"""The walls hold without the allow-list: nothing gets out of a worker, or stays, whatever runs in it."""

from __future__ import annotations

import hashlib
import os
import select
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from ibert_builder.errors import InputError
from ibert_builder.generation.generate import Options, Tally
from ibert_builder.workers import pool
from ibert_builder.workers.pool import lease
from ibert_builder.workers.shards import prove
from ibert_builder.workers.worker import Died, Place
from tests.conftest import ROOT
from tests.sandbox.hostile import CODE
from tests.workers.functions import HERE, run_python, run_unchecked

SECRET = "c4n4ry"
LIMIT = 5.0  # seconds
TEXT = TypeAdapter(str)


class Outside:
    """A folder of canaries and a listener; afterwards nothing must have touched them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("canary.txt", "below/canary.csv", "below/canary.duckdb"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(f"{SECRET}\n", encoding="utf-8")
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.before = self.state()

    def state(self) -> dict[str, tuple[int, str]]:
        return {
            str(path): (
                path.stat().st_mode,
                hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
            )
            for path in sorted(self.folder.rglob("*"))
        }

    def is_untouched(self) -> bool:
        return self.state() == self.before and not select.select([self.listener], [], [], 0)[0]


@pytest.fixture(scope="module")
def outside(tmp_path_factory):
    outside = Outside(tmp_path_factory.mktemp("outside"))
    os.environ["IBERT_CANARY"] = SECRET
    yield outside
    del os.environ["IBERT_CANARY"]
    outside.listener.close()


@pytest.fixture(scope="module", autouse=True)
def walls():
    """What follows is not for a machine without them."""
    with lease(HERE) as worker:
        if not {"files", "network", "processes", "signals"} <= set(worker.confined):
            pytest.skip("this system cannot confine workers")


# Python as an attacker would write it who has got past everything else. {F} is the folder of canaries, {P} the port, {PID} the parent.
PYTHON = {
    "reads a file": "found = open('{F}/canary.txt').read()",
    "reads by descriptor": "import os; found = os.read(os.open('{F}/canary.txt', os.O_RDONLY), 99)",
    "maps a file": "import numpy; found = numpy.memmap('{F}/canary.txt', mode='r').tobytes()",
    "reads by DuckDB": "import duckdb; found = duckdb.sql(\"SELECT content FROM read_text('{F}/canary.txt')\").fetchall()",
    "reads by Arrow": "import pyarrow.csv; found = pyarrow.csv.read_csv('{F}/canary.txt').column_names",
    "reads by pandas": "import pandas; found = pandas.read_csv('{F}/below/canary.csv').columns",
    "reads by a link": "import os; os.symlink('{F}/canary.txt', 'link'); found = open('link').read()",
    "reads by a hard link": "import os; os.link('{F}/canary.txt', 'link'); found = open('link').read()",
    "moves a file in": "import os; os.rename('{F}/canary.txt', 'canary'); found = open('canary').read()",
    "lists a folder": "import os; found = os.listdir('{F}')",
    "lists home": "import os; found = os.listdir('/root') + os.listdir('/home')",
    "reads passwords": "found = open('/etc/passwd').read()",
    "reads the parent's memory": "found = open('/proc/{PID}/mem', 'rb').read(1)",
    "reads the parent's variables": "found = open('/proc/{PID}/environ').read()",
    "reads its own variables": "import os; found = dict(os.environ)",
    "reads the variables it began with": "found = open('/proc/self/environ').read()",
    "reads by the C library": "import ctypes; c = ctypes.CDLL(None); f = c.open(b'{F}/canary.txt', 0); b = ctypes.create_string_buffer(99); c.read(f, b, 99); found = b.value or None",
    "writes a file": "open('{F}/new', 'w').write('x')",
    "changes a file": "open('{F}/canary.txt', 'a').write('x')",
    "cuts a file": "import os; os.truncate('{F}/canary.txt', 0)",
    "removes a file": "import os; os.unlink('{F}/canary.txt')",
    "removes a tree": "import shutil; shutil.rmtree('{F}')",
    "renames a file": "import os; os.rename('{F}/canary.txt', '{F}/other')",
    "makes a folder": "import os; os.mkdir('{F}/new')",
    "makes a link": "import os; os.symlink('/etc/passwd', '{F}/new')",
    "changes permissions": "import os; os.chmod('{F}/canary.txt', 0o777)",
    "changes the owner": "import os; os.chown('{F}/canary.txt', 1, 1)",
    "changes times": "import os; os.utime('{F}/canary.txt', (0, 0))",
    "sets an attribute": "import os; os.setxattr('{F}/canary.txt', 'user.x', b'x')",
    "writes by DuckDB": "import duckdb; duckdb.sql(\"COPY (SELECT 1) TO '{F}/new.csv'\")",
    "writes by pandas": "import pandas; pandas.DataFrame({{'a': [1]}}).to_pickle('{F}/new.pickle')",
    "connects": "import socket; socket.create_connection(('127.0.0.1', {P}), 2)",
    "sends a datagram": "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', {P}))",
    "listens": "import socket; found = socket.create_server(('127.0.0.1', 0)).getsockname()",
    "connects by the C library": "import ctypes, socket; c = ctypes.CDLL(None, use_errno=True); found = c.socket(2, 1, 0) if c.socket(2, 1, 0) >= 0 else None",
    "connects to a local socket": "import socket; socket.socket(socket.AF_UNIX).connect('/var/run/docker.sock')",
    "loads an extension": "import duckdb; duckdb.sql('INSTALL httpfs')",
    "runs a program": "import os; found = None if os.system('true') else 'it ran'",
    "runs a shell": "import subprocess; found = subprocess.run('id', shell=True, capture_output=True).stdout",
    "becomes a program": "import os; os.execv('/bin/sh', ['sh', '-c', 'echo > {F}/new'])",
    "forks": "import os; found = os.fork()",
    "forks by multiprocessing": "import multiprocessing as m; p = m.get_context('fork').Process(target=print); p.start(); found = p.pid",
    "kills its parent": "import os; os.kill({PID}, 9)",
    "stops its parent": "import os, signal; os.kill({PID}, signal.SIGSTOP)",
    "reaches all processes": "import os; os.kill(-1, 0); found = 'reached'",
    "limits its parent": "import resource; resource.prlimit({PID}, resource.RLIMIT_NOFILE, (3, 3)); found = 'done'",
    "traces its parent": "import ctypes; c = ctypes.CDLL(None, use_errno=True); found = 'traced' if c.ptrace(16, {PID}, 0, 0) == 0 else None",
    "leaves the root": "import os; os.chroot('{F}'); found = os.listdir('/')",
    "mounts": "import ctypes; c = ctypes.CDLL(None); found = 'mounted' if c.mount(b'/etc', b'{F}', None, 4096, None) == 0 else None",
    "makes namespaces": "import ctypes; found = 'made' if ctypes.CDLL(None).unshare(0x10000000) == 0 else None",
    "takes its limits away": "import resource; resource.setrlimit(resource.RLIMIT_AS, (-1, -1)); found = 'taken' if bytearray(20 << 30) else 0",
    "runs for ever": "while True: pass",
    "sleeps": "import time; time.sleep(3600)",
    "swallows signals": "import signal\nfor n in (1, 2, 10, 15, 24): signal.signal(n, signal.SIG_IGN)\nwhile True: pass",
    "a regular expression": "import re; re.match('(a+)+$', 'a' * 60 + 'b')",
    "a sum of lists": "sum([[0] * 1000] * 100000, [])",
    "a nested tuple": "x = ()\nfor _ in range(250000): x = (x,)\nhash(x)",
    "takes all memory": "x = []\nwhile True: x.append(bytearray(1 << 28))",
    "takes much memory": "x = bytearray(12 << 30)",
    "opens many files": "x = [open('/dev/null') for _ in range(100000)]",
    "writes a large file": "f = open('x', 'wb')\nwhile True: f.write(bytes(1 << 24))",
    "leaves at once": "import os; os._exit(0)",
    "crashes": "import ctypes; ctypes.string_at(0)",
    "speaks out of turn": "import os\nfor f in range(3, 20):\n  try: os.write(f, b'\\x00' * 7 + b'\\x02[]' + b'x' * 40)\n  except OSError: pass",
}  # fmt: skip


def attempt(place: Place, function, *arguments) -> tuple[str, float]:
    """What a snippet printed, or how it ended; and after how many seconds."""
    with lease(place) as worker:
        started = time.monotonic()
        try:
            said = "".join(worker.ask(function, arguments, TEXT, {}))
        except Died as died:
            said = died.reason
        except Exception as error:
            said = f"refused: {error}"
        return said, time.monotonic() - started


@pytest.mark.parametrize("name", PYTHON)
def test_python_with_no_allow_list(name, outside):
    source = PYTHON[name].format(F=outside.folder, P=outside.port, PID=os.getpid())
    said, seconds = attempt(replace(HERE, draft_seconds=LIMIT), run_python, source)
    assert SECRET not in said
    assert not said.startswith("found: ") or said == "found: None" or name == "reads its own variables", said
    assert outside.is_untouched()
    assert seconds < LIMIT + 5


@pytest.mark.slow
@pytest.mark.parametrize("kind", CODE)
def test_hostile_code_with_no_allow_list(kind, outside, small_dir):
    place = Place(str(small_dir), HERE.read, draft_seconds=LIMIT)
    for code in CODE[kind]:
        said, seconds = attempt(place, run_unchecked, str(small_dir), code)
        assert SECRET not in said and "root:" not in said, code
        assert outside.is_untouched(), code
        assert seconds < LIMIT + 30, code


# What is needed works.


def test_its_own_folder_is_writable():
    said, _ = attempt(HERE, run_python, "open('x', 'w').write('x'); found = open('x').read()")
    assert said == "found: 'x'"


def test_threads_start():
    source = "import threading; r = []; t = threading.Thread(target=r.append, args=(1,)); t.start(); t.join(); found = r"
    assert attempt(HERE, run_python, source)[0] == "found: [1]"


def test_time_zones_are_readable():
    source = "import zoneinfo; found = str(zoneinfo.ZoneInfo('Asia/Tokyo'))"
    assert attempt(HERE, run_python, source)[0] == "found: 'Asia/Tokyo'"


# Where nothing confines.


@pytest.fixture
def unconfined(small_dir) -> Place:
    return Place(str(small_dir), confined=False)


def test_templates_from_elsewhere_need_trust_where_nothing_confines(unconfined):
    shard = ("qa", "webshop")
    with pytest.raises(InputError, match=r"--trust-templates .*trust_templates=True"):
        list(prove(shard, Options(1), Tally(), place=unconfined))
    trusted = replace(unconfined, trusted=True)
    assert list(prove(shard, Options(8), Tally(), place=trusted)) == list(
        prove(shard, Options(8), Tally(), place=replace(unconfined, confined=True))
    )


def test_the_templates_of_the_package_need_none():
    with lease(Place(str(pool.default_templates_dir()), confined=False)) as worker:
        assert "files" not in worker.confined


@pytest.mark.parametrize(
    ("abi", "parts"),
    [(0, set()), (1, {"files"}), (4, {"files", "network"}), (6, {"files", "network", "signals"})],
)
def test_an_older_kernel_has_less(abi, parts):
    """In a process of its own, since there is no way back."""
    source = f"""
import sys, landlockpy._syscall as calls
actual = calls.abi_version
def older():
    if {abi} == 0:
        raise landlockpy.UnsupportedError(95, "no Landlock")
    return {abi}
import landlockpy
calls.abi_version = older
import seccompy
seccompy.Filter.load = lambda self: (_ for _ in ()).throw(seccompy.UnsupportedError(38, "none"))
from ibert_builder.workers.confinement import Limits, confine
found = confine(Limits(("/usr/lib",), ()))
print(*sorted(set(found) - {{"environment", "time", "memory"}}))
try:
    open("/etc/passwd")
except PermissionError:
    print("closed")
"""
    done = subprocess.run(
        [sys.executable, "-c", source], cwd=ROOT, capture_output=True, text=True, check=True
    )
    first, *rest = done.stdout.splitlines()
    assert set(first.split()) == parts
    assert rest == (["closed"] if abi else [])
