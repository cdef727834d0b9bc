"""Amazon Redshift, to which Ibis does not compile."""

from __future__ import annotations

import re

from sqlglot.dialects import Redshift

from ibert_builder.dialects.base import Dialect, words
from ibert_builder.dialects.functions import NUMBERS, PADDING, STATISTICS

REDSHIFT = Dialect(
    name="redshift",
    grammar=Redshift,
    functions=NUMBERS
    | STATISTICS
    | PADDING
    | words(
        """
        LOG LENGTH SUBSTRING CONCAT DATE_TRUNC EXTRACT SPLIT_PART STRPOS POSITION TO_CHAR LISTAGG BOOL_AND BOOL_OR INITCAP
        REGEXP_REPLACE DATEADD DATEDIFF DATE_PART NVL
        """
    ),
    never=re.compile(r"\bFILTER\b", re.IGNORECASE),
)
