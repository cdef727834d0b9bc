"""Forks do not outlive their parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

FORKING = """
import os, sys, time
from ibert_builder.workers.forks import forks_end_with_this

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
