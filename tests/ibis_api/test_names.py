"""Names of Ibis: which there are, what they mean, what they take."""

from __future__ import annotations

import ibis
import pytest
from ibis import selectors
from ibis.backends.duckdb import Backend

from ibert_builder.ibis_api.names import UnknownName, members, parameters, resolve, signature


@pytest.mark.parametrize(
    ("path", "meaning"),
    [
        ("Table.head", ibis.expr.types.Table.head),
        ("ibis.row_number", ibis.row_number),
        ("s.across", selectors.across),
        ("con.sql", Backend.sql),
        ("ibis.options.interactive", False),
    ],
)
def test_a_dotted_name_is_resolved(path, meaning):
    assert resolve(path) == meaning


def test_the_modules_of_backends_that_are_not_installed_have_the_functions_of_duckdbs():
    assert parameters("ibis.postgres.connect") == parameters("ibis.duckdb.connect") != {}


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("Tabel.head", "unknown class or module 'Tabel', did you mean 'Table'?"),
        ("Table.hed", "unknown name in Table 'hed', did you mean 'head'?"),
        ("ibis.options.sql.nothing", "unknown name in ibis.options.sql 'nothing'"),
        ("ibis.postgres.conect", "unknown name in ibis.postgres 'conect', did you mean 'connect'?"),
        ("Table._fast_bind", "unknown name in Table '_fast_bind'"),
        ("Table.fillna", "'Table.fillna' is deprecated"),
    ],
)
def test_a_name_that_means_nothing_is_refused_with_the_nearest_one(path, problem):
    with pytest.raises(UnknownName) as refused:
        resolve(path)
    assert str(refused.value).startswith(problem)


def test_parameters_leave_out_self():
    assert list(parameters("Table.limit")) == ["n", "offset"]
    assert parameters("Table.limit")["offset"].default == 0


def test_what_cannot_be_called_has_no_parameters():
    with pytest.raises(UnknownName, match=r"'ibis\.options\.interactive' has no signature"):
        parameters("ibis.options.interactive")
    with pytest.raises(UnknownName, match="'it' has no signature"):
        signature(3, "it")


def test_members_are_public_current_and_not_of_the_selectors():
    assert {"group_by", "fill_null", "upper", "connect", "row_number"} <= members().keys()
    assert members().keys().isdisjoint({"groupby", "fillna", "case", "across", "_arg"})
    assert ibis.expr.types.Table.head in members()["head"]
