"""The walls hold without the allow-list: nothing gets out of a worker, or stays, whatever runs in it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from pydantic import TypeAdapter

from ibert_builder.errors import InputError
from ibert_builder.generation.generate import Options, Tally
from ibert_builder.workers import pool
from ibert_builder.workers.pool import lease
from ibert_builder.workers.shards import prove
from ibert_builder.workers.worker import Died, Place
from tests.conftest import ROOT
from tests.workers.attacks import CORPUS, PYTHON, aimed
from tests.workers.functions import HERE, run_bare, run_python
from tests.workers.outside import SECRET

LIMIT = 2.0  # seconds
BRIEF = 1.0  # for those of which there are many
SLACK = 20  # for a worker to start or end in, on a slow machine
TEXT = TypeAdapter(str)


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
    assert seconds < LIMIT + SLACK


@pytest.mark.slow
@pytest.mark.parametrize("kind", CORPUS)
def test_the_corpus_with_no_allow_list(kind, outside, small_dir):
    place = Place(str(small_dir), HERE.read, draft_seconds=BRIEF)
    for language, snippet in CORPUS[kind]:
        said, seconds = attempt(
            place, run_bare, str(small_dir), language, aimed(snippet, outside.folder, outside.port)
        )
        assert SECRET not in said, snippet
        assert outside.is_untouched(), snippet
        assert seconds < BRIEF + SLACK, snippet


def test_the_corpus_is_large_enough():
    assert len({snippet for kind in CORPUS.values() for snippet in kind}) >= 600


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
