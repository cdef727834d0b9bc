"""The card is true: its commands, its examples, its names."""

from __future__ import annotations

import json
import re

import yaml

from ibert_builder import __version__
from ibert_builder.cli import _parser
from ibert_builder.generation.catalog import default_templates_dir
from ibert_builder.records import CONFIGS
from ibert_builder.tasks.registry import TASKS
from ibert_builder.workers.worker import Place
from ibert_builder.writing.card import examples, with_block
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_examples_are_what_is_generated_today():
    shown = examples(Place(str(default_templates_dir())))
    assert with_block(README, "examples", shown) == README, "run `ibert-multitask card`"


def test_the_audit_is_of_this_version_and_build():
    """It takes too long to be made anew here; `ibert-multitask audit --full --card README.md` does that."""
    table = README.partition("<!-- audit: begin -->")[2].partition("<!-- audit: end -->")[0]
    assert f"Version {__version__}, every record" in table
    assert "✓" in table and "✗" not in table
    info = json.loads((ROOT / "dataset_infos" / "all" / "dataset_info.json").read_text())
    kept = sum(split["num_examples"] for split in info["splits"].values())
    assert f"| {kept:,} + " in table


def test_front_matter_names_every_config():
    front = yaml.safe_load(README.split("---")[1])
    assert [config["config_name"] for config in front["configs"]] == ["all", *TASKS]
    assert set(CONFIGS) == {"all", *TASKS}


def test_commands_and_options_exist():
    for line in re.findall(r"^ibert-multitask .*(?:\n +\[.*)*", README, re.MULTILINE):
        command, options = line.split()[1], re.findall(r"--[a-z-]+", line)
        text = next(a for a in _parser()._actions if a.choices).choices[command].format_help()
        assert all(option in text for option in options), command


def test_ci_runs_the_readmes_test_command():
    command = next(line for line in README.splitlines() if line.startswith("python3 -m venv .venv-test "))
    assert "pytest" in command
    assert "README.md" in (ROOT / ".ci" / "run").read_text()


def test_templates_shown_are_valid():
    for block in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL):
        assert yaml.safe_load(block)
