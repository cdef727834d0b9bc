"""Files written into a user's folder: all of them or none, and never by two at once."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from ibert_builder.errors import InputError
from ibert_builder.staging import LOCK, UNFINISHED, lack_of_space, workspace
from tests.conftest import contents


def test_files_move_to_their_names_at_the_end(tmp_path):
    out = tmp_path / "new" / "out"
    with workspace(out, ["a.txt", "deep/b.txt"]) as folder:
        (folder / "a.txt").write_text("a")
        (folder / "deep").mkdir()
        (folder / "deep/b.txt").write_text("b")
        (folder / "link").symlink_to(folder / "a.txt")
        assert contents(out) == {}
    assert {name: text.decode() for name, text in contents(out).items()} == {"a.txt": "a", "deep/b.txt": "b"}
    assert (out / "link").is_symlink()
    assert {path.name for path in out.iterdir() if path.name.startswith(".")} <= {LOCK}


def test_a_failure_leaves_what_was_there(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(ZeroDivisionError), workspace(tmp_path, ["a.txt"]) as folder:
        (folder / "a.txt").write_text("new")
        1 / 0  # noqa: B018
    assert contents(tmp_path) == {"a.txt": b"old"}
    assert not list(tmp_path.glob(f"{UNFINISHED}*"))


def test_leftovers_of_a_killed_run_are_removed(tmp_path):
    (tmp_path / f"{UNFINISHED}dead").mkdir()
    (tmp_path / f"{UNFINISHED}dead" / "half.txt").write_text("")
    with workspace(tmp_path, []) as folder:
        assert list(tmp_path.glob(f"{UNFINISHED}*")) == [folder]


def test_a_second_writer_is_refused_until_the_first_is_done(tmp_path):
    refused = pytest.raises(InputError, match="--out: another build is writing there")
    with workspace(tmp_path, []), refused, workspace(tmp_path, []):
        pytest.fail("two at once")
    with workspace(tmp_path, []) as folder:
        assert folder.is_dir()


def test_a_name_that_is_taken_by_a_folder_is_refused_before_any_work(tmp_path):
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(InputError, match="this is a folder, and a file"), workspace(tmp_path, ["a.txt"]):
        pytest.fail("work has begun")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_in_the_midst_of_work_is_said_of_the_folder(tmp_path, code):
    words = os.strerror(code)
    refused = pytest.raises(InputError, match=f"{tmp_path}: --out: cannot write there: {words}")
    with refused, workspace(tmp_path, []):
        raise RuntimeError(f"IO Error: could not write: {words}")
    assert lack_of_space(OSError(code, words)) == words


def test_other_errors_are_not_for_want_of_space(tmp_path):
    assert lack_of_space(OSError(errno.EACCES, os.strerror(errno.EACCES))) is None
    with pytest.raises(RuntimeError, match="something else"), workspace(tmp_path, []):
        raise RuntimeError("something else")


def test_a_failing_rename_is_said_of_the_folder(tmp_path, monkeypatch):
    def refuse(self, target):
        raise OSError(errno.EROFS, "Read-only file system")

    refused = pytest.raises(InputError, match="--out: cannot write there: Read-only file system")
    with refused, workspace(tmp_path, ["a.txt"]) as folder:
        (folder / "a.txt").write_text("a")
        monkeypatch.setattr(Path, "replace", refuse)
    assert contents(tmp_path) == {}
