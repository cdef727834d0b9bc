"""ClickHouse."""

from __future__ import annotations

import re

from ibis.backends.sql.compilers import ClickHouseCompiler
from sqlglot.dialects import ClickHouse

from ibert_builder.dialects.base import Dialect, words

CLICKHOUSE = Dialect(
    name="clickhouse",
    grammar=ClickHouse,
    compiler=ClickHouseCompiler,
    functions=words(
        """
        CEIL SQRT EXP POWER SIGN GREATEST LEAST LENGTH LENGTHUTF8 SUBSTRING CONCAT POSITION STARTSWITH ENDSWITH DATETRUNC DATE_TRUNC
        EXTRACT DATEDIFF IF COUNTIF SUMIF AVGIF LEFT RIGHT REVERSE TOYEAR TOMONTH TODAYOFMONTH INITCAP
        """
    ),
    never=re.compile(r"\bILIKE '%'", re.IGNORECASE),
    in_duckdb={
        "avgif": "AVG({0}) FILTER (WHERE {1})",
        "empty": "{0} = ''",
        "laginframe": "LAG({*})",
        "leadinframe": "LEAD({*})",
        "mapcontains": "MAP_CONTAINS({0}, {1})",
        "maxif": "MAX({0}) FILTER (WHERE {1})",
        "minif": "MIN({0}) FILTER (WHERE {1})",
        "parsedatetimebesteffort": "CAST({0} AS TIMESTAMP)",
        "stddevpop": "STDDEV_POP({0})",
        "stddevsamp": "STDDEV_SAMP({0})",
        "sumif": "SUM({0}) FILTER (WHERE {1})",
        "todate": "CAST({0} AS DATE)",
        "todayofmonth": "DAY({0})",
        "todayofweek": "ISODOW({0})",
        "todayofyear": "DAYOFYEAR({0})",
        "tohour": "HOUR({0})",
        "toisoweek": "WEEK({0})",
        "tominute": "MINUTE({0})",
        "tomonth": "MONTH({0})",
        "toquarter": "QUARTER({0})",
        "toyear": "YEAR({0})",
        "varpop": "VAR_POP({0})",
        "varsamp": "VAR_SAMP({0})",
    },
    has_qualify=True,
    groups_by_alias=True,
    orders_unions=False,
)
