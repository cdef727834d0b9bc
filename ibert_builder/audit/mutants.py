"""Mutants of a query: copies with one small mistake each, of the kinds that people and models make.

An operator takes a node of the syntax tree and yields what may stand in its place; `FAMILIES` lists them all. The
families follow the mutation operators of SQLMutation (Tuya, Suárez-Cabal, de la Riva, "Mutating database queries",
2007), with windows, set operations and string patterns added.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlglot import exp

from ibert_builder.audit.query_properties import DIALECT, Query

Operator = Callable[[exp.Expression], Iterator[exp.Expression]]


@dataclass(frozen=True)
class Mutant:
    """A query in which `node` of the original became `replacement`."""

    family: str
    operator: str
    sql: str
    node: exp.Expression
    replacement: exp.Expression


def mutants(query: Query) -> list[Mutant]:
    """Every mutant of a query, no text twice."""
    found: dict[str, Mutant | None] = {query.tree.sql(DIALECT): None}
    for node in [node for node in query.tree.walk() if id(node) not in query.copies]:
        for family, operators in FAMILIES.items():
            for operator in operators:
                for replacement in operator(node):
                    _add(found, query, node, replacement, family, operator.__name__.strip("_"))
        for replacement in _peer(query, node):
            _add(found, query, node, replacement, "column", "peer")
    return [mutant for mutant in found.values() if mutant is not None]


def _add(
    found: dict[str, Mutant | None],
    query: Query,
    node: exp.Expression,
    replacement: exp.Expression,
    family: str,
    operator: str,
) -> None:
    if node is query.tree:
        text = replacement.sql(DIALECT)
    else:
        places = [
            (node, replacement),
            *((twin, replacement.copy()) for twin in query.twins.get(id(node), ())),
        ]
        for old, new in places:
            old.replace(new)
        text = query.tree.sql(DIALECT)
        for old, new in places:
            new.replace(old)
    found.setdefault(text, Mutant(family, operator, text, node, replacement))


def _with(node: exp.Expression, **changes: object) -> exp.Expression:
    """A copy of a node with other arguments."""
    copy = node.copy()
    for name, value in changes.items():
        copy.set(name, value.copy() if isinstance(value, exp.Expression) else value)
    return copy


def _as(node: exp.Expression, kind: type[exp.Expression]) -> exp.Expression:
    """The node's arguments under another class."""
    return kind(**{name: _copied(value) for name, value in node.args.items()})


def _copied(value: object) -> object:
    if isinstance(value, exp.Expression):
        return value.copy()
    return [_copied(item) for item in value] if isinstance(value, list) else value


# --- comparison and boundary

_COMPARISONS: dict[type[exp.Expression], tuple[type[exp.Expression], ...]] = {
    exp.GT: (exp.GTE, exp.LT),
    exp.GTE: (exp.GT, exp.LTE),
    exp.LT: (exp.LTE, exp.GT),
    exp.LTE: (exp.LT, exp.GTE),
    exp.EQ: (exp.NEQ,),
    exp.NEQ: (exp.EQ,),
}


def _relation(node: exp.Expression) -> Iterator[exp.Expression]:
    if not isinstance(node.parent, exp.Join):  # a join condition turned round is nobody's mistake
        yield from (_as(node, kind) for kind in _COMPARISONS.get(type(node), ()))


def _literal(node: exp.Expression) -> Iterator[exp.Expression]:
    """A number next to the one compared with."""
    if isinstance(node, exp.Literal) and not node.is_string and _is_compared(node):
        places = len(node.this.partition(".")[2])
        value = float(node.this)
        for other in (value + 1, value - 1):
            yield exp.Literal.number(f"{other:.{places}f}")


def _is_compared(node: exp.Expression) -> bool:
    parent = node.parent.parent if isinstance(node.parent, exp.Neg) else node.parent
    return isinstance(parent, (*_COMPARISONS, exp.Between, exp.In))


def _between(node: exp.Expression) -> Iterator[exp.Expression]:
    """One end of a range left out, or not belonging to it."""
    if isinstance(node, exp.Between):
        this, low, high = (node.args[name].copy() for name in ("this", "low", "high"))
        yield exp.paren(
            exp.and_(exp.GT(this=this, expression=low), exp.LTE(this=this.copy(), expression=high))
        )
        yield exp.paren(
            exp.and_(exp.GTE(this=this, expression=low), exp.LT(this=this.copy(), expression=high))
        )


def _in_list(node: exp.Expression) -> Iterator[exp.Expression]:
    """One value missing from a list."""
    if isinstance(node, exp.In) and len(node.expressions) > 1:
        for i in range(len(node.expressions)):
            yield _with(node, expressions=[e.copy() for j, e in enumerate(node.expressions) if j != i])


# --- logic


def _connector(node: exp.Expression) -> Iterator[exp.Expression]:
    if isinstance(node, exp.And) and not isinstance(node.parent, exp.Join):
        yield exp.paren(_as(node, exp.Or))
    elif isinstance(node, exp.Or):
        yield exp.paren(_as(node, exp.And))


def _negation(node: exp.Expression) -> Iterator[exp.Expression]:
    if isinstance(node, exp.Not) and not isinstance(node.this, exp.Is):
        yield exp.paren(node.this.copy())
    elif isinstance(node, exp.In | exp.Exists) and not isinstance(node.parent, exp.Not):
        yield exp.not_(node.copy())
    elif isinstance(node, exp.Case):
        for branch in node.args["ifs"]:
            if isinstance(branch.this, exp.Predicate):
                copy = node.copy()
                twin = copy.args["ifs"][node.args["ifs"].index(branch)]
                twin.set("this", exp.not_(twin.this.copy()))
                yield copy


# --- NULL


def _is_null(node: exp.Expression) -> Iterator[exp.Expression]:
    if isinstance(node, exp.Not) and isinstance(node.this, exp.Is):
        yield node.this.copy()
    elif isinstance(node, exp.Is) and not isinstance(node.parent, exp.Not):
        yield exp.not_(node.copy())


def _coalesce(node: exp.Expression) -> Iterator[exp.Expression]:
    if isinstance(node, exp.Coalesce | exp.Nullif):
        yield node.this.copy()


def _null_safe(node: exp.Expression) -> Iterator[exp.Expression]:
    kinds = {exp.NullSafeEQ: exp.EQ, exp.NullSafeNEQ: exp.NEQ, exp.NEQ: exp.NullSafeNEQ}
    if type(node) in kinds:
        yield _as(node, kinds[type(node)])


# --- aggregates

_AGGREGATES: dict[type[exp.Expression], tuple[type[exp.Expression], ...]] = {
    exp.Sum: (exp.Avg, exp.Max),
    exp.Avg: (exp.Sum, exp.Min),
    exp.Min: (exp.Max,),
    exp.Max: (exp.Min,),
    exp.Count: (exp.Sum,),
    exp.Median: (exp.Avg,),
}


def _aggregate(node: exp.Expression) -> Iterator[exp.Expression]:
    if isinstance(node, exp.Count) and isinstance(node.this, exp.Star | exp.Distinct):
        return
    for kind in _AGGREGATES.get(type(node), ()):
        yield kind(this=node.this.copy())


def _distinct(node: exp.Expression) -> Iterator[exp.Expression]:
    if not isinstance(node, exp.Count | exp.Sum | exp.Avg):
        return
    if isinstance(node.this, exp.Distinct):
        yield _with(node, this=node.this.expressions[0])
    elif not isinstance(node.this, exp.Star):
        yield _with(node, this=exp.Distinct(expressions=[node.this.copy()]))


# --- arithmetic

_ARITHMETIC: dict[type[exp.Expression], tuple[type[exp.Expression], ...]] = {
    exp.Add: (exp.Sub,),
    exp.Sub: (exp.Add,),
    exp.Mul: (exp.Div,),
    exp.Div: (exp.Mul,),
    exp.Mod: (exp.Mul,),
    exp.IntDiv: (exp.Div,),
}


def _arithmetic(node: exp.Expression) -> Iterator[exp.Expression]:
    yield from (
        kind(this=node.this.copy(), expression=node.expression.copy())
        for kind in _ARITHMETIC.get(type(node), ())
    )


# --- joins


def _join(node: exp.Expression) -> Iterator[exp.Expression]:
    if not isinstance(node, exp.Join) or not (node.args.get("on") or node.args.get("using")):
        return
    side, kind = node.side.upper(), node.kind.upper()
    if node.method or kind not in ("", "INNER", "OUTER", "SEMI", "ANTI"):
        return
    if kind in ("SEMI", "ANTI"):
        yield _with(node, kind="ANTI" if kind == "SEMI" else "SEMI")
        return
    for other in ("", "LEFT", "RIGHT", "FULL"):
        if other != side:
            yield _with(node, side=other or None, kind=None)


# --- clauses


def _conjunct(node: exp.Expression) -> Iterator[exp.Expression]:
    """A condition or clause left out."""
    if isinstance(node, exp.Where | exp.Having | exp.Qualify | exp.Join):
        condition = node.args.get("on") if isinstance(node, exp.Join) else node.this
        parts = list(condition.flatten()) if isinstance(condition, exp.And) else []
        for i in range(len(parts)):
            rest = exp.and_(*(part.copy() for j, part in enumerate(parts) if j != i))
            yield _with(node, **{"on" if isinstance(node, exp.Join) else "this": rest})


def _clause(node: exp.Expression) -> Iterator[exp.Expression]:
    if isinstance(node, exp.Query):
        for clause in ("where", "having", "qualify", "order", "limit", "offset", "distinct"):
            if node.args.get(clause) and (clause != "distinct" or isinstance(node, exp.Select)):
                yield _with(node, **{clause: None})


# --- order


def _sort(node: exp.Expression) -> Iterator[exp.Expression]:
    if isinstance(node, exp.Ordered) and not isinstance(node.parent.parent, exp.Window):
        yield from _turned(node)


def _turned(node: exp.Ordered) -> Iterator[exp.Expression]:
    descending, first = bool(node.args.get("desc")), bool(node.args.get("nulls_first"))
    yield _with(node, desc=not descending)
    yield _with(node, nulls_first=not first)


def _sort_key(node: exp.Expression) -> Iterator[exp.Expression]:
    if isinstance(node, exp.Order) and len(node.expressions) > 1 and not isinstance(node.parent, exp.Window):
        for i in range(len(node.expressions)):
            yield _with(node, expressions=[e.copy() for j, e in enumerate(node.expressions) if j != i])


# --- grouping


def _grouping(node: exp.Expression) -> Iterator[exp.Expression]:
    """A grouping key left out; where it is shown, any value of the group is shown instead."""
    if not isinstance(node, exp.Select) or not node.args.get("group"):
        return
    keys = node.args["group"].expressions
    for i, key in enumerate(keys):
        copy = node.copy()
        rest = [k.copy() for j, k in enumerate(keys) if j != i]
        copy.set("group", exp.Group(expressions=rest) if rest else None)
        shown = node.expressions[int(key.this) - 1].unalias() if key.is_int else key
        for place in [*copy.expressions, *filter(None, (copy.args.get("having"), copy.args.get("order")))]:
            for found in list(place.walk()):
                if found == shown and not found.find_ancestor(exp.AggFunc):
                    found.replace(exp.AnyValue(this=shown.copy()))
        for projection in copy.expressions:
            if isinstance(projection, exp.AnyValue):
                projection.replace(exp.alias_(projection.copy(), shown.output_name))
        yield copy


# --- strings


def _pattern(node: exp.Expression) -> Iterator[exp.Expression]:
    if isinstance(node, exp.Like | exp.ILike) and isinstance(node.expression, exp.Literal):
        text = node.expression.this
        core = text.strip("%")
        for other in (f"{core}%", f"%{core}", f"%{core}%", core):
            if other != text:
                yield _with(node, expression=exp.Literal.string(other))
    elif isinstance(node, exp.StartsWith | exp.EndsWith | exp.Contains):
        for kind in (exp.StartsWith, exp.EndsWith, exp.Contains):
            if not isinstance(node, kind):
                yield kind(this=node.this.copy(), expression=node.expression.copy())


def _case(node: exp.Expression) -> Iterator[exp.Expression]:
    kinds = {exp.Upper: exp.Lower, exp.Lower: exp.Upper, exp.ILike: exp.Like, exp.Like: exp.ILike}
    if type(node) in kinds:
        yield _as(node, kinds[type(node)])


def _text(node: exp.Expression) -> Iterator[exp.Expression]:
    if isinstance(node, exp.Trim | exp.Substring | exp.Replace | exp.Left | exp.Right):
        yield node.this.copy()
    if isinstance(node, exp.Left):
        yield _as(node, exp.Right)
    if isinstance(node, exp.Right):
        yield _as(node, exp.Left)
    if (
        isinstance(node, exp.Substring)
        and isinstance(start := node.args.get("start"), exp.Literal)
        and start.is_int
    ):
        yield _with(node, start=exp.Literal.number(int(start.this) + 1))


# --- windows


_IN_ORDER = (
    exp.RowNumber,
    exp.Lag,
    exp.Lead,
    exp.FirstValue,
    exp.LastValue,
    exp.NthValue,
    exp.Ntile,
    exp.Identifier,
)


def _window(node: exp.Expression) -> Iterator[exp.Expression]:
    if not isinstance(node, exp.Window):
        return
    parts = node.args.get("partition_by") or []
    for i in range(len(parts)):
        yield _with(node, partition_by=[p.copy() for j, p in enumerate(parts) if j != i])
    # Of these, a window without order gives anything; what it may well give is the order turned round, a mutant anyway.
    if node.args.get("order") and not node.args.get("spec") and not isinstance(node.this, _IN_ORDER):
        yield _with(node, order=None)
    if spec := node.args.get("spec"):
        yield _with(node, spec=None)
        for bound in ("start", "end"):
            edge = spec.args.get(bound)
            if isinstance(edge, exp.Literal) and edge.is_int:
                yield _with(node, spec=_with(spec, **{bound: exp.Literal.number(int(edge.this) + 1)}))
            elif edge == "UNBOUNDED":
                yield _with(node, spec=_with(spec, **{bound: "CURRENT ROW", f"{bound}_side": None}))


def _window_order(node: exp.Expression) -> Iterator[exp.Expression]:
    if isinstance(node, exp.Ordered) and isinstance(node.parent.parent, exp.Window):
        yield from _turned(node)


_RANKS = (exp.RowNumber, exp.Rank, exp.DenseRank)


def _ranking(node: exp.Expression) -> Iterator[exp.Expression]:
    others: dict[type[exp.Expression], type[exp.Expression]] = {
        exp.Lag: exp.Lead, exp.Lead: exp.Lag, exp.FirstValue: exp.LastValue, exp.LastValue: exp.FirstValue,
    }  # fmt: skip
    if isinstance(node.parent, exp.Window) and type(node) in others:
        yield _as(node, others[type(node)])
    elif type(node) in _RANKS:
        yield from (kind() for kind in _RANKS if not isinstance(node, kind))


# --- set operations


def _set_operation(node: exp.Expression) -> Iterator[exp.Expression]:
    if isinstance(node, exp.SetOperation):
        for kind in (exp.Union, exp.Intersect, exp.Except):
            if not isinstance(node, kind):
                yield _as(node, kind)
        yield _with(node, distinct=not node.args.get("distinct"))


FAMILIES: dict[str, tuple[Operator, ...]] = {
    "comparison": (_relation, _literal, _between, _in_list),
    "logic": (_connector, _negation),
    "null": (_is_null, _coalesce, _null_safe),
    "aggregate": (_aggregate, _distinct),
    "arithmetic": (_arithmetic,),
    "join": (_join,),
    "clause": (_conjunct, _clause),
    "order": (_sort, _sort_key),
    "grouping": (_grouping,),
    "string": (_pattern, _case, _text),
    "window": (_window, _window_order, _ranking),
    "set": (_set_operation,),
}  # and `column`, which has to know the tables


def _peer(query: Query, node: exp.Expression) -> Iterator[exp.Expression]:
    """The next column of the same table and type."""
    table = query.table_of(node) if isinstance(node, exp.Column) else None
    if table is not None and node.name in query.columns[table]:
        types = query.columns[table]
        names = [name for name, kind in types.items() if kind == types[node.name]]
        if len(names) > 1:
            yield _with(node, this=exp.to_identifier(names[(names.index(node.name) + 1) % len(names)]))
