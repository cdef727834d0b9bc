"""Whether given files hold what the dataset holds: `compare` looks every piece of them up among the records.

What is compared of a record is what it is made of: the queries, code and prose of its `input` and `target`, not its schemas
and prompts, and not error messages, whose words are Ibis's. Each piece is reported once, at its strictest likeness:

- `exact` and `normalised` (see `ibert_builder/fingerprints.py`) are failures.
- `overlap`, for prose, is a failure: both share a run of 13 words, case and punctuation aside; where the shorter one has
  fewer than 13, all of its words, but at least 8. These are the bounds of Brown et al., "Language Models are Few-Shot
  Learners" (arXiv:2005.14165), appendix C, there with the 5th percentile of a benchmark's lengths between 8 and 13.
- `skeleton`, for queries and code with names and literals masked, is a failure from 60 tokens on. Short skeletons are shared by
  all queries of a kind (`SELECT x FROM x WHERE x > 0`); such findings are reported, and say nothing by themselves. Of the
  95,000 pieces of the package of Ibis 12 with its tests, none is in train, and the longest skeleton shared by chance has 30.

SQL or Python that does not parse is compared by its exact text alone, and listed as unparsed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ibert_builder.decontamination.fingerprints import Kind, Level, fingerprints, words
from ibert_builder.decontamination.segments import Piece, Reading, comments, files, pieces
from ibert_builder.generation.catalog import default_templates_dir
from ibert_builder.tasks.base import Record
from ibert_builder.tasks.fields import Kind as FieldKind
from ibert_builder.tasks.registry import TASKS
from ibert_builder.workers.shards import shards_of
from ibert_builder.workers.worker import Place

LEVELS: tuple[Level, ...] = ("exact", "normalised", "overlap", "skeleton")  # the strictest first
SHORTEST_RUN, LONGEST_RUN = 8, 13  # words
FAILING_SKELETON = 60  # tokens
SHOWN = 160  # characters of each text in a finding

# How a field of `input` or `target` is compared, by its kind; None where it is not.
COMPARED: dict[FieldKind, Kind | None] = {
    "ibis": "python",
    "python": "python",
    "fragment": "text",  # cut off, it is no code, and without its comment may be no more than a name
    "sql": "sql",
    "prose": "text",
    "docstring": "text",
    "message": None,
    "label": None,
}


@dataclass(frozen=True)
class Ours:
    """A text of the dataset: the record it is of, by id, and the field."""

    record: str
    task: str
    split: str | None
    field: str
    text: str


@dataclass(frozen=True)
class Finding:
    """A piece of a user's file that the dataset holds, and the first record that has it of so many `records`.

    Attributes:
        line, key: where in the file: the line (of a JSON line, too), and in JSON the key, such as `[3].answer`.
        theirs, ours: both texts, shortened.
        fails: whether it is contamination (see the module), rather than a likeness that queries have anyway.
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
    """A piece that is SQL or Python by its place or beginning and cannot be parsed."""

    file: str
    line: int | None
    key: str | None
    kind: Kind
    text: str


@dataclass
class Totals:
    """What was found in a file: how many pieces it has, and how many of them at each level."""

    file: str
    pieces: int = 0
    unparsed: int = 0
    found: dict[Level, int] = field(default_factory=lambda: dict.fromkeys(LEVELS, 0))
    failures: int = 0


@dataclass
class Report:
    """The result of a comparison; `dataclasses.asdict` makes JSON of it. `skipped` are files in folders that are not read."""

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
    """Report every piece of the files that the records contain.

    Args:
        records: of the dataset, as in JSONL; those of train, to prove that a benchmark is not trained on.
        paths: JSONL, JSON, SQL, Python and Markdown files, and folders of such.
        splits: the split of each sample database, which is that of its records; by default as in the package's templates.

    Raises:
        InputError: a path does not exist or is of another kind, or a file cannot be read or is not JSON.
    """
    if splits is None:
        of_splits = shards_of(Place(str(default_templates_dir())), TASKS)
        splits = {database: split for split, shards in of_splits.items() for _, database in shards}
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


class _Index:
    """The texts of the dataset by their fingerprints, and prose by its runs of words."""

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
        """The strictest finding among the readings of a piece, if any, and a reading that should parse and does not."""
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
        """The first prose that shares a run of words with a text, and how many do."""
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
