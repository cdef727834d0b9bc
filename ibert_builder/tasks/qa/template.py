"""Q&A templates: one topic, in several exchanges of questions and the answer that answers exactly those."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from ibert_builder.databases.model import split_by_number
from ibert_builder.ibis_api.claims import Claim
from ibert_builder.ibis_api.mentions import check_names
from ibert_builder.templating.frames import Language
from ibert_builder.templating.templates import TemplateSpec
from ibert_builder.yaml_source import Location, Strict

Topic = Literal[
    "basic_operations", "filtering", "sorting", "aggregation", "joins", "windows", "dates_times", "strings",
    "nulls", "nested_types", "selectors", "reshaping", "set_operations", "conditionals", "casting",
    "reading_writing", "backends", "execution", "sql_interop", "udfs", "performance", "from_pandas",
    "from_sql", "from_dplyr", "versions",
]  # fmt: skip

LONGEST_ANSWER = 700  # characters, slots included
FEWEST_EXCHANGES, FEWEST_QUESTIONS = 4, 6

_DEFAULT = re.compile(r"\bdefaults?\b", re.I)
_SLOT = re.compile(r"(?<!\{)\{([a-z_][a-z0-9_]*)")
_QUOTED = re.compile(r"`[^`]*`")
_END_OF_SENTENCE = re.compile(r"(?<=[.?!:])\s+")


def sentences_of(answer: str) -> list[str]:
    return _END_OF_SENTENCE.split(" ".join(answer.split()))


class Shown(Strict):
    """A snippet that shows what an answer states: it is run, and must give or raise what stands here.

    The code sees `ibis`, `_` and `s`, makes its own small tables, and ends in an expression. A table gives its columns by
    name, a column a list; numbers, texts, booleans and NULL are themselves, and everything else is its text.
    """

    code: str
    gives: Any = None
    raises: str | None = Field(None, description="the exception's class, or `Class: a part of the message`")

    @model_validator(mode="after")
    def _one_outcome(self) -> Shown:
        if len({"gives", "raises"} & self.model_fields_set) != 1:
            raise ValueError("expected either `gives` or `raises`")
        return self


class Exchange(Strict):
    """A few wordings of one question, and its answer.

    The answer may put in backticks what the names of Ibis allow (see `mentions`); other things go into `foreign`. What it
    calls a default must be backed by a claim.
    """

    questions: list[str] = Field(
        min_length=1, description="English; those about tables name something of the record's own"
    )
    code_example: str | None = Field(
        None, description="the answer's own code, instead of the template's; null for none"
    )
    sql: str | None = Field(None, description="DuckDB SQL whose result that code must give")
    claims: list[Claim] = Field([], description="what the answer says about signatures")
    foreign: list[str] = Field([], description="pieces of the answer in backticks that are not part of Ibis")
    shows: list[Shown] = Field([], description="snippets that prove what the answer says")
    answer: str = Field(max_length=LONGEST_ANSWER, description="English, one sentence to a short paragraph")

    @field_validator("answer")
    @classmethod
    def _true_of_ibis(cls, answer: str, info: ValidationInfo) -> str:
        claims, foreign = info.data.get("claims", ()), info.data.get("foreign", ())
        if _DEFAULT.search(_QUOTED.sub("", answer)) and not any(claim.is_about_a_default for claim in claims):
            raise ValueError("it speaks of a default, and no claim says which")
        try:
            check_names(answer, info.data.get("code_example"), foreign, [claim.of for claim in claims])
        except SyntaxError as error:
            raise ValueError(f"the code example does not parse: {error.msg}") from None
        return answer

    @model_validator(mode="after")
    def _sql_has_code(self) -> Exchange:
        if self.sql is not None and self.code_example is None:
            raise ValueError("there is `sql` and no `code_example` to compare with it")
        return self


class QaTemplate(TemplateSpec):
    """A topic in at least four exchanges. `code_example` and `sql` are those of every exchange without its own.

    An exchange belongs to one split, by its place: the second to validation, the third to test, and the others to train.
    So train has each topic, and none of the answers of the other splits.
    """

    topic: Topic
    code_example: str | None = Field(None, description="Ibis; one call of a chain a line; ends in the result")
    sql: str | None = Field(None, description="DuckDB SQL whose result the code example must give")
    files: bool = Field(False, description="the code reads, writes, connects or executes")
    exchanges: list[Exchange] = Field(min_length=FEWEST_EXCHANGES)

    languages: ClassVar[Mapping[str, Language]] = {
        "questions": "en", "answer": "en", "code_example": "ibis", "sql": "sql",
    }  # fmt: skip
    texts_have_splits: ClassVar[bool] = True

    @model_validator(mode="before")
    @classmethod
    def _hand_code_down(cls, data: Any) -> Any:
        """Each exchange without code gets the template's, and the SQL that goes with it."""
        exchanges = data.get("exchanges") if isinstance(data, dict) else None
        if not isinstance(exchanges, list):
            return data
        shared = {key: data[key] for key in ("code_example", "sql") if key in data}
        full = [
            {**shared, **exchange}
            if isinstance(exchange, dict) and "code_example" not in exchange
            else exchange
            for exchange in exchanges
        ]
        return {**data, "exchanges": full}

    def texts(self) -> Iterator[tuple[str, Location, str]]:
        for number, exchange in enumerate(self.exchanges):
            for index, question in enumerate(exchange.questions):
                yield "questions", ("exchanges", number, "questions", index), question
            yield "answer", ("exchanges", number, "answer"), exchange.answer
            for key in ("code_example", "sql"):
                if (text := getattr(exchange, key)) is not None:
                    yield key, self.place_of(number, key), text

    def place_of(self, number: int, key: str) -> Location:
        """Where the code or SQL of an exchange stands."""
        is_shared = getattr(self.exchanges[number], key) == getattr(self, key)
        return (key,) if is_shared else ("exchanges", number, key)

    def asked_in(self, split: str) -> list[tuple[int, str]]:
        """The questions of a split, each with the number of its exchange, in the order in which they are drawn."""
        return [
            (number, question)
            for number, exchange in enumerate(self.exchanges)
            if split_by_number(number) == split
            for question in exchange.questions
        ]

    @model_validator(mode="after")
    def _voices_differ(self) -> QaTemplate:
        questions = [question for exchange in self.exchanges for question in exchange.questions]
        if len(set(questions)) < max(FEWEST_QUESTIONS, len(questions)):
            raise ValueError(f"expected at least {FEWEST_QUESTIONS} questions, no two alike")
        sentences = Counter(s for exchange in self.exchanges for s in sentences_of(exchange.answer))
        if twice := [sentence for sentence, times in sentences.items() if times > 1]:
            raise ValueError(f"two answers share a sentence: {twice[0]}")
        codes = [exchange.code_example for exchange in self.exchanges if exchange.code_example is not None]
        if not self.tables and len(set(codes)) < len(codes):
            raise ValueError(
                "without tables, two exchanges cannot have the same code: they may be in two splits"
            )
        choices = {name for name, slot in self.slots.items() if isinstance(slot, list)}
        for question in questions if self.tables else ():
            if not set(_SLOT.findall(question)) - choices:
                raise ValueError(f"it would ask the same of every database: {question}")
        return self
