"""The databases as DuckDB files, with the rows that prove."""

from __future__ import annotations

import duckdb
import pytest

from ibert_builder.databases.row_sets import KINDS, row_set
from ibert_builder.errors import InputError
from ibert_builder.generation.catalog import default_templates_dir
from ibert_builder.workers.worker import Place
from ibert_builder.writing.databases import describe, export

PACKAGED = Place(str(default_templates_dir()))


def test_databases_are_chosen_by_name_and_all_of_them_by_none(catalog):
    assert [described.name for described in describe([], PACKAGED)] == list(catalog.databases)
    assert [described.name for described in describe(["housing", "webshop"], PACKAGED)] == [
        "housing",
        "webshop",
    ]
    with pytest.raises(InputError, match="unknown database 'webshp', did you mean 'webshop'"):
        describe(["webshop", "webshp"], PACKAGED)


def test_every_row_set_is_a_file_of_its_own(tmp_path, webshop):
    names = ["webshop.duckdb", *(f"webshop-{number}.duckdb" for number in range(1, len(KINDS)))]
    assert export(["webshop"], tmp_path, True, PACKAGED) == [tmp_path / name for name in names]
    for number, name in enumerate(names):
        with duckdb.connect(tmp_path / name, read_only=True) as connection:
            for table in row_set(webshop, number).tables.values():
                found = connection.execute(f"SELECT count(*) FROM {table.name}").fetchone()
                assert found == (len(table.rows),), (name, table.name)
