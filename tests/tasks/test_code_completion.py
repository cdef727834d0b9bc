"""Code completion: every template is proved, and code is cut off where people stop typing."""

from __future__ import annotations

import io
import random
import re
import statistics
import tokenize

import pytest

from ibert_builder.generation.generate import Options, Tally, generate
from ibert_builder.tasks.code_completion import COMMENT_WIDTH, Completion, cut
from ibert_builder.tasks.registry import TASKS
from tests.tasks.proving import CATALOG, examples

TASK = TASKS["code_completion"]
TEMPLATES = CATALOG.templates[TASK.name]
WORDINGS = 6  # at least, of every template
SHARE = 1 / 3  # of a target's characters that its comment takes, in the median
LINES = 3  # of a comment, in all but a few
FEW = 0.01

CODE = (
    '# The "big" orders, largest first.\norders.filter(orders.note == "a, (b.").order_by(ibis.desc("amount"))'
)


def test_cuts_are_strict_prefixes_outside_words_strings_and_comments():
    for index in range(300):
        partial = cut(CODE, random.Random(index))
        assert CODE.startswith(partial) and len(partial) < len(CODE)
        assert partial.startswith("# The") and "\n" in partial
        assert not partial[-1].isalnum() or CODE[len(partial)] == "\n"
        assert partial.count('"') % 2 == 0


def test_something_of_substance_is_always_missing():
    for index in range(100):
        rest = CODE[len(cut(CODE, random.Random(index))) :]
        words = [
            t
            for t in tokenize.generate_tokens(io.StringIO(CODE).readline)
            if t.type in (tokenize.NAME, tokenize.STRING)
        ]
        assert words[-1].string in rest


@pytest.fixture(scope="module")
def drafts() -> list[Completion]:
    """Every draft of the default build."""
    found: list[Completion] = []

    def note(key, draft, unseen) -> bool:
        found.append(draft)
        return False

    for database in CATALOG.databases:
        assert not list(generate(CATALOG, TASK.name, database, Options(), Tally(), only=note))
    return found


def comment_of(draft: Completion) -> str:
    return draft.completed.removesuffix(f"\n{draft.code}")


def test_comments_are_short(drafts):
    shares = [len(comment_of(draft)) / len(draft.completed) for draft in drafts]
    assert statistics.median(shares) <= SHARE
    lines = [comment_of(draft).splitlines() for draft in drafts]
    assert all(len(line) <= COMMENT_WIDTH + 2 for each in lines for line in each)
    assert sum(len(each) > LINES for each in lines) <= FEW * len(drafts)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_every_template_has_several_wordings_that_differ(template):
    wordings = [re.sub(r"\W+", " ", text).strip().lower() for text in template.spec.intents]
    assert len(set(wordings)) == len(wordings) >= WORDINGS
    assert {text[-1] == "?" or "? " in text for text in template.spec.intents} == {True, False}


def test_names_in_code_keep_their_case(drafts):
    for draft in drafts:
        first = re.split(r"[^\w]", comment_of(draft).removeprefix("# "))[0]
        assert "_" not in first or re.search(rf"\b{first}\b", draft.code), first


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_every_template_gives_code_under_its_intent_and_a_strict_prefix_of_it(template):
    for draft, record in examples(TASK, template):
        partial, completed = record["input"]["partial_code"], record["target"]["completed_code"]
        assert completed.startswith(partial) and len(partial) < len(completed)
        intent = completed.removesuffix(f"\n{draft.code}")
        assert intent != completed and all(line.startswith("# ") for line in intent.splitlines())
        assert partial.startswith(intent)
