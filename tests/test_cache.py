"""The cache of `datasets`: damage is noticed and mended or explained, and each line of `datasets` has its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import datasets
import pytest
from filelock import FileLock

from ibert_builder import load_dataset
from ibert_builder.errors import InputError
from ibert_builder.writing import checksums
from ibert_multitask import IbertConfig, IbertMultitask
from tests.conftest import ROOT
from tests.test_loading import LOADERS

OTHER_LINE = os.environ.get(
    "IBERT_OTHER_LINE"
)  # a Python that has this package and another line of `datasets`


def chosen(cache: Path, small_dir: Path) -> dict:
    keywords = {"examples_per_template": 6, "templates_dir": str(small_dir)}
    return {"split": "train", "cache_dir": str(cache), **keywords}


@pytest.fixture(scope="module", params=LOADERS)
def whole(request, tmp_path_factory, small_dir):
    """How to load a dataset, a cache that holds it, and its rows."""
    cache = tmp_path_factory.mktemp("whole")
    return request.param, cache, request.param("qa", **chosen(cache, small_dir))[:]


@pytest.fixture
def copy(whole, tmp_path) -> Path:
    return shutil.copytree(whole[1], tmp_path / "cache")


def folder_of(cache: Path) -> Path:
    (info,) = cache.rglob("dataset_info.json")
    return info.parent


def flip(path: Path, place: bytes) -> None:
    """Flip a bit of some text in a file."""
    content = bytearray(path.read_bytes())
    content[content.index(place)] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


ARROW, INFO, SUMS = "ibert_multitask-train.arrow", "dataset_info.json", "checksums.json"
DAMAGE = {
    "a flipped bit": (ARROW, lambda path: flip(path, b"Use `head()`")),
    "a flipped bit of another split": ("ibert_multitask-test.arrow", lambda path: flip(path, b"Use `head()`")),
    "a cut-off file": (ARROW, cut),
    "an empty file": (ARROW, lambda path: path.write_bytes(b"")),
    "a lost file": (ARROW, Path.unlink),
    "a flipped bit of the info": (INFO, lambda path: flip(path, b"train")),
    "a cut-off info": (INFO, cut),
    "cut-off checksums": (SUMS, cut),
    "flipped checksums": (SUMS, lambda path: flip(path, b'": "')),
    "other checksums": (SUMS, lambda path: path.write_text("[]")),
    "lost checksums": (SUMS, Path.unlink),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_cache_is_made_anew(whole, copy, small_dir, damage, caplog):
    load, _, rows = whole
    name, spoil = DAMAGE[damage]
    spoil(folder_of(copy) / name)
    assert load("qa", **chosen(copy, small_dir))[:] == rows
    (warning,) = [record.getMessage() for record in caplog.records if record.name == checksums.__name__]
    assert "damaged since it was written" in warning and str(folder_of(copy)) in warning
    caplog.clear()
    assert load("qa", **chosen(copy, small_dir))[:] == rows
    assert checksums.damaged_file(folder_of(copy)) is None and not caplog.records


def test_a_sound_cache_is_used(whole, copy, small_dir, monkeypatch):
    load, _, rows = whole
    monkeypatch.setattr(
        datasets.GeneratorBasedBuilder, "_prepare_split", lambda *_, **__: pytest.fail("work")
    )
    assert load("qa", **chosen(copy, small_dir))[:] == rows


def test_what_others_put_there_is_not_damage(whole, copy, small_dir, monkeypatch):
    load, _, rows = whole
    monkeypatch.setattr(
        datasets.GeneratorBasedBuilder, "_prepare_split", lambda *_, **__: pytest.fail("work")
    )
    (folder_of(copy) / "cache-0123.arrow").write_bytes(b"of a map")
    assert load("qa", **chosen(copy, small_dir))[:] == rows


def test_a_damaged_cache_is_not_read_without_preparing_it(whole, copy, small_dir):
    flip(folder_of(copy) / ARROW, b"Use `head()`")
    keywords = {"examples_per_template": 6, "templates_dir": str(small_dir)}
    hashed = folder_of(copy).name
    builder = IbertMultitask(cache_dir=str(copy), config_name="qa", hash=hashed, **keywords)
    with pytest.raises(FileNotFoundError):
        builder.as_dataset("train")


def test_damage_that_cannot_be_removed_is_explained(whole, copy, small_dir, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied")

    cut(folder_of(copy) / ARROW)
    monkeypatch.setattr(checksums.shutil, "rmtree", refuse)
    message = rf"^{folder_of(copy)}: damaged .*cannot be removed \(Permission denied\); delete the folder, or"
    with pytest.raises(InputError, match=message):
        whole[0]("qa", **chosen(copy, small_dir))


def test_a_cache_that_another_process_has_just_made_anew_is_kept(copy, tmp_path, caplog):
    folder = folder_of(copy)
    sound = shutil.copytree(folder, tmp_path / "sound")
    cut(folder / ARROW)
    with FileLock(f"{folder}_builder.lock"):
        thread = threading.Thread(target=checksums.remove_damaged, args=(folder,))
        thread.start()
        time.sleep(0.3)
        assert thread.is_alive() and folder.is_dir()
        shutil.rmtree(folder)
        shutil.move(sound, folder)
    thread.join(10)
    assert not thread.is_alive() and not caplog.records
    assert checksums.damaged_file(folder) is None and folder.is_dir()


def test_damage_in_a_folder_of_the_users_own_is_explained_and_left(tmp_path, small_dir):
    def prepare(**kwargs):
        keywords = {"examples_per_template": 6, "templates_dir": str(small_dir)}
        builder = IbertMultitask(cache_dir=str(tmp_path / "cache"), config_name="qa", **keywords)
        builder.download_and_prepare(output_dir=str(tmp_path / "mine"), **kwargs)
        return builder.as_dataset("train")[:]

    rows = prepare()
    assert prepare() == rows
    flip(tmp_path / "mine" / ARROW, b"Use `head()`")
    with pytest.raises(InputError, match=f"^{tmp_path}/mine/{ARROW}: damaged since it was written; delete"):
        prepare()
    assert (tmp_path / "mine" / ARROW).is_file()
    assert prepare(download_mode="force_redownload") == rows


@pytest.mark.skipif(len(LOADERS) == 1, reason="this line of datasets has no scripts")
def test_script_and_class_do_not_share_a_folder(tmp_path, small_dir):
    script, by_class = LOADERS[1].values[0], LOADERS[0].values[0]
    keywords = chosen(tmp_path, small_dir)
    assert script("qa", **keywords)[:] == by_class("qa", **keywords)[:]
    one, other = (info.parent for info in tmp_path.rglob("dataset_info.json"))
    assert one.parent == other.parent


def test_a_line_of_datasets_has_a_cache_of_its_own(monkeypatch):
    config = IbertConfig(name="qa")
    usual = config.create_config_id({})
    monkeypatch.setattr(datasets, "__version__", "6.0.0")
    assert config.create_config_id({}) == usual.rpartition("-")[0] + "-datasets6"


LOAD = """
import hashlib, json, sys
import datasets
from ibert_builder import load_dataset

rows = load_dataset("ibert_multitask", "qa", **json.loads(sys.argv[1]))
print(datasets.__version__.partition(".")[0], hashlib.sha256(json.dumps(rows[:]).encode()).hexdigest())
"""


@pytest.mark.slow
@pytest.mark.skipif(not OTHER_LINE, reason="IBERT_OTHER_LINE names no Python with another line of datasets")
@pytest.mark.parametrize("order", [(0, 1, 0, 1), (1, 0, 1, 0)])
def test_lines_of_datasets_take_turns(tmp_path, small_dir, order):
    pythons = (sys.executable, OTHER_LINE)
    arguments = ["-c", LOAD, json.dumps(chosen(tmp_path, small_dir))]
    done = [
        subprocess.run([pythons[which], *arguments], cwd=ROOT, capture_output=True, text=True)
        for which in order
    ]
    assert all(each.returncode == 0 for each in done), [each.stderr for each in done]
    assert len({each.stdout.split()[0] for each in done}) == 2
    assert len({each.stdout.split()[1] for each in done}) == 1
    assert all("damaged" not in each.stderr for each in done)


def test_checking_as_much_as_the_whole_dataset_takes_little_time(tmp_path):
    (tmp_path / INFO).write_text("{}")
    (tmp_path / ARROW).write_bytes(os.urandom(25 << 20))
    checksums.record(tmp_path)
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        assert checksums.damaged_file(tmp_path) is None
        seconds.append(time.perf_counter() - started)
    assert min(seconds) < 0.06


def test_what_is_wrong_with_the_input_is_said_as_it_is(tmp_path, small_dir, monkeypatch):
    def prove(*_, **__):
        raise InputError("wrong", file="x.yaml", line=3) from KeyError("why")

    monkeypatch.setattr("ibert_multitask.prove", prove)
    with pytest.raises(InputError, match=r"^x\.yaml:3: wrong$") as error:
        load_dataset(name="qa", **chosen(tmp_path, small_dir))
    assert isinstance(error.value.__cause__, KeyError)
    assert not any(tmp_path.rglob("*.incomplete"))
