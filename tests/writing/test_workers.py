"""Workers: results in order for any number of processes, and children that do not outlive their parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ibert_builder.errors import InputError
from ibert_builder.writing.workers import in_order


def square_after_a_while(number):
    time.sleep(0.05 * (3 - number))  # the last ones are done first
    return number * number, os.getpid()


def die(number):
    os.kill(os.getpid(), signal.SIGKILL)


def fail(number):
    raise InputError(f"wrong: {number}", key="number")


@pytest.mark.parametrize("num_proc", [1, 2])
def test_results_come_in_the_order_of_the_items(num_proc):
    done = list(in_order(square_after_a_while, range(4), num_proc))
    assert [square for square, _ in done] == [0, 1, 4, 9]
    assert ({process for _, process in done} == {os.getpid()}) == (num_proc == 1)


def test_one_process_works_only_as_far_as_it_is_asked():
    results = in_order(fail, [1], 1)
    with pytest.raises(InputError, match="number: wrong: 1"):
        next(results)


def test_errors_come_back_from_a_worker_as_they_are():
    with pytest.raises(InputError, match=r"^number: wrong: 7$") as error:
        list(in_order(fail, [7], 2))
    assert error.value.key == "number"


@pytest.mark.skipif(sys.platform == "win32", reason="it has no SIGKILL")
def test_a_killed_worker_is_named():
    with pytest.raises(InputError, match="--num-proc: a worker process was killed"):
        list(in_order(die, [1, 2], 2))


FORKING = """
import os, sys, time
from ibert_builder.writing.workers import forks_end_with_this

with forks_end_with_this():
    child = os.fork()
    if not child:
        time.sleep(60)
print(child, flush=True)
os._exit(0)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up as Linux has them")
def test_a_fork_ends_when_its_parent_is_gone():
    ran = subprocess.run([sys.executable, "-c", FORKING], stdout=subprocess.PIPE, text=True, check=True)
    child = int(ran.stdout)
    for _ in range(200):
        if not Path(f"/proc/{child}").exists():
            return
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    pytest.fail("the child waits for ever")
