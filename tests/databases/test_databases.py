from __future__ import annotations

import duckdb
import pytest

from ibert_builder.databases.load import load_databases
from ibert_builder.databases.model import SPLITS
from ibert_builder.databases.type_classes import fits
from ibert_builder.execution.engine import Engine, engine_for
from ibert_builder.generation.catalog import default_templates_dir, load_catalog

DATABASES = load_catalog().databases

SCALARS = [
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float32",
    "float64",
    "decimal",
    "string",
    "boolean",
    "date",
    "time",
    "timestamp",
    "interval",
    "binary",
    "uuid",
    "json",
]


def test_there_are_enough_domains_and_tables():
    assert len({database.domain for database in DATABASES.values()}) >= 10
    assert sum(len(database.tables) for database in DATABASES.values()) >= 30
    assert all(2 <= len(database.tables) <= 5 for database in DATABASES.values())


def test_every_scalar_type_is_there():
    kinds = {
        str(column.dtype).split("(")[0]
        for d in DATABASES.values()
        for t in d.tables.values()
        for column in t.columns.values()
    }
    assert set(SCALARS) <= kinds
    assert any(
        "UTC" in str(c.dtype)
        for d in DATABASES.values()
        for t in d.tables.values()
        for c in t.columns.values()
    )


@pytest.mark.parametrize("kind", ["array", "struct", "map", "json"])
def test_nested_types_stand_in_every_split(kind):
    for split in SPLITS:
        found = [
            c
            for d in DATABASES.values()
            if d.split == split
            for t in d.tables.values()
            for c in t.columns.values()
            if fits(c.type_class, kind)
        ]
        assert found, split


@pytest.mark.parametrize("name", DATABASES)
def test_the_engine_has_the_types_and_rows_that_the_file_says(name):
    database = DATABASES[name]
    engine = engine_for(database)
    for table in database.tables.values():
        assert engine.tables[table.name].schema() == table.schema
        result = engine.run_sql(f"SELECT * FROM {table.name}")
        assert len(result.rows) == len(table.rows)
        for index, column in enumerate(table.columns.values()):
            assert [row[index] is None for row in result.rows] == [
                value is None for value in table.values[column.name]
            ]


def test_rows_do_not_depend_on_what_was_made_before():
    again = load_databases(default_templates_dir() / "_databases")
    for name, database in DATABASES.items():
        assert {t.name: t.rows for t in again[name].tables.values()} == {
            t.name: t.rows for t in database.tables.values()
        }


def test_rows_can_tell_joins_apart():
    """Some rows have no parent, some are never referred to: INNER, LEFT and FULL joins all differ."""
    for database in DATABASES.values():
        orphaned = unreferenced = False
        for reference in database.references:
            used = set(database.tables[reference.child].values[reference.column])
            keys = set(database.tables[reference.parent].values[reference.key])
            orphaned |= bool(used - keys)  # NULL among them
            unreferenced |= bool(keys - used)
        assert orphaned and unreferenced, database.name


def test_keys_are_unique_and_not_null():
    for database in DATABASES.values():
        for table in database.tables.values():
            keys = table.values[table.key]
            assert None not in keys and len(set(keys)) == len(keys)


def test_engine_is_shut_off_from_files(webshop):
    engine = Engine(webshop)
    for sql in (
        "SELECT * FROM read_csv('/etc/passwd')",
        "COPY orders TO '/tmp/x.csv'",
        "ATTACH '/tmp/x.db'",
        "INSTALL httpfs",
    ):
        with pytest.raises(Exception, match=r"(?i)permission|disabled|expected one SELECT"):
            engine.run_sql(sql)
        with pytest.raises(duckdb.Error, match=r"(?i)permission|disabled"):
            engine.backend.con.execute(sql)  # without the engine's own check
