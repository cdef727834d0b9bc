"""The databases as DuckDB files, with the rows that prove."""

from __future__ import annotations

import duckdb
import pytest

from ibert_builder.databases.row_sets import KINDS, row_set
from ibert_builder.errors import InputError
from ibert_builder.writing.databases import choose, export


def test_databases_are_chosen_by_name_and_all_of_them_by_none(catalog):
    assert choose(catalog.databases, []) == list(catalog.databases.values())
    assert choose(catalog.databases, ["housing", "webshop"]) == [
        catalog.databases["housing"],
        catalog.databases["webshop"],
    ]
    with pytest.raises(InputError, match="unknown database 'webshp', did you mean 'webshop'"):
        choose(catalog.databases, ["webshop", "webshp"])


def test_every_row_set_is_a_file_of_its_own(tmp_path, webshop):
    names = ["webshop.duckdb", *(f"webshop-{number}.duckdb" for number in range(1, len(KINDS)))]
    assert export([webshop], tmp_path, row_sets=True) == [tmp_path / name for name in names]
    for number, name in enumerate(names):
        with duckdb.connect(tmp_path / name, read_only=True) as connection:
            for table in row_set(webshop, number).tables.values():
                found = connection.execute(f"SELECT count(*) FROM {table.name}").fetchone()
                assert found == (len(table.rows),), (name, table.name)
