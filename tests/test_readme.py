"""The documentation is true: its commands, snippets, examples, links and paths."""

from __future__ import annotations

import functools
import json
import re
import runpy
import shlex
import sys
import textwrap
from pathlib import Path

import datasets
import nox.registry
import pytest
import yaml

import ibert_builder
from ibert_builder import __version__
from ibert_builder.cli import parser
from ibert_builder.databases.coherence.repair import REPAIRS
from ibert_builder.databases.load import load_databases
from ibert_builder.databases.spec import ColumnSpec, DatabaseSpec, Make, TableSpec
from ibert_builder.databases.type_classes import CLASSES
from ibert_builder.generation.catalog import default_templates_dir, load_catalog
from ibert_builder.generation.generate import Options, Tally, generate
from ibert_builder.records import ALL, configs, features
from ibert_builder.tasks.registry import TASKS
from ibert_builder.templating.phrases import PhraseFile, PhraseSpec
from ibert_builder.templating.slots import LITERALS, ROLES
from ibert_builder.workers.worker import Place
from ibert_builder.writing.card import examples, with_block
from tests.conftest import ROOT, small_templates

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pytest brings it

DOCUMENTS = {
    name: (ROOT / name).read_text(encoding="utf-8")
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "templates/README.md")
}
README, CONTRIBUTING, MANUAL = (
    DOCUMENTS[name] for name in ("README.md", "CONTRIBUTING.md", "templates/README.md")
)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CI = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
PRE_COMMIT = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))


def blocks(text, language):
    """The fenced blocks of a language, indented ones included, without their fences."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```$", text, re.DOTALL | re.MULTILINE)
    return [textwrap.dedent(body) for _, body in found]


def inline(text):
    """The pieces of code within lines of text."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"^ *```.*?^ *```$", "", text, flags=re.DOTALL | re.MULTILINE))


# --- generated parts


def test_examples_are_what_is_generated_today():
    shown = examples(Place(str(default_templates_dir())))
    assert with_block(README, "examples", shown) == README, "run `ibert-multitask card`"


def test_one_example_is_in_full_and_the_others_are_folded():
    shown = examples(Place(str(default_templates_dir())))
    records = [json.loads(block) for block in blocks(shown, "json")]
    assert {record["task"] for record in records} == set(TASKS)
    assert [record["task"] for record in records if "messages" in record] == ["sql_to_ibis"]
    assert shown.count("<details>") == shown.count("</details>") == len(TASKS) - 1


def test_the_audit_is_of_this_version_and_build():
    """Repeating it takes too long here; `ibert-multitask audit --full --card README.md` does."""
    table = README.partition("<!-- audit: begin -->")[2].partition("<!-- audit: end -->")[0]
    assert f"Version {__version__}, every record" in table
    assert "✓" in table and "✗" not in table
    info = json.loads((ROOT / "dataset_infos" / "all" / "dataset_info.json").read_text())
    kept = sum(split["num_examples"] for split in info["splits"].values())
    assert f"| {kept:,} + " in table


# --- commands


STARTS = re.compile(r"(\.venv\S*/bin/|ibert-multitask |pip |pre-commit )\S")


def command_lines(text):
    """Every command of a document, as words: from its shell blocks, and from code within its text."""
    lines = [line for block in blocks(text, "bash") for line in block.splitlines()]
    lines += [code for code in inline(text) if STARTS.match(code)]
    return [
        words for line in lines for part in line.split("&&") if (words := shlex.split(part, comments=True))
    ]


COMMANDS = sorted(
    {(document, tuple(words)) for document, text in DOCUMENTS.items() for words in command_lines(text)}
)


@functools.cache
def sessions():
    """The names of the sessions in the noxfile."""
    runpy.run_path(str(ROOT / "noxfile.py"))
    return set(nox.registry.get())


def check_ibert_multitask(arguments):
    parser().parse_args(arguments)


def check_nox(arguments):
    head = arguments[: arguments.index("--")] if "--" in arguments else arguments
    assert head[:1] in ([], ["-s"])
    assert set(head[1:]) <= sessions()


def check_pytest(arguments):
    valued = {"-k", "-m", "-n"}  # options that are followed by a value
    paths = [
        argument
        for before, argument in zip(["", *arguments], arguments, strict=False)
        if not argument.startswith("-") and before not in valued
    ]
    assert all((ROOT / path).exists() for path in paths), paths


def check_python(arguments):
    assert arguments[0] == "-m"
    if arguments[1] == "pytest":
        check_pytest(arguments[2:])
    else:
        assert arguments[1] == "venv"


def check_pip(arguments):
    assert arguments[0] == "install"
    for extras in re.findall(r"\.\[([\w,]+)\]", " ".join(arguments)):
        assert set(extras.split(",")) <= set(PROJECT["project"]["optional-dependencies"])


def check_pre_commit(arguments):
    assert arguments == ["install"]


PROGRAMS = {
    "ibert-multitask": check_ibert_multitask,
    "nox": check_nox,
    "pytest": check_pytest,
    "python": check_python,
    "python3": check_python,
    "pip": check_pip,
    "pre-commit": check_pre_commit,
}


@pytest.mark.parametrize(("document", "words"), COMMANDS, ids=[f"{d}: {shlex.join(w)}" for d, w in COMMANDS])
def test_command_could_be_run_as_written(document, words):
    PROGRAMS[Path(words[0]).name](list(words[1:]))


def test_the_documents_have_commands_of_every_program():
    assert {Path(words[0]).name for _, words in COMMANDS} == set(PROGRAMS)


def test_the_synopsis_has_every_command_with_all_its_options():
    (synopsis,) = (block for block in blocks(README, "") if block.startswith("ibert-multitask"))
    usages = re.split(r"^ibert-multitask ", synopsis, flags=re.MULTILINE)[1:]
    written = {usage.split()[0]: set(re.findall(r"--[a-z-]+", usage)) for usage in usages}
    commands = next(action for action in parser()._actions if action.choices).choices
    assert written == {
        name: {o for action in command._actions for o in action.option_strings if o not in ("-h", "--help")}
        for name, command in commands.items()
    }


def test_ci_runs_the_readmes_own_test_command_and_sessions_that_exist():
    pattern = re.search(r"grep -m1 '(.+)' README.md", CI)[1]
    (command,) = (line for line in README.splitlines() if re.match(pattern, line))
    assert command.endswith('-m pytest -n 2 -m "not slow"')
    assert set(re.search(r"nox -s (.+)", CI)[1].split()) <= sessions()


def test_every_session_is_documented():
    documented = {word for _, words in COMMANDS if Path(words[0]).name == "nox" for word in words[2:]}
    assert sessions() <= documented


# --- snippets


@pytest.fixture
def small_loads(monkeypatch, tmp_path, small_dir):
    """`load_dataset` as the README writes it, but over a small folder of templates and in a cache of its own."""
    monkeypatch.chdir(ROOT)
    datasets.disable_progress_bars()
    small = {"cache_dir": str(tmp_path), "templates_dir": str(small_dir), "examples_per_template": 20}
    for module in (ibert_builder, datasets):
        monkeypatch.setattr(module, "load_dataset", functools.partial(module.load_dataset, **small))


def run_snippets(module):
    """Run the README's snippets from the one that imports `load_dataset` from a module, to the next such one."""
    parts = re.split(
        r"(?=^from \w+ import load_dataset$)", "\n".join(blocks(README, "python")), flags=re.MULTILINE
    )
    (snippet,) = (part for part in parts if part.startswith(f"from {module} import load_dataset\n"))
    names = {}
    exec(compile(snippet, "README.md", "exec"), names)
    return names


@pytest.mark.skipif(not datasets.__version__.startswith("3."), reason="this line of datasets has no scripts")
def test_the_script_loads_as_written(small_loads):
    loaded = run_snippets("datasets")["sql_to_ibis"]
    assert loaded["train"].features == features("sql_to_ibis") and len(loaded["train"])


def test_the_class_loads_and_mixes_as_written(small_loads):
    names = run_snippets("ibert_builder")
    assert set(names["everything"]["train"]["task"]) == set(TASKS)
    assert 0 < len(names["tenth"]) < len(names["everything"]["train"])
    assert next(iter(names["stream"]))["task"] == "ibis_to_sql"
    assert len(names["fast"]["train"])
    assert names["mixed"].features == features(ALL)
    assert set(names["mixed"]["task"]) == {"sql_to_ibis", "qa"}


# --- the authoring manual: every example is a whole file, which loads and is proved


def manual_files():
    """File name below `templates/` to content, of every YAML block."""
    files = {}
    for block in blocks(MANUAL, "yaml"):
        first, _, content = block.partition("\n")
        name = re.fullmatch(r"# templates/(\S+)", first)
        assert name, f"the first line of an example should be '# templates/FILE', found {first!r}"
        files[name[1]] = content
    return files


FILES = manual_files()
WRITTEN = {name: yaml.safe_load(content) for name, content in FILES.items()}
PHRASES = {
    phrase["name"]: file["kind"]
    for name, file in WRITTEN.items()
    if "_phrases/" in name
    for phrase in file["phrases"]
}
AROUND = {  # a query that shows a phrase of each kind
    "scalar": ("SELECT {k}, {x} AS v FROM {t}", "{t}.select({k}, v={x})"),
    "aggregate": ("SELECT MIN({k}) AS k, {x} AS v FROM {t}", "{t}.agg(k={k}.min(), v={x})"),
    "window": ("SELECT {k}, {x} AS v FROM {t}", "{t}.select({k}, v={x})"),
}


@pytest.fixture(scope="module")
def manual_catalog(tmp_path_factory):
    """Small templates, with the manual's files among them and a template that draws each phrase of the manual."""
    folder = small_templates(tmp_path_factory.mktemp("manual") / "templates")
    for name, content in FILES.items():
        (folder / name).write_text(content, encoding="utf-8")
    for phrase, kind in PHRASES.items():
        sql, code = AROUND[kind]
        slot = f"{{is: {'' if kind == 'scalar' else kind + ' '}any, only: [{phrase}], depth: 1}}"
        (folder / "sql_to_ibis" / f"99_{phrase}.yaml").write_text(
            f"templates:\n- name: shows_{phrase}\n  difficulty: easy\n  features: [manual]\n  tables: {{t: any}}\n"
            f'  slots: {{k: column key, x: {slot}}}\n  sql: "{sql}"\n  ibis: "{code}"\n'
        )
    return load_catalog(folder)


def outcomes(catalog, task, template):
    """Outcome to number of drafts of a template, over all databases."""
    tally = Tally()
    for database in catalog.databases:
        for _ in generate(catalog, task, database, Options(20), tally):
            pass
    return {outcome: number for (_, name, outcome), number in tally.outcomes.items() if name == template}


TEMPLATES = [
    (name.split("/")[0], template["name"])
    for name, file in WRITTEN.items()
    for template in file.get("templates", ())
]


def test_the_manual_has_an_example_of_everything():
    assert {task for task, _ in TEMPLATES} == set(TASKS)
    assert set(PHRASES.values()) == {"scalar", "aggregate", "window"}
    assert any(name.startswith("_databases/") for name in FILES)


@pytest.mark.parametrize(("task", "template"), TEMPLATES)
def test_template_of_the_manual_is_proved(task, template, manual_catalog):
    found = outcomes(manual_catalog, task, template)
    rejected = {name: n for name, n in found.items() if name not in ("kept", "no_fit", "exhausted")}
    assert found.get("kept", 0) >= 5 and sum(rejected.values()) <= 1, found


@pytest.mark.parametrize("phrase", PHRASES)
def test_phrase_of_the_manual_is_proved(phrase, manual_catalog):
    found = outcomes(manual_catalog, "sql_to_ibis", f"shows_{phrase}")
    assert found.keys() <= {"kept", "no_fit", "exhausted"} and found["kept"] >= 2, found


def test_database_of_the_manual_has_rows(manual_catalog):
    database = manual_catalog.databases["bakery"]
    assert all(len(table.rows) >= 40 for table in database.tables.values()) and database.references


def test_the_manual_has_a_rule_of_every_type_and_they_hold(tmp_path):
    (name,) = (name for name in FILES if name.startswith("_databases/"))
    declared = {next(iter(rule)) for rule in WRITTEN[name]["semantic_model"]["coherence"]}
    assert declared == {next(iter(kind.model_fields)) for kind in REPAIRS}
    assert not [key for key in declared if f"| `{key}" not in MANUAL]
    (tmp_path / "bakery.yaml").write_text(FILES[name], encoding="utf-8")
    assert load_databases(tmp_path, rules=True)


@pytest.mark.parametrize(
    "model",
    [PhraseFile, PhraseSpec, DatabaseSpec, TableSpec, ColumnSpec, *(t.template for t in TASKS.values())],
)
def test_the_manual_names_every_key(model):
    shown = " ".join([*inline(MANUAL), *FILES.values()])
    missing = [name for name in model.model_fields if not re.search(rf"\b{name}\b", shown)]
    assert not missing


MAKES = [field.alias or name for name, field in Make.model_fields.items()]
ROLES_ROW = next(line for line in MANUAL.splitlines() if line.startswith("| `column category` |"))


@pytest.mark.parametrize(
    ("words", "text", "shape"),
    [
        pytest.param(MAKES, MANUAL, "`{{{}: ", id="makes"),
        pytest.param(CLASSES, MANUAL, "`{}`", id="classes"),
        pytest.param(ROLES, ROLES_ROW, "`{}`", id="roles"),
        pytest.param(LITERALS, MANUAL, "`{} of x`", id="literals"),
        pytest.param(TASKS["ibis_to_sql"].dialects, MANUAL, "`{}`", id="dialects"),
    ],
)
def test_the_manual_names_every_word_of_a_list(words, text, shape):
    assert not [word for word in words if shape.format(word) not in text]


def test_the_phrase_of_the_first_steps_is_the_manuals():
    (block,) = blocks(CONTRIBUTING, "yaml")
    assert yaml.safe_load(block) == WRITTEN["_phrases/90_manual.yaml"]["phrases"]


# --- links, paths, names


def anchors(text):
    """The anchors of a document's headings, as GitHub and the Hub make them."""
    headings = re.findall(
        r"^#+ (.+)$", re.sub(r"^ *```.*?^ *```$", "", text, flags=re.DOTALL | re.MULTILINE), re.MULTILINE
    )
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


LINKS = [
    (document, link)
    for document, text in DOCUMENTS.items()
    for link in re.findall(r"\]\(([^)\s]+)\)", text)
    if not link.startswith("https://")
]


@pytest.mark.parametrize(("document", "link"), LINKS)
def test_link_leads_somewhere(document, link):
    path, _, anchor = link.partition("#")
    target = (ROOT / document).parent / path if path else ROOT / document
    assert target.is_file()
    if anchor:
        assert anchor in anchors(target.read_text(encoding="utf-8"))


# What commands make, and what stands for any name, is not there.
ABSENT = re.compile(r"(data|dbs|validation|test|\.venv\S*)[/\\]|NN_|<|NAME")
PATH = re.compile(r"[\w.<>-]+/[\w./<>*-]*|\.?[\w-]+\.(py|md|toml|cff|ya?ml|json)")
PATHS = sorted(
    {
        (document, code)
        for document, text in DOCUMENTS.items()
        if document != "CHANGELOG.md"  # it speaks of the past, too
        for code in inline(text)
        if PATH.fullmatch(code) and not ABSENT.match(code) and not ABSENT.search(code.partition("/")[2])
    }
)


@pytest.mark.parametrize(("document", "path"), PATHS)
def test_path_exists(document, path):
    assert (ROOT / path).exists() or ((ROOT / document).parent / path).exists()


def test_every_document_has_links_and_paths():
    assert (
        {document for document, _ in LINKS}
        == {document for document, _ in PATHS}
        == {*DOCUMENTS} - {"CHANGELOG.md"}
    )


def test_front_matter_names_every_config():
    front = yaml.safe_load(README.split("---")[1])
    assert [config["config_name"] for config in front["configs"]] == [ALL, *TASKS]
    assert set(configs()) == {ALL, *TASKS}


def test_the_map_is_in_the_order_of_imports():
    layers = PROJECT["tool"]["importlinter"]["contracts"][0]["layers"]
    packages = [name for layer in layers for name in layer.split(" : ")]
    table = CONTRIBUTING.partition("| package or module |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == packages


def test_the_version_is_stated_once_and_logged():
    assert "version" in PROJECT["project"]["dynamic"] and "version" not in PROJECT["project"]
    assert f"\n## [{__version__}] - " in DOCUMENTS["CHANGELOG.md"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert "version" not in citation
    assert citation["license"] == PROJECT["project"]["license"]


def test_pre_commit_checks_every_yaml_file_against_its_schema():
    hooks = [hook for repository in PRE_COMMIT["repos"] for hook in repository["hooks"]]
    patterns = {
        match[1]: hook["files"]
        for hook in hooks
        if (match := re.search(r"--schemafile templates/_schema/(\w+)\.json", hook["entry"]))
    }
    assert set(patterns) == {path.stem for path in (ROOT / "templates" / "_schema").glob("*.json")}
    for path in (ROOT / "templates").glob("*/*.yaml"):
        schema = re.search(r"\$schema=\.\./_schema/(\w+)\.json", path.read_text(encoding="utf-8"))[1]
        name = path.relative_to(ROOT).as_posix()
        assert [kind for kind, pattern in patterns.items() if re.search(pattern, name)] == [schema]
