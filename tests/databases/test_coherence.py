"""Rules about rows: each is made to hold, its check finds the rows that break it, and a rule that cannot hold is reported."""

from __future__ import annotations

import copy
import datetime
import random
from decimal import Decimal

import duckdb
import ibis.expr.datatypes as dt
import pytest
import yaml

from ibert_builder.databases.coherence import checks, form, repair
from ibert_builder.databases.coherence.checks import violations
from ibert_builder.databases.duckdb_tables import write_table
from ibert_builder.databases.load import load_databases
from ibert_builder.databases.makers import typed
from ibert_builder.databases.rows import make_rows
from ibert_builder.databases.spec import DatabaseSpec
from ibert_builder.errors import InputError
from ibert_builder.generation.catalog import default_templates_dir
from ibert_builder.semantics import rules
from ibert_builder.yaml_source import Source, read_folder

DATABASE = yaml.safe_load("""
name: repairs
domain: a repair shop
split: train
tables:
  owners:
    rows: 40
    key: owner_code
    columns:
      owner_code: {type: string, make: {text: {patterns: ["K-####"]}}}
      full_name: {type: string, make: {text: {patterns: ["{first} {last}"], parts: {first: [Ada, Zoë, Max], last: [Ito, Roth]}}}}
      email: {type: string, unique: true, nulls: 0.1, make: {text: {patterns: ["{word}.##@{host}"], parts: {word: [anna, bert], host: [a.org, b.net]}}}}
      joined_on: {type: date, make: {date: ["2022-01-01", "2024-06-30"]}}
      is_member: {type: boolean, nulls: 0.05, make: {choice: {true: 1, false: 3}}}
      recruiter: {type: string, nulls: 0.2, make: {ref: owners}}
  jobs:
    rows: 60
    key: job_id
    columns:
      job_id: {type: int64, make: {serial: 1}}
      owner_code: {type: string, nulls: 0.1, make: {ref: owners}}
      state: {type: string, make: {choice: [open, ready, paid, lost]}}
      opened_at: {type: timestamp(6), make: {timestamp: ["2023-01-01", "2024-06-30"]}}
      paid_at: {type: timestamp(6), nulls: 0.2, make: {after: {column: opened_at, days: [0, 20]}}}
      due_on: {type: date, make: {date: ["2023-01-01", "2024-06-30"]}}
      opens: {type: time, make: {time: [6, 20]}}
      closes: {type: time, make: {time: [6, 20]}}
      price: {type: "decimal(10, 2)", nulls: 0.1, make: {number: [5, 400, 2]}}
      discount: {type: float64, nulls: 0.1, make: {choice: [0.0, 0.1, 0.25]}}
      voucher: {type: string, nulls: 0.4, make: {choice: [MEMBER, SPRING]}}
      colours: {type: array<string>, make: {array: {of: {choice: [red, blue]}, length: [0, 3]}}}
      details: {type: json, make: {json: {pieces: {integer: [1, 9]}, channel: {choice: [web, phone]}}}}
      extras: {type: "map<string, string>", make: {map: {keys: [wash, wax], values: {choice: [hot, cold, soft, hard]}}}}
      place: {type: "struct<city: string, hall: int64>", make: {struct: {city: {choice: [Bonn, Ulm]}, hall: {integer: [1, 4]}}}}
  parts:
    rows: 120
    key: part_id
    columns:
      part_id: {type: int64, make: {serial: 1}}
      job_id: {type: int64, make: {ref: jobs}}
      bought_on: {type: date, make: {date: ["2022-06-01", "2024-06-30"]}}
      kind: {type: string, make: {choice: [chain, brake, tyre, light, bell]}}
      quantity: {type: int16, make: {integer: [1, 5]}}
      unit_price: {type: "decimal(8, 2)", make: {number: [1, 90, 2]}}
      cost: {type: float64, make: {number: [1, 500, 2]}}
semantic_model:
  as_of: 2024-06-30
  currency: EUR
  entities:
    owner: {table: owners, person: true, display: [owner_code, full_name], time: joined_on}
    job: {table: jobs, display: [job_id, state], time: opened_at}
    part: {table: parts, display: [part_id, kind]}
  columns:
    owners: {owner_code: {kind: identifier}, full_name: {kind: name}, email: {kind: code}, joined_on: {kind: event_time},
      is_member: {kind: flag, holds: is a member|are members, fails: is no member|are no members}, recruiter: {kind: foreign_key}}
    jobs: {job_id: {kind: identifier}, owner_code: {kind: foreign_key}, state: {kind: status}, opened_at: {kind: event_time},
      paid_at: {kind: event_time}, due_on: {kind: period_bound}, opens: {kind: time_of_day}, closes: {kind: time_of_day},
      price: {kind: amount}, discount: {kind: rate}, voucher: {kind: category}, colours: {kind: tags},
      details: {kind: record, fields: {pieces: {kind: quantity}, channel: {kind: category}}},
      extras: {kind: record, fields: {wash: {kind: category}, wax: {kind: category}}},
      place: {kind: record, fields: {city: {kind: category}, hall: {kind: category}}}}
    parts: {part_id: {kind: identifier}, job_id: {kind: foreign_key}, bought_on: {kind: event_time}, kind: {kind: category},
      quantity: {kind: quantity}, unit_price: {kind: price}, cost: {kind: amount}}
  references:
    owners.recruiter: {to: owner, up: "recruited by {parent}", down: "recruited {child}", never: "never recruited {child}"}
    jobs.owner_code: {to: owner, up: "of {parent}", down: "has|have {child}", never: "has|have no {child}", dangling: moved away}
    parts.job_id: {to: job, up: "for {parent}", down: "needed {child}"}
  dimensions:
    parts:
      line_total: {kind: amount, type: "decimal(18, 2)", sql: "{quantity} * {unit_price}", ibis: "{quantity} * {unit_price}"}
""")

# One rule or more of each type.
RULES = [
    {"lifecycle": "jobs.state", "steps": ["open > ready", "ready > paid"]},
    {"known_when": "jobs.paid_at", "by": "state", "in": ["paid"]},
    {"known_when": "jobs.price", "by": "state", "in": ["ready", "paid"], "share": 0.75},
    {"order": ["jobs.opened_at", "jobs.paid_at"], "after": [1, 12]},
    {"order": ["jobs.opened_at", "jobs.due_on"], "after": [0, 30]},
    {"order": ["jobs.opens", "jobs.closes"], "after": [1.5, 9], "unit": "hours"},
    {"not_before": "jobs.opened_at", "parent": "owners.joined_on"},
    {"not_before": "parts.bought_on", "parent": "jobs.opened_at"},
    {"until": "as_of", "columns": ["owners.joined_on", "jobs.paid_at"]},
    {"open_recent": "jobs.state", "states": ["open"], "time": "opened_at", "days": 60, "share": 0.8},
    {"children": "parts", "of": "jobs", "at_least": 2},
    {
        "total": "jobs.price",
        "of": "parts",
        "sql": "{line_total}",
        "times": "1 - COALESCE({discount}, 0)",
        "round": 2,
    },
    {"total": "jobs.details.pieces", "of": "parts", "sql": "{quantity}"},
    {"computed": "parts.cost", "sql": "2 * {unit_price} + {quantity}"},
    {
        "lookup": "jobs.discount",
        "by": "voucher",
        "map": {"MEMBER": 0.25, "SPRING": [0.1, 0.25], None: 0.0},
    },
    {"lookup": "jobs.extras", "by": "key", "map": {"wash": ["hot", "cold"], "wax": ["soft", "hard"]}},
    {
        "lookup": "jobs.place",
        "by": "details.channel",
        "map": {"web": [{"city": "Bonn", "hall": 1}, {"city": "Ulm", "hall": 2}]},
    },
    {"near": "parts.cost", "parent": "jobs.price", "factor": [0.2, 1.1], "round": 1},
    {"requires": "jobs.voucher", "value": "MEMBER", "then": "owners.is_member", "in": [True]},
    {"requires": "jobs.state", "value": "lost", "then": "jobs.voucher", "in": [None]},
    {"nulls_with": ["jobs.price", "jobs.discount"]},
    {"text_from": "owners.email", "column": "full_name", "part": "word"},
    {"set": "jobs.colours"},
    {"unique": ["parts.job_id", "parts.kind"]},
    {"holds": "{unit_price} < 50 OR {quantity} = 1", "table": "parts"},
    {"holds": "place.city <> 'Ulm' OR place.hall <= 2", "table": "jobs"},
]
IDS = [f"{index}-{next(iter(rule))}" for index, rule in enumerate(RULES)]


def database(*declared):
    data = copy.deepcopy(DATABASE)
    data["semantic_model"]["coherence"] = list(declared)
    return data


def spec_of(*declared):
    return DatabaseSpec.model_validate(database(*declared))


def connect():
    return duckdb.connect(config={"threads": 1})


def made(*declared):
    """The rows of every table, as dictionaries."""
    spec = spec_of(*declared)
    return {
        table: [dict(zip(spec.tables[table].columns, row, strict=True)) for row in rows]
        for table, rows in make_rows(spec, connect()).items()
    }


def broken(rows, *declared):
    """Which of the rules do not hold for some rows."""
    spec, connection = spec_of(*declared), connect()
    for table, there in rows.items():
        dtypes = {name: dt.dtype(column.type) for name, column in spec.tables[table].columns.items()}
        write_table(connection, table, dtypes, {name: [row[name] for row in there] for name in dtypes})
    return [violation.index for violation in violations(connection, spec)]


def load(tmp_path, data, **options):
    path = tmp_path / "repairs.yaml"
    path.write_text(yaml.safe_dump(data, sort_keys=False))
    return load_databases(tmp_path, **options)


# --- every rule


def test_every_type_of_rule_has_a_form_a_repair_and_a_check():
    types = {type(rule) for rule in spec_of(*RULES).semantic_model.coherence}
    declared = {
        kind
        for kind in vars(rules).values()
        if isinstance(kind, type) and issubclass(kind, rules.Strict) and kind is not rules.Strict
    }
    assert types == declared == set(repair.REPAIRS) == set(checks._CHECKS) == set(form._FORMS)


@pytest.mark.parametrize("rule", RULES, ids=IDS)
def test_rows_break_a_rule_that_is_not_declared_and_keep_one_that_is(rule):
    assert broken(made(), rule) == [0]
    assert broken(made(rule), rule) == []


@pytest.mark.parametrize("rule", RULES, ids=IDS)
def test_a_repair_leaves_rows_that_break_no_rule_alone(rule):
    """A second repair has nothing to do, and most values are as they would be without the rule."""
    before, after = made(), made(rule)
    assert made(rule, rule) == after
    values = [
        (old[name], new[name])
        for table in before
        for old, new in zip(before[table], after[table], strict=True)
        for name in old
    ]
    assert sum(old != new for old, new in values) < 0.07 * len(values)


@pytest.mark.parametrize("rule", RULES, ids=IDS)
def test_repaired_values_are_of_the_type_of_their_column(rule):
    spec = spec_of(rule)
    for table, rows in made(rule).items():
        for name, column in spec.tables[table].columns.items():
            kinds = {type(value) for row in made()[table] if (value := row[name]) is not None}
            found = {type(value) for row in rows if (value := row[name]) is not None}
            assert found <= kinds
            if Decimal in kinds:
                assert all(
                    row[name] is None
                    or row[name].as_tuple() == typed(row[name], dt.dtype(column.type)).as_tuple()
                    for row in rows
                )


def test_all_rules_hold_together_and_rows_are_the_same_each_time():
    rows = made(*RULES)
    assert broken(rows, *RULES) == []
    assert made(*RULES) == rows


@pytest.mark.parametrize("seed", range(12))
def test_rules_hold_in_any_selection_and_order(seed):
    rng = random.Random(seed)
    chosen = rng.sample(RULES, rng.randint(5, len(RULES)))
    assert broken(made(*chosen), *chosen) == []


# --- each check finds what breaks its rule

BREAKS = {
    "lifecycle": ("jobs", {"state": "stolen"}),
    "known_when": ("jobs", {"state": "open", "paid_at": datetime.datetime(2024, 1, 1)}),
    "order": (
        "jobs",
        {"opened_at": datetime.datetime(2024, 1, 2), "paid_at": datetime.datetime(2024, 1, 2, 23, 59)},
    ),
    "until": ("jobs", {"paid_at": datetime.datetime(2024, 7, 1)}),
    "lookup": ("jobs", {"voucher": None, "discount": 0.1}),
    "nulls_with": ("jobs", {"price": None, "discount": 0.1}),
    "text_from": ("owners", {"full_name": "Ada Ito", "email": "adam.12@a.org"}),
    "set": ("jobs", {"colours": ["red", "red"]}),
    "holds": ("parts", {"unit_price": Decimal("50.00"), "quantity": 2}),
    "near": ("parts", {"cost": 1e6}),
    "total": ("jobs", {"price": Decimal("0.01")}),
}


@pytest.mark.parametrize("name", BREAKS)
def test_one_row_that_breaks_a_rule_is_found(name):
    rule = next(rule for rule in RULES if name in rule)
    rows = made(rule)
    table, values = BREAKS[name]
    rows[table][3].update(values)
    assert broken(rows, rule) == [0]


@pytest.mark.parametrize(
    "values",
    [
        {"opened_at": datetime.datetime(2024, 1, 2), "paid_at": datetime.datetime(2024, 1, 3)},
        {"opened_at": datetime.datetime(2024, 1, 2), "paid_at": datetime.datetime(2024, 1, 14)},
        {"opened_at": datetime.datetime(2024, 1, 2), "paid_at": None},
    ],
)
def test_the_bounds_of_an_order_are_within_it(values):
    rule = RULES[3]
    rows = made(rule)
    rows["jobs"][3].update(values)
    assert broken(rows, rule) == []


def test_a_row_between_tables_that_breaks_a_rule_is_found():
    not_before, children, requires, unique = (
        next(rule for rule in RULES if name in rule)
        for name in ("not_before", "children", "requires", "unique")
    )
    rows = made(*RULES)
    owners = {owner["owner_code"]: owner for owner in rows["owners"]}
    job, owner = next((job, owners[job["owner_code"]]) for job in rows["jobs"] if job["owner_code"] in owners)
    owner["joined_on"] = job["opened_at"].date() + datetime.timedelta(days=1)
    assert broken(rows, not_before) == [0]
    job["voucher"], owner["is_member"] = "MEMBER", None
    assert broken(rows, requires) == [0]
    rows["parts"][0].update(job_id=rows["parts"][1]["job_id"], kind=rows["parts"][1]["kind"])
    assert broken(rows, unique) == [0]
    for part in rows["parts"]:
        part["job_id"] = 1
    assert broken(rows, children) == [0]


# --- what is declared beside the rules


def test_ties_are_as_declared():
    data = database()
    for ties in (0.0, 0.9):
        data["tables"]["parts"]["columns"]["cost"]["ties"] = ties
        rows = make_rows(DatabaseSpec.model_validate(data), connect())["parts"]
        different = len({row[-1] for row in rows})
        assert different > 110 if ties == 0 else different < 30


def test_references_dangle_and_leave_rows_out_only_where_that_is_declared():
    rows = made()
    owners = {owner["owner_code"] for owner in rows["owners"]}
    used = {job["owner_code"] for job in rows["jobs"]} - {None}
    strangers = used - owners
    assert strangers and all(len(code) == 6 and code.startswith("K-") for code in strangers)
    assert owners - used
    data = database()
    data["semantic_model"]["references"]["jobs.owner_code"].pop("dangling")
    again = make_rows(DatabaseSpec.model_validate(data), connect())["jobs"]
    assert {row[1] for row in again} - {None} <= owners
    assert {part["job_id"] for part in rows["parts"]} <= {job["job_id"] for job in rows["jobs"]}


@pytest.mark.parametrize(
    "declared",
    [
        [],
        [{"not_before": "owners.joined_on", "parent": "owners.joined_on"}],
        [{"unique": ["owners.recruiter", "owners.full_name"]}],
    ],
    ids=["no rule", "not_before", "unique"],
)
def test_references_of_a_table_to_itself_form_trees(declared):
    rows = made(*declared)
    recruiter = {owner["owner_code"]: owner["recruiter"] for owner in rows["owners"]}
    roots = [code for code, above in recruiter.items() if above is None]
    assert 1 <= len(roots) <= 16
    for code in recruiter:
        path = [code]
        while (above := recruiter.get(path[-1])) is not None:
            assert above not in path
            path.append(above)


# --- rules that cannot be

WRONG = [
    ({"lifecycle": "jobs.status", "steps": ["a > b"]}, "lifecycle: unknown column 'status', did you mean 'state'?"),
    ({"lifecycle": "jobs.state", "steps": ["open > redy", "paid > lost"]}, "steps: unknown state 'redy', did you mean 'ready'?"),
    ({"lifecycle": "jobs.state", "steps": ["open > ready", "ready > paid"]}, "steps: no step leads to or from the state 'lost'"),
    ({"known_when": "jobs.job_id", "by": "state", "in": ["paid"]}, "known_when: a key cannot depend on other values"),
    ({"known_when": "jobs.paid_at", "by": "state", "in": ["payed"]}, "in: unknown value of jobs.state 'payed', did you mean 'paid'?"),
    ({"known_when": "jobs.paid_at", "by": "state", "in": [False]}, "in: expected a value of type string, found False"),
    ({"order": ["jobs.opened_at", "jobs.price"], "after": [0, 1]}, "order.1: expected a date, timestamp or time, found decimal"),
    ({"order": ["jobs.opened_at", "owners.joined_on"], "after": [0, 1]}, "order: expected columns of one table, found some of jobs and owners"),
    ({"order": ["jobs.opened_at", "jobs.paid_at"], "after": [5, 1]}, "after: expected two numbers from 0 on, the lower first"),
    ({"order": ["jobs.opened_at", "jobs.due_on"], "after": [0.2, 0.5]}, "after: dates differ by whole days"),
    ({"order": ["jobs.opened_at", "jobs.opens"], "after": [0, 1]}, "order: a time of day cannot be compared"),
    ({"not_before": "jobs.opened_at", "parent": "parts.bought_on"}, "parent: jobs has no references to parts"),
    ({"until": "as_of", "columns": ["jobs.opens"]}, "columns.0: a time of day is never later than a date"),
    ({"open_recent": "jobs.state", "states": ["open"], "time": "price", "days": 3, "share": 0.5}, "time: expected a date"),
    ({"children": "parts", "of": "jobs", "at_least": 3}, "children: expected at least 180 rows in parts, found 120"),
    ({"children": "jobs", "of": "owners"}, "children: the reference jobs.owner_code has words for rows without any"),
    ({"children": "pieces", "of": "jobs"}, "children: unknown table 'pieces'"),
    ({"total": "jobs.price", "of": "parts", "sql": "{quantiti}"}, "sql: unknown column or dimension 'quantiti', did you mean 'quantity'?"),
    ({"total": "jobs.state", "of": "parts", "sql": "{quantity}"}, "total: expected a number, found string"),
    ({"lookup": "jobs.discount", "by": "voucher", "map": {"SPRNG": 0.1}}, "map.SPRNG: unknown value of jobs.voucher 'SPRNG'"),
    ({"lookup": "jobs.discount", "by": "voucher", "map": {"SPRING": "ten"}}, "map.SPRING: expected a value of type float64, found 'ten'"),
    ({"lookup": "jobs.extras", "by": "key", "map": {"wsh": "hot"}}, "map.wsh: unknown key 'wsh', did you mean 'wash'?"),
    ({"near": "parts.cost", "parent": "jobs.price", "factor": [2, 1]}, "factor: expected the lower factor first"),
    ({"requires": "jobs.voucher", "value": "MEMBER", "then": "owners.is_membr", "in": [True]}, "then: unknown column 'is_membr'"),
    ({"requires": "jobs.voucher", "value": "MEMBER", "then": "owners.is_member", "in": ["yes"]}, "in: expected a value of type boolean, found 'yes'"),
    ({"nulls_with": ["jobs.price", "parts.cost"]}, "nulls_with: expected columns of one table"),
    ({"text_from": "owners.email", "column": "full_name", "part": "wrd"}, "part: unknown part 'wrd', did you mean 'word'?"),
    ({"set": "jobs.state"}, "set: expected an array, found string"),
    ({"unique": ["parts.job_id", "parts.kin"]}, "unique.1: unknown column 'kin', did you mean 'kind'?"),
    ({"holds": "{pric} > 0", "table": "jobs"}, "holds: unknown column or dimension 'pric', did you mean 'price'?"),
    ({"holds": "price >", "table": "jobs"}, "the rows cannot be made: Parser Error"),
    ({"holds": "price < 0", "table": "jobs"}, "the rows cannot be made: the condition does not hold in"),
    ({"unique": ["jobs.state", "jobs.voucher"]}, "the rows cannot be made: the columns have too few values for 60 rows"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "problem"), WRONG, ids=[problem for _, problem in WRONG])
def test_a_rule_that_does_not_fit_is_reported_with_its_place(rule, problem, tmp_path):
    with pytest.raises(InputError) as error:
        load(tmp_path, database({"set": "jobs.colours"}, rule))
    assert f"semantic_model.coherence.1{'' if problem.startswith('the rows') else '.'}" in str(error.value)
    assert problem in str(error.value)
    assert error.value.line and error.value.line > 1


def test_rules_that_contradict_one_another_are_reported(tmp_path):
    data = database(
        {"known_when": "jobs.paid_at", "by": "state", "in": ["paid"]},
        {"known_when": "jobs.paid_at", "by": "state", "in": ["lost"]},
    )
    with pytest.raises(InputError, match=r"coherence\.1: the rule cannot hold together with others .*: 0"):
        load(tmp_path, data)


def test_a_row_that_breaks_a_rule_is_reported_when_asked_for(tmp_path, monkeypatch):
    data = database({"set": "jobs.colours"})
    assert load(tmp_path, data, rules=True)
    monkeypatch.setitem(repair.REPAIRS, rules.Set, lambda *_: None)
    load(tmp_path, data)
    with pytest.raises(
        InputError,
        match=r"repairs\.yaml:\d+: semantic_model\.coherence\.0: \d+ rows break the rule, such as \(job_id",
    ):
        load(tmp_path, data, rules=True)


# --- the project's own databases


@pytest.mark.parametrize(
    "source", list(read_folder(default_templates_dir() / "_databases")), ids=lambda source: source.path.stem
)
def test_no_row_of_a_sample_database_breaks_a_rule(source: Source):
    spec = source.parse(DatabaseSpec)
    connection = connect()
    for name, rows in make_rows(spec, connection).items():
        columns = spec.tables[name].columns
        values = dict(zip(columns, map(list, zip(*rows, strict=True)), strict=True))
        write_table(connection, name, {c: dt.dtype(columns[c].type) for c in columns}, values)
    assert list(violations(connection, spec)) == []
