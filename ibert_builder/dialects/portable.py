"""What SQL of a dialect may contain, since a parser alone does not know which functions a database has.

sqlglot reads and writes functions it does not know as they are: `CONTAINS(city, 'x')` "parses" as MySQL. A query that was
put in another dialect therefore keeps to the functions of the dialect's record, which its manual documents, and stays
clear of the syntax that it does not have.
"""

from __future__ import annotations

import re

from ibert_builder.dialects.base import Dialect, words

_EVERYWHERE = words(
    """
    COUNT SUM AVG MIN MAX COALESCE NULLIF UPPER LOWER TRIM LTRIM RTRIM ABS ROUND FLOOR CAST REPLACE
    ROW_NUMBER RANK DENSE_RANK PERCENT_RANK CUME_DIST NTILE LAG LEAD FIRST_VALUE LAST_VALUE
    """
)
# Words that stand before a bracket and are not functions.
_SYNTAX = words(
    """
    ALL AND ANY AS BETWEEN BY CASE CHAR DECIMAL ELSE EXCEPT EXISTS FROM HAVING IN INTERSECT JOIN LIKE NOT NUMERIC ON OR OVER
    SELECT THEN UNION VALUES VARCHAR WHEN WHERE WITH WITHIN GROUP DISTINCT NVARCHAR NUMBER TIMESTAMP PARTITION ORDER DOUBLE
    NULLABLE USING LATERAL CROSS
    """
)

_CALL = re.compile(r"\b([A-Za-z_][A-Za-z0-9_]*)\s*\(")
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|`[^`]*`")


def foreign_to(dialect: Dialect, sql: str) -> str | None:
    """The first function or piece of syntax in a query that the dialect does not have; None if there is none.

    The dialect's functions must be known.
    """
    assert dialect.functions is not None
    bare = _QUOTED.sub("''", sql)
    for name in _CALL.findall(bare):
        if not any(name.upper() in known for known in (_EVERYWHERE, _SYNTAX, dialect.functions)):
            return f"{name}()"
    found = dialect.never.search(bare) if dialect.never is not None else None
    return found[0] if found else None
