"""Our records have the keys and nesting of the seed's examples, and its instructions."""

from __future__ import annotations

import pytest

from ibert_builder.generation.generate import Options, Tally, generate
from ibert_builder.tasks.registry import TASKS

SEED_EXAMPLES = {
    "code_completion": {
        "id": "uuid",
        "task": "code_completion",
        "context": {"tables": {"table": {"schema": {"age": "int64"}}}},
        "input": {"partial_code": "table.filter(table.age >"},
        "target": {"completed_code": "table.filter(table.age > 18)"},
        "meta": {"template": "filter_completion", "difficulty": "easy"},
    },
    "sql_to_ibis": {
        "id": "uuid",
        "task": "sql_to_ibis",
        "input": {"sql": "SELECT * FROM table WHERE age > 18"},
        "target": {"ibis": "table.filter(table.age > 18)"},
    },
    "ibis_to_sql": {
        "id": "uuid",
        "task": "ibis_to_sql",
        "dialect": "duckdb",
        "context": {"tables": {"table": {"schema": {"age": "int64"}}}},
        "input": {"ibis": "table.filter(table.age > 18)", "dialect": "duckdb"},
        "target": {"sql": "SELECT *\nFROM table\nWHERE age > 18"},
        "meta": {"template": "filter_to_sql", "difficulty": "easy"},
    },
    "error_resolution": {
        "id": "uuid",
        "task": "error_resolution",
        "context": {"tables": {"table": {"schema": {"age": "int64"}}}},
        "input": {
            "broken_code": "table.filter(table.age > '18')",
            "error": "TypeError: '>' not supported between int and str",
            "context_info": "age column is int64 type",
        },
        "target": {
            "fixed_code": "table.filter(table.age > 18)",
            "explanation": "Removed quotes from 18 to compare as integer",
        },
        "meta": {"template": "type_error", "error_type": "type_mismatch"},
    },
    "qa": {
        "id": "uuid",
        "task": "qa",
        "input": {"question": "How do I filter rows where age is greater than 18?"},
        "target": {
            "answer": "Use the filter() method with a comparison expression",
            "code_example": "table.filter(table.age > 18)",
        },
        "meta": {"template": "how_to_filter", "topic": "filtering"},
    },
    "documentation": {
        "id": "uuid",
        "task": "documentation",
        "input": {
            "code": "def get_active_users(table):\n    return table.filter(table.is_active)",
            "style": "google",
        },
        "target": {"docstring": '"""Get active users from table.\n\nArgs:\n    table: Input Ibis table"""'},
        "meta": {"template": "simple_filter_func", "style": "google"},
    },
}

INSTRUCTIONS = {
    "code_completion": "Complete the partial Ibis expression. Output only the completed code.",
    "sql_to_ibis": "Translate the SQL query to equivalent Ibis code.",
    "ibis_to_sql": "Translate the Ibis expression to SQL for the specified dialect.",
    "error_resolution": "Fix the compilation or type error in the Ibis code.",
    "qa": "Answer questions about Ibis clearly and concisely.",
    "documentation": "Generate a docstring for the Ibis function in {style} format.",
}


@pytest.fixture(scope="module", params=sorted(SEED_EXAMPLES))
def pair(request, catalog):
    records = generate(catalog, request.param, "webshop", Options(10), Tally())
    return SEED_EXAMPLES[request.param], next(record for record in records if record["context"]["tables"])


def test_every_task_of_the_seed_is_here():
    assert set(SEED_EXAMPLES) == set(TASKS)


def test_record_has_the_keys_and_types_of_the_seed(pair):
    seed, record = pair
    for key, value in seed.items():
        assert type(record[key]) is type(value), key
        if isinstance(value, dict) and key != "context":
            fields = getattr(TASKS[record["task"]], key)
            for name, inner in value.items():
                is_null = record[key][name] is None and fields[name].optional
                assert is_null or type(record[key][name]) is type(inner), name


def test_schemas_are_nested_as_in_the_seed(pair):
    _, record = pair
    for name, table in record["context"]["tables"].items():
        assert isinstance(name, str)
        assert set(table) == {"schema"} and table["schema"]
        assert all(
            isinstance(column, str) and isinstance(kind, str) for column, kind in table["schema"].items()
        )


def test_instruction_is_the_seeds(pair):
    _, record = pair
    assert record["system_prompt"] == INSTRUCTIONS[record["task"]].format(**record["input"])
    assert [message["role"] for message in record["messages"]] == ["system", "user", "assistant"]
    assert record["messages"][0]["content"] == record["system_prompt"]
