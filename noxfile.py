"""The tasks of this repository, for `nox`. `nox --list` names them; `nox -s lint types` runs two of them.

They run in the environment that nox itself is installed in (`.venv-test`, by the README's test command), so that nobody
waits for a second copy of pyarrow and DuckDB. Only `datasets5` and `torch` make environments: they need other packages.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "types"]


def run(session: nox.Session, tool: str, *arguments: str) -> None:
    """Run a tool that is installed beside this Python, whether or not the environment is activated."""
    session.run(str(Path(sys.executable).with_name(tool)), *arguments, external=True)


@nox.session
def test(session: nox.Session) -> None:
    """Run the tests, or those named after `--`."""
    run(session, "pytest", *(session.posargs or ("-n", "2")))


@nox.session
def slow(session: nox.Session) -> None:
    """Run the tests that take more than a minute each, which the README's command leaves out."""
    run(session, "pytest", "-n", "2", "-m", "slow", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, layout, and that imports run one way."""
    run(session, "ruff", "check", ".")
    run(session, "ruff", "format", "--check", ".")
    run(session, "lint-imports")


@nox.session
def types(session: nox.Session) -> None:
    """Check types."""
    run(session, "mypy", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure the builder's time as a multiple of the time that running the queries takes."""
    run(session, Path(sys.executable).name, "tests/benchmarks/ratio.py", *session.posargs)


@nox.session
def audit(session: nox.Session) -> None:
    """Rebuild the dataset and check the card's claims on a sample; `-- --full` checks every record."""
    run(session, "ibert-multitask", "audit", "--num-proc", "2", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Regenerate the card's examples and the JSON Schemas, then check links, paths, commands and snippets."""
    run(session, "ibert-multitask", "schema")
    run(session, "ibert-multitask", "card")
    run(session, "pytest", "tests/test_readme.py", *session.posargs)


@nox.session(venv_backend="venv", reuse_venv=True)
def datasets5(session: nox.Session) -> None:
    """Test loading with the newest line of `datasets`, which runs no scripts."""
    session.install(".[test]", "datasets>=5,<6")
    names = ("test_arguments.py", "test_cache.py", "test_faults.py", "test_loading.py", "test_seed_shapes.py")
    files = [f"tests/{name}" for name in (*names, "workers/test_datasets.py")]
    # So that tests can let both lines use one cache.
    env = {"IBERT_OTHER_LINE": sys.executable}
    session.run("python", "-m", "pytest", *(session.posargs or ("-n", "2", *files)), env=env)


@nox.session(venv_backend="venv", reuse_venv=True)
def torch(session: nox.Session) -> None:
    """Test loading through PyTorch's DataLoader; not in CI, since PyTorch is large."""
    session.install(".[test,torch]", "datasets>=5,<6")
    session.run("python", "-m", "pytest", *(session.posargs or ("tests/workers/test_datasets.py",)))
