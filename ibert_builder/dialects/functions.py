"""Functions that many dialects have, for their records."""

from __future__ import annotations

from ibert_builder.dialects.base import words

STATISTICS = words("STDDEV STDDEV_SAMP STDDEV_POP VAR_SAMP VAR_POP VARIANCE")
NUMBERS = words("CEIL SQRT LN EXP POWER SIGN MOD GREATEST LEAST")
PADDING = words("LEFT RIGHT REVERSE LPAD RPAD REPEAT")
