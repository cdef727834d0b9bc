"""A comparison with other files, printed for people."""

from __future__ import annotations

from rich.table import Table

from ibert_builder.decontamination.compare import LEVELS, Report


def overlap(report: Report) -> Table:
    """How many pieces of each file were found, by level."""
    shown = Table("file")
    for heading in ("pieces", "unparsed", *LEVELS, "contaminated"):
        shown.add_column(heading, justify="right")
    for totals in report.files:
        counts = (totals.pieces, totals.unparsed, *totals.found.values(), totals.failures)
        shown.add_row(totals.file, *(f"{count:,}" for count in counts))
    return shown


def findings(report: Report) -> list[str]:
    """Every piece that is contamination, and every file that was skipped."""
    lines = [f"Compared with {report.records:,} records of train: {len(report.failures):,} pieces are in it."]
    for f in report.failures:
        place = ":".join(str(part) for part in (f.file, f.line, f.key) if part is not None)
        lines.append(
            f"{place}: {f.level} {f.kind}, as {f.field} of {f.task} record {f.record}\n  {f.theirs}\n  {f.ours}"
        )
    lines += [f"skipped: {path}" for path in report.skipped]
    return lines
