"""Who is on call, worked out in another way: calendar rules expanded by other people's libraries.

It shares no code with the calculator. Rotations and restrictions become floating events with an
RRULE, `recurring_ical_events` expands them by the wall clock, and a wall-clock time is found by
walking over the minutes of UTC until a clock of the zone shows it. One minute is the resolution.
"""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import recurring_ical_events
from icalendar import Calendar, Event, vRecur

from portal.domain.oncall.rules import Entry, Layer, Restriction, ScheduleRules

MINUTE = timedelta(minutes=1)
AROUND = timedelta(days=9)  # a week's restriction may reach over, and a day for the clocks


def by_minute(rules: ScheduleRules, start: datetime, end: datetime) -> list[int | None]:
    """Who is on call in every minute of `[start, end)`; both are whole minutes."""
    tables = [
        (version.valid_from, [_Table(layer, rules.zone, start, end) for layer in version.layers])
        for version in rules.versions
    ]
    found: list[int | None] = []
    for minute in minutes(start, end):
        holding = [layers for valid_from, layers in tables if valid_from <= minute]
        person = _turn(rules, holding[-1] if holding else [], minute)
        found.append(None if person is None or _is_away(rules, person, minute) else person)
    return found


def minutes(start: datetime, end: datetime) -> Iterator[datetime]:
    while start < end:
        yield start
        start += MINUTE


@cache
def moment_of(local: datetime, zone: ZoneInfo) -> datetime:
    """The first minute in which clocks of the zone show `local` or later."""
    minute = local.replace(tzinfo=UTC) - timedelta(hours=16)
    while minute.astimezone(zone).replace(tzinfo=None) < local:
        minute += MINUTE
    return minute


class _Table:
    """One layer: the moments at which people take over, and when it may be seen."""

    def __init__(self, layer: Layer, zone: ZoneInfo, start: datetime, end: datetime) -> None:
        self.people = layer.people
        self.starts = moment_of(layer.starts_on, zone)
        self.ends = moment_of(layer.ends_on, zone) if layer.ends_on else None
        self.hand_offs = _hand_offs(layer, zone, start, end)
        self.windows = [w for one in layer.restrictions for w in _windows(one, zone, start, end)]
        self.is_restricted = bool(layer.restrictions)

    def person_at(self, minute: datetime) -> int | None:
        if minute < self.starts or (self.ends is not None and minute >= self.ends):
            return None
        if self.is_restricted and not any(a <= minute < b for a, b in self.windows):
            return None
        turn = bisect_right(self.hand_offs, minute) - 1
        return self.people[turn % len(self.people)]


def _hand_offs(layer: Layer, zone: ZoneInfo, start: datetime, end: datetime) -> list[datetime]:
    """Every one since the layer's start; its place in the list is the turn's number."""
    length, first = layer.rotation, layer.starts_on
    last = end.replace(tzinfo=None) + AROUND
    if length.minutes:
        rule = vRecur(FREQ="MINUTELY", INTERVAL=length.minutes)
        return _starts(moment_of(first, zone), rule, last.replace(tzinfo=UTC))
    if length.days:
        rule = vRecur(FREQ="DAILY", INTERVAL=length.days)
    elif first.day <= 28:
        rule = vRecur(FREQ="MONTHLY", INTERVAL=length.months)
    else:  # the last of these days that the month has
        days = list(range(28, first.day + 1))
        rule = vRecur(FREQ="MONTHLY", INTERVAL=length.months, BYMONTHDAY=days, BYSETPOS=-1)
    near = start.replace(tzinfo=None) - timedelta(days=3)
    # Far from the range only their order matters: a clock's offset is never three days.
    return [
        moment_of(at, zone) if at > near else at.replace(tzinfo=UTC)
        for at in _starts(first, rule, last)
    ]


def _windows(
    restriction: Restriction, zone: ZoneInfo, start: datetime, end: datetime
) -> list[tuple[datetime, datetime]]:
    first = datetime.combine(start.date() - AROUND, restriction.starts)
    rule, step = vRecur(FREQ="DAILY"), 1
    if restriction.start_day is not None:
        while first.weekday() != restriction.start_day:
            first += timedelta(days=1)
        rule, step = vRecur(FREQ="WEEKLY"), 7
    closes = datetime.combine(first.date(), restriction.ends)
    while closes <= first or restriction.end_day not in (None, closes.weekday()):
        closes += timedelta(days=1)
    assert closes - first <= timedelta(days=step)
    opened = _starts(first, rule, end.replace(tzinfo=None) + AROUND)
    return [(moment_of(at, zone), moment_of(at + (closes - first), zone)) for at in opened]


def _starts(first: datetime, rule: vRecur, last: datetime) -> list[datetime]:
    event = Event()
    event.add("uid", "one")
    event.add("dtstart", first)
    event.add("dtend", first + MINUTE)
    event.add("rrule", rule)
    calendar = Calendar()
    calendar.add_component(event)
    found = recurring_ical_events.of(calendar).between(first, last)
    return sorted(one["DTSTART"].dt for one in found)


def _turn(rules: ScheduleRules, layers: list[_Table], minute: datetime) -> int | None:
    entries: list[Entry] = sorted(rules.overrides, key=lambda entry: -entry.id)
    for entry in [*entries, *rules.shifts]:
        if entry.starts_at <= minute < entry.ends_at:
            return entry.user_id
    for table in layers[::-1]:
        person = table.person_at(minute)
        if person is not None:
            return person
    return None


def _is_away(rules: ScheduleRules, person: int, minute: datetime) -> bool:
    return any(
        span.starts_at <= minute and (span.ends_at is None or minute < span.ends_at)
        for span in rules.absences.get(person, ())
    )
