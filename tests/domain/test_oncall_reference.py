"""Does the calculator agree, minute by minute, with calendar libraries that know nothing of it?"""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from portal.domain.oncall import calculator
from portal.domain.oncall.durations import Rotation
from portal.domain.oncall.rules import Entry, Layer, Restriction, ScheduleRules, Span, Version
from tests.domain.oncall_reference import by_minute, minutes

DAY = timedelta(days=1)
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",  # half an hour of summer time
    "Asia/Kolkata",  # five and a half hours, never changed
    "America/Sao_Paulo",  # gave summer time up in 2019; clocks changed at midnight
    "Europe/Istanbul",  # stayed on summer time in 2016
    "Africa/Casablanca",  # changes around Ramadan, its winter time is the exception
    "America/Havana",  # a whole hour at midnight
    "Asia/Pyongyang",  # half an hour back and forth, 2015 and 2018
    "Pacific/Apia",  # had no 30 December 2011
]
people = st.sampled_from([(1, 2, 3), (2, 1), (4, 3, 2, 1), (1,), (1, 2, 1, 3)])
rotations = st.one_of(
    st.sampled_from([Rotation(days=1), Rotation(months=1), Rotation(minutes=720)]),
    st.just(Rotation(days=1)),
    st.integers(1, 20).map(lambda days: Rotation(days=days)),
    st.integers(1, 13).map(lambda months: Rotation(months=months)),
    st.integers(180, 6000).map(lambda minutes: Rotation(minutes=minutes)),
)


@cache
def clock_changes(zone: str) -> list[datetime]:
    """The first minute of each new offset of the zone's clocks, 2008 to 2030."""
    info, found = ZoneInfo(zone), list[datetime]()
    hour, before = datetime(2008, 1, 1, tzinfo=UTC), None
    while hour.year < 2030:
        offset = hour.astimezone(info).utcoffset()
        if before is not None and offset != before:
            minute = hour - timedelta(hours=6)
            while minute.astimezone(info).utcoffset() == before:
                minute += timedelta(minutes=1)
            found.append(minute)
        before, hour = offset, hour + timedelta(hours=6)
    return found


@st.composite
def interesting_moments(draw: st.DrawFn, zone: str) -> datetime:
    """Where clocks change, where months and years end, and any other."""
    any_day = st.dates(date(2008, 1, 1), date(2029, 12, 31))
    month_end = st.tuples(st.integers(2008, 2029), st.sampled_from([2, 3, 4, 5, 12])).map(
        lambda month: datetime(*month, 28, tzinfo=UTC) + 2 * DAY
    )
    other = any_day.map(lambda day: datetime(day.year, day.month, day.day, tzinfo=UTC))
    changes = clock_changes(zone)
    return draw(st.one_of(*[st.sampled_from(changes)] * 2 * bool(changes), month_end, other))


@st.composite
def clocks(draw: st.DrawFn, around: datetime, zone: ZoneInfo) -> time:
    """Mostly what clocks show, skip or show twice at that moment."""
    before = (around - timedelta(minutes=1)).astimezone(zone).replace(tzinfo=None)
    minutes = draw(st.sampled_from([31, 31, 1, -29, -60]))
    near = (before + timedelta(minutes=minutes)).time()
    return draw(st.sampled_from([near, near, near, time(0), time(17, 5)]))


@st.composite
def restrictions(draw: st.DrawFn, around: datetime, zone: ZoneInfo) -> Restriction:
    starts, ends = draw(clocks(around, zone)), draw(clocks(around, zone))
    if draw(st.booleans()):
        return Restriction(starts, ends)
    return Restriction(starts, ends, draw(st.integers(0, 6)), draw(st.integers(0, 6)))


@st.composite
def layers(draw: st.DrawFn, around: datetime, zone: ZoneInfo) -> Layer:
    rotation = draw(rotations)
    days_ago = draw(st.integers(-2, 60) if rotation.minutes else st.integers(-2, 1200))
    first_day = around.date() - days_ago * DAY
    if rotation.months and draw(st.booleans()):
        first_day = date(around.year - 1, 1, draw(st.integers(29, 31)))
    starts_on = datetime.combine(first_day, draw(clocks(around, zone)))
    ends_on = draw(st.none() | st.none() | st.integers(1, 5).map(lambda days: around + days * DAY))
    return Layer(
        starts_on=starts_on,
        rotation=rotation,
        people=draw(people),
        ends_on=ends_on.replace(tzinfo=None) if ends_on else None,
        restrictions=tuple(draw(st.lists(restrictions(around, zone), max_size=2))),
    )


@st.composite
def spans(draw: st.DrawFn, around: datetime) -> tuple[datetime, datetime]:
    since = around + timedelta(minutes=draw(st.integers(-1440, 6000)))
    return since, since + timedelta(minutes=draw(st.integers(1, 3000)))


@st.composite
def worlds(draw: st.DrawFn) -> tuple[ScheduleRules, datetime, datetime]:
    """A schedule, and four days: often such in which the zone's clocks change."""
    name = draw(st.sampled_from(ZONES))
    zone, around = ZoneInfo(name), draw(interesting_moments(name))
    start = around - 2 * DAY
    first = draw(st.lists(layers(around, zone), min_size=1, max_size=3))
    versions = [Version(start - 2000 * DAY, tuple(first))]
    if draw(st.integers(0, 3)) == 0:
        later = around + timedelta(minutes=draw(st.integers(-3000, 3000)))
        more = draw(st.lists(layers(around, zone), max_size=2))
        versions.append(Version(later, tuple(more)))
    overrides = [
        Entry(number, draw(st.integers(1, 5)), *draw(spans(around)))
        for number in range(draw(st.sampled_from([0, 0, 1, 3])))
    ]
    away = {
        person: (Span(*draw(spans(around))),)
        for person in draw(st.sets(st.integers(1, 4), max_size=1))
    }
    return (
        ScheduleRules(zone, tuple(versions), (), tuple(overrides), away),
        start,
        start + 4 * DAY,
    )


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(worlds())
def test_the_calculator_agrees_with_the_reference(
    world: tuple[ScheduleRules, datetime, datetime],
) -> None:
    rules, start, end = world
    expected = by_minute(rules, start, end)
    found = calculator.shifts(rules, start, end)
    note(f"{found=}")
    shown: list[int | None] = [None] * len(expected)
    for shift in found:
        first, last = (
            int((at - start).total_seconds()) // 60 for at in (shift.starts_at, shift.ends_at)
        )
        if not shift.is_absent:
            shown[first:last] = [shift.user_id] * (last - first)
    assert shown == expected
    # One moment is answered by other code than a range: look at every fifth minute, and the edges.
    edges = {edge for shift in found for edge in (shift.starts_at, shift.ends_at) if edge < end}
    asked = edges | {edge - timedelta(minutes=1) for edge in edges if edge > start}
    asked |= set(list(minutes(start, end))[::5])
    for moment in sorted(asked):
        at = int((moment - start).total_seconds()) // 60
        assert calculator.on_call(rules, moment) == expected[at], moment


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(worlds(), st.integers(0, 3), st.integers(1, 3))
def test_a_part_of_a_range_says_the_same_as_the_whole(
    world: tuple[ScheduleRules, datetime, datetime], skipped: int, days: int
) -> None:
    rules, start, end = world
    since = start + skipped * DAY
    until = min(end, since + days * DAY)

    def people_in(found: list[calculator.Shift]) -> list[int | None]:
        present = [shift for shift in found if not shift.is_absent]
        return [
            next((s.user_id for s in present if s.starts_at <= minute < s.ends_at), None)
            for minute in minutes(since, until)
        ]

    part = calculator.shifts(rules, since, until)
    assert people_in(part) == people_in(calculator.shifts(rules, start, end))
    for before, after in pairwise(part):
        assert before.ends_at <= after.starts_at
    for gap in calculator.gaps(part, since, until):
        assert calculator.on_call(rules, gap.starts_at) is None
