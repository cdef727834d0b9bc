"""Names for what remains: aliases for tables, derived tables after what they do, `*` for all columns."""

from __future__ import annotations

import re

from sqlglot import exp

from ibert_builder.dialects.base import Dialect
from ibert_builder.tidy.scopes import Columns, columns_of, has_window, is_grouped, resolved, sources_of


def place_no_nulls(select: exp.Select, never_null: Columns, dialect: Dialect) -> None:
    """`ORDER BY id NULLS LAST`, or `ORDER BY CASE WHEN id IS NULL THEN 1 ELSE 0 END, id`, is `ORDER BY id` for a key."""
    tables = {
        source.alias_or_name: source.name for source in sources_of(select) if isinstance(source, exp.Table)
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
                large = dialect.compiled_grammar.NULL_ORDERING == "nulls_are_large"
                small = dialect.compiled_grammar.NULL_ORDERING == "nulls_are_small"
                ordered.set(
                    "nulls_first",
                    (small and not ordered.args.get("desc")) or (large and bool(ordered.args.get("desc"))),
                )


def use_aliases(select: exp.Select, tables: Columns, tree: exp.Query, dialect: Dialect) -> None:
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
        elif dialect.orders_by_alias_within:
            for node in list(ordered.this.walk()):
                if node in named and node.parent is not None:
                    (node.parent if isinstance(node.parent, exp.Paren) else node).replace(
                        exp.column(named[node])
                    )
    if group is not None and dialect.groups_by_alias:
        # A column of this name would come first in most dialects.
        columns = [columns_of(source, tables, tree) for source in sources_of(select)]
        if None not in columns:
            hidden = {name for names in columns for name in names or ()} | {""}
            group.set(
                "expressions",
                [
                    exp.column(named[key]) if named.get(key, "") not in hidden else key
                    for key in group.expressions
                ],
            )


def drop_needless_aliases(select: exp.Select) -> None:
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


def name_sources(tree: exp.Query) -> None:
    """Tables get readable aliases, or none where they are alone; what remains nested is named after what it does."""
    columns = resolved(tree)
    reached = {
        id(source)
        for column, source in columns
        if not any(source is own for own in sources_of(column.parent_select))
    }
    correlated = {id(column.parent_select) for column, source in columns if id(source) in reached}
    taken: set[str] = set()
    for cte in tree.find_all(exp.CTE):
        name, old = fresh_name(_derived_name(cte.this), taken), cte.alias
        cte.args["alias"].set("this", exp.to_identifier(name))
        for table in tree.find_all(exp.Table):
            if table.name == old:
                table.set("this", exp.to_identifier(name))
    alone: set[int] = set()
    for select in tree.find_all(exp.Select):
        sources = sources_of(select)
        for source in sources:
            if isinstance(source, exp.Subquery):
                source.set(
                    "alias",
                    exp.TableAlias(this=exp.to_identifier(fresh_name(_derived_name(source.this), taken))),
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
                    "alias", exp.TableAlias(this=exp.to_identifier(fresh_name(_initials(source.name), taken)))
                )
    for column, source in columns:
        own = column.parent_select
        if (
            id(source) in alone
            and own is not None
            and any(source is other for other in sources_of(own))
            and not _shadowed(column, own)
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


def fresh_name(name: str, taken: set[str]) -> str:
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
    if any(has_window(e) for e in query.expressions):
        return "ranked" if query.find(exp.RowNumber, exp.Anonymous) else "windowed"
    if is_grouped(query):
        return f"{name}_summary".lstrip("_")
    if query.args.get("joins"):
        return "joined"
    if query.args.get("limit") and query.args.get("order"):
        return f"top_{name}".rstrip("_")
    return f"filtered_{name}".rstrip("_") if query.args.get("where") else f"selected_{name}".rstrip("_")


def collapse_stars(select: exp.Select, tables: Columns, tree: exp.Query, dialect: Dialect) -> None:
    """All columns of the only table, in order, are `*`; of one of several tables, `o.*`."""
    sources = sources_of(select)
    if select.args.get("group"):
        return
    for source in sources:
        names = columns_of(source, tables, tree)
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
                    and (len(found) == len(names) or dialect.star_beside_columns)
                )
                star = exp.Star() if bare else exp.Column(this=exp.Star(), table=exp.to_identifier(alias))
                kept = select.expressions
                select.set("expressions", [*kept[:start], star, *kept[start + len(names) :]])
                break
