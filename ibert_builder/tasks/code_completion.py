"""Code completion: code under a comment that says what it does, cut off where a person would pause."""

from __future__ import annotations

import io
import random
import textwrap
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from pydantic import Field

from ibert_builder.execution.engine import Engine
from ibert_builder.execution.proofs import Rejected, run_on_every_row_set, run_query, to_query
from ibert_builder.tasks.base import Record, Task
from ibert_builder.tasks.drafts import Draft, Proved, Setting
from ibert_builder.tasks.fields import TextField
from ibert_builder.templating.frames import Language
from ibert_builder.templating.layout import layout
from ibert_builder.templating.rendering import render_frame
from ibert_builder.templating.templates import Template, TemplateSpec

COMMENT_WIDTH = 78

# How often a cut falls after each kind of token, relative to the others: people pause where they have to choose.
CUTS = {"(": 4.0, ".": 3.0, "operator": 3.0, ",": 2.0, "=": 2.0, "[": 1.5, "line": 2.0, ")": 1.0}
_OPERATORS = frozenset({"<", ">", "<=", ">=", "==", "!=", "+", "-", "*", "/", "//", "%", "&", "|", "~", "**"})


class CodeCompletionTemplate(TemplateSpec):
    """Ibis code and its purpose, stated precisely enough that the code can be completed from any point."""

    intents: list[str] = Field(
        min_length=1,
        description="English, several wordings of what is wanted, without `#`: each tells the whole code, and names its columns",
    )
    code: str = Field(description="canonical Ibis; one call of a chain a line; ends in the result")
    languages: ClassVar[Mapping[str, Language]] = {"intents": "en", "code": "ibis"}


@dataclass(frozen=True, kw_only=True)
class Completion(Draft):
    """Commented code, and the part of it before the cut."""

    partial: str
    completed: str

    @property
    def whole(self) -> str:
        return self.completed


class CodeCompletion(Task[Completion]):
    name = "code_completion"
    system_prompt = "Complete the partial Ibis expression. Output only the completed code."
    template = CodeCompletionTemplate
    examples = 20
    input = {"partial_code": TextField("fragment")}
    target = {"completed_code": TextField("ibis")}
    meta = {"remainder": TextField("fragment")}

    def expand(self, template: Template, setting: Setting) -> Completion:
        bound = setting.bind(template)
        code = layout(render_frame(template.frames["code"][0], bound))
        intent = render_frame(setting.rng.choice(template.frames["intents"]), bound)
        if "_" not in intent.split(maxsplit=1)[0]:  # a name in code keeps its case
            intent = intent[0].upper() + intent[1:]
        comment = textwrap.fill(
            " ".join(intent.split()), COMMENT_WIDTH, break_long_words=False, break_on_hyphens=False
        )
        completed = textwrap.indent(comment, "# ") + "\n" + code
        partial = cut(completed, setting.rng)
        return Completion(
            template=template, database=setting.database, bound=bound, key=partial, code=code,
            partial=partial, completed=completed,
        )  # fmt: skip

    def prove(self, draft: Completion, engine: Engine) -> Proved:
        run_query(engine, to_query(engine, draft.completed))
        return Proved(
            {"partial_code": draft.partial},
            {"completed_code": draft.completed},
            {"remainder": draft.completed.removeprefix(draft.partial)},
        )

    def recheck(self, record: Record, engine: Engine) -> None:
        partial, completed = record["input"]["partial_code"], record["target"]["completed_code"]
        if completed != partial + record["meta"]["remainder"] or partial.strip() == completed.strip():
            raise Rejected("not_a_completion", f"{partial}\n{completed}")
        run_on_every_row_set(engine, to_query(engine, completed))

    def question(self, record: Record) -> str:
        return record["input"]["partial_code"]

    def answer(self, record: Record) -> str:
        return record["target"]["completed_code"]


def _kind(before: tokenize.TokenInfo, token: tokenize.TokenInfo, after: tokenize.TokenInfo) -> str:
    """Which of `CUTS` a token is, or "" where nobody pauses: in empty brackets, after a sign, before a closing bracket's line."""
    if token.type in (tokenize.NL, tokenize.NEWLINE):
        return "" if token.line.startswith("#") or after.string in (")", "]", "}") else "line"
    if token.type == tokenize.COMMENT or (token.string in ("(", "[") and after.string in (")", "]")):
        return ""
    if token.string in _OPERATORS:
        is_sign = before.string in ("(", "[", ",", "=") or before.string in _OPERATORS
        return "" if is_sign and token.string != "~" else "operator"
    return token.string


def cut(code: str, rng: random.Random) -> str:
    """A strict prefix of the code that ends where a person would pause: after a bracket, dot, operator, comma or line.

    Never within a word, a string or the leading comment, and never so late that only closing brackets are missing.
    """
    starts = [0]
    for line in code.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    tokens = list(tokenize.generate_tokens(io.StringIO(code).readline))
    offsets: list[int] = []
    weights: list[float] = []
    last_word = 0
    for before, token, after in zip([tokens[0], *tokens], tokens, [*tokens[1:], tokens[-1]], strict=False):
        if token.type in (tokenize.NAME, tokenize.NUMBER, tokenize.STRING):
            last_word = starts[token.start[0] - 1] + token.start[1]
        if _kind(before, token, after) in CUTS:
            offsets.append(starts[token.end[0] - 1] + token.end[1])
            weights.append(CUTS[_kind(before, token, after)])
    options = [
        (offset, weight) for offset, weight in zip(offsets, weights, strict=True) if offset <= last_word
    ]
    if not options:
        raise ValueError(f"no place to cut in {code!r}")
    offset = rng.choices([o for o, _ in options], weights=[w for _, w in options])[0]
    return code[:offset].rstrip(" \n") if code[offset - 1] == "\n" else code[:offset]
