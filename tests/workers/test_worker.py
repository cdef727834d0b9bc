"""One worker: what it says, what becomes of it, and of it when its parent or its reader is gone."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
import struct
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from ibert_builder.errors import InputError
from ibert_builder.workers import frames, pool
from ibert_builder.workers.pool import Cancellation, Cancelled, call, in_order, lease
from ibert_builder.workers.worker import Died, WorkerError
from tests.conftest import ROOT
from tests.workers.functions import HERE, count_drafts, fail, give_back, give_pid, hold_the_interpreter

NUMBER = TypeAdapter(int)


def until(condition, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# What goes through a pipe.


@pytest.fixture
def pipe():
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)
    os.close(writing)


def test_answers_arrive_one_by_one_however_they_are_cut(pipe):
    reading, writing = pipe
    answers, said = (
        frames.Answers(reading),
        [{"give": "ä\ud800"}, {"give": [1, None, True, 1.5]}, {"end": None}],
    )
    for byte in b"".join(map(frames.encode_answer, said))[:-1]:
        os.write(writing, bytes([byte]))
    assert [answers.next(1), answers.next(1)] == said[:2]
    with pytest.raises(frames.Silent):
        answers.next(0.05)
    os.write(writing, b"}")
    assert answers.next(1) == said[2]


@pytest.mark.parametrize(
    "sent",
    [
        struct.pack("!Q", 1 << 60),
        frames._framed(b"no JSON"),
        frames._framed(b"[" * 200_000),
        frames._framed(b"\x80\x04K\x01."),
    ],
    ids=["too long", "no JSON", "too deep", "a pickle"],
)
def test_an_answer_that_is_none_is_refused(pipe, sent):
    reading, writing = pipe
    answers = frames.Answers(reading)
    with pytest.raises(frames.Malformed):
        for start in range(0, len(sent), 4096):
            os.write(writing, sent[start : start + 4096])
            try:
                answers.next(0)
            except frames.Silent:
                continue


def test_the_end_of_a_pipe_in_the_midst_of_an_answer():
    reading, writing = os.pipe()
    os.write(writing, frames.encode_answer({"end": None})[:-1])
    os.close(writing)
    with pytest.raises(frames.Closed):
        frames.Answers(reading).next(1)
    os.close(reading)


# Calls.


def test_values_come_back_as_the_types_they_are_to_have():
    assert call(give_back, {"a": [("b", 1)]}, place=HERE, gives=dict[str, list[tuple[str, int]]]) == {
        "a": [("b", 1)]
    }


def test_another_type_is_refused():
    with pytest.raises(WorkerError, match="not expected"):
        call(give_back, "many", place=HERE, gives=int)


def test_errors_come_back():
    with pytest.raises(InputError, match=r"^x\.yaml:3: k: wrong$"):
        call(fail, "input", place=HERE, gives=int)
    with pytest.raises(WorkerError, match="ZeroDivisionError: other"):
        call(fail, "other", place=HERE, gives=int)


class Unreadable:
    """Its pickle can be made and not be read."""

    def __reduce__(self):
        return int, ("no number",)


def test_a_request_that_cannot_be_read_is_an_error_with_its_traceback():
    with lease(HERE) as worker:
        pid = worker.pid
    message = r"(?s)Traceback .*in decode_request.*ValueError: .*no number"
    with pytest.raises(WorkerError, match=message):
        call(give_back, Unreadable(), place=HERE, gives=int)
    assert call(give_pid, place=HERE, gives=int) == pid


def test_a_function_whose_module_cannot_be_imported_is_an_error_with_its_traceback(tmp_path, monkeypatch):
    module = tmp_path / "ibert_only_here.py"
    module.write_text("def work(channel):\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    work = importlib.import_module(module.stem).work
    module.write_text("import no_such_module\n")
    with pytest.raises(WorkerError, match=r"(?s)Traceback .*No module named 'no_such_module'"):
        call(work, place=replace(HERE, read=(*HERE.read, str(tmp_path))), gives=int)


@pytest.mark.parametrize("source", ["import no_such_module", "import sys; sys.exit('no_such_module')"])
@pytest.mark.parametrize("module", ["ibert_builder/__init__.py", "ibis.py"])
def test_a_worker_that_cannot_import_what_it_needs_says_so(tmp_path, monkeypatch, module, source):
    (tmp_path / module).parent.mkdir(exist_ok=True)
    (tmp_path / module).write_text(source + "\n")
    monkeypatch.syspath_prepend(tmp_path)
    place = replace(HERE, read=(*HERE.read, str(tmp_path)))
    with pytest.raises(WorkerError, match=r"(?s)does not start: Traceback .*no_such_module"):
        call(give_pid, place=place, gives=int)


def test_a_worker_is_used_again_also_after_an_error():
    pid = call(give_pid, place=HERE, gives=int)
    with pytest.raises(InputError):
        call(fail, "input", place=HERE, gives=int)
    assert call(give_pid, place=HERE, gives=int) == pid
    assert call(give_pid, place=replace(HERE, draft_seconds=80), gives=int) != pid


def test_one_who_has_a_worker_has_it_alone():
    with lease(HERE) as one, lease(HERE) as other:
        assert one.pid != other.pid


def test_a_reader_that_leaves_early_frees_the_worker():
    with lease(HERE) as worker:
        pid = worker.pid
        stream = worker.ask(count_drafts, (10**9,), NUMBER, {})
        assert [next(stream) for _ in range(3)] == [0, 1, 2]
    assert call(give_pid, place=HERE, gives=int) == pid


def test_a_reader_that_leaves_a_worker_in_the_midst_of_a_step_ends_it():
    with lease(HERE) as worker:
        assert next(worker.ask(hold_the_interpreter, (), NUMBER, {})) == worker.pid
        time.sleep(0.2)
    until(lambda: not is_alive(worker.pid), 5)


def test_a_worker_that_holds_the_interpreter_is_killed_in_time():
    with lease(replace(HERE, draft_seconds=1)) as worker, pytest.raises(Died) as died:
        list(worker.ask(hold_the_interpreter, (), NUMBER, {}))
    assert (died.value.reason, died.value.draft) == ("over_time", "a regular expression")
    assert not is_alive(worker.pid)


def test_its_folder_is_gone_with_it():
    with lease(HERE) as worker:
        folder = Path(f"/proc/{worker.pid}/cwd").readlink()
        assert folder.is_dir()
        worker.kill()
    assert not folder.exists()


def test_results_come_in_order_from_several_workers(monkeypatch):
    def work(item, cancellation):
        pids.add(call(give_pid, place=HERE, gives=int, cancellation=cancellation))
        return item

    pids: set[int] = set()
    assert list(in_order(work, list(range(12)), 2)) == list(range(12))
    assert len(pids) == 2


def test_an_error_ends_what_other_workers_do():
    def work(item, cancellation):
        if item == 0:
            until(lambda: cancellation._workers)
            raise ZeroDivisionError
        with lease(HERE, cancellation) as worker:
            return list(worker.ask(count_drafts, (10**9,), NUMBER, {}))

    with pytest.raises(ZeroDivisionError):
        list(in_order(work, [0, 1], 2))


def test_nothing_starts_after_a_cancellation():
    cancellation = Cancellation()
    cancellation.cancel()
    with pytest.raises(Cancelled):
        call(give_pid, place=HERE, gives=int, cancellation=cancellation)


# Parents.

PARENT = """
import sys, time
from ibert_builder.workers.pool import lease
from pydantic import TypeAdapter
from tests.workers import functions

with lease(functions.HERE) as worker:
    print(next(worker.ask(functions.{function}, {arguments}, TypeAdapter(int), {{}})), worker.pid, flush=True)
    {then}
"""


@pytest.mark.parametrize(
    ("function", "arguments"), [("count_drafts", (10**9,)), ("hold_the_interpreter", ())]
)
def test_a_worker_ends_with_a_parent_that_is_killed(function, arguments):
    source = PARENT.format(function=function, arguments=arguments, then="time.sleep(3600)")
    parent = subprocess.Popen([sys.executable, "-c", source], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    pid = int(parent.stdout.readline().split()[1])
    assert is_alive(pid)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    until(lambda: not is_alive(pid), 5)


def test_a_worker_ends_with_the_interpreter():
    source = PARENT.format(
        function="count_drafts", arguments=(10**9,), then="keep = lease(functions.HERE); keep.__enter__()"
    )
    done = subprocess.run(
        [sys.executable, "-c", source], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    until(lambda: not is_alive(int(done.stdout.split()[1])), 5)


def test_a_fork_has_workers_of_its_own():
    pid = call(give_pid, place=HERE, gives=int)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, str(call(give_pid, place=HERE, gives=int)).encode())
        pool._idle[0][1].kill()
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    assert int(os.read(reading, 20)) != pid == call(give_pid, place=HERE, gives=int)
    os.close(reading)


def _put_pid(queue) -> None:
    queue.put(call(give_pid, place=HERE, gives=int))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_daemonic_process_has_workers(method):
    context = multiprocessing.get_context(method)
    queue = context.Queue()
    process = context.Process(target=_put_pid, args=(queue,), daemon=True)
    process.start()
    pid = queue.get(timeout=120)
    process.join()
    until(lambda: not is_alive(pid), 5)


def test_it_knows_no_variables_but_those_on_the_list(monkeypatch):
    monkeypatch.setenv("IBERT_SECRET", "secret")
    with lease(HERE) as worker:
        variables = Path(f"/proc/{worker.pid}/environ").read_bytes().split(b"\0")
    names = {variable.split(b"=")[0].decode() for variable in variables if variable}
    assert names <= {"PATH", "LANG", "LC_ALL", "TZ", "PYTHONHASHSEED", "HOME", "TMPDIR"}
