"""The limits of time and memory, also where somebody is watching the code run."""

from __future__ import annotations

import contextlib
import functools
import subprocess
import sys
import time

import pytest

from ibert_builder.sandbox import limits

LIMIT = 0.5


@pytest.fixture(autouse=True)
def short_limit(monkeypatch):
    monkeypatch.setattr(limits, "TIME_LIMIT", LIMIT)


WATCHERS = {
    "profiler": "import cProfile; watcher = cProfile.Profile(); watcher.enable()",
    "tracer": "sys.settrace(lambda *_: None)",
    "debugger": "def trace(frame, event, argument): return trace\nsys.settrace(trace)",
}
PROOF = """
from ibert_builder.execution.engine import engine_for
from ibert_builder.generation.catalog import load_catalog
from ibert_builder.sandbox import limits

engine = engine_for(load_catalog().databases["webshop"])
limits.TIME_LIMIT = 0.5
{watch}
print(engine.run_code("orders.count()").rows)
try:
    engine.run_code("f = lambda g, n: g(g, n - 1) + g(g, n - 1) if n else 1\\nf(f, 60)")
except Exception as error:
    print(str(error).splitlines()[0])
print(engine.run_code("orders.count()").rows)
"""


@pytest.mark.parametrize("watcher", WATCHERS)
def test_a_proof_runs_and_is_stopped_under_a(watcher):
    """In a process of its own, which can be killed: on CPython 3.11 such code once hung in C."""
    code = "import sys\n" + PROOF.format(watch=WATCHERS[watcher])
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    before, stopped, after = ran.stdout.splitlines()
    assert before == after == "[(120,)]"
    assert "stopped at the time limit of 0.5 s" in stopped


def test_code_that_swallows_its_end_is_stopped_again(monkeypatch):
    monkeypatch.setattr(limits, "AGAIN", 0.2)
    ends = []

    def stubborn():
        while len(ends) < 2:
            try:
                while True:
                    pass
            except limits.TimeIsUp as end:
                ends.append(end)
        while True:
            pass

    with pytest.raises(limits.LimitReached, match=r"time limit of 0\.5 s"):
        limits.limit_code(stubborn, lambda: None)
    assert len(ends) == 2


def test_no_end_comes_late():
    """Code that ends about when its time does is stopped or not, and nothing is thrown at what comes next."""
    for i in range(12):
        about_the_limit = functools.partial(spin, LIMIT + i * limits.SWEEP / 12)
        with contextlib.suppress(limits.LimitReached):
            limits.limit_code(about_the_limit, lambda: None)
        spin(0.02)


def test_code_that_ends_while_it_is_being_stopped_leaves_nothing_behind():
    def ends_stopped():
        stops = []
        with pytest.raises(limits.TimeIsUp):
            while True:
                stops.append(1)
        return "its value"

    assert limits.limit_code(ends_stopped, lambda: None) == "its value"
    spin(0.1)


def spin(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass
