"""Which templates are told apart by their order, and which skeletons train never sees."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from ibert_builder.templating.templates import Template

WITHHELD = 0.1  # the share of skeletons that train never sees


def in_seeded_order(templates: Iterable[Template]) -> list[Template]:
    """Sort templates by a hash of their names, so that those of one file spread over the splits."""
    return sorted(templates, key=lambda t: hashlib.sha256(f"{t.task}/{t.name}".encode()).digest())


def is_withheld(identifier: str, seed: int) -> bool:
    """Whether the queries of a skeleton are kept out of train, as those of a seeded tenth of all skeletons are."""
    digest = hashlib.sha256(f"{seed}/{identifier}".encode()).digest()
    return int.from_bytes(digest[:4], "big") < WITHHELD * 2**32
