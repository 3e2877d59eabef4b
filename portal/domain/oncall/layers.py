"""When is whose turn in one layer? Pure: data in, moments in UTC out."""

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from portal.domain.oncall.local_time import to_local, to_utc
from portal.domain.oncall.rules import Layer, Restriction

DAY = timedelta(days=1)
WEEK = timedelta(weeks=1)
Window = tuple[datetime, datetime]
Turn = tuple[datetime, datetime, int]  # from, until, whose


def hand_off(layer: Layer, zone: ZoneInfo, number: int) -> datetime:
    """The moment at which turn `number` begins; 0 is the layer's start.

    Days and months are added to the wall clock, minutes to elapsed time. A month that lacks the
    layer's day hands off on its last one.
    """
    rotation = layer.rotation
    if rotation.minutes:
        return to_utc(layer.starts_on, zone) + number * timedelta(minutes=rotation.minutes)
    if rotation.days:
        return to_utc(layer.starts_on + number * timedelta(days=rotation.days), zone)
    years, month = divmod(layer.starts_on.month - 1 + number * rotation.months, 12)
    year, month = layer.starts_on.year + years, month + 1
    day = min(layer.starts_on.day, monthrange(year, month)[1])
    return to_utc(layer.starts_on.replace(year=year, month=month, day=day), zone)


def turn_at(layer: Layer, zone: ZoneInfo, moment: datetime) -> int:
    """The number of the turn that covers the moment, which is not before the layer's start."""
    number = _estimate(layer, zone, moment)
    while hand_off(layer, zone, number) > moment:
        number -= 1
    while hand_off(layer, zone, number + 1) <= moment:
        number += 1
    return number


def turns(layer: Layer, zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[Turn]:
    """All turns within `[start, end)` in order, cut to it and to the layer's start and end."""
    start = max(start, to_utc(layer.starts_on, zone))
    if layer.ends_on is not None:
        end = min(end, to_utc(layer.ends_on, zone))
    if start >= end or not layer.people:
        return
    number = turn_at(layer, zone, start)
    while start < end:
        until = min(end, hand_off(layer, zone, number + 1))
        if start < until:
            yield start, until, layer.people[number % len(layer.people)]
        start = until
        number += 1


def person_at(layer: Layer, zone: ZoneInfo, moment: datetime) -> int | None:
    """Who of the layer has the moment; nobody outside its time and its restrictions."""
    if not layer.people or moment < to_utc(layer.starts_on, zone):
        return None
    if layer.ends_on is not None and moment >= to_utc(layer.ends_on, zone):
        return None
    if layer.restrictions and not any(
        _covers(restriction, zone, moment) for restriction in layer.restrictions
    ):
        return None
    return layer.people[turn_at(layer, zone, moment) % len(layer.people)]


def shifts(layer: Layer, zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[Turn]:
    """The layer's turns within `[start, end)` as far as its restrictions let them be seen."""
    taken = turns(layer, zone, start, end)
    if not layer.restrictions:
        yield from taken
        return
    open_windows = windows(layer.restrictions, zone, start, end)
    next_window = 0
    for since, until, person in taken:
        while next_window < len(open_windows) and open_windows[next_window][1] <= since:
            next_window += 1
        place = next_window
        while place < len(open_windows) and open_windows[place][0] < until:
            opens, closes = open_windows[place]
            yield max(since, opens), min(until, closes), person
            place += 1


@lru_cache(maxsize=64)  # layers of one schedule often have the same restrictions
def windows(
    restrictions: tuple[Restriction, ...], zone: ZoneInfo, start: datetime, end: datetime
) -> tuple[Window, ...]:
    """When any of the restrictions is open within `[start, end)`: in order, none touching."""
    found = sorted(
        (max(start, opens), min(end, closes))
        for restriction in restrictions
        for opens, closes in _occurrences(restriction, zone, start, end)
        if opens < end and closes > start and opens < closes
    )
    merged: list[Window] = []
    for opens, closes in found:
        if merged and opens <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], closes)
        else:
            merged.append((opens, closes))
    return tuple(merged)


def _covers(restriction: Restriction, zone: ZoneInfo, moment: datetime) -> bool:
    around = _occurrences(restriction, zone, moment, moment)
    return any(opens <= moment < closes for opens, closes in around)


def _occurrences(
    restriction: Restriction, zone: ZoneInfo, start: datetime, end: datetime
) -> Iterator[Window]:
    """Every opening that could touch `[start, end]`, by the wall clock of each day or week."""
    step, length = _shape(restriction)
    # One more on either side: an opening may reach over, and clocks may change by a day.
    day = to_local(start, zone).date() - length - step - DAY
    if restriction.start_day is not None:
        day += timedelta(days=(restriction.start_day - day.weekday()) % 7)
    last = to_local(end, zone).date() + DAY
    while day <= last:
        yield _at(day, restriction.starts, zone), _at(day + length, restriction.ends, zone)
        day += step


def _shape(restriction: Restriction) -> tuple[timedelta, timedelta]:
    """How often it opens, and how many midnights later it closes."""
    is_later = restriction.ends > restriction.starts
    if restriction.start_day is None or restriction.end_day is None:
        return DAY, timedelta(0) if is_later else DAY
    days = (restriction.end_day - restriction.start_day) % 7
    return WEEK, timedelta(days=days) if days or is_later else WEEK


def _at(day: date, clock: time, zone: ZoneInfo) -> datetime:
    return to_utc(datetime.combine(day, clock), zone)


def _estimate(layer: Layer, zone: ZoneInfo, moment: datetime) -> int:
    """Close to the turn's number; clock changes and short months are left to the caller."""
    rotation = layer.rotation
    if rotation.minutes:
        elapsed = moment - to_utc(layer.starts_on, zone)
        return elapsed // timedelta(minutes=rotation.minutes)
    local, start = to_local(moment, zone), layer.starts_on
    if rotation.days:
        return (local - start) // timedelta(days=rotation.days)
    return ((local.year - start.year) * 12 + local.month - start.month) // rotation.months
