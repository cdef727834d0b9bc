"""A template that yields no example is wrong, and ends the build."""

from __future__ import annotations

from collections.abc import Mapping

from ibert_builder.generation.catalog import load_catalog
from ibert_builder.generation.generate import NOT_DRAWN, Tally
from ibert_builder.templating.templates import Template
from ibert_builder.workers.channel import Channel

FRUITLESS = 5  # a template with this many rejections and no example is wrong, not unlucky
SOUGHT = 10  # and so is one with this many attempts, one of them rejected, and no example


def refuse_fruitless(channel: Channel, templates_dir: str, tallies: Mapping[str, Tally]) -> None:
    """Check what became of the drafts of every template, by task, and give True.

    A template that was never drawn may just be rare in a small build.

    Raises:
        InputError: nothing was proved of a template.
    """
    templates = load_catalog(templates_dir).templates
    for task, tally in tallies.items():
        for template in templates[task]:
            _refuse(template, tally)
    channel.give(True)


def _refuse(template: Template, tally: Tally) -> None:
    outcomes = {o: n for (_, name, o), n in tally.outcomes.items() if name == template.name}
    drawn = sum(outcomes.values())
    reasons = {outcome: count for outcome, count in outcomes.items() if outcome not in NOT_DRAWN | {"kept"}}
    if "kept" not in outcomes and (sum(reasons.values()) >= FRUITLESS or (reasons and drawn >= SOUGHT)):
        detail = next(d for _, name, _, d in tally.rejections if name == template.name)
        listed = ", ".join(f"{reason} ({count})" for reason, count in reasons.items())
        raise template.error(f"template '{template.name}' gives no example; rejected: {listed}\n{detail}")
    if outcomes.keys() == {"no_fit"} and drawn >= SOUGHT:
        raise template.error(f"template '{template.name}' gives no example: it fits no database")
