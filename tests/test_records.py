"""Records and rows: the columns of each config, and the way from one to the other and back."""

from __future__ import annotations

import datasets
import pytest
from datasets import Dataset, Features

from ibert_builder.errors import InputError
from ibert_builder.records import (
    ALL,
    as_all,
    columns,
    configs,
    features,
    features_json,
    tasks_of,
    to_record,
    to_row,
)
from ibert_builder.tasks.registry import TASKS

RECORD = {
    "id": "5f0a3c1e-6d0b-5c0e-9d1c-2f6f2f1f9b7a",
    "task": "sql_to_ibis",
    "system_prompt": "Translate.",
    "context": {"tables": {"t": {"schema": {"a": "int64", "b": "array<string>"}}, "u": {"schema": {}}}},
    "input": {"sql": "SELECT a FROM t", "dialect": "duckdb"},
    "target": {"ibis": "t.select(t.a)"},
    "meta": {
        "template": "plain",
        "difficulty": "easy",
        "features": ["select"],
        "database": "shop",
        "skeleton": "0123456789ab",
        "unseen_skeleton": False,
    },
    "messages": [{"role": "user", "content": "SQL"}],
}


def test_a_config_is_a_task_or_all_of_them():
    assert [task.name for task in tasks_of(ALL)] == list(TASKS)
    assert tasks_of("qa") == (TASKS["qa"],)
    with pytest.raises(InputError, match="unknown config 'qaa', did you mean 'qa'"):
        tasks_of("qaa")


@pytest.mark.parametrize("config", configs())
def test_a_config_has_the_fields_of_its_tasks(config):
    declared = columns(config)
    for struct in ("input", "target"):
        assert set(declared[struct]) == {name for task in tasks_of(config) for name in getattr(task, struct)}
    assert set(declared["meta"]) == set(RECORD["meta"]).union(*(task.meta for task in tasks_of(config)))
    assert ("dialect" in declared) == (config in ("ibis_to_sql", ALL))


@pytest.mark.parametrize("config", configs())
def test_features_are_the_same_in_json(config):
    def read(value):
        if isinstance(value, list):
            return [read(value[0])]
        return datasets.Value(value["dtype"]) if "_type" in value else {k: read(v) for k, v in value.items()}

    assert Features(read(features_json(config))) == features(config)


@pytest.mark.parametrize("config", ["sql_to_ibis", ALL])
def test_a_row_has_every_column_and_is_its_record_again(config):
    row = to_row(RECORD, features(config))
    assert list(row) == list(columns(config))
    assert row["context"]["tables"][0] == {
        "name": "t",
        "schema": [{"name": "a", "type": "int64"}, {"name": "b", "type": "array<string>"}],
    }
    assert row["input"].keys() == columns(config)["input"].keys()
    assert row["input"].get("question") is None
    assert to_record(features(config).encode_example(row)) == RECORD


def test_a_tasks_dataset_takes_on_the_columns_of_all():
    own = features("sql_to_ibis")
    dataset = as_all(Dataset.from_list([to_row(RECORD, own)], features=own))
    assert dataset.features == features(ALL)
    assert dataset[0]["dialect"] is None and dataset[0]["target"]["docstring"] is None
    assert to_record(dataset[0]) == RECORD
