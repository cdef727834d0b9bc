"""What comes out depends on the options alone, and every draft is accounted for."""

from __future__ import annotations

import json
import random
import uuid
from dataclasses import replace

import pytest

from ibert_builder.databases.model import SPLITS
from ibert_builder.execution.engine import engine_for
from ibert_builder.generation.catalog import load_catalog
from ibert_builder.generation.generate import NOT_DRAWN, Options, Tally, generate, shards
from ibert_builder.records import features, to_record, to_row
from ibert_builder.tasks.drafts import Setting
from ibert_builder.tasks.record import make_record
from ibert_builder.tasks.registry import TASKS


def make(catalog, options, tasks=tuple(TASKS), tally=None):
    tally = Tally() if tally is None else tally
    chosen = [TASKS[name] for name in tasks]
    return {
        split: [
            r for shard in shards(catalog, split, chosen) for r in generate(catalog, *shard, options, tally)
        ]
        for split in SPLITS
    }


@pytest.fixture(scope="module")
def catalog(sample_dir):
    return load_catalog(sample_dir)


@pytest.fixture(scope="module")
def small(catalog):
    tally = Tally()
    return make(catalog, Options(5), tally=tally), tally


def test_two_runs_give_the_same_rows(catalog, small):
    assert make(catalog, Options(5)) == small[0]


def test_another_seed_gives_other_rows(catalog, small):
    other = make(catalog, Options(3, seed=1), ("sql_to_ibis",))
    ids = {record["id"] for records in small[0].values() for record in records}
    found = [record["id"] in ids for records in other.values() for record in records]
    assert len(found) > 20 and sum(found) < 2


def test_asking_for_more_examples_only_adds_rows(catalog, small):
    more = make(catalog, Options(8))
    for split in SPLITS:
        had = small[0][split]
        has = {record["id"]: record for record in more[split]}
        assert all(has[record["id"]] == record for record in had)
        assert len(has) > len(had) or split != "train"


def test_every_draft_is_kept_or_rejected_by_name(small):
    records, tally = small
    kept = sum(count for (_, _, outcome), count in tally.outcomes.items() if outcome == "kept")
    rejected = sum(
        count for (_, _, outcome), count in tally.outcomes.items() if outcome not in NOT_DRAWN | {"kept"}
    )
    assert kept == sum(map(len, records.values()))
    assert rejected == len(tally.rejections) > 0
    assert all(reason and reason.replace("_", "a").isalpha() for _, _, reason, _ in tally.rejections)


def test_no_example_occurs_twice_and_no_input_in_two_splits(small):
    records = [(split, record) for split, made in small[0].items() for record in made]
    assert len({record["id"] for _, record in records}) == len(records)
    inputs = [json.dumps([record["task"], record["input"]], sort_keys=True) for _, record in records]
    assert len(set(inputs)) == len(inputs)


def test_databases_belong_to_one_split_and_withheld_skeletons_stay_out_of_train(catalog, small):
    for split, records in small[0].items():
        assert {catalog.databases[record["meta"]["database"]].split for record in records} == {split}
    train = {record["meta"]["skeleton"] for record in small[0]["train"]}
    unseen = {
        r["meta"]["skeleton"] for split in SPLITS[1:] for r in small[0][split] if r["meta"]["unseen_skeleton"]
    }
    assert unseen and not unseen & train
    assert not any(record["meta"]["unseen_skeleton"] for record in small[0]["train"])


NAMESPACE = uuid.UUID("5f0a3c1e-6d0b-5c0e-9d1c-2f6f2f1f9b7a")  # that of every dataset ever published


def test_an_id_is_that_of_the_record_without_its_instruction_meta_and_messages(small):
    for records in small[0].values():
        for record in records:
            content = {key: value for key, value in record.items() if key not in ("id", "meta", "messages")}
            content["system_prompt"] = ""
            identity = json.dumps(content, sort_keys=True, ensure_ascii=False)
            assert record["id"] == str(uuid.uuid5(NAMESPACE, identity))


@pytest.mark.parametrize("name", TASKS)
def test_another_text_makes_another_id_and_another_meta_does_not(catalog, name):
    task, database = TASKS[name], catalog.databases["webshop"]
    engine = engine_for(database)
    template = next(t for t in catalog.templates[name] if t.tables)
    draft = task.expand(template, Setting(database, engine, catalog.phrasebook, random.Random(0)))
    proved = task.prove(draft, engine)
    usual = make_record(task, draft, proved, unseen=False)["id"]
    assert make_record(task, draft, proved, unseen=True)["id"] == usual
    for struct in ("input", "target"):
        texts = getattr(proved, struct)
        for key, text in texts.items():
            changed = replace(proved, **{struct: {**texts, key: f"{text} "}})
            assert make_record(task, draft, changed, unseen=False)["id"] != usual, key


@pytest.mark.parametrize("config", [*TASKS, "all"])
def test_records_survive_the_way_to_arrow_and_back(small, config):
    columns = features(config)
    records = [record for record in small[0]["test"] if config in ("all", record["task"])]
    assert records
    for record in records:
        assert to_record(columns.encode_example(to_row(record, columns))) == record


def test_dialects_are_drawn_from_those_asked_for(catalog):
    for task in ("sql_to_ibis", "ibis_to_sql"):
        records = make(catalog, Options(3, dialects=("postgres", "mysql")), (task,))
        assert {r["input"]["dialect"] for made in records.values() for r in made} == {"postgres", "mysql"}
