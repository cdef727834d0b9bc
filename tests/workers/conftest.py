from __future__ import annotations

import pytest

from ibert_builder.workers import worker as worker_module
from ibert_builder.workers.pool import lease
from tests.workers.functions import HERE
from tests.workers.outside import SECRET, Discarded, Outside


@pytest.fixture(scope="module")
def walls():
    """What follows is not for a machine without them."""
    with lease(HERE) as worker:
        if not {"files", "network", "processes", "signals"} <= set(worker.confined):
            pytest.skip("this system cannot confine workers")


@pytest.fixture(scope="module")
def outside(walls, tmp_path_factory):
    """What lies outside of workers; at the end, all folders of workers that were removed are known to hold nothing of it."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("IBERT_CANARY", SECRET)
        discarded = Discarded()
        patched.setattr(worker_module, "shutil", discarded)
        outside = Outside(tmp_path_factory.mktemp("outside"))
        yield outside
        for worker in [*worker_module._living]:
            worker.kill()
        assert outside.is_untouched()
        assert discarded.folders > 0 and discarded.leaks == []
        outside.close()
