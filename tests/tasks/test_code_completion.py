from __future__ import annotations

import io
import random
import tokenize

from ibert_builder.generation.generate import Options, Tally, generate
from ibert_builder.tasks.code_completion import cut

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


def test_partial_code_is_a_strict_prefix_of_the_completed_code(catalog):
    for record in generate(catalog, "code_completion", "webshop", Options(10), Tally()):
        partial, completed = record["input"]["partial_code"], record["target"]["completed_code"]
        assert completed.startswith(partial) and len(partial) < len(completed)
        assert completed.startswith("# ")
