"""A compiled query made plain before anything is merged: names told apart, stars spelled out, noise left out."""

from __future__ import annotations

import re

from sqlglot import exp

from ibert_builder.tidy.names import fresh_name
from ibert_builder.tidy.scopes import (
    ARITHMETIC,
    COMPARISON,
    Columns,
    binds_looser,
    columns_of,
    resolved,
    sources_of,
)


def name_elements(tree: exp.Query) -> None:
    """Names that Ibis made up (`ibis_bq_arr_contains_6j2ayxtod5cevfmrzumyewna7y`) are `item`."""
    fresh: dict[str, str] = {}
    for identifier in tree.find_all(exp.Identifier):
        if re.fullmatch(r"_?ibis_\w*_[a-z0-9]{20,}", identifier.name):
            kind = "position" if re.search(r"idx|pos", identifier.name.rsplit("_", 1)[0]) else "item"
            name = fresh.setdefault(identifier.name, fresh_name(kind, set(fresh.values())))
            identifier.set("this", name)


def read_fields(tree: exp.Query) -> None:
    """sqlglot reads `t0.contact.phone`, a field of a struct, as column `phone` of table `contact`."""
    for column in list(tree.find_all(exp.Column)):
        if column.args.get("db") and not column.args.get("catalog"):
            column.replace(
                exp.Dot(
                    this=exp.Column(this=column.args["table"], table=column.args["db"]),
                    expression=column.this,
                )
            )


def qualify(tree: exp.Query, tables: Columns) -> None:
    """A bare column name belongs to the only source, where that has such a column."""
    for column in tree.find_all(exp.Column):
        sources = sources_of(column.parent_select) if isinstance(column.parent_select, exp.Select) else []
        if (
            not column.table
            and len(sources) == 1
            and sources[0].alias
            and not isinstance(column.this, exp.Star)
        ):
            names = columns_of(sources[0], tables, tree)
            if names is not None and column.name in names:
                column.set("table", exp.to_identifier(sources[0].alias))


def make_aliases_unique(tree: exp.Query) -> None:
    """Ibis uses `t0` anew in every subquery; merging and naming need to tell them apart."""
    columns = resolved(tree)
    fresh = {}
    for number, source in enumerate(s for select in tree.find_all(exp.Select) for s in sources_of(select)):
        if not isinstance(source, exp.Table | exp.Subquery):
            continue  # UNNEST is given its alias by the compiler
        fresh[id(source)] = f"source_{number}"
        source.set("alias", exp.TableAlias(this=exp.to_identifier(f"source_{number}")))
    for column, source in columns:
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


def drop_noise(tree: exp.Query) -> None:
    """Leave out what Ibis spells out and the dialect takes for granted."""
    _drop_literal_casts(tree)
    for cast in list(tree.find_all(exp.Cast)):
        if (
            cast.is_type(exp.DataType.Type.BOOLEAN)
            and isinstance(cast.this, COMPARISON)
            and isinstance(cast.parent, exp.Where | exp.Connector)
        ):
            cast.replace(cast.this)  # a condition is a boolean
    for paren in list(tree.find_all(exp.Paren)):
        if isinstance(
            paren.this, (*ARITHMETIC, *COMPARISON, exp.Connector, exp.Column, exp.Func)
        ) and not binds_looser(paren.this, paren.parent):
            paren.replace(paren.this)
    for ordered in tree.find_all(exp.Ordered):
        if not ordered.args.get("desc"):
            ordered.set("desc", None)
    for join in tree.find_all(exp.Join):
        if join.args.get("kind") == "INNER" or (join.args.get("kind") == "OUTER" and join.side):
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
            window.set(
                "order", None
            )  # it is by a constant, for dialects that ask for an order with every frame
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


def expand_stars(select: exp.Select, tables: Columns, tree: exp.Query) -> None:
    projections: list[exp.Expression] = []
    for projection in select.expressions:
        star = projection.this if isinstance(projection, exp.Column) else projection
        if not isinstance(star, exp.Star) or star.args.get("replace") or star.args.get("rename"):
            projections.append(projection)
            continue
        dropped = {column.name for column in star.args.get("except_") or ()}
        for source in sources_of(select):
            if star is not projection and source.alias_or_name != projection.table:
                continue
            names = columns_of(source, tables, tree)
            if names is None or "*" in names:
                return
            projections += [
                exp.column(name, table=source.alias_or_name) for name in names if name not in dropped
            ]
    select.set("expressions", projections)


def spell_out_positions(select: exp.Select) -> None:
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
