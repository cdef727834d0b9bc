"""SQL as a person would commit it, from the SQL that Ibis's compilers print.

Ibis compiles an expression to nested SELECTs over `t0`, `t1`, ... with every name quoted. `tidy` merges the nested
SELECTs where that says the same, gives tables readable aliases or none, and drops the quotes that the dialect does not
need. It changes the form of a query, never what it calls: functions are the compiler's, which knows the dialect. Only
constants are written as people write them (`DATE '2024-01-31'`, `LIKE 'ab%'`, `RANK() = 1` for Ibis's `RANK() - 1 = 0`).
Its callers prove what comes out against the compiler's own SQL.
"""

from __future__ import annotations

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from ibert_builder.dialects.base import Dialect
from ibert_builder.tidy.clean import (
    drop_noise,
    expand_stars,
    make_aliases_unique,
    name_elements,
    qualify,
    read_fields,
    spell_out_positions,
)
from ibert_builder.tidy.literals import count_ranks_from_one, write_constants
from ibert_builder.tidy.merge import merge_down, merge_joined, unwrap
from ibert_builder.tidy.names import (
    collapse_stars,
    drop_needless_aliases,
    name_sources,
    place_no_nulls,
    use_aliases,
)
from ibert_builder.tidy.print import reflow, write
from ibert_builder.tidy.scopes import Columns

__all__ = ["reflow", "tidy", "write"]


def tidy(sql: str, dialect: Dialect, tables: Columns, never_null: Columns | None = None) -> str:
    """Say a compiled query in fewer SELECTs, with plain names.

    Args:
        sql: what an Ibis compiler printed.
        dialect: that the query is in.
        tables: the columns of every base table.
        never_null: those of them that hold no NULL, which need no NULLS LAST.

    Raises:
        SqlglotError: sqlglot cannot read it as a query.
    """
    tree = sqlglot.parse_one(sql, read=dialect.compiled_grammar)
    if not isinstance(tree, exp.Query):
        raise SqlglotError(f"expected a query, found {tree.key}")
    name_elements(tree)
    read_fields(tree)
    qualify(tree, tables)
    make_aliases_unique(tree)
    drop_noise(tree)
    write_constants(tree, dialect)
    for select in reversed(list(tree.find_all(exp.Select))):
        expand_stars(select, tables, tree)
        spell_out_positions(select)
        merge_down(select, dialect)
        merge_joined(select)
    tree = unwrap(tree, dialect)
    count_ranks_from_one(tree)
    for select in tree.find_all(exp.Select):
        drop_needless_aliases(select)
        place_no_nulls(select, never_null or {}, dialect)
        use_aliases(select, tables, tree, dialect)
    name_sources(tree)
    for select in tree.find_all(exp.Select):
        collapse_stars(select, tables, tree, dialect)
    return write(tree, dialect, is_compiled=True)
