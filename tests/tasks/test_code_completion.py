"""Code completion: every template is proved, and code is cut off where people stop typing."""

from __future__ import annotations

import io
import random
import tokenize

import pytest

from ibert_builder.tasks.code_completion import cut
from ibert_builder.tasks.registry import TASKS
from tests.tasks.proving import CATALOG, examples

TASK = TASKS["code_completion"]
TEMPLATES = CATALOG.templates[TASK.name]

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


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_every_template_gives_code_under_its_intent_and_a_strict_prefix_of_it(template):
    for draft, record in examples(TASK, template):
        partial, completed = record["input"]["partial_code"], record["target"]["completed_code"]
        assert completed.startswith(partial) and len(partial) < len(completed)
        intent = completed.removesuffix(f"\n{draft.code}")
        assert intent != completed and all(line.startswith("# ") for line in intent.splitlines())
        assert partial.startswith(intent)
