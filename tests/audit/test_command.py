"""The command prints the claims or the comparison, and exits by them."""

from __future__ import annotations

import json
import sys

from ibert_builder.cli import main
from ibert_builder.generation.catalog import load_catalog
from ibert_builder.generation.generate import Options, Tally, generate


def test_the_command_prints_claims_and_exits_by_them(sample_dir, tmp_path, capsys):
    card = tmp_path / "card.md"
    card.write_text("<!-- audit: begin -->\n<!-- audit: end -->\n")
    found = tmp_path / "audit.json"
    arguments = [
        "audit",
        "--sample",
        "20",
        "--templates-dir",
        str(sample_dir),
        "--json",
        str(found),
        "--card",
        str(card),
    ]
    status = main(arguments)
    out = capsys.readouterr().out
    report = json.loads(found.read_text())
    assert status == (0 if report["holds"] else 1)
    assert "mutants killed" in out and "databases in more than one split" in out
    assert "| proofs |" in card.read_text()
    assert {"claims", "failures", "mutants", "made_with", "version"} <= set(report)


def test_the_command_asks_for_its_extra_before_any_work(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "datasketch", None)
    assert main(["audit", "--templates-dir", "no_such_folder"]) == 1
    assert "pip install 'ibert-multitask[audit]'" in capsys.readouterr().err


def test_the_command_refuses_what_it_cannot_do(tmp_path, capsys):
    assert main(["audit", "--sample", "0"]) == 1
    assert main(["audit", "--json", str(tmp_path / "no" / "such.json")]) == 1
    assert main(["audit", "--against", str(tmp_path / "nothing.sql")]) == 1
    assert "nothing.sql" in capsys.readouterr().err


def test_against_finds_what_train_holds(templates_dir, tmp_path, capsys):
    record = next(generate(load_catalog(templates_dir), "sql_to_ibis", "webshop", Options(), Tally()))
    theirs = tmp_path / "benchmark.sql"
    theirs.write_text("SELECT brewery, beer FROM pints;\n")
    arguments = ["audit", "--templates-dir", str(templates_dir), "--against", str(theirs)]
    assert main(arguments) == 0
    theirs.write_text(f"SELECT brewery, beer FROM pints;\n\n{record['input']['sql']};\n")
    assert main(arguments) == 1
    assert "benchmark.sql:3" in capsys.readouterr().out
