"""Finished records are proved again from their own text, on every row set on which the proof can hold."""

from __future__ import annotations

import copy

import duckdb
import pytest

from ibert_builder.databases.row_sets import FULL, KINDS
from ibert_builder.execution.engine import engine_for
from ibert_builder.execution.proofs import Rejected, run_on_every_row_set
from ibert_builder.generation.generate import Options, Tally, generate
from ibert_builder.tasks.error_resolution.messages import message
from ibert_builder.tasks.registry import TASKS


@pytest.fixture(scope="module")
def engine(webshop):
    return engine_for(webshop)


@pytest.fixture(scope="module")
def found(catalog):
    """Some records of every task on one database."""
    return {name: list(generate(catalog, name, "webshop", Options(4), Tally())) for name in TASKS}


@pytest.fixture(scope="module")
def of_one_row(engine):
    """Code that gives rows on the first row set only, since the others part what goes together there."""
    query = "SELECT order_id, customer_id, status FROM orders WHERE customer_id IS NOT NULL AND status IS NOT NULL"
    order, customer, status = engine.run_sql(query).rows[0]
    code = (
        f"orders.filter((orders.order_id == {order}) & (orders.customer_id == {customer})"
        f" & (orders.status == {status!r}))"
    )
    assert engine.run_code(code).rows
    return code


@pytest.mark.parametrize("task", TASKS)
def test_what_is_made_holds(found, engine, task):
    assert found[task]
    for record in found[task]:
        TASKS[task].recheck(record, engine)


def spoilt(record, struct, **changes):
    record = copy.deepcopy(record)
    record[struct].update(changes)
    return record


def reason(task, record, engine):
    with pytest.raises(Rejected) as rejected:
        TASKS[task].recheck(record, engine)
    return rejected.value.reason, rejected.value.detail


def test_completed_code_gives_rows_on_most_full_row_sets(found, engine, of_one_row):
    record = spoilt(found["code_completion"][0], "target", completed_code=of_one_row)
    record = spoilt(record, "input", partial_code=of_one_row[:10])
    record = spoilt(record, "meta", remainder=of_one_row[10:])
    why, detail = reason("code_completion", record, engine)
    assert why == "empty_result" and detail.startswith(f"on row sets {list(FULL[1:])}\n")


def test_an_answers_code_gives_rows_on_most_full_row_sets(found, engine, of_one_row):
    record = spoilt(found["qa"][0], "target", code_example=of_one_row)
    assert reason("qa", record, engine)[0] == "empty_result"


def test_an_answers_code_that_writes_files_runs_on_every_full_row_set(found, engine, of_one_row):
    record = spoilt(found["qa"][0], "target", code_example=f"{of_one_row}.execute()")
    record["context"]["tables"] = {"orders": {}}
    assert reason("qa", record, engine)[0] == "empty_result"


def test_fixed_code_gives_rows_on_most_full_row_sets(found, engine, of_one_row):
    record = spoilt(found["error_resolution"][0], "target", fixed_code=of_one_row)
    assert reason("error_resolution", record, engine)[0] == "empty_result"


def test_an_error_that_only_the_engine_sees_is_raised_on_every_full_row_set(found, engine, of_one_row):
    # Values that are cast in one row only: the mistake is an accident of the first rows.
    failing = f'{of_one_row}.mutate(n=orders.status.cast("int64"))'
    with pytest.raises(duckdb.ConversionException) as raised:
        engine.run_sql(engine.to_sql(failing))
    record = next(r for r in found["error_resolution"] if r["input"]["error"] is not None)
    record = spoilt(record, "input", broken_code=failing, error=message(raised.value))
    assert reason("error_resolution", record, engine)[0] == "raises_nothing"


def test_code_that_fails_on_the_values_of_another_row_set_is_rejected(found, engine):
    # Every order of the first rows has one of these; another row set has an empty text among them.
    statuses = sorted(
        {row[0] for row in engine.run_sql("SELECT status FROM orders WHERE status IS NOT NULL").rows}
    )
    cases = ", ".join(f'("{status}", "{number}")' for number, status in enumerate(statuses))
    failing = f'orders.mutate(n=orders.status.cases({cases}, else_=orders.status).cast("int64"))'
    assert engine.run_code(failing).rows
    record = spoilt(found["error_resolution"][0], "target", fixed_code=failing)
    assert reason("error_resolution", record, engine)[0] == "sql_fails"


def test_numbers_that_do_not_fit_on_another_row_set_say_nothing(engine):
    highest = engine.run_sql("SELECT MAX(quantity) FROM order_items").rows[0][0]
    factor = 32_767 // highest
    sql = f"SELECT quantity * CAST({factor} AS SMALLINT) AS n FROM order_items"
    overflows = 0
    for rows in range(len(KINDS)):
        try:
            engine.run_sql(sql, rows)
        except duckdb.OutOfRangeException:
            overflows += 1
    assert 0 < overflows < len(KINDS)
    assert run_on_every_row_set(engine, sql).rows


@pytest.mark.parametrize("line", ["no_such_table.explode()", "1 / 0"])
def test_a_documented_function_runs(found, engine, line):
    record = found["documentation"][0]
    code = record["input"]["code"].replace("    return ", f"    {line}\n    return ", 1)
    record = spoilt(record, "input", code=code)
    assert reason("documentation", record, engine)[0] == "function_fails"


def test_a_documented_exception_is_raised_by_a_call(found, engine):
    record = next(r for r in found["documentation"] if "# raises" in r["meta"]["calls"])
    silent = "\n".join(line for line in record["meta"]["calls"].splitlines() if "# raises" not in line)
    assert reason("documentation", spoilt(record, "meta", calls=silent), engine)[0] == "calls_do_not_show_it"
    wrong = record["meta"]["calls"].replace("# raises ValueError", "# raises TypeError")
    assert reason("documentation", spoilt(record, "meta", calls=wrong), engine)[0] == "raises_another_error"


def test_a_function_without_calls_shows_nothing(found, engine):
    record = next(r for r in found["documentation"] if ">>> " not in r["target"]["docstring"])
    assert reason("documentation", spoilt(record, "meta", calls=""), engine)[0] == "calls_do_not_show_it"


def test_an_example_in_a_docstring_is_one_of_the_calls(found, engine):
    record = next(r for r in found["documentation"] if ">>> " in r["target"]["docstring"])
    assert reason("documentation", spoilt(record, "meta", calls=""), engine)[0] == "example_not_called"


def test_a_docstring_states_the_columns_that_its_function_reads(found, engine):
    record = next(r for r in found["documentation"] if "the column `" in r["target"]["docstring"])
    docstring = record["target"]["docstring"].replace("the column `", "the column `x")
    assert (
        reason("documentation", spoilt(record, "target", docstring=docstring), engine)[0] == "columns_differ"
    )
