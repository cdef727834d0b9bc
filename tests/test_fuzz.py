"""Whatever stands in a template folder: it is read, or it is bad input. Nothing else is raised and nothing half done."""

from __future__ import annotations

import contextlib
import random
import shutil
from pathlib import Path

import pytest
import sqlglot
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ibert_builder.databases.load import load_databases
from ibert_builder.errors import InputError
from ibert_builder.generation.catalog import default_templates_dir, load_catalog
from ibert_builder.generation.generate import Options
from ibert_builder.sandbox import limits
from ibert_builder.staging import LOCK
from ibert_builder.tasks.registry import TASKS
from ibert_builder.templating.frames import Piece, Placeholder, parse_frame
from ibert_builder.templating.phrases import load_phrases
from ibert_builder.templating.slots import SlotSpec, parse_slot
from ibert_builder.templating.templates import load_templates
from ibert_builder.writing.jsonl import build
from tests.conftest import SMALL

REAL = sorted(default_templates_dir().glob("*/*.yaml"))


def fuzz(examples):
    return settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )


WORDS = """templates name difficulty easy features filter tables any t u slots p k sql ibis code intent kind phrases takes
gives en string numeric boolean integer array<string> column key value of x rows split train make serial choice type
nulls is only avoid depth {t} {p} {x.y:z} {{ }} { } SELECT ( ) ' " : # - ? * & ! % @ \\ , 1 -1 0 1e400 .nan ~ true null
2024-13-45 99999999999999999999 !!int"""
words = st.sampled_from([*WORDS.split(), "\n", "\0", "parent of t", "2-4 columns", "value of k"])
texts = st.one_of(words, st.lists(words, max_size=6).map(" ".join), st.text(max_size=12))
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    texts,
    st.dates(),
    st.binary(max_size=4),
)
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def readers():
    """How each kind of file is read; everything else a file needs is at hand."""
    book = load_catalog().phrasebook
    return {
        "_databases": load_databases,
        "_phrases": load_phrases,
        **{
            name: lambda folder, name=name: load_templates(folder, name, TASKS[name].template, book)
            for name in TASKS
        },
    }


def read(reader, folder, content):
    """Read a folder with one file; the InputError names it."""
    path = folder / "01_fuzzed.yaml"
    path.write_bytes(content)
    try:
        reader(folder)
    except InputError as error:
        assert str(folder) in str(error)


KINDS = st.sampled_from(["_databases", "_phrases", *TASKS])


@fuzz(300)
@given(
    kind=KINDS,
    content=st.one_of(st.binary(max_size=60), st.lists(words, max_size=25).map(" ".join).map(str.encode)),
)
@example(kind="_databases", content=b"!!int")
@example(kind="qa", content=b"? [a]\n: b")
@example(kind="qa", content=b"templates: 2024-13-45")
@example(kind="qa", content=b"templates: 9999-12-31T23:59:59-14:00")
def test_any_bytes(kind, content, readers, tmp_path):
    read(readers[kind], tmp_path, content)


@fuzz(300)
@given(kind=KINDS, tree=trees)
def test_any_tree(kind, tree, readers, tmp_path):
    wrapped = {"_databases": tree, "_phrases": {"phrases": tree}}.get(kind, {"templates": tree})
    read(
        readers[kind], tmp_path, yaml.safe_dump(wrapped, allow_unicode=True).encode("utf-8", "surrogatepass")
    )


def _places(data, at=()):
    """Every place in a tree, as (container, key)."""
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in list(items):
        yield data, key
        yield from _places(value)


def mutated(data, draw, times):
    """A tree with some of its places dropped, doubled, swapped, renamed or overwritten, in place."""
    for _ in range(times):
        places = list(_places(data))
        if not places:
            break
        owner, key = (
            draw(st.sampled_from(places))
            if len(places) < 50
            else places[draw(st.integers(0, len(places) - 1))]
        )
        other, other_key = places[draw(st.integers(0, len(places) - 1))]
        match draw(st.sampled_from(["drop", "copy", "scalar", "text", "rename", "double", "wrap"])):
            case "drop":
                del owner[key]
            case "copy":
                with contextlib.suppress(ValueError):
                    owner[key] = yaml.safe_load(yaml.safe_dump(other[other_key]))
            case "scalar":
                owner[key] = draw(scalars)
            case "text":
                text = str(owner[key])
                cut = draw(st.integers(0, len(text)))
                owner[key] = text[:cut] + draw(texts) + text[cut + draw(st.integers(0, 3)) :]
            case "rename" if isinstance(owner, dict):
                owner[draw(texts)] = owner.pop(key)
            case "double" if isinstance(owner, list):
                owner.append(owner[key])
            case "wrap":
                owner[key] = draw(st.sampled_from([[owner[key]], {"is": owner[key]}, {str(key): owner[key]}]))
    return data


def _sample(path, rng):
    """A file with some of what it lists, so that reading it is quick."""
    data = yaml.safe_load(path.read_text("utf-8"))
    for key in ("templates", "phrases"):
        if key in data:
            data[key] = rng.sample(data[key], min(3, len(data[key])))
    return data


@fuzz(400)
@given(path=st.sampled_from(REAL), seed=st.integers(0, 99), data=st.data())
def test_mutated_files(path, seed, data, readers, tmp_path):
    tree = mutated(_sample(path, random.Random(seed)), data.draw, data.draw(st.integers(1, 3)))
    content = yaml.safe_dump(tree, allow_unicode=True, sort_keys=False).encode("utf-8", "surrogatepass")
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content)))]
    read(readers[path.parent.name], tmp_path, content)


@fuzz(300)
@given(
    declaration=st.one_of(
        texts,
        st.lists(scalars, max_size=3),
        st.from_regex(r"(column |aggregate |window )?[\w<>]{1,12}( of \w{1,3})?", fullmatch=True),
        st.from_regex(r"\d-\d columns( [a-z]+)?( of t)?", fullmatch=True),
    )
)
def test_slot_declarations(declaration):
    with contextlib.suppress(ValueError):
        slot = parse_slot(declaration)
        assert slot.count[0] <= slot.count[1]
    with contextlib.suppress(ValueError):
        SlotSpec.model_validate({"is": declaration, "depth": declaration})


@fuzz(300)
@given(
    text=st.one_of(texts, st.lists(words, max_size=12).map(" ".join)),
    language=st.sampled_from(["ibis", "sql", "en"]),
    filling=texts,
    is_statement=st.booleans(),
)
def test_frames(text, language, filling, is_statement):
    with contextlib.suppress(ValueError, SyntaxError, sqlglot.errors.SqlglotError):
        frame = parse_frame(text, language, is_statement=is_statement)
        assert all(isinstance(place, Placeholder) for place in frame.placeholders)
        assert frame.render(lambda place: Piece(filling)).count(filling) >= bool(frame.placeholders)
        assert frame.lower.placeholders == frame.one_line.placeholders == frame.placeholders
        if language != "en":
            frame.parse()
            frame.render(lambda place: Piece(filling, filling))


@pytest.fixture(scope="module")
def small_dir(tmp_path_factory) -> Path:
    """The databases of three splits, all phrases, and a template a task, one of which is fuzzed at a time."""
    source, folder = default_templates_dir(), tmp_path_factory.mktemp("fuzz") / "templates"
    shutil.copytree(source / "_phrases", folder / "_phrases")
    (folder / "_databases").mkdir()
    for name in ("webshop", "streaming", "housing"):
        shutil.copy(source / "_databases" / f"{name}.yaml", folder / "_databases")
    return folder


@fuzz(60)
@given(
    task=st.sampled_from(["sql_to_ibis", *TASKS]),
    spoiled=st.sampled_from(["template", "real template", "database", "phrases"]),
    number=st.integers(0, 999),
    data=st.data(),
)
def test_building_from_mutated_files(task, spoiled, number, data, small_dir, tmp_path, monkeypatch):
    """Every draft is kept or rejected under a name, or it is bad input and there is no output."""
    monkeypatch.setattr(limits, "TIME_LIMIT", 0.5)
    for name, templates in SMALL.items():
        (small_dir / name).mkdir(exist_ok=True)
        (small_dir / name / "01_small.yaml").write_text(templates, encoding="utf-8")
    path = small_dir / task / "01_small.yaml"
    if spoiled == "template":
        tree = yaml.safe_load(SMALL[task])
    elif spoiled == "real template":
        real = [path for path in REAL if path.parent.name == task]
        tree = _sample(real[number % len(real)], random.Random(number))
    else:
        path = small_dir / (
            "_databases/webshop.yaml" if spoiled == "database" else "_phrases/01_comparisons.yaml"
        )
        tree = yaml.safe_load(path.read_text("utf-8"))
    before = path.read_bytes()
    mutated(tree, data.draw, data.draw(st.integers(1, 2)))
    path.write_bytes(
        yaml.safe_dump(tree, allow_unicode=True, sort_keys=False).encode("utf-8", "surrogatepass")
    )
    out = tmp_path / "out"
    shutil.rmtree(out, ignore_errors=True)
    try:
        report = build(out, (task,), Options(3), templates_dir=small_dir, _in_process=True)
    except InputError as error:
        assert str(small_dir) in str(error)
        assert not out.exists() or {path.name for path in out.iterdir()} <= {LOCK}
    else:
        assert sum(report.tallies[task].outcomes.values()) > 0
    finally:
        path.write_bytes(before)
