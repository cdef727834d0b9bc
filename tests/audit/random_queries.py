"""Random queries over the two tables, of the shapes on which the rules of equivalence have something to say."""

from __future__ import annotations

import random

SIDES = ("", "LEFT", "RIGHT", "FULL")
INNER = "id, parent_id, x, y, note, day"
CONDITIONS = (
    "{c}.x > 1", "{c}.x IS NOT NULL", "{c}.x IS NULL", "{c}.id IS NULL", "{c}.x = {c}.y", "{c}.x <> {c}.y", "{c}.id <> 3",
    "NOT ({c}.x BETWEEN {d}.id AND 5)", "({c}.x BETWEEN {d}.id AND 2) IS NOT NULL", "{c}.x BETWEEN {d}.id AND 5",
    "{c}.x BETWEEN 1 AND 5", "{c}.x IN (1, 2)", "{c}.x NOT IN (1, 2)", "{c}.x IN (SELECT size FROM parent)",
    "{c}.x NOT IN (SELECT size FROM parent)", "NOT {c}.x = 2", "({c}.x > 1 OR {c}.y > 1)", "({c}.x > 1 OR {c}.id > 1)",
    "COALESCE({c}.x > 1, FALSE)", "NOT COALESCE({c}.x > 1, FALSE)", "{c}.x IS NOT DISTINCT FROM {c}.y",
    "{c}.x IS NOT DISTINCT FROM 2", "{c}.x > ALL (SELECT size FROM parent)", "COALESCE({c}.x, 1) = 1",
    "{c}.x // {c}.y IS NOT NULL", "{c}.x + {c}.y > 2", "YEAR({c}.day) IS NOT NULL", "{c}.day < DATE '2024-03-01'",
)  # fmt: skip
VALUES = (
    "{c}.id", "{c}.x", "{c}.y", "{c}.note", "COALESCE({c}.x, 0)", "COALESCE({c}.id, 0)", "{c}.x + {c}.id", "{c}.id % 2",
    "EXTRACT(YEAR FROM {c}.day)", "{c}.x // {c}.y", "CASE {c}.x WHEN 1 THEN 'a' WHEN 2 THEN 'b' END",
    "CASE ({c}.y > 1) WHEN COALESCE({c}.x > 1, FALSE) THEN 1 ELSE 2 END", "CASE WHEN COALESCE({c}.x > 1, FALSE) THEN 1 END",
    "DATE_TRUNC('month', {c}.day)", "(SELECT MAX(k.id) FROM child AS k WHERE k.x > {c}.x)", "{c}.x || 'a'", "{d}.id",
)  # fmt: skip
AGGREGATES = (
    "COUNT(*)", "COUNT({c}.x)", "COUNT(DISTINCT {c}.id)", "COUNT(DISTINCT {d}.id)", "SUM({c}.x)", "MIN({c}.id)",
    "SUM(CAST({c}.id IS NULL AS INT))", "AVG(CAST({c}.id IS NULL AS INT)) || 'x'", "SUM({c}.id)", "NULLIF(5, SUM({c}.id))",
    "SUM({c}.x) FILTER (WHERE {c}.y > 1)",
)  # fmt: skip
WINDOWS = (
    "ROW_NUMBER() OVER (ORDER BY {c}.id)", "RANK() OVER (ORDER BY {c}.x, {c}.id)", "RANK() OVER (ORDER BY {c}.x)",
    "DENSE_RANK() OVER (PARTITION BY {c}.x ORDER BY {c}.id)", "RANK() OVER (ORDER BY {d}.id)", "RANK() OVER (ORDER BY 1)",
    "DENSE_RANK() OVER (PARTITION BY {c}.x ORDER BY 1)",
    "SUM({c}.x) OVER (ORDER BY {c}.id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)",
    "SUM({c}.x) OVER (ORDER BY {c}.x ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)",
    "SUM({c}.x) OVER (ORDER BY {c}.id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW EXCLUDE CURRENT ROW)",
)  # fmt: skip


def random_query(rng: random.Random) -> str:
    """A query, simple or a set operation."""
    if rng.random() < 0.1:
        kind = rng.choice(("UNION", "UNION ALL", "INTERSECT", "EXCEPT", "EXCEPT ALL", "INTERSECT ALL"))
        label = rng.choice((", 'a' AS s", ", 1 AS s", ""))
        other = {", 'a' AS s": ", 'b' AS s", ", 1 AS s": ", 1.0 AS s"}.get(label, "")
        column = rng.choice(("id", "x", "parent_id"))
        return (
            f"SELECT {column}{label} FROM child {kind} SELECT {rng.choice(('id', 'size'))}{other} FROM parent"
        )
    return _select(rng)


def _select(rng: random.Random) -> str:
    with_clause, sources, aliases = _sources(rng)

    def some(pool: tuple[str, ...], most: int, least: int = 0) -> list[str]:
        chosen = rng.sample(pool, rng.randint(least, most))
        return [text.format(c=rng.choice(aliases), d=rng.choice(aliases)) for text in chosen]

    aliases, wide = [a for a in aliases if a != "p"] or ["c"], aliases
    where = some(CONDITIONS, 2)
    shape = rng.choice(("plain", "plain", "distinct", "grouped", "window", "derived"))
    keys = some(VALUES, 3, 1)
    aliases = wide
    if shape == "grouped":
        shown = [f"{key} AS k{i}" for i, key in enumerate(keys)]
        shown += [f"{value} AS a{i}" for i, value in enumerate(_of_child(rng, AGGREGATES))]
        tail = " GROUP BY " + ", ".join(f"k{i}" for i in range(len(keys))) if rng.random() < 0.8 else ""
        shown = shown if tail else shown[len(keys) :]
        tail += rng.choice(("", " HAVING COUNT(*) > 0", " HAVING SUM(CAST(c.id IS NULL AS INT)) > 0"))
    else:
        shown = [f"{key} AS k{i}" for i, key in enumerate(keys)]
        tail = ""
        if shape == "window":
            shown += [f"{value} AS w{i}" for i, value in enumerate(_of_child(rng, WINDOWS))]
            tail = rng.choice(("", " QUALIFY RANK() OVER (ORDER BY c.x) = 1"))
    distinct = (
        rng.choice(("DISTINCT ", "DISTINCT ON (c.x) ", "DISTINCT ON (c.id) ")) if shape == "distinct" else ""
    )
    names = [one.rsplit(" AS ", 1)[1] for one in shown]
    order = ""
    if rng.random() < 0.4:
        order = " ORDER BY " + ", ".join(
            rng.choice((name, name, str(names.index(name) + 1))) for name in names
        )
    core = f"SELECT {distinct}{', '.join(shown)} FROM {sources}{' WHERE ' if where else ''}{' AND '.join(where)}{tail}"
    if shape == "derived":
        read = rng.sample(names, rng.randint(1, len(names)))
        return f"{with_clause}SELECT {', '.join(f't.{n}' for n in read)} FROM ({core}) AS t"
    return f"{with_clause}{core}{order}"


def _of_child(rng: random.Random, pool: tuple[str, ...]) -> list[str]:
    return [text.format(c="c", d="c") for text in rng.sample(pool, rng.randint(1, 2))]


def _sources(rng: random.Random) -> tuple[str, str, list[str]]:
    """A WITH clause, if any, what stands in FROM, and the aliases that have the columns of `child`."""
    child, with_clause = "child AS c", ""
    where = f" WHERE {rng.choice(('x > 1', 'x IS NOT NULL', 'id > 2'))}" if rng.random() < 0.5 else ""
    choice = rng.random()
    if choice < 0.2:
        child = f"(SELECT {INNER} FROM child{where}) AS c"
    elif choice < 0.4:
        with_clause, child = f"WITH w AS (SELECT {INNER} FROM child{where}) ", "w AS c"
    joined, aliases = child, ["c"]
    for alias, condition in (("e", "e.id = c.{}"), ("f", "f.parent_id = {}.id")):
        if rng.random() < 0.5:
            on = condition.format(rng.choice(("parent_id", "x")) if alias == "e" else rng.choice(aliases))
            joined += f" {rng.choice(SIDES)} JOIN child AS {alias} ON {on}"
            aliases.append(alias)
    return with_clause, joined, aliases
