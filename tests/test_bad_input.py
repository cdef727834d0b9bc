"""Bad input gets a message that names file, line, key, what was found and what is near it."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from ibert_builder.databases.load import load_databases
from ibert_builder.errors import InputError
from ibert_builder.generation.catalog import load_catalog
from ibert_builder.generation.generate import Options
from ibert_builder.writing.jsonl import build

S2I = "sql_to_ibis/01_small.yaml"


def spoil(folder, name, old, new):
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


# file, what to replace, with what, what the message says after FILE:LINE
SPOILED = {
    "broken YAML": (S2I, "tables: {t: any}", "tables: {t: any", r"\d+: not valid YAML: "),
    "key twice": (S2I, "difficulty: easy", "difficulty: easy\n  difficulty: hard", r"4: difficulty: the key is given twice"),
    "unknown key": (S2I, "difficulty:", "dificulty:", r"3: templates\.0\.dificulty: unknown key 'dificulty', did you mean 'difficulty'\?"),
    "unknown value": (S2I, "difficulty: easy", "difficulty: simple", r"3: templates\.0\.difficulty: .*'easy', 'medium' or 'hard', found 'simple'"),
    "missing key": (S2I, "  features: [filter]\n", "", r"2: templates\.0\.features: Field required"),
    "unknown slot": (S2I, "WHERE {p}", "WHERE {q}", r"7: templates\.0\.sql: unknown slot 'q'"),
    "unused slot": (S2I, "k: column key}", "k: column key, z: column key}", r"6: templates\.0\.slots\.z: the slot 'z' is declared but not used"),
    "unknown class": (S2I, "p: boolean", "p: bolean", r"6: templates\.0\.slots\.p: unknown class 'bolean', did you mean 'boolean'\?"),
    "not a declaration": (S2I, "p: boolean", "p: some boolean thing", r"6: templates\.0\.slots\.p.*is not a valid slot"),
    "unknown phrase": (S2I, "p: boolean", "p: {is: boolean, only: [grater_than]}", r"6: templates\.0\.slots\.p: unknown phrase or group 'grater_than', did you mean 'greater_than'\?"),
    "unknown table": (S2I, "p: boolean", "p: boolean of u", r"6: templates\.0\.slots\.p: unknown table 'u'"),
    "unknown parent": (S2I, "{t: any}", "{t: any, u: parent of x}", r"5: templates\.0\.tables\.u: unknown table 'x'"),
    "lone brace": (S2I, "WHERE {p}", "WHERE {p", r"7: templates\.0\.sql: a lone '\{'"),
    "SQL that does not parse": (S2I, "FROM {t}", "FORM {t}", r"7: templates\.0\.sql: does not parse as sql"),
    "several SQL statements": (S2I, "WHERE {p}", "WHERE {p}; DROP TABLE orders", r"7: templates\.0\.sql: does not parse as sql"),
    "Ibis that does not parse": (S2I, ".filter({p})", ".filter({p}", r"11: templates\.0\.ibis: does not parse as ibis"),
    "unknown column": ("_databases/webshop.yaml", "key: customer_id", "key: custmer_id", r"\d+: tables\.customers\.key: unknown column 'custmer_id', did you mean 'customer_id'\?"),
    "unknown referred table": ("_databases/webshop.yaml", "{ref: customers}", "{ref: custmers}", r"\d+: tables\.orders\.columns\.customer_id\.make\.ref: unknown table 'custmers', did you mean 'customers'\?"),
    "unknown type": ("_databases/webshop.yaml", "type: uint16", "type: unit16", r"\d+: tables\.products\.columns\.in_stock: 'unit16' is not an Ibis type"),
    "two makes": ("_databases/webshop.yaml", "{integer: [0, 60]}", "{integer: [0, 60], serial: 1}", r"\d+: tables\.products\.columns\.in_stock\.make: expected exactly one way"),
    "no such day": (S2I, "easy", "2024-13-45", r" not valid YAML: month must be in 1"),
    "a list as a key": (S2I, "features: [filter]", "? [a]\n  : b", r"4: expected a plain key"),
    "nested too deeply": (S2I, "[filter]", "[" * 5000 + "]" * 5000, r" not valid YAML: it is nested too deeply"),
    "an option without a language": (S2I, "p: boolean", 'p: [{ibis: "True"}]', r"7: templates\.0\.sql: an option of the slot 'p' has no `sql`"),
    "a literal before its slot": (S2I, "p: boolean", "p: value of k", r"6: templates\.0\.slots\.p: expected 'k' to be a column or expression declared before it"),
    "values of another type": ("_databases/webshop.yaml", "{integer: [0, 60]}", "{choice: [a, b]}", r"\d+: tables: the tables cannot be made: .*Could not convert 'b'"),
    "a reserved table name": ("_databases/webshop.yaml", "\n  customers:", "\n  select:", r"\d+: tables"),
    "no choice": ("_databases/webshop.yaml", "{integer: [0, 60]}", "{choice: []}", r"\d+: tables\.products\.columns\.in_stock\.make\.choice"),
    "a bomb of digits": ("_databases/webshop.yaml", "{integer: [0, 60]}", "{number: [0, 1, 1000000000000]}", r"\d+: tables\.products\.columns\.in_stock\.make\.number\.2: .* less than or equal to 9"),
    "a bomb of width": ("_databases/webshop.yaml", "{integer: [0, 60]}", '{text: {patterns: ["{a:>10000000000}"], parts: {a: [b]}}}', r"\d+: tables\.products\.columns\.in_stock\.make\.text: .*a part has no format"),
    "slot of a phrase": ("_phrases/01_comparisons.yaml", "v: value of x", "v: value of y", r"\d+: phrases\.\d+\.takes\.v: unknown slot 'y'"),
}  # fmt: skip


@pytest.mark.parametrize("case", SPOILED)
def test_a_spoiled_file_is_named_by_file_line_and_key(case, templates_dir):
    name, old, new, message = SPOILED[case]
    spoil(templates_dir, name, old, new)
    with pytest.raises(InputError) as error:
        load_catalog(templates_dir)
    assert re.match(re.escape(str(templates_dir / name)) + ":" + message, str(error.value)), str(error.value)


def _a_file_with(text):
    return lambda path: path.write_text(text, encoding="utf-8")


# what stands in the folder, what the message says after FILE
STRANGE = {
    "a directory": (Path.mkdir, "expected a file, found a directory"),
    "a dangling link": (lambda path: path.symlink_to("nowhere"), "the file cannot be read: No such file"),
    "a link to itself": (lambda path: path.symlink_to(path.name), "the file cannot be read: "),
    "a pipe": (os.mkfifo, "expected a file, found a pipe"),
    "a device": (lambda path: path.symlink_to("/dev/zero"), "expected a file, found a device"),
    "another encoding": (lambda path: path.write_bytes(b"a: \xff"), "not valid YAML: 'utf-8' codec can't decode"),
    "too many bytes": (_a_file_with("a" * 2_000_000), "the file is too large: 2000000 bytes"),
    "brackets": (_a_file_with("a: " + "[" * 50_000 + "]" * 50_000), "not valid YAML: it is nested too deeply"),
    "braces": (_a_file_with("a: " + "{a: " * 50_000), "not valid YAML: it is nested too deeply"),
    "items of items": (_a_file_with("- " * 50_000 + "a"), "not valid YAML: it is nested too deeply"),
    "keys of keys": (_a_file_with("? " * 50_000 + "a"), "not valid YAML: it is nested too deeply"),
    "deep indentation": (_a_file_with("".join(" " * i + "a:\n" for i in range(1_200))), "not valid YAML: it is nested too deeply"),
}  # fmt: skip


@pytest.mark.parametrize("case", STRANGE)
def test_a_strange_file_is_named(case, templates_dir):
    make, message = STRANGE[case]
    path = templates_dir / "_databases" / "a.yaml"
    make(path)
    with pytest.raises(InputError, match=f"^{re.escape(str(path))}(:\d+)?: {message}"):
        load_catalog(templates_dir)


def test_a_name_that_is_not_utf8(templates_dir):
    path = os.fsencode(templates_dir / "qa") + b"/\xff.yaml"
    Path(os.fsdecode(path)).write_text("templates: []")
    with pytest.raises(InputError, match=r"udcff\.yaml: the name of the file is not UTF-8") as error:
        load_catalog(templates_dir)
    str(error.value).encode("utf-8")


@pytest.mark.parametrize("length", [100_000, 10_000_000])
def test_a_pattern_of_millions_of_characters_is_refused_at_once(length, templates_dir):
    pattern = '{text: {patterns: ["' + "#" * length + '"]}}'
    spoil(templates_dir, "_databases/webshop.yaml", "{integer: [0, 60]}", pattern)
    with pytest.raises(InputError, match=r"webshop\.yaml:.*(at most 1000 characters|too large)") as error:
        load_databases(templates_dir / "_databases")
    assert len(str(error.value)) < 500


def test_duplicate_template_name(templates_dir):
    shutil.copy(templates_dir / S2I, templates_dir / "sql_to_ibis" / "02_again.yaml")
    with pytest.raises(
        InputError, match=r"02_again.yaml:2: templates.0.name: there is another template named 'small_filter'"
    ):
        load_catalog(templates_dir)


def test_duplicate_table_name(templates_dir):
    spoil(templates_dir, "_databases/streaming.yaml", "\n  artists:", "\n  orders:")
    with pytest.raises(InputError):
        load_catalog(templates_dir)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (".select({k:str})", ".selct({k:str})", "unknown method or column 'selct', did you mean 'select'"),
        (
            ".select({k:str})",
            ".select({k:str}, n=_.nothing)",
            "has no attribute 'nothing'|unknown method or column 'nothing'",
        ),
        ("{t}.filter({p})", "__import__('os')\n    {t}.filter({p})", "unknown name '__import__'"),
        ("{t}.filter({p})", "open('x')\n    {t}.filter({p})", "unknown name 'open'"),
        ("{t}.filter({p})", "{t}.__class__\n    {t}.filter({p})", "the attribute '__class__' is private"),
        ("{t}.filter({p})", "{t}.filter(~{p})", "results_differ_in"),
    ],
)
def test_template_that_proves_nothing_is_an_error_and_leaves_earlier_files(
    templates_dir, tmp_path, old, new, reason
):
    out = tmp_path / "out"
    build(out, ("sql_to_ibis",), Options(8), templates_dir=templates_dir)
    before = {path.name: path.read_bytes() for path in out.rglob("*.jsonl")}
    spoil(templates_dir, S2I, old, new)
    with pytest.raises(InputError, match=reason) as error:
        build(out, ("sql_to_ibis",), Options(8), templates_dir=templates_dir)
    assert "01_small.yaml:2: templates.0: template 'small_filter' gives no example" in str(error.value)
    assert {path.name: path.read_bytes() for path in out.rglob("*.jsonl")} == before
    assert not list(out.glob(".building-*"))


def test_empty_and_missing_templates_dir(tmp_path):
    with pytest.raises(InputError, match="holds no templates"):
        load_catalog(tmp_path)
    with pytest.raises(InputError, match="no such templates folder"):
        load_catalog(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"examples_per_template": 0}, "examples_per_template: expected a positive whole number"),
        ({"dialects": ("postgress",)}, "dialects: unknown dialect 'postgress', did you mean 'postgres'"),
        ({"dialects": ()}, "dialects: expected at least one dialect"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(InputError, match=message):
        Options(**options)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            'sql: "{x} > {v}"',
            'sql: "no_such({x}, {v})"',
            r"cannot be written out: CatalogException: .*no_such",
        ),
        ("v: value of x", "v: prefix of x", "template 'small_filter' gives no example: it fits no database"),
    ],
)
def test_a_phrase_that_fits_nothing_is_said_where_it_is_used(templates_dir, tmp_path, old, new, message):
    path = templates_dir / "_phrases/01_comparisons.yaml"
    before, mark, phrase = path.read_text(encoding="utf-8").partition("- name: greater_than\n")
    assert old in phrase
    path.write_text(before + mark + phrase.replace(old, new, 1), encoding="utf-8")
    spoil(templates_dir, S2I, "p: boolean", "p: {is: boolean, only: [greater_than], depth: 1}")
    with pytest.raises(InputError, match=message) as error:
        build(tmp_path / "out", ("sql_to_ibis",), Options(20), templates_dir=templates_dir)
    assert f"{S2I}:2: templates.0: " in str(error.value)
