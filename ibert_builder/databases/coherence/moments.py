"""Repairs of dates, timestamps and times of day: what comes after what, and by how much."""

from __future__ import annotations

import datetime
import math
import random
from typing import Any

from ibert_builder.databases.coherence.places import Place
from ibert_builder.databases.coherence.rows import Rows
from ibert_builder.semantics.rules import NotBefore, OpenRecent, Order, Until

SECONDS = {"minutes": 60, "hours": 3600, "days": 86400}
_EPOCH = datetime.date(1970, 1, 1)
_DAY = datetime.timedelta(days=1)
_WINDOW = 90  # days within which a moment is drawn that has a bound on one side only
Span = tuple[datetime.datetime, datetime.datetime]


def moment(value: Any) -> datetime.datetime:
    """A date at midnight, a time on a day that stands for all; timestamps as they are."""
    if isinstance(value, datetime.datetime):
        return value
    if isinstance(value, datetime.time):
        return datetime.datetime.combine(_EPOCH, value)
    return datetime.datetime.combine(value, datetime.time())


def _stored(place: Place, value: datetime.datetime) -> Any:
    if place.is_date:
        return value.date()
    return value.time() if place.is_time else value


def in_whole_days(*places: Place) -> bool:
    """Whether moments are compared by their dates: a date says nothing of the time of day."""
    return any(place.is_date for place in places)


def _floor(value: Any) -> datetime.datetime:
    return datetime.datetime.combine(moment(value).date(), datetime.time())


def _before(first: Any, second: Any, days: bool) -> bool:
    return _floor(first) < _floor(second) if days else moment(first) < moment(second)


def _after(rule: Order, start: Any, days: bool) -> Span:
    """The first and the last moment that may follow another one."""
    low, high = (datetime.timedelta(seconds=SECONDS[rule.unit] * bound) for bound in rule.after)
    if not days:
        return moment(start) + low, moment(start) + high
    least, most = math.ceil(low / _DAY), math.floor(high / _DAY)
    return _floor(start) + least * _DAY, _floor(start) + (most + 1) * _DAY - datetime.timedelta(seconds=1)


def _latest(rows: Rows, place: Place) -> datetime.datetime:
    """The last moment that a column may have by itself."""
    model = rows.spec.semantic_model
    for rule in model.coherence if model else ():
        if isinstance(rule, Until) and str(place) in rule.columns and model:
            return moment(model.as_of) + _DAY - datetime.timedelta(seconds=1)
    if place.is_time:
        return moment(datetime.time(23, 59, 59))
    return datetime.datetime.max


def _window(rows: Rows, place: Place, i: int) -> Span:
    """From when to when a moment may be, by all rules under which it is the later of two."""
    earliest, latest = datetime.datetime.min, _latest(rows, place)
    model = rows.spec.semantic_model
    for rule in model.coherence if model else ():
        if isinstance(rule, Order) and rule.order[1] == str(place):
            first = rows.place(rule.order[0])
            if (start := rows.get(first, i)) is not None:
                low, high = _after(rule, start, in_whole_days(first, place))
                earliest, latest = max(earliest, low), min(latest, high)
        if isinstance(rule, NotBefore) and rule.not_before == str(place):
            source = rows.place(rule.parent)
            row = rows.row_of(source.table, rows.get(rows.reference(place.table, source.table, rule.by), i))
            if row is not None and (start := rows.get(source, row)) is not None:
                low = _floor(start) if in_whole_days(source, place) else moment(start)
                earliest = max(earliest, low)
    return earliest, latest


def _drawn(place: Place, window: Span, rng: random.Random) -> Any:
    """A moment within a window, most on the minute; some a round number of days or hours after its start."""
    earliest, latest = window
    if place.is_date:
        return (earliest + rng.randint(0, max(0, (latest - earliest).days)) * _DAY).date()
    seconds = int((latest - earliest).total_seconds())
    step = next(
        step for step in (rng.choices((86400, 3600, 60), (1, 2, 7))[0], 60, 1) if step <= seconds or step == 1
    )
    return _stored(place, earliest + datetime.timedelta(seconds=rng.randint(0, seconds // step) * step))


def _bounded(window: Span, last: datetime.datetime | None = None) -> Span:
    """A window without open ends; it ends with `last` rather than later, if that is within it."""
    earliest, latest = window
    if earliest == datetime.datetime.min:
        earliest = (last or latest) - _WINDOW * _DAY
    if last is not None and earliest <= last < latest:
        latest = last
    if latest == datetime.datetime.max:
        latest = earliest + _WINDOW * _DAY
    return earliest, latest


def order(rule: Order, rows: Rows, rng: random.Random, turn: int) -> None:
    """Draw the later moment anew; where nothing fits, now and then move the earlier one to before it."""
    first, second = (rows.place(name) for name in rule.order)
    days = in_whole_days(first, second)
    for i in rows.indices(first.table):
        start, end = rows.get(first, i), rows.get(second, i)
        if start is None or end is None:
            continue
        low, high = _after(rule, start, days)
        if low <= moment(end) <= high:
            continue
        earliest, latest = _window(rows, second, i)
        if earliest <= latest:
            rows.set(second, i, _drawn(second, (earliest, latest), rng))
        elif rng.random() < 0.5:
            back = moment(min(end, _stored(second, _latest(rows, second)))) - (high - moment(start))
            until = back + (high - low)
            rows.set(first, i, _drawn(first, _clipped(first, back, until), rng))
        else:
            rows.set(
                second,
                i,
                _drawn(second, _clipped(second, low, max(low, min(high, _latest(rows, second)))), rng),
            )


def _clipped(place: Place, earliest: datetime.datetime, latest: datetime.datetime) -> Span:
    """A window within the one day that times of day have."""
    if place.is_time:
        first, last = moment(datetime.time()), moment(datetime.time(23, 59, 59))
        return min(max(earliest, first), last), min(max(latest, first), last)
    return earliest, latest


def not_before(rule: NotBefore, rows: Rows, rng: random.Random, turn: int) -> None:
    """Draw the moment of the child anew, at the latest when the last one of its column was."""
    child, parent = rows.place(rule.not_before), rows.place(rule.parent)
    days = in_whole_days(child, parent)
    last = max((moment(value) for value in rows.values(child) if value is not None), default=None)
    for i, row in rows.parents(rows.reference(child.table, parent.table, rule.by)):
        value, bound = rows.get(child, i), rows.get(parent, row)
        if value is None or bound is None or not _before(value, bound, days):
            continue
        earliest, latest = _window(rows, child, i)
        if earliest <= latest:
            rows.set(child, i, _drawn(child, _bounded((earliest, latest), last), rng))
        elif moment(bound) > _latest(rows, child) or rng.random() < 0.3:
            rows.set(parent, row, _drawn(parent, _bounded((datetime.datetime.min, moment(value))), rng))
        else:
            rows.set(child, i, _stored(child, moment(bound)))


def until(rule: Until, rows: Rows, rng: random.Random, turn: int) -> None:
    for name in rule.columns:
        place = rows.place(name)
        limit = _latest(rows, place)
        for i, value in enumerate(rows.values(place)):
            if value is None or moment(value) <= limit:
                continue
            earliest, latest = _window(rows, place, i)
            window = (earliest, latest) if earliest <= latest else (datetime.datetime.min, limit)
            rows.set(place, i, _drawn(place, _bounded(window), rng))


def open_recent(rule: OpenRecent, rows: Rows, rng: random.Random, turn: int) -> None:
    """Move as many rows that are open to shortly before `as_of` as the share asks for."""
    state = rows.place(rule.open_recent)
    time = rows.place(rule.time, state.table)
    model = rows.spec.semantic_model
    if model is None:
        return
    end = moment(model.as_of) + _DAY - datetime.timedelta(seconds=1)
    begin = moment(model.as_of) - rule.days * _DAY
    states = [state.typed(value) for value in rule.states]
    open_rows = [
        i for i in rows.indices(state.table) if rows.get(state, i) in states and rows.get(time, i) is not None
    ]
    old = [i for i in open_rows if not begin <= moment(rows.get(time, i)) <= end]
    wanted = math.ceil(rule.share * len(open_rows) - 1e-9) - (len(open_rows) - len(old))
    for i in rng.sample(old, max(0, wanted)):
        earliest, latest = _window(rows, time, i)
        window = (max(begin, earliest), min(end, latest))
        rows.set(time, i, _drawn(time, window if window[0] <= window[1] else (begin, end), rng))
