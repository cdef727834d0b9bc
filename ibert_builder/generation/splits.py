"""Which split a draft, a template or a skeleton belongs to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from ibert_builder.databases.model import SPLITS
from ibert_builder.templating.templates import Template


def split_by_number(number: int) -> str:
    """Of ten, the second goes to validation, the third to test and the rest to train."""
    return {1: SPLITS[1], 2: SPLITS[2]}.get(number % 10, SPLITS[0])


def _in_seeded_order(templates: Iterable[Template]) -> list[Template]:
    return sorted(templates, key=lambda t: hashlib.sha256(f"{t.task}/{t.name}".encode()).digest())


WITHHELD = 0.1  # share of skeletons that train never sees


def is_withheld(identifier: str, seed: int) -> bool:
    """Whether queries of this skeleton are kept out of train: a seeded tenth of all."""
    digest = hashlib.sha256(f"{seed}/{identifier}".encode()).digest()
    return int.from_bytes(digest[:4], "big") < WITHHELD * 2**32
