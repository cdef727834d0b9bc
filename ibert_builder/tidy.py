"""SQL as a person would commit it, from the SQL that Ibis's compilers print.

Ibis compiles an expression to nested SELECTs over `t0`, `t1`, ... with every name quoted. `tidy` merges the nested
SELECTs where that says the same, gives tables readable aliases or none, and drops the quotes that the dialect does not
need. It changes how a query is put, never what it calls: functions are the compiler's, which knows the dialect. Only
constants are put as people write them (`DATE '2024-01-31'`, `LIKE 'ab%'`, `RANK() = 1` for Ibis's `RANK() - 1 = 0`).
What comes out is proved against the compiler's own SQL by its callers.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Mapping

import sqlglot
from sqlglot import exp

Columns = Mapping[str, tuple[str, ...]]  # table name to column names

# Dialects in which a condition on a window function can stand in QUALIFY.
QUALIFY = frozenset({"duckdb", "snowflake", "bigquery", "databricks", "clickhouse"})
# Dialects in which GROUP BY may use the name that the projection gives.
GROUP_BY_ALIAS = frozenset(
    {"duckdb", "postgres", "mysql", "sqlite", "bigquery", "snowflake", "clickhouse", "databricks"}
)
# Dialects in which ORDER BY after UNION belongs to its last SELECT only.
ORDER_IN_LAST = frozenset({"clickhouse"})
WIDTH = 80


def tidy(
    sql: str, dialect: str, grammar: type[sqlglot.Dialect], tables: Columns, never_null: Columns | None = None
) -> str:
    """Say a compiled query in fewer SELECTs, with plain names.

    Args:
        sql: what an Ibis compiler printed for the dialect.
        dialect: Ibis's name of the dialect.
        grammar: the sqlglot dialect to read and write it with.
        tables: the columns of every base table.
        never_null: those of them that hold no NULL, which need no NULLS LAST.

    Raises:
        SqlglotError: sqlglot cannot read the query.
    """
    tree = sqlglot.parse_one(sql, read=grammar)
    _undo_sqlglot(tree, dialect)
    _name_elements(tree)
    _read_fields(tree)
    _qualify(tree, tables)
    _make_aliases_unique(tree)
    _drop_noise(tree)
    _write_constants(tree, dialect)
    for select in reversed(list(tree.find_all(exp.Select))):
        _expand_stars(select, tables, tree)
        _spell_out_positions(select)
        _merge_down(select, dialect)
        _merge_joined(select)
    tree = _unwrap(tree, dialect)
    _count_ranks_from_one(tree)
    for select in tree.find_all(exp.Select):
        _drop_needless_aliases(select)
        _place_no_nulls(select, never_null or {}, grammar)
        _use_aliases(select, tables, tree, dialect)
    _name_sources(tree)
    for select in tree.find_all(exp.Select):
        _collapse_stars(select, tables, tree, dialect)
    return write(tree, grammar)


def _undo_sqlglot(tree: exp.Query, dialect: str) -> None:
    """Functions that sqlglot reads and then writes as another one."""
    for node in list(tree.find_all(exp.Stddev, exp.JSONExtract)):
        if dialect == "mssql" and isinstance(node, exp.Stddev):
            node.replace(exp.Anonymous(this="STDEV", expressions=[node.this]))  # not STDEVP
        elif dialect == "sqlite" and isinstance(node, exp.JSONExtract) and not node.expressions:
            path = (
                exp.Literal.string("$" + "".join(part.sql() for part in node.expression.expressions[1:]))
                if isinstance(node.expression, exp.JSONPath)
                else node.expression
            )
            node.replace(
                exp.Anonymous(this="JSON_EXTRACT", expressions=[node.this, path])
            )  # not `->`, which gives JSON


def _resolve(column: exp.Column) -> exp.Expression | None:
    """The table or subquery a qualified column comes from: the nearest of that name, from its SELECT outwards."""
    select = column.parent_select
    while select is not None:
        for source in _sources(select) if isinstance(select, exp.Select) else ():
            if source.alias_or_name == column.table:
                return source
        select = select.parent_select
    return None


def _name_elements(tree: exp.Query) -> None:
    """Names that Ibis made up (`ibis_bq_arr_contains_6j2ayxtod5cevfmrzumyewna7y`) are `item`."""
    fresh: dict[str, str] = {}
    for identifier in tree.find_all(exp.Identifier):
        if re.fullmatch(r"_?ibis_\w*_[a-z0-9]{20,}", identifier.name):
            kind = "position" if re.search(r"idx|pos", identifier.name.rsplit("_", 1)[0]) else "item"
            name = fresh.setdefault(identifier.name, _fresh(kind, set(fresh.values())))
            identifier.set("this", name)


def _read_fields(tree: exp.Query) -> None:
    """sqlglot reads `t0.contact.phone`, a field of a struct, as column `phone` of table `contact`."""
    for column in list(tree.find_all(exp.Column)):
        if column.args.get("db") and not column.args.get("catalog"):
            column.replace(
                exp.Dot(
                    this=exp.Column(this=column.args["table"], table=column.args["db"]),
                    expression=column.this,
                )
            )


def _qualify(tree: exp.Query, tables: Columns) -> None:
    """A bare column name belongs to the only source, where that has such a column."""
    for column in tree.find_all(exp.Column):
        sources = _sources(column.parent_select) if isinstance(column.parent_select, exp.Select) else []
        if (
            not column.table
            and len(sources) == 1
            and sources[0].alias
            and not isinstance(column.this, exp.Star)
        ):
            names = _columns_of(sources[0], tables, tree)
            if names is not None and column.name in names:
                column.set("table", exp.to_identifier(sources[0].alias))


def _make_aliases_unique(tree: exp.Query) -> None:
    """Ibis uses `t0` anew in every subquery; merging and naming need to tell them apart."""
    resolved = [
        (column, source) for column in tree.find_all(exp.Column) if (source := _resolve(column)) is not None
    ]
    fresh = {}
    for number, source in enumerate(s for select in tree.find_all(exp.Select) for s in _sources(select)):
        if not isinstance(source, exp.Table | exp.Subquery):
            continue  # UNNEST has its own ways
        fresh[id(source)] = f"source_{number}"
        source.set("alias", exp.TableAlias(this=exp.to_identifier(f"source_{number}")))
    for column, source in resolved:
        if id(source) in fresh:
            column.set("table", exp.to_identifier(fresh[id(source)]))


_FRAMELESS = (
    exp.RowNumber,
    exp.Rank,
    exp.DenseRank,
    exp.PercentRank,
    exp.CumeDist,
    exp.Ntile,
    exp.Lag,
    exp.Lead,
)


def _drop_noise(tree: exp.Query) -> None:
    """Leave out what Ibis spells out and the dialect means anyway."""
    _drop_literal_casts(tree)
    for cast in list(tree.find_all(exp.Cast)):
        if (
            cast.is_type(exp.DataType.Type.BOOLEAN)
            and isinstance(cast.this, _COMPARISON)
            and isinstance(cast.parent, exp.Where | exp.Connector)
        ):
            cast.replace(cast.this)  # a condition is a boolean
    for paren in list(tree.find_all(exp.Paren)):
        if isinstance(
            paren.this, (*_ARITHMETIC, *_COMPARISON, exp.Connector, exp.Column, exp.Func)
        ) and not _binds_looser(paren.this, paren.parent):
            paren.replace(paren.this)
    for ordered in tree.find_all(exp.Ordered):
        if not ordered.args.get("desc"):
            ordered.set("desc", None)
    for join in tree.find_all(exp.Join):
        if join.args.get("kind") == "INNER":
            join.set("kind", None)
        elif join.args.get("kind") == "OUTER" and join.side:
            join.set("kind", None)
    for window in tree.find_all(exp.Window):
        frame = window.args.get("spec")
        if frame is None:
            continue
        for side in ("start_side", "end_side"):
            frame.set(side, frame.args[side].upper() if frame.args.get(side) else None)
        whole = frame.args.get("start") == frame.args.get("end") == "UNBOUNDED"
        order = window.args.get("order")
        if (
            whole
            and order is not None
            and not order.find(exp.Column)
            and not isinstance(window.this, _FRAMELESS)
        ):
            window.set("order", None)  # by a constant, since some dialects want an order with a frame
        default = (
            frame.args.get("kind") == "RANGE"
            and frame.args.get("start") == "UNBOUNDED"
            and frame.args.get("end") == "CURRENT ROW"
        )
        if isinstance(window.this, _FRAMELESS) or default or (whole and not window.args.get("order")):
            window.set("spec", None)
    for subquery in tree.find_all(exp.Subquery, exp.In):
        query = subquery.this if isinstance(subquery, exp.Subquery) else subquery.args.get("query")
        query = query.this if isinstance(query, exp.Subquery) else query
        if (
            isinstance(query, exp.Select)
            and len(query.expressions) == 1
            and not isinstance(subquery.parent, exp.From | exp.Join)
        ):
            query.set("expressions", [query.expressions[0].unalias()])


def _unwrap(tree: exp.Query, dialect: str) -> exp.Query:
    """The query in `SELECT * FROM (query)`; `SELECT * FROM (a UNION b) ORDER BY x` is `a UNION b ORDER BY x`."""
    while (
        isinstance(tree, exp.Select)
        and _is_bare(tree, "order", "limit", "offset")
        and not tree.args.get("with_")
    ):
        source = _source(tree)
        if not isinstance(source, exp.Subquery) or not isinstance(source.this, exp.Query):
            break
        inner, names = source.this, _output_names(source.this)
        whole = [
            (e.name if isinstance(e, exp.Column) and e.table == source.alias else None)
            for e in tree.expressions
        ]
        if whole != names and [type(e) for e in tree.expressions] != [exp.Star]:
            break
        if not _is_bare(tree):
            keys = tree.args["order"].expressions if tree.args.get("order") else []
            simple = all(isinstance(key.this, exp.Column) and key.this.table == source.alias for key in keys)
            if not isinstance(inner, exp.SetOperation) or not simple or dialect in ORDER_IN_LAST:
                break
            if inner.args.get("order") or inner.args.get("limit"):
                break
            for key in keys:
                key.this.set("table", None)
            for clause in ("order", "limit", "offset"):
                inner.set(clause, tree.args.get(clause))
        tree = inner
    return tree


def _source(select: exp.Select) -> exp.Expression | None:
    clause = select.args.get("from_")
    return clause.this if clause is not None else None


_CLAUSES = (
    "where",
    "group",
    "having",
    "qualify",
    "order",
    "limit",
    "offset",
    "distinct",
    "joins",
    "laterals",
)


def _is_bare(select: exp.Select, *but: str) -> bool:
    return not any(select.args.get(clause) for clause in _CLAUSES if clause not in but)


def _drop_literal_casts(tree: exp.Expression) -> None:
    """`CAST(12.5 AS DOUBLE)` is how Ibis types a literal; people write 12.5."""
    for cast in list(tree.find_all(exp.Cast)):
        literal = cast.this
        number = isinstance(literal, exp.Literal) and not literal.is_string
        number = number or (isinstance(literal, exp.Neg) and isinstance(literal.this, exp.Literal))
        integer = number and "." not in literal.name and not isinstance(literal, exp.Neg)
        kinds = exp.DataType.INTEGER_TYPES if integer else exp.DataType.REAL_TYPES
        # In sums the cast decides whether the result is a float or a decimal, in quotients whether it is a whole number.
        if (
            number
            and cast.to.this in kinds
            and not cast.find_ancestor(exp.Div, exp.IntDiv)
            and (integer or not isinstance(cast.parent, exp.Add | exp.Sub))
        ):
            cast.replace(literal)


def _output_names(query: exp.Expression) -> list[str]:
    if isinstance(query, exp.SetOperation):
        return _output_names(query.this)
    if isinstance(query, exp.Subquery):
        return _output_names(query.this)
    return [e.alias_or_name for e in query.expressions]


def _columns_of(source: exp.Expression, tables: Columns, tree: exp.Query) -> list[str] | None:
    if isinstance(source, exp.Table):
        ctes = {cte.alias: cte.this for cte in tree.find_all(exp.CTE)}
        if source.name in ctes:
            return _output_names(ctes[source.name])
        return list(tables[source.name]) if source.name in tables else None
    if isinstance(source, exp.Subquery) and isinstance(source.this, exp.Query):
        return _output_names(source.this)
    return None


def _sources(select: exp.Select) -> list[exp.Expression]:
    first = _source(select)
    return ([first] if first is not None else []) + [join.this for join in select.args.get("joins") or ()]


def _expand_stars(select: exp.Select, tables: Columns, tree: exp.Query) -> None:
    projections: list[exp.Expression] = []
    for projection in select.expressions:
        star = projection.this if isinstance(projection, exp.Column) else projection
        if not isinstance(star, exp.Star) or star.args.get("replace") or star.args.get("rename"):
            projections.append(projection)
            continue
        dropped = {column.name for column in star.args.get("except_") or ()}
        for source in _sources(select):
            if star is not projection and source.alias_or_name != projection.table:
                continue
            names = _columns_of(source, tables, tree)
            if names is None or "*" in names:
                return
            projections += [
                exp.column(name, table=source.alias_or_name) for name in names if name not in dropped
            ]
    select.set("expressions", projections)


def _spell_out_positions(select: exp.Select) -> None:
    """`GROUP BY 1` names the column or expression that it means."""
    group = select.args.get("group")
    if group is not None:
        spelled = [
            select.expressions[int(key.name) - 1].unalias().copy()
            if isinstance(key, exp.Literal) and key.is_int
            else key
            for key in group.expressions
        ]
        group.set("expressions", spelled)


def _has_window(node: exp.Expression | None) -> bool:
    return node is not None and node.find(exp.Window) is not None


def _own(select: exp.Select, kind: type[exp.Expression]) -> list[exp.Expression]:
    """The nodes of a kind that belong to this SELECT and to none within it."""
    return [node for node in select.find_all(kind) if node.parent_select is select]


def _is_grouped(select: exp.Select) -> bool:
    aggregates = [a for e in select.expressions for a in e.find_all(exp.AggFunc) if a.parent_select is select]
    return select.args.get("group") is not None or any(not a.find_ancestor(exp.Window) for a in aggregates)


def _merge_down(outer: exp.Select, dialect: str) -> None:
    """Merge the SELECT in FROM into this one, as long as that says the same."""
    while True:
        source = _source(outer)
        if (
            not isinstance(source, exp.Subquery)
            or not isinstance(source.this, exp.Select)
            or source.args.get("pivots")
        ):
            return
        inner = source.this
        if inner.args.get("with_") or not _can_merge(outer, inner, source.alias, dialect):
            return
        _merge(outer, inner, source.alias)


def _written(outer: exp.Select, alias: str, dialect: str) -> Counter[str]:
    """How often each column of the inner query would be written out. Where a clause can use the projection's name, it will."""
    projected = {
        e.unalias().name
        for e in outer.expressions
        if isinstance(e.unalias(), exp.Column) and e.unalias().table == alias
    }
    written: Counter[str] = Counter()
    for column in outer.find_all(exp.Column):
        if column.table == alias:
            by_name = isinstance(column.parent, exp.Ordered) and isinstance(
                column.parent.parent.parent, exp.Select
            )
            by_name = by_name or (isinstance(column.parent, exp.Group) and dialect in GROUP_BY_ALIAS)
            written[column.name] += 0 if by_name and column.name in projected else 1
    return written


def _can_merge(outer: exp.Select, inner: exp.Select, alias: str, dialect: str) -> bool:
    if any(
        isinstance(e, exp.Star) or (isinstance(e, exp.Column) and isinstance(e.this, exp.Star))
        for e in inner.expressions
    ):
        return False
    if any(e.find(exp.Unnest, exp.Explode, exp.Posexplode) for e in inner.expressions):
        return False
    if (
        inner.args.get("laterals")
        or outer.args.get("laterals")
        or any(join.find(exp.Unnest) for join in inner.args.get("joins") or ())
    ):
        return False
    used = _written(outer, alias, dialect)
    outputs = {e.alias_or_name: e.unalias() for e in inner.expressions}
    if not set(used) <= set(outputs):
        return False
    plain = all(
        isinstance(e, exp.Column) and e.table == alias for e in (p.unalias() for p in outer.expressions)
    )
    outer_grouped, outer_windows = (
        _is_grouped(outer),
        any(_has_window(outer.args.get(c)) for c in ("order", "qualify"))
        or any(_has_window(e) for e in outer.expressions),
    )
    inner_windows = any(_has_window(e) for e in inner.expressions) or bool(inner.args.get("qualify"))
    reach = any(
        c.parent_select is not outer
        for c in outer.find_all(exp.Column)
        if c.table == alias and c.parent_select is not inner
    )
    if inner.args.get("limit") or inner.args.get("offset") or inner.args.get("distinct"):
        keeps_all = (
            plain
            and [p.unalias().name for p in outer.expressions] == list(outputs)
            and not any(p.alias and p.alias != p.unalias().name for p in outer.expressions)
        )
        if inner.args.get("limit") or inner.args.get("offset"):
            return plain and not inner.args.get("distinct") and _is_bare(outer)
        return keeps_all and _is_bare(outer, "order", "limit", "offset")
    if inner.args.get("order") and not (plain and _is_bare(outer, "limit", "offset")):
        return False
    if reach and any(not isinstance(e, exp.Column) for e in outputs.values()):
        return False
    if _is_grouped(inner):
        if (
            outer_grouped
            or outer_windows
            or outer.args.get("joins")
            or outer.args.get("distinct")
            or inner_windows
            or reach
        ):
            return False
        # Without GROUP BY there is one row, which HAVING would be an unusual way to filter.
        if outer.args.get("where") and not inner.args.get("group"):
            return False
        return all(count <= 2 for name, count in used.items() if not isinstance(outputs[name], exp.Column))
    if inner_windows:
        if outer_grouped or outer_windows or outer.args.get("joins") or outer.args.get("distinct") or reach:
            return False
        if outer.args.get("where"):
            condition = outer.args["where"]
            windowed = {n for n, e in outputs.items() if _has_window(e)}
            mentioned = any(column.name in windowed for column in condition.find_all(exp.Column))
            if dialect not in QUALIFY or not mentioned:
                return False
        return all(count <= 2 for name, count in used.items() if not isinstance(outputs[name], exp.Column))
    joins = outer.args.get("joins") or []
    if joins and (inner.args.get("joins") or any(join.side in ("RIGHT", "FULL") for join in joins)):
        return False
    # A long expression that is needed in several places is better named once, in the inner query.
    for name, count in used.items():
        expression = outputs[name]
        simple = isinstance(expression, exp.Column | exp.Literal)
        if not simple and count > (2 if len(expression.sql()) <= 40 else 1):
            return False
    return True


def _merge(outer: exp.Select, inner: exp.Select, alias: str) -> None:
    outputs = {e.alias_or_name: e.unalias() for e in inner.expressions}
    was_grouped, had_windows = _is_grouped(inner), any(_has_window(e) for e in inner.expressions)
    final = {e.alias_or_name for e in outer.expressions if isinstance(e.unalias(), exp.Column)}
    # An outer projection `t1.total` must keep its name once it is an expression.
    outer.set("expressions", [_named(e) for e in outer.expressions])
    computed = {name for name, e in outputs.items() if not isinstance(e, exp.Column)}
    order = outer.args.get("order")
    if order is not None:
        for column in list(order.find_all(exp.Column)):
            if (
                column.table == alias
                and column.name in final & computed
                and isinstance(column.parent, exp.Ordered)
            ):
                column.set("table", None)
    condition = outer.args.get("where")
    if condition is not None and had_windows:
        for column in list(condition.find_all(exp.Column)):
            if column.table == alias and column.name in final & computed:
                column.set("table", None)  # QUALIFY may use the name that the projection gives
    outer.args["from_"].set("this", _source(inner))
    for column in [c for c in outer.find_all(exp.Column) if c.table == alias]:
        replacement = outputs[column.name].copy()
        column.replace(
            exp.paren(replacement, copy=False) if _binds_looser(replacement, column.parent) else replacement
        )
    if condition is not None and (was_grouped or had_windows):
        outer.set("where", None)
        clause, kind = ("having", exp.Having) if was_grouped else ("qualify", exp.Qualify)
        outer.set(clause, kind(this=condition.this))
    for clause, kind in (("where", exp.Where), ("having", exp.Having), ("qualify", exp.Qualify)):
        below, above = inner.args.get(clause), outer.args.get(clause)
        if below is not None:
            both = exp.and_(below.this, above.this, copy=False) if above is not None else below.this
            outer.set(clause, kind(this=both))
    if inner.args.get("joins"):
        outer.set("joins", [*inner.args["joins"], *(outer.args.get("joins") or [])])
    for clause in ("group", "order", "limit", "offset", "distinct"):
        if inner.args.get(clause) is not None and outer.args.get(clause) is None:
            outer.set(clause, inner.args[clause])


def _merge_joined(select: exp.Select) -> None:
    """`JOIN (SELECT * FROM b WHERE p) AS b ON q` is `JOIN b ON q WHERE p`, or `ON q AND p` in joins that keep all rows."""
    joins = select.args.get("joins") or []
    for index, join in enumerate(joins):
        source, inner = join.this, join.this.this if isinstance(join.this, exp.Subquery) else None
        if (
            not isinstance(inner, exp.Select)
            or not _is_bare(inner, "where")
            or inner.args.get("with_")
            or not join.args.get("on")
        ):
            continue
        if (
            not isinstance(_source(inner), exp.Table)
            or join.side in ("RIGHT", "FULL")
            or any(j.side in ("RIGHT", "FULL") for j in joins)
        ):
            continue
        outputs = {e.alias_or_name: e.unalias() for e in inner.expressions}
        columns = [c for c in select.find_all(exp.Column) if c.table == source.alias]
        if not all(
            isinstance(e, exp.Column) and not isinstance(e.this, exp.Star) for e in outputs.values()
        ) or not {c.name for c in columns} <= set(outputs):
            continue
        where = inner.args.get("where")
        if where is not None and any(isinstance(node, exp.Query) for node in where.find_all(exp.Query)):
            continue
        select.set("expressions", [_named(e) for e in select.expressions])
        join.set("this", _source(inner))
        for column in columns:
            column.replace(outputs[column.name].copy())
        if where is None:
            continue
        if (
            join.side
            or join.kind in ("SEMI", "ANTI")
            or any(j.side or j.kind in ("SEMI", "ANTI") for j in joins[index:])
        ):
            join.set("on", exp.and_(join.args["on"], where.this, copy=False))
        else:
            above = select.args.get("where")
            select.set(
                "where", exp.Where(this=exp.and_(above.this, where.this, copy=False) if above else where.this)
            )


# How a dialect's compiler spells a day, and a moment, of which all parts are known; `DATE '...'` says the same there.
_DAYS = {
    "duckdb": "MAKE_DATE", "postgres": "MAKE_DATE", "databricks": "MAKE_DATE", "snowflake": "DATE_FROM_PARTS", "bigquery": "DATE",
    "mysql": "DATE", "trino": "FROM_ISO8601_DATE", "oracle": "TO_DATE", "datafusion": "DATE_TRUNC",
}  # fmt: skip
_MOMENTS = {
    "duckdb": "MAKE_TIMESTAMP", "postgres": "CAST", "databricks": "CAST", "snowflake": "TIMESTAMP_FROM_PARTS", "bigquery": "DATETIME",
    "mysql": "TIMESTAMP", "trino": "CAST", "oracle": "TO_TIMESTAMP", "datafusion": "ARROW_CAST",
}  # fmt: skip


def _write_constants(tree: exp.Query, dialect: str) -> None:
    """Constants as people write them: moments as literals, and no expressions over constants."""
    for node in list(tree.find_all(exp.Func, exp.Cast)):
        if (text := _moment(node, dialect)) is not None:
            kind = "DATE" if len(text) == 10 else "DATETIME" if dialect == "bigquery" else "TIMESTAMP"
            node.replace(exp.Introducer(this=exp.var(kind), expression=exp.Literal.string(text)))
    for node in reversed(list(tree.walk())):
        if (folded := _folded(node, dialect)) is not node:
            node.replace(folded)


def _folded(node: exp.Expression, dialect: str) -> exp.Expression:
    """The value of an expression as far as it is over constants, or the expression itself."""
    if (
        isinstance(node, exp.Add | exp.DPipe)
        and isinstance(node.left, exp.Literal)
        and isinstance(node.right, exp.Literal)
    ):
        if node.left.is_string and node.right.is_string:
            return exp.Literal.string(node.left.name + node.right.name)
        if node.left.is_int and node.right.is_int and isinstance(node, exp.Add):
            return exp.Literal.number(int(node.left.name) + int(node.right.name))
    elif isinstance(node, exp.Length) and isinstance(node.this, exp.Literal) and node.this.name.isascii():
        return exp.Literal.number(len(node.this.name))
    elif isinstance(node, exp.Or) and _truth(node.right) is False:
        return node.left
    elif isinstance(node, exp.Cast) and (truth := _truth(node.this)) is not None:
        return exp.Literal.number(int(truth))
    elif (
        isinstance(node, exp.If)
        and not isinstance(node.parent, exp.Case)
        and (truth := _truth(node.this)) is not None
    ):
        return (node.args["true"] if truth else node.args.get("false")) or exp.Null()
    elif isinstance(node, exp.Coalesce) and all(isinstance(other, exp.Null) for other in node.expressions):
        return node.this
    elif isinstance(node, exp.Case):
        return _folded_case(node)
    elif isinstance(node, exp.NEQ) and dialect == "mssql" and node.right == exp.Literal.number(0):
        # Ibis compares conditions with 0, but a condition is no value there.
        return condition if isinstance(condition := node.left.unnest(), _COMPARISON) else node
    elif isinstance(node, exp.Trim) and _is_whitespace(node.expression):
        node.set("expression", None)  # Ibis strips tabs and line breaks too; people write TRIM(x)
    elif isinstance(node, exp.Anonymous) and node.name.upper() in ("LTRIM", "RTRIM", "BTRIM", "TRIM"):
        node.set("expressions", [argument for argument in node.expressions if not _is_whitespace(argument)])
    return node


def _folded_case(case: exp.Case) -> exp.Expression:
    if not case.this:
        tests = [test for test in case.args["ifs"] if _truth(test.this) is not False]
        if not tests:
            return case.args.get("default") or exp.Null()
        if _truth(tests[0].this):
            return tests[0].args["true"]
        case.set("ifs", tests)
    if isinstance(case.args.get("default"), exp.Null):
        case.set("default", None)
    return case


def _truth(node: exp.Expression) -> bool | None:
    """Whether a comparison of constants holds; None where it is something else."""
    if (
        isinstance(node, exp.Is)
        and isinstance(node.this, exp.Literal)
        and isinstance(node.expression, exp.Null)
    ):
        return False
    sides = (node.left, node.right) if isinstance(node, exp.EQ | exp.GTE) else ()
    if not sides or not all(isinstance(side, exp.Literal) and side.is_int for side in sides):
        return None
    left, right = (int(side.name) for side in sides)
    return left == right if isinstance(node, exp.EQ) else left >= right


def _is_whitespace(node: exp.Expression | None) -> bool:
    return isinstance(node, exp.Literal) and node.name.isspace()


_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d:\d\d)(?:\.0+)?)?")


def _moment(node: exp.Expression, dialect: str) -> str | None:
    """The text of a day or moment that the compiler spelled as a call over constants."""
    texts = [leaf.name for leaf in node.find_all(exp.Literal)]
    if node.find(exp.Column) or node.find(exp.Query) or not texts:
        return None
    name = (
        "CAST"
        if isinstance(node, exp.Cast)
        else (node.name if isinstance(node, exp.Anonymous) else node.sql_name()).upper()
    )
    written = {name, node.sql(dialect if dialect != "datafusion" else "postgres").split("(")[0].upper()}
    for names, parts, is_day in ((_DAYS, 3, True), (_MOMENTS, 6, False)):
        if names.get(dialect) not in written:
            continue
        if isinstance(node, exp.Cast) and not node.is_type(*exp.DataType.TEMPORAL_TYPES):
            continue
        found = [match for text in texts if (match := _MOMENT.fullmatch(text))]
        if len(found) == 1 and bool(found[0][2]) != is_day:
            return found[0][1] if is_day else f"{found[0][1]} {found[0][2]}"
        numbers = [float(text) for text in texts if re.fullmatch(r"[\d.]+", text)]
        if (
            len(numbers) == len(texts) >= parts
            and all(n.is_integer() for n in numbers)
            and not any(numbers[6:])
        ):
            year, *rest = (int(n) for n in numbers)
            day = f"{year:04}-{rest[0]:02}-{rest[1]:02}"
            return day if is_day else f"{day} {rest[2]:02}:{rest[3]:02}:{rest[4]:02}"
    return None


_RANKS = (exp.RowNumber, exp.Rank, exp.DenseRank, exp.Ntile)


def _count_ranks_from_one(tree: exp.Query) -> None:
    """Ibis counts from 0 and prints `RANK() - 1`: `(RANK() - 1) + 1` is `RANK()`, and `RANK() - 1 < 3` is `RANK() <= 3`."""
    for window in list(tree.find_all(exp.Window)):
        minus = window.parent
        if (
            not isinstance(window.this, (*_RANKS, exp.Anonymous))
            or not isinstance(minus, exp.Sub)
            or minus.right != exp.Literal.number(1)
        ):
            continue
        whole = minus.parent if isinstance(minus.parent, exp.Paren) else minus
        outer = whole.parent
        if isinstance(outer, exp.Add) and outer.left is whole and outer.right == exp.Literal.number(1):
            if isinstance(outer.parent, exp.Paren):
                outer = outer.parent
            outer.replace(window)
        elif (
            isinstance(outer, exp.EQ | exp.LT | exp.LTE | exp.GT | exp.GTE)
            and outer.left is whole
            and outer.right.is_int
        ):
            bound = int(outer.right.name)
            if isinstance(outer, exp.LT):  # RANK() - 1 < 3 is RANK() <= 3, and RANK() - 1 < 1 is RANK() = 1
                kind = exp.EQ if bound == 1 else exp.LTE
                outer.replace(kind(this=window, expression=exp.Literal.number(bound)))
            else:
                outer.set("this", window)
                outer.set("expression", exp.Literal.number(bound + 1))


def _place_no_nulls(select: exp.Select, never_null: Columns, grammar: type[sqlglot.Dialect]) -> None:
    """`ORDER BY id NULLS LAST`, or `ORDER BY CASE WHEN id IS NULL THEN 1 ELSE 0 END, id`, is `ORDER BY id` for a key."""
    tables = {
        source.alias_or_name: source.name for source in _sources(select) if isinstance(source, exp.Table)
    }
    outer = any(join.side for join in select.args.get("joins") or ())

    def known(node: exp.Expression) -> bool:
        if isinstance(node, exp.Case):
            return all(
                isinstance(value, exp.Literal)
                for value in (node.args.get("default"), *(test.args["true"] for test in node.args["ifs"]))
            )
        if isinstance(node, exp.Count | exp.Literal):
            return True
        return (
            isinstance(node, exp.Column)
            and not outer
            and node.name in never_null.get(tables.get(node.table, ""), ())
        )

    for order in select.find_all(exp.Order):
        for ordered in list(order.expressions):
            first = (
                ordered.this.args["ifs"][0].this
                if isinstance(ordered.this, exp.Case) and ordered.this.args["ifs"]
                else None
            )
            if (
                isinstance(first, exp.Is)
                and isinstance(first.expression, exp.Null)
                and known(first.this.unnest())
                and len(ordered.this.args["ifs"]) == 1
            ):
                ordered.pop()
            elif known(ordered.this):
                large = grammar.NULL_ORDERING == "nulls_are_large"
                small = grammar.NULL_ORDERING == "nulls_are_small"
                ordered.set(
                    "nulls_first",
                    (small and not ordered.args.get("desc")) or (large and bool(ordered.args.get("desc"))),
                )


def _use_aliases(select: exp.Select, tables: Columns, tree: exp.Query, dialect: str) -> None:
    """ORDER BY, and GROUP BY where the dialect lets it, use the name that the projection gives an expression."""
    named = {
        e.unalias(): e.alias
        for e in select.expressions
        if e.alias and not isinstance(e.unalias(), exp.Column | exp.Literal)
    }
    order, group = select.args.get("order"), select.args.get("group")
    for ordered in order.expressions if order is not None else ():
        if ordered.this in named:
            ordered.set("this", exp.column(named[ordered.this]))
        elif dialect == "mysql":  # which takes names within expressions too
            for node in list(ordered.this.walk()):
                if node in named and node.parent is not None:
                    (node.parent if isinstance(node.parent, exp.Paren) else node).replace(
                        exp.column(named[node])
                    )
    if group is not None and dialect in GROUP_BY_ALIAS:
        # A column of this name would come first in most dialects.
        columns = [_columns_of(source, tables, tree) for source in _sources(select)]
        if None not in columns:
            hidden = {name for names in columns for name in names or ()} | {""}
            group.set(
                "expressions",
                [
                    exp.column(named[key]) if named.get(key, "") not in hidden else key
                    for key in group.expressions
                ],
            )


_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.DPipe, exp.Neg)
_COMPARISON = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.In, exp.Is, exp.Like)


def _binds_looser(inner: exp.Expression, outer: exp.Expression | None) -> bool:
    """Whether an expression needs parentheses as an operand of the other."""
    if isinstance(inner, _ARITHMETIC):
        return isinstance(outer, (*_ARITHMETIC, exp.Cast, exp.Bracket, exp.Not))
    if isinstance(outer, exp.Connector):
        return isinstance(inner, exp.Connector) and type(inner) is not type(outer)
    loose = isinstance(inner, (*_COMPARISON, exp.Connector, exp.Not, exp.Case, exp.Binary))
    return loose and isinstance(outer, exp.Binary | exp.Unary | exp.Between | exp.In | exp.Cast | exp.Bracket)


def _named(projection: exp.Expression) -> exp.Expression:
    return (
        exp.alias_(projection, projection.name, quoted=True)
        if isinstance(projection, exp.Column)
        else projection
    )


def _drop_needless_aliases(select: exp.Select) -> None:
    """`amount AS amount` is `amount`."""
    select.set(
        "expressions",
        [
            e.this
            if isinstance(e, exp.Alias) and isinstance(e.this, exp.Column) and e.alias == e.this.name
            else e
            for e in select.expressions
        ],
    )


def _name_sources(tree: exp.Query) -> None:
    """Tables get readable aliases, or none where they are alone; what remains nested is named after what it does."""
    resolved = [
        (column, source)
        for column in tree.find_all(exp.Column)
        if column.table and (source := _resolve(column)) is not None
    ]
    reached = {
        id(source)
        for column, source in resolved
        if not any(source is own for own in _sources(column.parent_select))
    }
    correlated = {id(column.parent_select) for column, source in resolved if id(source) in reached}
    taken: set[str] = set()
    for cte in tree.find_all(exp.CTE):
        name, old = _fresh(_derived_name(cte.this), taken), cte.alias
        cte.args["alias"].set("this", exp.to_identifier(name))
        for table in tree.find_all(exp.Table):
            if table.name == old:
                table.set("this", exp.to_identifier(name))
    alone: set[int] = set()
    for select in tree.find_all(exp.Select):
        sources = _sources(select)
        for source in sources:
            if isinstance(source, exp.Subquery):
                source.set(
                    "alias", exp.TableAlias(this=exp.to_identifier(_fresh(_derived_name(source.this), taken)))
                )
                alone.update({id(source)} if len(sources) == 1 else ())
            elif (
                isinstance(source, exp.Table)
                and len(sources) == 1
                and id(source) not in reached
                and id(select) not in correlated
            ):
                source.set("alias", None)
                alone.add(id(source))
            elif isinstance(source, exp.Table):
                source.set(
                    "alias", exp.TableAlias(this=exp.to_identifier(_fresh(_initials(source.name), taken)))
                )
    for column, source in resolved:
        select = column.parent_select
        if (
            id(source) in alone
            and any(source is own for own in _sources(select))
            and not _shadowed(column, select)
        ):
            column.set("table", None)
        else:
            column.set("table", exp.to_identifier(source.alias_or_name))


def _shadowed(column: exp.Column, select: exp.Select) -> bool:
    """Whether a projection of another meaning has this column's name."""
    return any(
        isinstance(e, exp.Alias)
        and e.alias == column.name
        and e.find_ancestor(exp.Select) is select
        and e.this is not column
        for e in select.expressions
    )


def _fresh(name: str, taken: set[str]) -> str:
    options = [name, *(f"{name}{i}" for i in range(2, 100))]
    chosen = next(option for option in options if option not in taken)
    taken.add(chosen)
    return chosen


_SHORT_WORDS = frozenset({"as", "is", "in", "on", "or", "by", "to", "at", "do", "if", "no", "of"})


def _initials(table: str) -> str:
    name = "".join(word[0] for word in table.split("_"))
    return name if name not in _SHORT_WORDS else table


def _derived_name(query: exp.Expression) -> str:
    if isinstance(query, exp.SetOperation):
        return "combined"
    if not isinstance(query, exp.Select):
        return "derived"
    table = query.find(exp.Table)
    name = table.name if table is not None and not re.fullmatch(r"t\d+", table.name) else ""
    if any(_has_window(e) for e in query.expressions):
        return "ranked" if query.find(exp.RowNumber, exp.Anonymous) else "windowed"
    if _is_grouped(query):
        return f"{name}_summary".lstrip("_")
    if query.args.get("joins"):
        return "joined"
    if query.args.get("limit") and query.args.get("order"):
        return f"top_{name}".rstrip("_")
    return f"filtered_{name}".rstrip("_") if query.args.get("where") else f"selected_{name}".rstrip("_")


# Dialects that refuse `SELECT *, x`: there a star beside other columns needs its table's name.
_LONE_STAR = frozenset({"oracle"})


def _collapse_stars(select: exp.Select, tables: Columns, tree: exp.Query, dialect: str) -> None:
    """All columns of the only table, in order, are `*`; of one of several tables, `o.*`."""
    sources = _sources(select)
    if select.args.get("group"):
        return
    for source in sources:
        names = _columns_of(source, tables, tree)
        if names is None or len(names) < 2:
            continue
        alias = source.alias_or_name
        own = {alias, ""} if len(sources) == 1 else {alias}
        found = [e.name if isinstance(e, exp.Column) and e.table in own else None for e in select.expressions]
        for start in range(len(found) - len(names) + 1):
            if found[start : start + len(names)] == names:
                bare = (
                    len(sources) == 1
                    and start == 0
                    and (len(found) == len(names) or dialect not in _LONE_STAR)
                )
                star = exp.Star() if bare else exp.Column(this=exp.Star(), table=exp.to_identifier(alias))
                kept = select.expressions
                select.set("expressions", [*kept[:start], star, *kept[start + len(names) :]])
                break


# --- writing it down

# Words that an engine reserves, where sqlglot does not know; and some that sqlglot knows, but no engine minds as a name.
_ALSO_RESERVED = {
    "mysql": "groups key rank rows",
    "mssql": "external file key percent plan public rule top user",
    "oracle": "access comment file level mode number option public raw rows session share size start",
    "bigquery": "groups rows",
}
_NAMES = {
    "city",
    "details",
    "first",
    "format",
    "model",
    "name",
    "settings",
    "stage",
    "status",
    "unknown",
    "year",
}


@functools.cache
def _keywords(dialect: type[sqlglot.Dialect]) -> frozenset[str]:
    words = {word.lower() for word in dialect.tokenizer_class.KEYWORDS} | {
        w.lower() for w in dialect.generator_class.RESERVED_KEYWORDS
    }
    return frozenset(words - _NAMES) | set(_ALSO_RESERVED.get(dialect.__name__.lower(), "").split())


_NOT = "__not__"  # stands between an operand and the operator it negates: sqlglot only knows NOT in front


def write(tree: exp.Query, dialect: type[sqlglot.Dialect], width: int = WIDTH) -> str:
    """Print a query in a dialect, a clause a line, with quotes only where the dialect needs them."""
    _negate_within(tree)
    reserved = _keywords(dialect)
    for identifier in tree.find_all(exp.Identifier):
        plain = re.fullmatch(r"[a-z_][a-z0-9_]*", identifier.name) is not None
        identifier.set("quoted", not plain or identifier.name in reserved)
    broken = [literal for literal in tree.find_all(exp.Literal) if literal.is_string and "\n" in literal.name]
    originals = [literal.copy() for literal in broken]
    for number, literal in enumerate(broken):
        literal.set("this", f"__text_{number}__")
    sql = (
        tree.sql(dialect, pretty=True).replace(f" AS {_NOT}", " NOT").replace("FILTER(WHERE", "FILTER (WHERE")
    )
    if dialect.__name__ == "MSSQL":
        # sqlglot breaks the line before TOP, and repeats every name in a subquery.
        sql = re.sub(r"SELECT\s+TOP", "SELECT TOP", sql)
        sql = re.sub(r"\b(\w+) AS \1(,?)$", r"\1\2", sql, flags=re.MULTILINE)
    if dialect.__name__ == "MySQL":
        sql = re.sub(
            r"(?<!\w)\(([\w.`]+ RLIKE '(?:[^']|'')*')\)", r"\1", sql
        )  # which it puts in brackets everywhere
    sql = reflow(sql, width)
    for number, literal in enumerate(originals):
        sql = sql.replace(f"'__text_{number}__'", literal.sql(dialect))
    return sql


def _negate_within(tree: exp.Query) -> None:
    """`x IS NOT NULL`, `x NOT IN (1, 2)` rather than `NOT x IS NULL`, `NOT x IN (1, 2)`."""
    for node in list(tree.find_all(exp.Not)):
        inner = node.this.this if isinstance(node.this, exp.Paren) else node.this
        if isinstance(inner, exp.Is) and isinstance(inner.expression, exp.Null):
            inner.set("expression", exp.Not(this=inner.expression))
        elif isinstance(inner, exp.NullSafeEQ):
            inner = exp.NullSafeNEQ(this=inner.left, expression=inner.right)
        elif isinstance(inner, exp.In | exp.Like | exp.ILike | exp.Between) and not isinstance(
            inner.this, exp.Alias
        ):
            inner.set("this", exp.Alias(this=inner.this, alias=exp.to_identifier(_NOT)))
        else:
            continue
        node.replace(inner)


_CLAUSE = re.compile(r"(WHERE|HAVING|QUALIFY|LIMIT|ON)")
_OVER = re.compile(r"OVER \(")
_IN_WINDOW = re.compile(r" (?=ORDER BY |ROWS |RANGE )")


def reflow(sql: str, width: int = WIDTH) -> str:
    """Put what sqlglot breaks over several lines on one line where it fits: `SELECT a, b` rather than three lines."""
    lines = [(len(line) - len(line.lstrip()), line.strip()) for line in sql.splitlines()]

    def block(start: int) -> int:
        """The end of the lines that belong to line `start`: those under it, and a bracket that closes it."""
        end = start + 1
        while end < len(lines) and lines[end][0] > lines[start][0]:
            end += 1
        while end < len(lines) and lines[end][0] == lines[start][0] and lines[end][1][0] in ")":
            end += 1
            while end < len(lines) and lines[end][0] > lines[start][0]:
                end += 1
        return end

    def joined(texts: list[str]) -> str:
        line = texts[0]
        for text in texts[1:]:
            line += text if line.endswith("(") or text.startswith(")") else f" {text}"
        return line

    def emit(start: int, stop: int, shift: int, out: list[str]) -> None:
        index = start
        while index < stop:
            end = min(block(index), stop)
            indent, first = lines[index][0] - shift, lines[index][1]
            texts = [text for _, text in lines[index:end]]
            # WHEN and THEN are one line each for sqlglot.
            if (
                first.startswith("WHEN ")
                and end < stop
                and lines[end][1].startswith("THEN ")
                and min(block(end), stop) == end + 1
            ):
                if len(texts) == 1 and indent + len(first) + 1 + len(lines[end][1]) <= width:
                    texts, end = [first, lines[end][1]], end + 1
            line = joined(texts)
            nested = any(text.startswith(("SELECT", "WITH", "FROM ")) for text in texts[1:])
            # A bracket that opens a term of a sum is better not broken at.
            limit = width + 20 if first in ("(", "NOT (") else width
            if len(texts) == 1 or (indent + len(line) <= limit and not nested):
                out += _windows(" " * indent + line, width)
            elif nested and _CLAUSE.fullmatch(first) and block(index + 1) >= end and texts[1].endswith("("):
                # One condition that is a subquery: WHERE x IN (
                out.append(" " * indent + f"{first} {texts[1]}")
                emit(index + 2, end, shift + 2, out)
            else:
                out.append(" " * indent + first)
                emit(index + 1, end, shift, out)
            index = end

    out: list[str] = []
    emit(0, len(lines), 0, out)
    return "\n".join(out)


def _windows(line: str, width: int) -> list[str]:
    """A line, broken in its windows where it is too long."""
    match = _OVER.search(line) if len(line) > width else None
    if match is None:
        return [line]
    depth, end = 1, match.end()
    while depth and end < len(line):
        depth += {"(": 1, ")": -1}.get(line[end], 0)
        end += 1
    indent = " " * (len(line) - len(line.lstrip()))
    parts = _IN_WINDOW.split(line[match.end() : end - 1])
    if depth or len(parts) < 2:
        return [line]
    return [
        line[: match.end()],
        *(f"{indent}  {part}" for part in parts),
        *_windows(indent + line[end - 1 :], width),
    ]
