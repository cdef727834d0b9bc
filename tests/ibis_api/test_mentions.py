"""What answers mention in backticks is something that Ibis has, by one of the rules, or is refused."""

from __future__ import annotations

import pytest

from ibert_builder.ibis_api.mentions import check_names, pieces
from ibert_builder.ibis_api.names import UnknownName


def test_pieces_are_what_stands_in_backticks_in_order():
    assert pieces("Use `head()`, not `limit`: `head()` is shorter.") == ["head()", "limit", "head()"]


@pytest.mark.parametrize(
    "text",
    [
        "`Table.group_by(...)`, then `agg()`",
        "`ibis.cases()` or `_.n.sum()`",
        "`s.numeric()` and `~s.cols(...)`",
        '`join()` with `how="left"`',
        "`GROUP BY` and `LEFT JOIN`",
        "`int64` or `array<string>`",
        '`None`, `"left"`, `5`',
        "`con.create_table()`, `ibis.postgres`, `ibis.options.interactive`",
        "`{x:code}.upper()` and `_.n`",
        "`&` and `~`",
    ],
)
def test_names_of_ibis_are_known(text: str) -> None:
    check_names(text, "t.agg(n=t.count())")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("`groupby()`", "unknown name 'groupby', did you mean 'group_by'"),
        ("`ibis.case()`", "did you mean 'cases'"),
        ("`dropna()`", "unknown name 'dropna'"),
        ("`s.strings()`", "unknown name in s 'strings'"),
        ("`{x:code}.uper()`", "unknown method 'uper', did you mean 'upper'"),
        ("`t.loc[1]`", "unknown method 'loc'"),
        ("`tab.head()`", "unknown class or module 'tab'"),
        ('`head()` with `how="left"`', "nothing named here takes an argument 'how'"),
        ("`head(rows=3)`", "nothing named here takes an argument 'rows'"),
        ("`SELECT TOP`", "`SELECT TOP` is neither Python nor SQL nor a data type"),
        ("`head()", "a backtick opens a piece, and nothing closes it"),
    ],
)
def test_other_names_are_not(text: str, problem: str) -> None:
    with pytest.raises(UnknownName) as refused:
        check_names(text)
    assert problem in str(refused.value)


def test_names_that_the_example_introduces_may_be_mentioned() -> None:
    code = "def top(t):\n    best = t.agg(total=t.n.sum())\n    return best"
    check_names("`top()`, `best` and `total`", code)
    with pytest.raises(UnknownName, match="unknown name 'total'"):
        check_names("`total`", "t.n.sum()")


def test_parameters_of_functions_that_the_answer_is_about_may_be_mentioned() -> None:
    check_names("`offset` skips rows", about=("Table.limit",))
    with pytest.raises(UnknownName, match="unknown name 'offset'"):
        check_names("`offset` skips rows")


def test_foreign_names_must_be_listed_and_must_stand_there() -> None:
    check_names("`assign` of pandas is `mutate()`", foreign=("assign",))
    with pytest.raises(UnknownName, match="listed as foreign"):
        check_names("`mutate()`", foreign=("assign",))
