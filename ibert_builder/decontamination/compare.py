"""Look for what other files have in common with the dataset: `compare` looks up every piece of them among the records.

A record is compared by the queries, code and prose of its `input` and `target`; schemas, prompts and error messages, which are
Ibis's words, are left out. Each piece is reported once, at the strictest level at which it matches:

- `exact` and `normalised` matches (see `fingerprints`) are contamination.
- An `overlap` of prose is contamination: the two share a run of 13 words, ignoring case and punctuation, or, where the shorter
  has fewer than 13, all of its words, if they are at least 8. Brown et al., "Language Models are Few-Shot Learners"
  (arXiv:2005.14165), appendix C, take the same bounds, and between them the 5th percentile of a benchmark's lengths.
- A `skeleton`, a query or code with its names and literals masked, is contamination from 60 tokens on. All queries of a kind
  share a short one (`SELECT x FROM x WHERE x > 0`), so those are reported but prove nothing. Of the 95,000 pieces of the
  source and tests of Ibis 12 none is in train, and the longest skeleton shared by chance has 30 tokens.

SQL or Python that does not parse is compared by its exact text alone and is listed as unparsed.
"""

from __future__ import annotations

import functools
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ibert_builder.databases.load import load_databases
from ibert_builder.decontamination.fingerprints import Kind, Level, fingerprints, words
from ibert_builder.decontamination.segments import Piece, Reading, comments, files, pieces
from ibert_builder.generation.catalog import default_templates_dir
from ibert_builder.tasks.base import Record
from ibert_builder.tasks.fields import Kind as FieldKind
from ibert_builder.tasks.registry import TASKS

LEVELS: tuple[Level, ...] = ("exact", "normalised", "overlap", "skeleton")  # the strictest first
SHORTEST_RUN, LONGEST_RUN = 8, 13  # words
FAILING_SKELETON = 60  # tokens
SHOWN = 160  # characters of each text in a finding

# How a field of `input` or `target` is compared, by its kind; None where it is not.
COMPARED: dict[FieldKind, Kind | None] = {
    "ibis": "python",
    "python": "python",
    "fragment": "text",  # cut off, it does not parse, and without its comment it may be just a name
    "sql": "sql",
    "prose": "text",
    "docstring": "text",
    "message": None,
    "label": None,
}


@dataclass(frozen=True)
class Ours:
    """A text of the dataset, with the id of its record and the field it stands in."""

    record: str
    task: str
    split: str | None
    field: str
    text: str


@dataclass(frozen=True)
class Finding:
    """A piece of a user's file that is in the dataset, and the first of the `records` (how many) that contain it.

    Attributes:
        line, key: where it is in the file: the line, and in JSON the key, such as `[3].answer`.
        theirs, ours: both texts, shortened.
        fails: whether it is contamination (see the module) and not just what all such queries have in common.
    """

    file: str
    line: int | None
    key: str | None
    level: Level
    kind: Kind
    fails: bool
    theirs: str
    ours: str
    record: str
    task: str
    split: str | None
    field: str
    records: int


@dataclass(frozen=True)
class Unparsed:
    """A piece that must be SQL or Python, by where it stands or how it begins, and cannot be parsed."""

    file: str
    line: int | None
    key: str | None
    kind: Kind
    text: str


@dataclass
class Totals:
    """How many pieces a file has, and how many of them were found at each level."""

    file: str
    pieces: int = 0
    unparsed: int = 0
    found: dict[Level, int] = field(default_factory=lambda: dict.fromkeys(LEVELS, 0))
    failures: int = 0


@dataclass
class Report:
    """The result of a comparison, which `dataclasses.asdict` turns into JSON. `skipped` are files that cannot be read."""

    records: int
    files: list[Totals] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    unparsed: list[Unparsed] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    @property
    def failures(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.fails]


def compare(
    records: Iterable[Record], paths: Sequence[Path], *, splits: Mapping[str, str] | None = None
) -> Report:
    """Report every piece of the files that is in the records.

    Args:
        records: of the dataset, as in JSONL; pass those of train to show that a benchmark is not trained on.
        paths: JSONL, JSON, SQL, Python and Markdown files, and folders of them.
        splits: the split of each sample database, and so of its records; by default that of the package's own.

    Raises:
        InputError: a path does not exist, a file is of another kind, cannot be read or is not valid JSON.
    """
    if splits is None:
        splits = _shipped_splits()
    chosen, skipped = files(paths)
    index = _Index()
    report = Report(records=0, skipped=[str(path) for path in skipped])
    for record in records:
        report.records += 1
        index.add(record, splits.get(record.get("meta", {}).get("database")))  # linked records have no meta
    for path in chosen:
        totals = Totals(str(path))
        report.files.append(totals)
        for piece in sorted(pieces(path), key=lambda piece: piece.line or 0):
            totals.pieces += 1
            finding, bad = index.look_up(piece)
            if bad is not None:
                totals.unparsed += 1
                report.unparsed.append(
                    Unparsed(piece.file, piece.line, piece.key, bad.kind, _short(bad.text))
                )
            if finding is not None:
                totals.found[finding.level] += 1
                totals.failures += finding.fails
                report.findings.append(finding)
    return report


@functools.cache  # a single value: the databases that come with the package stay the same while it runs
def _shipped_splits() -> dict[str, str]:
    databases = load_databases(default_templates_dir() / "_databases")
    return {name: database.split for name, database in databases.items()}


class _Index:
    """The texts of the dataset by their fingerprints, and its prose by runs of words as well."""

    def __init__(self) -> None:
        self._first: dict[str, Ours] = {}
        self._records: Counter[str] = Counter()
        self._prose: list[tuple[list[str], Ours]] = []
        self._runs: defaultdict[str, list[tuple[int, int]]] = defaultdict(
            list
        )  # (which prose, from which word)

    def add(self, record: Record, split: str | None) -> None:
        keys: dict[str, Ours] = {}
        task = TASKS[record["task"]]
        for struct, fields in (("input", task.input), ("target", task.target)):
            for name, declared in fields.items():
                kind, text = COMPARED[declared.kind], record[struct].get(name)
                if kind is None or text is None:
                    continue
                ours = Ours(record["id"], record["task"], split, f"{struct}.{name}", text)
                for found in fingerprints(kind, text, record["input"].get("dialect")):
                    keys.setdefault(f"{found.level} {found.key}", ours)
                prose = [text] if kind == "text" else [comment for _, comment in comments(text)]
                for part in prose:
                    self._add_prose(part, ours)
        for key, ours in keys.items():
            self._first.setdefault(key, ours)
            self._records[key] += 1

    def _add_prose(self, text: str, ours: Ours) -> None:
        listed = words(text)
        key = "words " + " ".join(listed)
        if len(listed) < SHORTEST_RUN or key in self._first:
            return
        self._first[key] = ours
        for start in range(len(listed) - SHORTEST_RUN + 1):
            self._runs[" ".join(listed[start : start + SHORTEST_RUN])].append((len(self._prose), start))
        self._prose.append((listed, ours))

    def look_up(self, piece: Piece) -> tuple[Finding | None, Reading | None]:
        """The strictest finding among the readings of a piece, and a reading that should parse but does not, if any."""
        best: tuple[int, Finding] | None = None
        bad = None
        for reading in piece.readings:
            prints = fingerprints(reading.kind, reading.text, reading.dialect)
            if reading.sure and len(prints) == 1:
                bad = bad or reading
            found: list[tuple[Level, Ours, int, int]] = []
            for one in prints:
                key = f"{one.level} {one.key}"
                if key in self._first:
                    found.append((one.level, self._first[key], self._records[key], one.size))
            if reading.kind == "text" and not found:
                found += [("overlap", ours, count, 0) for ours, count in self._overlap(reading.text)]
            for level, ours, count, size in found:
                rank = LEVELS.index(level)
                if best is None or rank < best[0]:
                    fails = level != "skeleton" or size >= FAILING_SKELETON
                    best = rank, _finding(piece, reading, level, fails, ours, count)
        return best and best[1], bad

    def _overlap(self, text: str) -> list[tuple[Ours, int]]:
        """The first prose that shares a run of words with a text, and how many texts do."""
        theirs = words(text)
        sharing: set[int] = set()
        for start in range(len(theirs) - SHORTEST_RUN + 1):
            for which, begin in self._runs.get(" ".join(theirs[start : start + SHORTEST_RUN]), ()):
                ours = self._prose[which][0]
                run = min(LONGEST_RUN, len(theirs), len(ours))
                shared = theirs[start : start + run]
                if len(shared) == run and shared == ours[begin : begin + run]:
                    sharing.add(which)
        return [(self._prose[min(sharing)][1], len(sharing))] if sharing else []


def _finding(piece: Piece, reading: Reading, level: Level, fails: bool, ours: Ours, records: int) -> Finding:
    return Finding(
        piece.file,
        piece.line,
        piece.key,
        level,
        reading.kind,
        fails,
        _short(reading.text),
        _short(ours.text),
        ours.record,
        ours.task,
        ours.split,
        ours.field,
        records,
    )


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else line[: SHOWN - 4] + " ..."
