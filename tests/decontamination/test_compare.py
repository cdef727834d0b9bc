"""What of a user's files the dataset holds: planted pieces are found where they lie, and nothing else is."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from ibert_builder.decontamination.compare import COMPARED, LEVELS, compare
from ibert_builder.decontamination.fingerprints import fingerprints
from ibert_builder.errors import InputError
from ibert_builder.generation.generate import Options, Tally, generate
from ibert_builder.tasks.fields import KINDS
from ibert_builder.tasks.registry import TASKS

SQL = (
    "SELECT o.status, COUNT(*) AS n FROM orders AS o WHERE o.amount > 120.5 GROUP BY o.status ORDER BY n DESC"
)
CHAIN = 'orders.filter(orders.amount > 120.5).group_by("status").agg(n=_.count())'
TWO = 'big = orders.filter(orders.amount > 77)\nbig.select("order_id", "status")'
FUNCTION = 'def newest_orders(orders, n=3):\n    return orders.order_by(ibis.desc("ordered_at")).limit(n)'
QUESTION = "How do I keep only the paid orders of last year?"  # ten words
ANSWER = (
    "Use `filter()` with both conditions; the year of a timestamp column is `ordered_at.year()`, and conditions given "
    "as several arguments must all hold."
)
INTENT = "Count the orders per status where the amount is above 120.5, most frequent status first."
LONG = (
    "WITH per_day AS (SELECT customer_id, CAST(ordered_at AS DATE) AS day, SUM(amount) AS total FROM orders "
    "WHERE status <> 'cancelled' GROUP BY customer_id, CAST(ordered_at AS DATE)) SELECT c.region, MAX(d.total) AS best "
    "FROM per_day AS d JOIN customers AS c ON c.customer_id = d.customer_id GROUP BY c.region ORDER BY best DESC"
)


def record(name, task, given, target, database="webshop"):
    return {"id": name, "task": task, "input": given, "target": target, "meta": {"database": database}}


RECORDS = [
    record("query", "sql_to_ibis", {"sql": SQL, "dialect": "duckdb"}, {"ibis": CHAIN}),
    record("two", "error_resolution", {"broken_code": "orders.loc[0]", "error": None}, {"fixed_code": TWO}),
    record(
        "function", "documentation", {"code": FUNCTION, "style": "google"}, {"docstring": '"""Newest."""'}
    ),
    record("question", "qa", {"question": QUESTION}, {"answer": ANSWER, "code_example": None}, "streaming"),
    record("intent", "code_completion", {"partial_code": "(" * 3}, {"completed_code": f"# {INTENT}\norders"}),
    record("long", "ibis_to_sql", {"ibis": "orders", "dialect": "postgres"}, {"sql": LONG}),
]


@pytest.fixture
def against(tmp_path):
    def run(name, text, records=RECORDS):
        path = tmp_path / name
        path.write_bytes(text.encode())  # with its line ends
        return compare(records, [path])

    return run


def only(report):
    assert len(report.findings) == 1, report.findings
    return report.findings[0]


REWRITTEN = """select x.STATUS, count(*) cnt from Orders x
where x."amount" > 120.5 group by x.status order by cnt desc;"""
RESPELLED = (
    "result = (orders.filter(orders.amount>120.5)\n  .group_by('status') # by status\n  .agg(n=_.count()))"
)


@pytest.mark.parametrize(
    ("name", "text", "line", "key", "level", "kind", "found"),
    [
        ("b.jsonl", '{"a": 1}\n' + json.dumps({"q": [{"gold": SQL.lower()}]}), 2, "q[0].gold", "exact", "sql", "query"),
        ("b.jsonl", json.dumps({"gold": REWRITTEN}), 1, "gold", "normalised", "sql", "query"),
        ("b.jsonl", json.dumps({"messages": [{"content": f"SQL (duckdb):\n{SQL}"}]}), 1, "messages[0].content", "exact", "sql", "query"),
        ("b.jsonl", json.dumps({"text": f"Try this:\n\n```python\n{RESPELLED}\n```"}), 1, "text", "normalised", "python", "query"),
        ("b.json", json.dumps([{"q": "?"}, {"q": QUESTION.upper()}]), None, "[1].q", "exact", "text", "question"),
        ("b.json", json.dumps({"code": TWO}), None, "code", "exact", "python", "two"),
        ("b.sql", f"-- one\nSELECT 1;\n\n-- two\n{REWRITTEN}", 5, None, "normalised", "sql", "query"),
        ("b.sql", f"SELECT ';';\n{SQL} ;", 2, None, "exact", "sql", "query"),
        ("b.sql", f"/* {'a' * 3} */\n-- {INTENT}\nSELECT 1", 2, None, "overlap", "text", "intent"),
        ("b.py", f"import ibis\n\n\ndef test():\n    print(1)\n    assert {CHAIN}.to_pandas()", 6, None, "exact", "python", "query"),
        ("b.py", f"import ibis\n{RESPELLED}", 2, None, "normalised", "python", "query"),
        ("b.py", f"x = ibis.x()\n{TWO}\nprint(x)", 2, None, "exact", "python", "two"),
        ("b.py", FUNCTION.replace("    return", '    """Documented."""\n    return', 1), 1, None, "normalised", "python", "function"),
        ("b.py", f'x = 1\nsql = """\n{SQL}"""', 2, None, "exact", "sql", "query"),
        ("b.py", f"x = 1\n# {INTENT}\n", 2, None, "overlap", "text", "intent"),
        ("b.md", f"# Queries\n\nText.\n\n```sql\nSELECT 1;\n{SQL}\n```\n", 7, None, "exact", "sql", "query"),
        ("b.md", f"```py\nx = 1\n{CHAIN}\n```\n", 3, None, "exact", "python", "query"),
        ("b.md", f"Text\n\n1. What is Ibis?\n2. {QUESTION}\n", 4, None, "exact", "text", "question"),
        ("b.md", f"Text\n\nSome {' '.join(ANSWER.split()[3:18])},\nit says.\n", 3, None, "overlap", "text", "question"),
        ("b.md", f"- a\n\n  > ```sql\n  > SELECT 1;\n  > {SQL}\n", 5, None, "exact", "sql", "query"),
        ("b.md", f"````markdown\n```sql\n{SQL}\n```\n````\n", 3, None, "exact", "sql", "query"),
        ("b.md", f"Text\n\n    {CHAIN}\n", 3, None, "exact", "python", "query"),
        ("b.md", f"Text\r\n\r\n```sql\r\nSELECT 1;\r\n{SQL}\r\n```\r\n", 5, None, "exact", "sql", "query"),
        ("b.md", f"| q | a |\n|---|---|\n| {QUESTION} | no |\n", 3, None, "exact", "text", "question"),
    ],
)  # fmt: skip
def test_planted_pieces_are_found_where_they_lie(against, name, text, line, key, level, kind, found):
    finding = only(against(name, text))
    assert (finding.line, finding.key, finding.level, finding.kind) == (line, key, level, kind)
    assert finding.record == found and finding.file.endswith(name) and finding.fails


def test_a_finding_says_which_record_of_which_split(against):
    finding = only(against("b.md", QUESTION))
    assert (finding.task, finding.split, finding.field) == ("qa", "validation", "input.question")
    assert finding.theirs == finding.ours == QUESTION
    again = only(against("b.md", QUESTION, [*RECORDS, {**RECORDS[3], "id": "other"}]))
    assert (again.record, again.records) == ("question", 2)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("b.sql", SQL.replace("120.5", "121")),  # another literal
        ("b.sql", SQL.replace("orders", "returns")),
        ("b.sql", SQL.replace("o.amount", "o.weight")),
        ("b.py", CHAIN.replace("120.5", "121")),
        ("b.py", CHAIN.replace('"status"', '"city"')),
    ],
)
def test_near_misses_are_skeletons_and_no_failures(against, name, text):
    finding = only(against(name, text))
    assert finding.level == "skeleton" and not finding.fails


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("b.sql", SQL.replace("COUNT(*)", "SUM(o.x)")),
        ("b.py", CHAIN.replace("count()", "x.sum()")),
        ("b.py", CHAIN.replace(".filter", ".head(1).filter")),
        ("b.md", QUESTION.replace("paid", "unpaid")),
        ("b.md", f"Some {' '.join(ANSWER.split()[3:14])} and so on"),  # twelve words of it
        ("b.md", INTENT[: len(INTENT) // 2] + " or " + INTENT[len(INTENT) // 2 :]),
        ("b.jsonl", json.dumps({"dialect": "duckdb", "style": "google", "error": "None"})),
    ],
)
def test_other_pieces_are_not_reported(against, name, text):
    assert against(name, text).findings == []


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("SELECT a FROM t WHERE b <> 1", 'select x."A" from T as x where x.b != 1', True),
        ("SELECT COUNT(*) FROM t", "SELECT COUNT(*) AS n FROM t", True),
        ("SELECT a.x FROM a JOIN b ON a.i = b.i", "SELECT q.x FROM a q INNER JOIN b r ON q.i = r.i", True),
        ("WITH w AS (SELECT a AS z FROM t) SELECT w.z FROM w", "WITH v AS (SELECT a AS y FROM t) SELECT v.y FROM v", True),
        ("SELECT a::int FROM t", "SELECT CAST(a AS int) FROM t", True),
        ("SELECT a FROM t WHERE b = 'X'", "SELECT a FROM t WHERE b = 'x'", False),
        ("SELECT LOWER(a) AS a FROM t WHERE a = 'x'", "SELECT LOWER(b) AS b FROM t WHERE b = 'x'", False),
        ("SELECT COUNT(*) AS t FROM t ORDER BY t", "SELECT COUNT(*) AS u FROM u ORDER BY u", False),
        ("SELECT a.x FROM a JOIN b ON a.i = b.i", "SELECT b.x FROM a JOIN b ON a.i = b.i", False),
        ("SELECT a, b FROM t", "SELECT b, a FROM t", False),
        ("SELECT a FROM t", "SELECT DISTINCT a FROM t", False),
    ],
)  # fmt: skip
def test_queries_are_the_same_but_for_spelling_and_the_names_of_aliases(one, other, same):
    def normalised(sql):
        return {found.key for found in fingerprints("sql", sql) if found.level == "normalised"}

    assert normalised(one) and normalised(other)
    assert bool(normalised(one) & normalised(other)) is same


def test_the_dialect_beside_a_query_and_others_without_one_are_read(against):
    tsql = record("t", "sql_to_ibis", {"sql": "SELECT TOP 5 [a] FROM t", "dialect": "mssql"}, {"ibis": "t"})
    mysql = record(
        "m", "sql_to_ibis", {"sql": "SELECT a FROM t WHERE b = 'x'", "dialect": "mysql"}, {"ibis": "t"}
    )
    stated = json.dumps({"dialect": "mssql", "query": "select top 5 a from T"})
    assert only(against("b.jsonl", stated, [tsql])).level == "normalised"
    assert only(against("b.sql", "select top 5 T.a from T", [tsql])).level == "normalised"
    assert only(against("b.sql", 'SELECT `a` FROM t WHERE b = "x"', [mysql])).level == "normalised"
    assert only(against("b.sql", 'SELECT a FROM t WHERE b = "x"', [mysql])).level == "normalised"


def test_only_long_skeletons_are_failures(against):
    renamed = LONG.replace("customer", "member").replace("region", "city").replace("'cancelled'", "'void'")
    finding = only(against("b.sql", renamed))
    assert (finding.level, finding.record, finding.fails) == ("skeleton", "long", True)
    report = against(
        "b.sql",
        "SELECT a FROM b;" * 2,
        [record("s", "ibis_to_sql", {"ibis": "t"}, {"sql": "SELECT x FROM y"})],
    )
    assert [finding.fails for finding in report.findings] == [False, False]
    assert report.failures == [] and report.files[0].found["skeleton"] == 2


UNRELATED = {
    "lakes.jsonl": json.dumps({
        "question": "Which lakes are deeper than the average lake of their country, and by how many metres?",
        "sql": "SELECT l.name, l.depth - c.mean FROM lakes l JOIN (SELECT country, AVG(depth) AS mean FROM lakes "
        "GROUP BY country) c ON c.country = l.country WHERE l.depth > c.mean",
        "answer": "Compute the mean per country first and join it back to the lakes.",
    }),
    "moons.json": json.dumps([{"prompt": "List the moons of Saturn.", "code": "moons[moons.planet == 'Saturn'].name"}]),
    "trains.sql": "-- Trains that left late\nSELECT t.id FROM trains t WHERE t.left > t.due;\nDELETE FROM trains WHERE id = 1;",
    "birds.py": '"""Bird counts."""\nimport ibis\n\nbirds = ibis.table({"species": "string", "seen": "int64"})\n'
    "rare = birds.group_by(birds.species).having(birds.seen.sum() < 10).agg(total=birds.seen.sum())\n",
    "notes.md": "# Tasks\n\n- Rank the runners by time in each heat.\n\n```sql\nSELECT r, RANK() OVER (PARTITION BY heat ORDER BY time) FROM runs\n```\n",
}  # fmt: skip


def test_an_unrelated_benchmark_is_clean(catalog, tmp_path):
    for name, text in UNRELATED.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    records = [r for task in TASKS for r in generate(catalog, task, "webshop", Options(10), Tally())]
    report = compare(records, [tmp_path])
    assert report.failures == [] and report.unparsed == []
    assert {finding.level for finding in report.findings} <= {"skeleton"}
    assert [totals.file.split("/")[-1] for totals in report.files] == sorted(UNRELATED)
    assert all(totals.pieces for totals in report.files) and report.records == len(records) > 300


def test_real_records_of_every_task_are_found_in_their_own_file(catalog, tmp_path):
    records = [r for task in TASKS for r in generate(catalog, task, "webshop", Options(3), Tally())]
    ours = tmp_path / "ours.jsonl"
    ours.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    report = compare(records, [ours])
    exact = {(f.line, f.key) for f in report.findings if f.level == "exact"}
    for line, one in enumerate(records, 1):
        task = TASKS[one["task"]]
        for struct, fields in (("input", task.input), ("target", task.target)):
            for name, field in fields.items():
                left_out = one[struct][name] is None or COMPARED[field.kind] is None
                assert left_out or (line, f"{struct}.{name}") in exact
    assert {finding.split for finding in report.findings} == {"train"}


def test_every_kind_of_field_is_compared_or_left_out_on_purpose():
    assert COMPARED.keys() == set(KINDS)


def test_a_report_is_json_and_its_totals_add_up(tmp_path):
    (tmp_path / "a.sql").write_text(f"{SQL};\nSELECT 1;\nSELECT FROM (;")
    (tmp_path / "deep" / ".hidden").mkdir(parents=True)
    (tmp_path / "deep" / ".hidden" / "c.sql").write_text(SQL)
    (tmp_path / "deep" / "b.md").write_text(QUESTION)
    (tmp_path / "deep" / "c.csv").write_text(QUESTION)
    report = compare(RECORDS, [tmp_path, tmp_path / "a.sql"])
    assert json.loads(json.dumps(asdict(report)))["records"] == len(RECORDS)
    assert [(t.file.split("/")[-1], t.pieces, t.unparsed, t.failures) for t in report.files] == [
        ("a.sql", 3, 1, 1),
        ("b.md", 1, 0, 1),
    ]
    assert sum(sum(t.found.values()) for t in report.files) == len(report.findings) == 2
    assert set(report.files[0].found) == set(LEVELS)
    assert [path.split("/")[-1] for path in report.skipped] == ["c.csv"]


@pytest.mark.parametrize(
    ("name", "text", "line", "key", "kind"),
    [
        ("b.sql", "SELECT 1;\nSELECT a FROM WHERE (;", 2, None, "sql"),
        ("b.py", "x = 1\nprint 'x'", 1, None, "python"),
        ("b.md", "Text\n\n```python\nx = = 1\n```", 4, None, "python"),
        ("b.jsonl", json.dumps({"gold": "SELECT a FROM {table} WHERE"}), 1, "gold", "sql"),
    ],
)
def test_pieces_that_do_not_parse_are_listed(against, name, text, line, key, kind):
    report = against(name, text)
    (unparsed,) = report.unparsed
    assert (unparsed.line, unparsed.key, unparsed.kind) == (line, key, kind)
    assert report.files[0].unparsed == 1


def test_code_is_found_inside_classes_indented_by_tabs(against):
    body = FUNCTION.replace("\n    ", "\n\t\t")
    finding = only(against("b.py", f"class Queries:\n\tkind = 1\n\n\t{body}"))
    assert (finding.line, finding.record) == (4, "function")
    assert only(against("b.py", f"class Queries:\n\tkind = 1; {CHAIN}\n")).record == "query"


def test_unfinished_code_is_compared_with_its_comment(against):
    partial = f"# {INTENT}\norders."
    cut = record("cut", "code_completion", {"partial_code": partial}, {"completed_code": "orders.count()"})
    assert only(against("b.json", json.dumps([partial]), [cut])).level == "exact"
    assert against("b.json", json.dumps(["# Another comment\norders."]), [cut]).findings == []


def test_linked_records_without_meta_are_compared(against):
    linked = {
        "id": "old",
        "task": "qa",
        "input": {"question": QUESTION, "more": None},
        "target": {"answer": "x"},
    }
    finding = only(against("b.md", QUESTION, [linked]))
    assert (finding.record, finding.split) == ("old", None)


def test_deeply_nested_code_and_json_end_in_a_message_or_unparsed(against):
    chain = "t" + ".filter(t.a > 1)" * 3000
    assert len(against("b.py", chain).unparsed) <= 1
    with pytest.raises(InputError, match=r"b.json:1: (nested too deeply|not JSON)"):
        against("b.json", "[" * 200_000)


def test_what_does_not_parse_is_still_compared_as_it_stands(against):
    broken = record(
        "b", "error_resolution", {"broken_code": "orders.filter(orders.a = 1)"}, {"fixed_code": "orders"}
    )
    report = against("b.py", "orders.filter( orders.a = 1 )  # no\n", [broken])
    assert only(report).level == "exact" and len(report.unparsed) == 1


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("b.jsonl", b'{"a": 1}\n{"a": \n', r"b.jsonl:2: not JSON"),
        ("b.json", b'{"a": 1,\n "b" 2}', r"b.json:2: not JSON"),
        ("b.sql", b"SELECT '\xff'", r"b.sql: cannot be read: .*utf-8"),
        ("b.csv", b"a,b", r"b.csv: --against: expected one of .jsonl, .json, .sql, .py, .md"),
        ("b/c.csv", b"a,b", r"b: --against: no file in it is one of"),
        (None, b"", r"b.sql: --against: there is no such file or folder"),
    ],
)
def test_files_that_cannot_be_read_are_named(tmp_path, name, content, message):
    path = tmp_path / (name or "none")
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        compare(RECORDS, [tmp_path / (name or "b.sql").split("/")[0]])
