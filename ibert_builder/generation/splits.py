"""Which split a draft, a template or a skeleton belongs to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from ibert_builder.databases.model import SPLITS
from ibert_builder.templating.templates import Template

WITHHELD = 0.1  # the share of skeletons that train never sees


def split_by_number(number: int) -> str:
    """Of every ten, the second goes to validation, the third to test and the rest to train."""
    return {1: SPLITS[1], 2: SPLITS[2]}.get(number % 10, SPLITS[0])


def in_seeded_order(templates: Iterable[Template]) -> list[Template]:
    """Sort templates by a hash of their names, so that those of one file spread over the splits."""
    return sorted(templates, key=lambda t: hashlib.sha256(f"{t.task}/{t.name}".encode()).digest())


def is_withheld(identifier: str, seed: int) -> bool:
    """Whether the queries of a skeleton are kept out of train, as those of a seeded tenth of all skeletons are."""
    digest = hashlib.sha256(f"{seed}/{identifier}".encode()).digest()
    return int.from_bytes(digest[:4], "big") < WITHHELD * 2**32
