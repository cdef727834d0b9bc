"""Docstrings are those of their functions: written, read back and checked in every style."""

from __future__ import annotations

import ast
import inspect
import json
import subprocess
from collections import Counter
from dataclasses import replace

import pytest
from ruff.__main__ import find_ruff_bin

from ibert_builder.errors import InputError
from ibert_builder.execution.engine import engine_for
from ibert_builder.execution.proofs import Rejected
from ibert_builder.sandbox.policy import FUNCTION
from ibert_builder.tasks.documentation.calls import mistyped_argument, program
from ibert_builder.tasks.documentation.checks import NEEDS, VERBS, check, columns_stated, with_columns
from ibert_builder.tasks.documentation.docstrings import QUOTES, STYLES, DocstringError, insert, write
from ibert_builder.tasks.documentation.signatures import signature
from ibert_builder.tasks.registry import TASKS
from ibert_builder.templating.sampler import NoFit
from tests.tasks.proving import CATALOG, proved, setting, the_template

TASK = TASKS["documentation"]
TEMPLATES = CATALOG.templates[TASK.name]

SEED_EXAMPLE = {
    "id": "uuid",
    "task": "documentation",
    "input": {
        "code": "def get_active_users(table):\n    return table.filter(table.is_active)",
        "style": "google",
    },
    "target": {
        "docstring": '"""Get active users from table.\n\nArgs:\n    table: Input Ibis table\n\n'
        'Returns:\n    Filtered table with only active users"""'
    },
    "meta": {"template": "simple_filter_func", "style": "google"},
}


def drafts(catalog, template, least):
    """Drafts of a template, until there are so many of each style."""
    styles: Counter[str] = Counter()
    for attempt in range(100):
        for database in catalog.databases.values():
            try:
                draft = TASK.expand(template, setting(database, template.name, database.name, attempt))
            except NoFit:
                continue
            if styles[draft.style] < least:
                styles[draft.style] += 1
                yield draft
            if all(styles[style] >= least for style in STYLES):
                return
    raise AssertionError(f"{template.name} is rarely drawn: {styles}")


@pytest.fixture(scope="module")
def record(catalog):
    return proved(TASK, next(drafts(catalog, TEMPLATES[0], 1))).record


def test_record_has_the_shape_of_the_seed(record):
    for key, value in SEED_EXAMPLE.items():
        assert type(record[key]) is type(value), key
        if isinstance(value, dict):
            assert set(value) <= set(record[key])
            assert dict.fromkeys(value, str) == {k: type(record[key][k]) for k in value}
    assert set(record["input"]) == set(TASK.input)
    assert set(record["target"]) == set(TASK.target)
    assert record["meta"]["style"] == record["input"]["style"]


def test_instruction_is_the_seeds_with_the_style_filled_in(record):
    expected = f"Generate a docstring for the Ibis function in {record['input']['style']} format."
    assert record["system_prompt"] == record["messages"][0]["content"] == expected


def test_user_sees_code_and_style_and_gets_the_docstring(record):
    _, user, assistant = (message["content"] for message in record["messages"])
    assert record["input"]["code"] in user and record["input"]["style"] in user
    assert assistant == record["target"]["docstring"]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_every_template_gives_the_docstring_of_its_function_in_its_style_alone(catalog, template):
    for draft in drafts(catalog, template, 1):
        record = proved(TASK, draft).record
        docstring, style = record["target"]["docstring"], record["input"]["style"]
        documented = insert(record["input"]["code"], docstring)
        function = ast.parse(documented).body[0]
        assert f"{QUOTES}{ast.get_docstring(function)}\n{QUOTES}" == docstring
        assert not docstring.startswith(f"{QUOTES}\n")
        said = check(draft.code, docstring, style)
        assert said == draft.documented
        for other in set(STYLES) - {style}:
            with pytest.raises(DocstringError):
                check(draft.code, docstring, other)


def named_in(call, columns):
    """The columns that a call names, as strings or as attributes."""
    nodes = list(ast.walk(ast.parse(call)))
    return {getattr(node, "value", None) for node in nodes if isinstance(node, ast.Constant)}.union(
        node.attr for node in nodes if isinstance(node, ast.Attribute)
    ) & set(columns)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_every_function_runs_on_the_columns_that_its_docstring_states_and_not_without_one(catalog, template):
    draft = next(drafts(catalog, template, 1))
    engine, tables = engine_for(draft.database), draft.database.tables
    defaults = {
        node.value for node in ast.walk(ast.parse(draft.code).body[0].args) if isinstance(node, ast.Constant)
    }
    stated = {p.name: columns_stated(p.text) for p in draft.documented.parameters if p.name in tables}

    def outcome(call, without=None):
        kept = {
            name: (stated[name] | named_in(call, tables[name].columns) | defaults & set(tables[name].columns))
            - {without}
            for name in stated
        }
        for name, columns in kept.items():  # a table has one column at least
            columns.update([] if columns else [next(c for c in tables[name].columns if c != without)])
        cut = "".join(f"{name} = {name}.select({sorted(columns)})\n" for name, columns in kept.items())
        try:
            engine.run_sql(engine.compile(engine.evaluate(cut + program(draft.code, call), FUNCTION)))
        except Exception as error:
            return type(error).__name__
        return "runs"

    for call in draft.calls:
        assert outcome(call) == "runs", call
    for column in set().union(*stated.values()):
        assert any(outcome(call, column) != "runs" for call in draft.calls), column


def test_nothing_is_raised_that_the_pydocstyle_convention_of_a_style_selects(catalog, tmp_path):
    for template in TEMPLATES:
        for draft in drafts(catalog, template, 1):
            record = proved(TASK, draft).record
            text = insert(record["input"]["code"], record["target"]["docstring"])
            folder = tmp_path / {"sphinx": "pep257"}.get(draft.style, draft.style)
            folder.mkdir(exist_ok=True)
            (folder / f"{template.name}.py").write_text(f'"""A module."""\n\n\n{text}\n', encoding="utf-8")
    conventions = sorted(folder.name for folder in tmp_path.iterdir())
    assert conventions == ["google", "numpy", "pep257"]
    for convention in conventions:
        assert len(list((tmp_path / convention).iterdir())) == len(TEMPLATES)
        options = ["--isolated", "--no-cache", "--select=D", "--ignore=INP", "--output-format=json"]
        setting_ = f'lint.pydocstyle.convention = "{convention}"'
        ran = subprocess.run(
            [find_ruff_bin(), "check", *options, "--config", setting_, str(tmp_path / convention)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert [(found["code"], found["filename"]) for found in json.loads(ran.stdout)] == [], ran.stderr


def test_a_third_of_the_docstrings_show_calls_that_were_run(catalog):
    with_examples = []
    for template in TEMPLATES:
        for index, database in enumerate(catalog.databases.values()):
            try:
                draft = TASK.expand(template, setting(database, template.name, database.name, index))
            except NoFit:
                continue
            assert set(draft.documented.examples) <= set(draft.calls)
            with_examples.append(bool(draft.documented.examples))
    assert 0.28 < sum(with_examples) / len(with_examples) < 0.42


def test_templates_have_several_summaries_and_none_that_only_names_the_table():
    for template in TEMPLATES:
        assert len({*template.spec.summary}) >= 4, template.name
        assert all(len(summary.split()) >= 4 for summary in template.spec.summary)


def test_new_columns_and_variables_have_names_that_say_what_they_are():
    for template in TEMPLATES:
        tree = ast.parse(template.frames["code"][0].filled().replace("\n    .", "."))
        names = {
            node.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("agg", "mutate")
            ):
                names.update(keyword.arg for keyword in node.keywords)
        assert not names & {"n", "value", "result", "above", "output", "data", "df", "tmp"}, template.name


def test_each_style_is_drawn_for_a_quarter_of_the_drafts_or_more(catalog):
    webshop = catalog.databases["webshop"]
    styles: Counter[str] = Counter()
    for template in TEMPLATES:
        for index in range(12):
            try:
                styles[TASK.expand(template, setting(webshop, template.name, index)).style] += 1
            except NoFit:
                break
    assert set(styles) == set(STYLES)
    assert min(styles.values()) >= styles.total() / 4


def test_templates_cover_what_is_promised():
    assert len(TEMPLATES) >= 26
    assert {template.spec.difficulty for template in TEMPLATES} == {"easy", "medium", "hard"}
    hinted = sum(not template.spec.types for template in TEMPLATES)
    assert len(TEMPLATES) / 2 < hinted < len(TEMPLATES)
    assert sum(bool(template.spec.raises) for template in TEMPLATES) >= 5
    returns = {template.spec.code.partition("-> ")[2].partition(":")[0] for template in TEMPLATES}
    assert {"ibis.Table", "ibis.Column", "ibis.Scalar", "ibis.Deferred"} <= returns


# --- the checker

CODE = """def top(orders: ibis.Table, n: int = 3) -> ibis.Table:
    if n < 1:
        raise ValueError("n should be positive")
    return orders.limit(n)"""

GOOD = '''"""Select the first orders.

Args:
    orders (ibis.Table): Table of orders.
    n (int, optional): Number of orders. Defaults to 3.

Returns:
    ibis.Table: The first orders.

Raises:
    ValueError: If `n` is less than 1.
"""'''


def test_check_gives_what_the_docstring_says():
    said = check(CODE, GOOD, "google")
    assert [(p.name, p.type, p.default) for p in said.parameters] == [
        ("orders", "ibis.Table", None),
        ("n", "int", "3"),
    ]
    assert (said.return_type, said.raises) == ("ibis.Table", (("ValueError", "If `n` is less than 1."),))


@pytest.mark.parametrize("examples", [(), ("top(orders)",), ("top(orders)", "top(orders, n=2)")])
@pytest.mark.parametrize("style", STYLES)
def test_one_function_reads_the_same_in_every_style(style, examples):
    said = replace(check(CODE, GOOD, "google"), details="Ties are in any order.", examples=examples)
    assert check(CODE, write(said, style), style) == said


@pytest.mark.parametrize("columns", [("amount",), ("amount", "status"), ("amount", "status", "id")])
@pytest.mark.parametrize("wording", NEEDS)
def test_columns_are_read_back_from_every_wording(columns, wording):
    text = with_columns("Orders to sort.", columns, wording)
    assert text.startswith("Orders to sort") and text.endswith(f"`{columns[-1]}`.")
    assert columns_stated(text) == set(columns)


def test_columns_that_the_function_does_not_read_are_no_part_of_its_docstring():
    code = CODE.replace("orders.limit(n)", 'orders.order_by("amount").limit(n)')
    with pytest.raises(DocstringError, match=r"documented \[\], read \['amount'\]"):
        check(code, GOOD, "google")
    good = GOOD.replace("Table of orders.", "Orders, with the column `amount`.")
    assert check(code, good, "google").parameters[0].text == "Orders, with the column `amount`."


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("    n (int, optional): Number of orders. Defaults to 3.\n", "", "parameter_undocumented"),
        ("Defaults to 3.\n", "Defaults to 3.\n    m (int): No such thing.\n", "parameter_invented"),
        ("(int, optional)", "(float, optional)", "type_differs"),
        (" (int, optional)", "", "type_differs"),
        ("Defaults to 3.", "Defaults to 4.", "default_differs"),
        (" Defaults to 3.", "", "default_differs"),
        ("ibis.Table: The", "ibis.Column: The", "type_differs"),
        ("\n\nReturns:\n    ibis.Table: The first orders.", "", "returns_undocumented"),
        ("\n\nRaises:\n    ValueError: If `n` is less than 1.", "", "exception_undocumented"),
        ("ValueError: If", "KeyError: If it is odd.\n    ValueError: If", "exception_invented"),
        ("Select the first orders.", "Select the first orders", "summary_without_period"),
        ("Select the first orders.", "Selects the first orders.", "summary_not_imperative"),
        ("Select the first orders.", "Selection of the first orders.", "summary_not_imperative"),
        (
            "first orders.\n\nArgs",
            "first orders, of which there are as many as the parameter says.\n\nArgs",
            "summary_too_long",
        ),
        ("Table of orders.", f"Table of orders, {'very ' * 12}long.", "line_too_long"),
        ("Table of orders.", "Table of orders", "text_without_period"),
        (QUOTES + "Select", QUOTES + "\nSelect", "docstring_mangled"),
        ("less than 1.\n", "less than 1.", "docstring_mangled"),
        ("Table of orders.", "Orders, with the column `amount`.", "columns_differ"),
        ("1.\n" + QUOTES, "1.\n\nExamples:\n    >>> bottom(orders)\n" + QUOTES, "example_of_something_else"),
        ("1.\n" + QUOTES, "1.\n\nExamples:\n    >>> top(orders\n" + QUOTES, "example_of_something_else"),
    ],
)
def test_wrong_docstring_is_refused(old, new, reason):
    assert old in GOOD
    with pytest.raises(DocstringError) as refused:
        check(CODE, GOOD.replace(old, new), "google")
    assert refused.value.reason == reason


@pytest.mark.parametrize("style", STYLES)
def test_a_default_is_never_broken_in_two(style):
    code = CODE.replace("n: int = 3", 'n: str = " "').replace("n < 1", "not n")
    said = check(CODE, GOOD, "google")
    for words in range(1, 30):
        text = f"{'One ' * words}word."
        spaced = replace(said.parameters[1], type="str", default='" "', text=text)
        written = write(replace(said, parameters=(said.parameters[0], spaced)), style)
        assert '" "' in written
        assert check(code, written, style).parameters[1] == spaced


def test_parameters_out_of_order_are_refused():
    said = check(CODE, GOOD, "google")
    swapped = write(type(said)(**{**vars(said), "parameters": said.parameters[::-1]}), "numpy")
    with pytest.raises(DocstringError, match="in the code"):
        check(CODE, swapped, "numpy")


def test_long_signatures_and_docstrings_meet_in_the_body():
    code = "def f(\n    t: ibis.Table,\n) -> ibis.Table:\n    return t"
    documented = ast.parse(insert(code, '"""Keep it.\n\n:returns: It."""'))
    assert ast.get_docstring(documented.body[0]) == inspect.cleandoc("Keep it.\n\n:returns: It.")


def test_half_hinted_functions_are_refused():
    with pytest.raises(ValueError, match="for none"):
        signature("def f(t: ibis.Table, n):\n    return t")


def test_verbs_are_in_the_imperative_mood():
    assert not [
        verb
        for verb in VERBS
        if verb.endswith(("ing", "ed")) or (verb.endswith("s") and not verb.endswith("ss"))
    ]


# --- arguments of calls

HINTED = signature(
    "def f(t: ibis.Table, by: str, n: int | None = None, x: float = 1, on: bool = True, c: list[str] = ()):\n    return t".replace(
        "):\n", ") -> ibis.Table:\n"
    )
)


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        ('f(t, "x", 3, 2, False, ["a", "b"])', None),
        ('f(t, by="x", x=2.5, c=columns)', None),
        ("f(t.filter(t.n > 3), word)", None),
        ("f(t, 3)", "by is str, not 3"),
        ('f(t, "x", n=2.5)', "n is int, not 2.5"),
        ('f(t, "x", n=True)', "n is int, not True"),
        ('f(t, "x", on=1)', "on is bool, not 1"),
        ('f(t, "x", c=["a", 2])', "c is list[str], not ['a', 2]"),
        ('f(t, "x", c="a")', "c is list[str], not 'a'"),
    ],
)
def test_arguments_are_of_the_types_that_the_hints_say(call, problem):
    assert mistyped_argument(HINTED, call) == problem


# --- bad templates

TEMPLATE = """templates:
- name: bad
  difficulty: easy
  features: [filter]
  tables: {t: any}
  slots: {k: column key}
  code: |
    def first_{t}({t}: ibis.Table, n: int = 3) -> ibis.Table:
        if n < 1:
            raise ValueError("n should be positive")
        return {t}.order_by({k:str}).limit(n)
  summary: Select the first {t} in order of {k:name}.
  parameters:
    "{t:code}": Table of {t}.
    n: Number of {t} to select.
  returns: The first {t}.
  raises:
    ValueError: If `n` is less than 1.
  calls:
  - "first_{t}({t})"
  fails:
  - "first_{t}({t}, 0)"
"""


def attempt(tmp_path, webshop, old, new):
    assert old in TEMPLATE
    template = the_template(TASK, tmp_path, TEMPLATE.replace(old, new))
    return TASK.prove(TASK.expand(template, setting(webshop, "bad")), engine_for(webshop))


def test_the_template_that_is_spoilt_below_is_good(tmp_path, webshop):
    assert (
        attempt(tmp_path, webshop, "name: bad", "name: good")
        .target["docstring"]
        .startswith(f"{QUOTES}Select the first")
    )


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("    n: Number of {t} to select.\n", "", 2, "the parameter 'n' is not documented"),
        ("    n: Number", "    m: Nothing.\n    n: Number", 2, "unknown parameter 'm'"),
        ("in order of {k:name}.", "in order of {k:name}", 2, "should end with a period"),
        (
            "summary: Select",
            "summary: Selects",
            2,
            "unknown verb in the imperative mood 'Selects', did you mean 'Select'",
        ),
        ("summary: Select the", "summary: The", 2, "unknown verb in the imperative mood 'The'"),
        (
            "  raises:\n    ValueError: If `n` is less than 1.\n",
            "",
            2,
            "the exception 'ValueError' is not documented",
        ),
        ("    ValueError: If", "    KeyError: Never.\n    ValueError: If", 2, "unknown exception 'KeyError'"),
        ('  fails:\n  - "first_{t}({t}, 0)"\n', "", 2, "`fails` should have calls"),
        ('"first_{t}({t}, 0)"', '"first_{t}({t}, 1)"', 21, "should raise ValueError, but runs"),
        ('"first_{t}({t}, 0)"', '"first_{t}({t}, [])"', 21, "should raise ValueError, but raises"),
        ("n: int = 3)", "n=3)", 2, "for all parameters and the result, or for none"),
        (
            "  returns: The first",
            "  types: {n: int}\n  returns: The first",
            2,
            "documents what the code does not have",
        ),
        ("        return {t}.order_by", "        return table.order_by", 7, "'table'"),
        (
            "        return {t}.order_by({k:str}).limit(n)",
            "        return {t}.limit(missing)",
            7,
            "'missing'",
        ),
        (".limit(n)", ".to_pandas()", 7, "ForbiddenCode"),
        (".limit(n)", ".limitt(n)", 7, "did you mean 'limit'"),
        (".limit(n)", ".limit(n", 7, "does not parse"),
        ("def first_{t}({t}: ibis.Table", "def first(table: ibis.Table", 2, "'table' is not documented"),
    ],
)
def test_bad_template_is_refused_by_file_line_and_reason(tmp_path, webshop, old, new, line, reason):
    with pytest.raises(InputError) as refused:
        attempt(tmp_path, webshop, old, new)
    assert reason in str(refused.value)
    assert refused.value.file == tmp_path / "01_only.yaml"
    assert refused.value.line == line


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (".limit(n)", '.select("no_such_column")', "function_fails"),
        (".limit(n)", ".limit(0)", "empty_result"),
        (".order_by({k:str}).limit(n)", ".limit(n)", "depends_on_row_order"),
        ("return {t}.order_by({k:str}).limit(n)", "return {k:str}", "not_an_expression"),
        ("The first {t}.", "The first {t}, with no_such_column.", "name_not_in_code"),
        ("  fails:\n", '  facts: ["first_{t}({t}).count() == 4"]\n  fails:\n', "fact_is_false"),
        ("  fails:\n", '  facts: ["first_{t}({t}).mean() == 3"]\n  fails:\n', "fact_fails"),
        ('- "first_{t}({t})"', '- "first_{t}({t}, 2.5)"', "argument_mistyped"),
        ("The first {t}.", "The first {t}", "text_without_period"),
        (
            "Select the first {t}",
            "Select the first {t}, but not those that come after them,",
            "summary_too_long",
        ),
    ],
)
def test_unproved_draft_is_rejected_by_name(tmp_path, webshop, old, new, reason):
    with pytest.raises(Rejected) as rejected:
        attempt(tmp_path, webshop, old, new)
    assert rejected.value.reason == reason
