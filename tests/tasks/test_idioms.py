"""What an explanation says of pandas and Polars: where Ibis's method gives something else than theirs, it says so."""

from __future__ import annotations

import re

import ibis
import pandas
import polars
import pytest
from ibis import _

from tests.tasks.proving import CATALOG

TEMPLATES = {template.name: template.spec for template in CATALOG.templates["error_resolution"]}

ROWS = {"key": [1, 2, 3, 4, 5], "name": ["b", None, "a", "b", None], "number": [3.0, None, -1.0, 3.0, 2.0]}
IBIS = ibis.memtable(ROWS, schema={"key": "int64", "name": "string", "number": "float64"})
PANDAS = pandas.DataFrame(ROWS)
POLARS = polars.DataFrame(ROWS)

WINDOW = {"order_by": "key"}

# Templates by what the method in their broken code gives in its library, and what the fixed code gives in Ibis.
IDIOMS = {
    "polars_sort": (POLARS.sort("number", "key")["number"], IBIS.order_by("number", "key").number),
    "polars_unique_count": (POLARS["name"].n_unique(), IBIS.name.nunique()),
    "polars_len": (POLARS["name"].len(), IBIS.count()),
    "polars_null_test": (POLARS["name"].is_null(), IBIS.order_by("key").select(_.name.isnull())),
    "isna_spelling": (PANDAS["name"].isna(), IBIS.order_by("key").select(_.name.isnull())),
    "sort_values": (PANDAS.sort_values(["number", "key"])["number"], IBIS.order_by(["number", "key"]).number),
    "drop_duplicates": (PANDAS[["name"]].drop_duplicates().sort_values("name")["name"],
                        IBIS.select("name").distinct().order_by("name")),
    "value_counts_options": (PANDAS["name"].value_counts(normalize=True),
                             IBIS.name.value_counts(name="rows").order_by(ibis.desc("rows"), "name")
                             .select(_.rows / _.rows.sum())),
    "value_counts_dropna": (PANDAS["name"].value_counts(dropna=False).sort_values(),
                            IBIS.name.value_counts(name="rows").order_by("rows").rows),
    "shift_values": (PANDAS["number"].shift(), IBIS.order_by("key").select(_.number.lag().over(**WINDOW))),
    "rolling_mean": (PANDAS["number"].rolling(3).mean(),
                     IBIS.order_by("key").select(_.number.mean().over(rows=(-2, 0), **WINDOW))),
    "masked_column": (PANDAS["number"][PANDAS["number"] > 0].max(), IBIS.number.max(where=_.number > 0)),
}  # fmt: skip
SAYS_SO = re.compile(r"NULL|null|missing|shorter|known", re.I)


def values(answer):
    """The values of a column, an expression or a number, in order, NaN as None."""
    if isinstance(answer, ibis.Expr):
        answer = answer.execute()
    if isinstance(answer, pandas.DataFrame):
        answer = answer.iloc[:, 0]
    found = answer.to_list() if hasattr(answer, "to_list") else [answer]
    return [None if value != value or value is None else value for value in found]


@pytest.mark.parametrize("name", IDIOMS)
def test_an_explanation_says_so_where_ibis_gives_something_else(name):
    theirs, ours = map(values, IDIOMS[name])
    if theirs != ours:
        assert all(SAYS_SO.search(wording) for wording in TEMPLATES[name].explanation), (theirs, ours)


def test_some_of_these_differ_and_some_do_not():
    differing = {name for name, (theirs, ours) in IDIOMS.items() if values(theirs) != values(ours)}
    assert differing == {"polars_sort", "polars_unique_count", "value_counts_options", "rolling_mean"}


def test_every_idiom_of_polars_that_reads_values_is_compared():
    reading = {
        name
        for name, spec in TEMPLATES.items()
        if spec.error_type == "polars_idiom" and "mutate" not in spec.features
    }
    assert reading <= set(IDIOMS)
