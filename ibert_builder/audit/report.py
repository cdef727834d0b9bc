"""An audit, printed for people: on a terminal and in the dataset card."""

from __future__ import annotations

from rich.table import Table

from ibert_builder import __version__
from ibert_builder.audit.audit import Audit

SHOWN = 5  # how many failures and survivors a terminal shows; the JSON file has them all


def table(audit: Audit) -> Table:
    shown = Table()
    for heading in ("", "claim", "found", "goal", "verdict"):
        shown.add_column(heading, justify="right" if heading == "found" else "left")
    topic = ""
    for claim in audit.claims:
        if claim.topic != topic:
            shown.add_section()
        verdict = "holds" if claim.holds else "[bold red]FAILS[/bold red]"
        shown.add_row(
            "" if claim.topic == topic else claim.topic, claim.name, claim.figure, claim.goal, verdict
        )
        topic = claim.topic
    return shown


def remarks(audit: Audit) -> list[str]:
    """The figures behind the table, and the first records and mutants that fail it."""
    kills, found = audit.found.kills, audit.found
    tried = sum(kills.killed.values()) + sum(kills.alive.values())
    first = sum(kills.by_first.values()) / max(tried, 1)
    lines = [
        f"Of {tried:,} mutants of {kills.queries:,} queries, {first:.1%} are killed by the first row set alone. Not counted:"
        f" {sum(kills.equivalent.values()):,} that are proved to be equivalent to their query"
        f" ({', '.join(f'{rule} {n:,}' for rule, n in sorted(kills.rules.items()))}), and"
        f" {sum(kills.invalid.values()):,} that are not valid queries."
    ]
    if found.opaque:
        lines.append(
            f"{len(found.opaque):,} queries have no mutants because sqlglot cannot resolve their columns."
        )
    lines += [
        f"Could not be proved again: {i} ({task}, {reason})\n{detail}"
        for i, task, reason, detail in found.failures[:SHOWN]
    ]
    failing = {claim.name for claim in audit.claims if not claim.holds}
    alive = [s for s in kills.survivors if s[0] in failing][:SHOWN]
    lines += [
        f"Survives ({family}, {operator}):\n  {query}\n  {mutant}"
        for family, operator, query, mutant in alive
    ]
    return lines


def markdown(audit: Audit) -> str:
    """The table of the dataset card."""
    scope = "every record" if audit.is_full else f"a sample of {len(audit.found.records):,} records"
    lines = [f"Version {__version__}, {scope}:", "", "| | claim | found | goal | |", "|---|---|---|---|---|"]
    topic = ""
    for claim in audit.claims:
        first = "" if claim.topic == topic else claim.topic
        lines.append(
            f"| {first} | {claim.name} | {claim.figure} | {claim.goal} | {'✓' if claim.holds else '✗'} |"
        )
        topic = claim.topic
    return "\n".join([*lines, "", remarks(audit)[0]])
