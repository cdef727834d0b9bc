"""SQL as a person would commit it, from the SQL that Ibis's compilers print.

Ibis compiles an expression to nested SELECTs over `t0`, `t1`, ... with every name quoted. `tidy` merges the nested
SELECTs where that says the same, gives tables readable aliases or none, and drops the quotes that the dialect does not
need. It changes how a query is put, never a function or literal: those are the compiler's, which knows the dialect.
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
WIDTH = 80


def tidy(sql: str, dialect: str, grammar: type[sqlglot.Dialect], tables: Columns) -> str:
    """Say a compiled query in fewer SELECTs, with plain names.

    Args:
        sql: what an Ibis compiler printed for the dialect.
        dialect: Ibis's name of the dialect.
        grammar: the sqlglot dialect to read and write it with.
        tables: the columns of every base table.

    Raises:
        SqlglotError: sqlglot cannot read the query.
    """
    tree = sqlglot.parse_one(sql, read=grammar)
    _make_aliases_unique(tree)
    _drop_noise(tree)
    for select in reversed(list(tree.find_all(exp.Select))):
        _expand_stars(select, tables, tree)
        _spell_out_positions(select)
        _merge_down(select, dialect)
    tree = _unwrap(tree)
    for select in tree.find_all(exp.Select):
        _drop_needless_aliases(select)
    _name_sources(tree)
    for select in tree.find_all(exp.Select):
        _collapse_stars(select, tables, tree, dialect)
    return write(tree, grammar)


def _resolve(column: exp.Column) -> exp.Expression | None:
    """The table or subquery a qualified column comes from: the nearest of that name, from its SELECT outwards."""
    select = column.parent_select
    while select is not None:
        for source in _sources(select) if isinstance(select, exp.Select) else ():
            if source.alias_or_name == column.table:
                return source
        select = select.parent_select
    return None


def _make_aliases_unique(tree: exp.Query) -> None:
    """Ibis uses `t0` anew in every subquery; merging and naming need to tell them apart."""
    resolved = [(column, source) for column in tree.find_all(exp.Column) if (source := _resolve(column)) is not None]
    fresh = {}
    for number, source in enumerate(s for select in tree.find_all(exp.Select) for s in _sources(select)):
        fresh[id(source)] = f"source_{number}"
        source.set("alias", exp.TableAlias(this=exp.to_identifier(f"source_{number}")))
    for column, source in resolved:
        column.set("table", exp.to_identifier(fresh[id(source)]))


_FRAMELESS = (exp.RowNumber, exp.Rank, exp.DenseRank, exp.PercentRank, exp.CumeDist, exp.Ntile, exp.Lag, exp.Lead)


def _drop_noise(tree: exp.Query) -> None:
    """Leave out what Ibis spells out and the dialect means anyway."""
    _drop_literal_casts(tree)
    for paren in list(tree.find_all(exp.Paren)):
        if isinstance(paren.this, (*_ARITHMETIC, *_COMPARISON, exp.Connector, exp.Column, exp.Func)) and not _binds_looser(paren.this, paren.parent):
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
        whole = frame.args.get("start") == frame.args.get("end") == "UNBOUNDED"
        default = frame.args.get("kind") == "RANGE" and frame.args.get("start") == "UNBOUNDED" and frame.args.get("end") == "CURRENT ROW"
        if isinstance(window.this, _FRAMELESS) or default or (whole and not window.args.get("order")):
            window.set("spec", None)
    for subquery in tree.find_all(exp.Subquery, exp.In):
        query = subquery.this if isinstance(subquery, exp.Subquery) else subquery.args.get("query")
        query = query.this if isinstance(query, exp.Subquery) else query
        if isinstance(query, exp.Select) and len(query.expressions) == 1 and not isinstance(subquery.parent, exp.From | exp.Join):
            query.set("expressions", [query.expressions[0].unalias()])


def _unwrap(tree: exp.Query) -> exp.Query:
    """The query in `SELECT * FROM (query)`."""
    while isinstance(tree, exp.Select) and _is_bare(tree) and [type(e) for e in tree.expressions] == [exp.Star]:
        source = _source(tree)
        if not isinstance(source, exp.Subquery) or not isinstance(source.this, exp.Query) or tree.args.get("with_"):
            break
        tree = source.this
    return tree


def _source(select: exp.Select) -> exp.Expression | None:
    clause = select.args.get("from_")
    return clause.this if clause is not None else None


_CLAUSES = ("where", "group", "having", "qualify", "order", "limit", "offset", "distinct", "joins", "laterals")


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
        if number and cast.to.this in kinds and not cast.find_ancestor(exp.Div, exp.IntDiv):
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
        if isinstance(projection, exp.Star) and not projection.args.get("except_"):
            chosen = _sources(select)
        elif isinstance(projection, exp.Column) and isinstance(projection.this, exp.Star):
            chosen = [source for source in _sources(select) if source.alias_or_name == projection.table]
        else:
            projections.append(projection)
            continue
        for source in chosen:
            names = _columns_of(source, tables, tree)
            if names is None or "*" in names:
                return
            projections += [exp.column(name, table=source.alias_or_name) for name in names]
    select.set("expressions", projections)


def _spell_out_positions(select: exp.Select) -> None:
    """`GROUP BY 1` names the column or expression that it means."""
    group = select.args.get("group")
    if group is not None:
        spelled = [
            select.expressions[int(key.name) - 1].unalias().copy() if isinstance(key, exp.Literal) and key.is_int else key
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
        if not isinstance(source, exp.Subquery) or not isinstance(source.this, exp.Select) or source.args.get("pivots"):
            return
        inner = source.this
        if inner.args.get("with_") or not _can_merge(outer, inner, source.alias, dialect):
            return
        _merge(outer, inner, source.alias)


def _can_merge(outer: exp.Select, inner: exp.Select, alias: str, dialect: str) -> bool:
    if any(isinstance(e, exp.Star) or (isinstance(e, exp.Column) and isinstance(e.this, exp.Star)) for e in inner.expressions):
        return False
    if any(e.find(exp.Unnest, exp.Explode, exp.Posexplode) for e in inner.expressions):
        return False
    if inner.args.get("laterals") or outer.args.get("laterals"):
        return False
    used = Counter(column.name for column in outer.find_all(exp.Column) if column.table == alias)
    outputs = {e.alias_or_name: e.unalias() for e in inner.expressions}
    if not set(used) <= set(outputs):
        return False
    plain = all(isinstance(e, exp.Column) and e.table == alias for e in (p.unalias() for p in outer.expressions))
    outer_grouped, outer_windows = _is_grouped(outer), any(_has_window(outer.args.get(c)) for c in ("order", "qualify")) or any(
        _has_window(e) for e in outer.expressions
    )
    inner_windows = any(_has_window(e) for e in inner.expressions) or bool(inner.args.get("qualify"))
    reach = any(c.parent_select is not outer for c in outer.find_all(exp.Column) if c.table == alias and c.parent_select is not inner)
    if inner.args.get("limit") or inner.args.get("offset") or inner.args.get("distinct"):
        keeps_all = plain and [p.unalias().name for p in outer.expressions] == list(outputs) and not any(
            p.alias and p.alias != p.unalias().name for p in outer.expressions
        )
        if inner.args.get("limit") or inner.args.get("offset"):
            return plain and not inner.args.get("distinct") and _is_bare(outer)
        return keeps_all and _is_bare(outer, "order", "limit", "offset")
    if inner.args.get("order") and not (plain and _is_bare(outer, "limit", "offset")):
        return False
    if reach and any(not isinstance(e, exp.Column) for e in outputs.values()):
        return False
    if _is_grouped(inner):
        if outer_grouped or outer_windows or outer.args.get("joins") or outer.args.get("distinct") or inner_windows or reach:
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
            if column.table == alias and column.name in final & computed and isinstance(column.parent, exp.Ordered):
                column.set("table", None)
    condition = outer.args.get("where")
    if condition is not None and had_windows:
        for column in list(condition.find_all(exp.Column)):
            if column.table == alias and column.name in final & computed:
                column.set("table", None)  # QUALIFY may use the name that the projection gives
    outer.args["from_"].set("this", _source(inner))
    for column in [c for c in outer.find_all(exp.Column) if c.table == alias]:
        replacement = outputs[column.name].copy()
        column.replace(exp.paren(replacement, copy=False) if _binds_looser(replacement, column.parent) else replacement)
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
    return exp.alias_(projection, projection.name, quoted=True) if isinstance(projection, exp.Column) else projection


def _drop_needless_aliases(select: exp.Select) -> None:
    """`amount AS amount` is `amount`."""
    select.set(
        "expressions",
        [e.this if isinstance(e, exp.Alias) and isinstance(e.this, exp.Column) and e.alias == e.this.name else e for e in select.expressions],
    )


def _name_sources(tree: exp.Query) -> None:
    """Tables get readable aliases, or none where they are alone; what remains nested is named after what it does."""
    resolved = [(column, source) for column in tree.find_all(exp.Column) if column.table and (source := _resolve(column)) is not None]
    reached = {id(source) for column, source in resolved if not any(source is own for own in _sources(column.parent_select))}
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
                source.set("alias", exp.TableAlias(this=exp.to_identifier(_fresh(_derived_name(source.this), taken))))
                alone.update({id(source)} if len(sources) == 1 else ())
            elif isinstance(source, exp.Table) and len(sources) == 1 and id(source) not in reached and id(select) not in correlated:
                source.set("alias", None)
                alone.add(id(source))
            elif isinstance(source, exp.Table):
                source.set("alias", exp.TableAlias(this=exp.to_identifier(_fresh(_initials(source.name), taken))))
    for column, source in resolved:
        select = column.parent_select
        if id(source) in alone and any(source is own for own in _sources(select)) and not _shadowed(column, select):
            column.set("table", None)
        else:
            column.set("table", exp.to_identifier(source.alias_or_name))


def _shadowed(column: exp.Column, select: exp.Select) -> bool:
    """Whether a projection of another meaning has this column's name."""
    return any(
        isinstance(e, exp.Alias) and e.alias == column.name and e.find_ancestor(exp.Select) is select and e.this is not column
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
                bare = len(sources) == 1 and start == 0 and (len(found) == len(names) or dialect not in _LONE_STAR)
                star = exp.Star() if bare else exp.Column(this=exp.Star(), table=exp.to_identifier(alias))
                kept = select.expressions
                select.set("expressions", [*kept[:start], star, *kept[start + len(names) :]])
                break


# --- writing it down


@functools.cache
def _keywords(dialect: type[sqlglot.Dialect]) -> frozenset[str]:
    words = {word.lower() for word in dialect.tokenizer_class.KEYWORDS} | {w.lower() for w in dialect.generator_class.RESERVED_KEYWORDS}
    return frozenset(words - {"name", "status", "city", "details", "format"})


def write(tree: exp.Query, dialect: type[sqlglot.Dialect], width: int = WIDTH) -> str:
    """Print a query in a dialect, a clause a line, with quotes only where the dialect needs them."""
    reserved = _keywords(dialect)
    for identifier in tree.find_all(exp.Identifier):
        plain = re.fullmatch(r"[a-z_][a-z0-9_]*", identifier.name) is not None
        identifier.set("quoted", not plain or identifier.name in reserved)
    return reflow(tree.sql(dialect, pretty=True).replace("SELECT\nTOP", "SELECT TOP"), width)


def reflow(sql: str, width: int = WIDTH) -> str:
    """Put what sqlglot breaks over several lines on one line where it fits: `SELECT a, b` rather than three lines."""
    lines = [(len(line) - len(line.lstrip()), line.strip()) for line in sql.splitlines()]

    def block(start: int) -> int:
        """The end of the lines that belong under line `start`."""
        end = start + 1
        while end < len(lines) and lines[end][0] > lines[start][0]:
            end += 1
        while end < len(lines) and lines[end][0] == lines[start][0] and lines[end][1][0] in ")":
            end += 1
            while end < len(lines) and lines[end][0] > lines[start][0]:
                end += 1
        return end

    def emit(start: int, stop: int, out: list[str]) -> None:
        index = start
        while index < stop:
            end = min(block(index), stop)
            texts = [text for _, text in lines[index:end]]
            joined = texts[0]
            for text in texts[1:]:
                joined += text if joined.endswith("(") or text.startswith(")") else f" {text}"
            nested = any(text.startswith(("SELECT", "WITH", "FROM ")) for text in texts[1:])
            if len(texts) == 1 or (lines[index][0] + len(joined) <= width and not nested):
                out.append(" " * lines[index][0] + joined)
            else:
                out.append(" " * lines[index][0] + texts[0])
                emit(index + 1, end, out)
            index = end

    out: list[str] = []
    emit(0, len(lines), out)
    return "\n".join(out)
