"""Near-duplicates by MinHash: pairs of texts that have at least `SIMILAR` of all their tokens in common."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ibert_builder.errors import InputError

SIMILAR = 0.8  # Jaccard similarity, as in the deduplication of The Stack (Kocetkov et al., 2022), which takes 0.85 and 0.7
_PERMUTATIONS = 128
_TOKEN = re.compile(r"\w+|[^\w\s]")


def tokens(text: str, width: int) -> frozenset[str]:
    """The runs of `width` tokens of a text; words and punctuation marks are tokens."""
    words = _TOKEN.findall(text)
    return frozenset(" ".join(words[i : i + width]) for i in range(max(1, len(words) - width + 1)))


def minhash() -> tuple[Any, Any]:
    """The classes that make hashes and look them up.

    Raises:
        InputError: their library is not installed.
    """
    try:
        from datasketch import MinHash, MinHashLSH
    except ImportError as error:
        raise InputError("it needs an extra: pip install 'ibert-multitask[audit]'", key="audit") from error
    return MinHash, MinHashLSH


def across(groups: Sequence[str], texts: Sequence[str], width: int = 1) -> list[tuple[int, int]]:
    """Texts that have a near-duplicate in another group, each paired with one of those.

    MinHash finds the candidates and exact Jaccard similarity decides.

    Args:
        groups: the name of each text's group.
        width: how many tokens a run has.

    Returns:
        Pairs of indices; the second is of a group that comes before the first's in alphabetical order.

    Raises:
        InputError: the library for MinHash is not installed.
    """
    MinHash, MinHashLSH = minhash()
    sets = [tokens(text, width) for text in texts]
    hashes = MinHash.bulk([[token.encode() for token in each] for each in sets], num_perm=_PERMUTATIONS)
    # Lower than SIMILAR, so that few true pairs are missed.
    index = MinHashLSH(threshold=SIMILAR - 0.1, num_perm=_PERMUTATIONS)
    found = []
    order = sorted(range(len(texts)), key=lambda i: (groups[i], i))
    waiting: list[int] = []
    for place, i in enumerate(order):
        if place and groups[order[place - 1]] != groups[i]:
            for other in waiting:
                index.insert(other, hashes[other])
            waiting.clear()
        candidates = sorted(index.query(hashes[i]))
        match = next((c for c in candidates if _jaccard(sets[i], sets[c]) >= SIMILAR), None)
        if match is not None:
            found.append((i, match))
        waiting.append(i)
    return found


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other)
