"""Round values, as people type them: 250 rather than 248.13, the first of March rather than the 27th of February at 8:01."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

MOST = 20  # round numbers between the lowest and the highest of a column
LONG = datetime.timedelta(days=240)  # from here on, people speak of months
MOST_DATES = 36
_STEPS = (1, 2, 5)
_MONTHS = (1, 3, 12)  # from one date to the next: months, quarters or years


def round_values(values: Sequence[Any]) -> list[Any]:
    """The round numbers, dates or timestamps between the lowest and the highest of some values, in ascending order.

    None where people would type the values as they are: few different ones, short times, anything else.
    """
    values = [value for value in values if value is not None]
    if (
        not values
        or isinstance(values[0], bool)
        or not isinstance(values[0], int | float | Decimal | datetime.date)
    ):
        return []
    low, high = min(values), max(values)
    if isinstance(low, int | float | Decimal):
        return _numbers(low, high)
    return _month_starts(low, high)


def nearest(value: Any, options: Sequence[Any]) -> Any:
    """The option that is nearest to a value."""
    return min(options, key=lambda option: abs(option - value))


def _numbers(low: Any, high: Any) -> list[Any]:
    kind, span = type(low), float(high - low)
    places = -9
    for exponent, step in itertools.product(range(-2 if kind is not int else 0, 9), _STEPS):
        size = step * 10.0**exponent
        if span / size <= MOST:
            places = max(0, -exponent)
            break
    first = -(-float(low) // size)
    numbers = [round(i * size, places) for i in range(int(first), int(float(high) // size) + 1)]
    return [Decimal(str(n)) if kind is Decimal else kind(n) for n in numbers]


def _month_starts(low: Any, high: Any) -> list[Any]:
    if high - low < LONG:
        return []
    months = range(low.year * 12 + low.month, high.year * 12 + high.month)
    step = next((step for step in _MONTHS if len(months) <= step * MOST_DATES), _MONTHS[-1])
    return [
        low.replace(year=m // 12, month=m % 12 + 1, day=1, **_midnight(low)) for m in months if m % step == 0
    ]


def _midnight(value: datetime.date) -> dict[str, int]:
    return (
        {"hour": 0, "minute": 0, "second": 0, "microsecond": 0}
        if isinstance(value, datetime.datetime)
        else {}
    )
