"""Who is on call where clocks change, months are short and people are away? Worked out by hand."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from portal.domain.oncall import calculator, durations
from portal.domain.oncall.calculator import Origin, Shift
from portal.domain.oncall.durations import Rotation
from portal.domain.oncall.local_time import to_utc
from portal.domain.oncall.rules import Entry, Layer, Restriction, ScheduleRules, Span, Version
from portal.errors import Invalid

ADA, BOB, EVE = 1, 2, 3
DAILY, WEEKLY, MONTHLY = Rotation(days=1), Rotation(days=7), Rotation(months=1)
SATURDAY, MONDAY, FRIDAY = 5, 0, 4


def at(moment: str) -> datetime:
    """`2024-03-31 02:30`, read as UTC."""
    return local(moment).replace(tzinfo=UTC)


def local(moment: str) -> datetime:
    return datetime.fromisoformat(moment)


def schedule(
    *layers: Layer, zone: str = "UTC", overrides: tuple[Entry, ...] = (), **more: object
) -> ScheduleRules:
    versions = (Version(at("2000-01-01"), layers),)
    rules = {"versions": versions, "overrides": overrides, **more}
    return ScheduleRules(ZoneInfo(zone), **rules)  # type: ignore[arg-type]


def layer(
    starts_on: str, rotation: Rotation, *people: int, until: str | None = None, only: object = ()
) -> Layer:
    restrictions = (only,) if isinstance(only, Restriction) else only
    ends_on = local(until) if until else None
    return Layer(local(starts_on), rotation, people, ends_on, restrictions)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("zone", "clock", "moment"),
    [
        # Forward: what does not exist moves to the next that does.
        ("Europe/Berlin", "2024-03-31 01:59", "2024-03-31 00:59"),
        ("Europe/Berlin", "2024-03-31 02:00", "2024-03-31 01:00"),
        ("Europe/Berlin", "2024-03-31 02:30", "2024-03-31 01:00"),
        ("Europe/Berlin", "2024-03-31 03:00", "2024-03-31 01:00"),
        ("America/New_York", "2024-03-10 02:59", "2024-03-10 07:00"),
        ("Australia/Lord_Howe", "2024-10-06 02:15", "2024-10-05 15:30"),
        ("America/Havana", "2024-03-10 00:30", "2024-03-10 05:00"),
        ("Pacific/Apia", "2011-12-30 09:00", "2011-12-30 10:00"),  # a day that never was
        # Back: of two equal ones the first counts.
        ("Europe/Berlin", "2024-10-27 02:30", "2024-10-27 00:30"),
        ("Europe/Berlin", "2024-10-27 03:00", "2024-10-27 02:00"),
        ("America/New_York", "2024-11-03 01:30", "2024-11-03 05:30"),
        ("Australia/Lord_Howe", "2024-04-07 01:45", "2024-04-06 14:45"),
        ("Asia/Kolkata", "2024-06-01 09:00", "2024-06-01 03:30"),
        # A zone whose rules changed: Istanbul stayed on summer time in 2016.
        ("Europe/Istanbul", "2015-12-01 09:00", "2015-12-01 07:00"),
        ("Europe/Istanbul", "2016-12-01 09:00", "2016-12-01 06:00"),
    ],
)
def test_a_wall_clock_means_one_moment(zone: str, clock: str, moment: str) -> None:
    assert to_utc(local(clock), ZoneInfo(zone)) == at(moment)


@pytest.mark.parametrize(
    ("zone", "starts_on", "rotation", "hand_offs"),
    [
        # Days and weeks keep 09:00 by the wall clock.
        ("Europe/Berlin", "2024-03-30 09:00", DAILY, "03-30 08:00, 03-31 07:00, 04-01 07:00"),
        ("Europe/Berlin", "2024-10-26 09:00", DAILY, "10-26 07:00, 10-27 08:00, 10-28 08:00"),
        ("Europe/Berlin", "2024-10-21 09:00", WEEKLY, "10-21 07:00, 10-28 08:00, 11-04 08:00"),
        ("America/New_York", "2024-03-09 09:00", DAILY, "03-09 14:00, 03-10 13:00, 03-11 13:00"),
        ("America/New_York", "2024-11-02 09:00", DAILY, "11-02 13:00, 11-03 14:00, 11-04 14:00"),
        # A hand-off in the hour that does not exist, and in the one that comes twice.
        ("Europe/Berlin", "2024-03-30 02:30", DAILY, "03-30 01:30, 03-31 01:00, 04-01 00:30"),
        ("Europe/Berlin", "2024-10-26 02:30", DAILY, "10-26 00:30, 10-27 00:30, 10-28 01:30"),
        ("Australia/Lord_Howe", "2024-10-05 02:15", DAILY, "10-04 15:45, 10-05 15:30, 10-06 15:15"),
        # Hours elapse, whatever the clocks do.
        (
            "Europe/Berlin",
            "2024-03-30 09:00",
            Rotation(minutes=24 * 60),
            "03-30 08:00, 03-31 08:00",
        ),
        (
            "Europe/Berlin",
            "2024-10-26 21:00",
            Rotation(minutes=12 * 60),
            "10-26 19:00, 10-27 07:00",
        ),
        ("Asia/Kolkata", "2024-02-28 09:00", DAILY, "02-28 03:30, 02-29 03:30, 03-01 03:30"),
        # Leap days, short months and the turn of the year.
        ("UTC", "2023-02-28 00:00", DAILY, "02-28 00:00, 03-01 00:00"),
        ("UTC", "2024-01-31 09:00", MONTHLY, "01-31 09:00, 02-29 09:00, 03-31 09:00, 04-30 09:00"),
        ("UTC", "2023-01-31 09:00", MONTHLY, "01-31 09:00, 02-28 09:00, 03-31 09:00"),
        ("UTC", "2024-02-29 00:00", Rotation(months=12), "02-29 00:00"),
        ("UTC", "2024-12-25 00:00", WEEKLY, "12-25 00:00"),
    ],
)
def test_turns_hand_off_when_they_should(
    zone: str, starts_on: str, rotation: Rotation, hand_offs: str
) -> None:
    rules = schedule(layer(starts_on, rotation, ADA, BOB), zone=zone)
    year = starts_on[:4]
    expected = [at(f"{year}-{one}") for one in hand_offs.split(", ")]
    found = calculator.shifts(rules, expected[0] - timedelta(days=9), expected[-1] + timedelta(1))
    assert [shift.starts_at for shift in found][: len(expected)] == expected
    for number, moment in enumerate(expected):
        assert calculator.on_call(rules, moment) == (ADA, BOB)[number % 2]
        before = calculator.on_call(rules, moment - timedelta(microseconds=1))
        assert before == ((ADA, BOB)[(number - 1) % 2] if number else None)


def test_a_year_later_the_turns_still_follow() -> None:
    rules = schedule(layer("2024-12-30 08:00", WEEKLY, ADA, BOB, EVE), zone="Europe/Berlin")
    assert calculator.on_call(rules, at("2024-12-31 23:59")) == ADA
    assert calculator.on_call(rules, at("2025-01-06 06:59")) == ADA
    assert calculator.on_call(rules, at("2025-01-06 07:00")) == BOB
    assert calculator.on_call(rules, at("2025-12-29 07:00")) == BOB  # the fifty-third turn
    leap = schedule(layer("2024-02-29 00:00", Rotation(months=12), ADA, BOB))
    assert calculator.on_call(leap, at("2025-02-27 23:59")) == ADA
    assert calculator.on_call(leap, at("2025-02-28 00:00")) == BOB
    assert calculator.on_call(leap, at("2028-02-29 00:00")) == ADA


def test_the_lowest_layer_wins_and_upper_ones_show_through() -> None:
    upper = layer("2024-01-01 00:00", WEEKLY, ADA)
    office = Restriction(time(9), time(17))
    lower = layer("2024-01-01 00:00", WEEKLY, BOB, only=office, until="2024-01-03 00:00")
    found = calculator.shifts(schedule(upper, lower), at("2024-01-01"), at("2024-01-04"))
    assert [(shift.user_id, f"{shift.starts_at:%d %H}") for shift in found] == [
        (ADA, "01 00"),
        (BOB, "01 09"),
        (ADA, "01 17"),
        (BOB, "02 09"),
        (ADA, "02 17"),
    ]
    assert found[-1].ends_at == at("2024-01-04")


@pytest.mark.parametrize(
    ("restriction", "inside", "outside"),
    [
        (Restriction(time(22), time(6)), "04 22:00, 05 05:59", "04 21:59, 05 06:00"),
        (Restriction(time(0), time(0)), "04 00:00, 04 12:00", ""),
        (
            Restriction(time(18), time(9), FRIDAY, MONDAY),
            "05 18:00, 07 12:00, 08 08:59",
            "05 17:59, 08 09:00",
        ),
        (
            Restriction(time(9), time(17), SATURDAY, SATURDAY),
            "06 09:00",
            "06 08:59, 06 17:00, 07 10:00",
        ),
        (
            Restriction(time(17), time(9), SATURDAY, SATURDAY),
            "06 17:00, 12 00:00",
            "06 09:00, 06 16:59",
        ),
        (Restriction(time(9), time(9), MONDAY, MONDAY), "01 00:00, 01 09:00", ""),
    ],
)
def test_restrictions_hide_time(restriction: Restriction, inside: str, outside: str) -> None:
    rules = schedule(layer("2023-12-01 00:00", DAILY, ADA, only=restriction))  # 1 Jan: a Monday
    for moment in inside.split(", "):
        assert calculator.on_call(rules, at(f"2024-01-{moment}")) == ADA, moment
    for moment in filter(None, outside.split(", ")):
        assert calculator.on_call(rules, at(f"2024-01-{moment}")) is None, moment


def test_restrictions_do_not_stop_the_rotation() -> None:
    weekdays = tuple(Restriction(time(0), time(0), day, day + 1) for day in range(5))
    rules = schedule(layer("2024-01-01 00:00", DAILY, ADA, BOB, only=weekdays))
    assert calculator.on_call(rules, at("2024-01-05 12:00")) == ADA  # Friday, the fifth turn
    assert calculator.on_call(rules, at("2024-01-06 12:00")) is None
    assert calculator.on_call(rules, at("2024-01-08 12:00")) == BOB  # Monday, the eighth


def test_of_several_overrides_the_one_created_last_wins() -> None:
    first = Entry(1, BOB, at("2024-01-01 10:00"), at("2024-01-01 20:00"))
    second = Entry(2, EVE, at("2024-01-01 12:00"), at("2024-01-01 14:00"))
    rules = schedule(layer("2024-01-01 00:00", DAILY, ADA), overrides=(first, second))
    found = calculator.shifts(rules, at("2024-01-01"), at("2024-01-02"))
    assert [(s.user_id, s.starts_at.hour, s.origin) for s in found] == [
        (ADA, 0, Origin.LAYER),
        (BOB, 10, Origin.OVERRIDE),
        (EVE, 12, Origin.OVERRIDE),
        (BOB, 14, Origin.OVERRIDE),
        (ADA, 20, Origin.LAYER),
    ]
    hidden = schedule(overrides=(second, first))
    assert calculator.on_call(hidden, at("2024-01-01 13:00")) == BOB


def test_static_shifts_lie_under_overrides_and_leave_gaps() -> None:
    shifts = (
        Entry(1, ADA, at("2024-01-01 08:00"), at("2024-01-01 12:00")),
        Entry(2, BOB, at("2024-01-01 14:00"), at("2024-01-01 18:00")),
    )
    override = Entry(3, EVE, at("2024-01-01 11:00"), at("2024-01-01 15:00"))
    rules = schedule(shifts=shifts, overrides=(override,))
    start, end = at("2024-01-01"), at("2024-01-02")
    found = calculator.shifts(rules, start, end)
    assert [(s.user_id, s.starts_at.hour, s.ends_at.hour) for s in found] == [
        (ADA, 8, 11),
        (EVE, 11, 15),
        (BOB, 15, 18),
    ]
    assert calculator.gaps(found, start, end) == [
        Span(start, at("2024-01-01 08:00")),
        Span(at("2024-01-01 18:00"), end),
    ]


def test_an_absent_person_leaves_a_gap_that_upper_layers_do_not_fill() -> None:
    away = {BOB: (Span(at("2024-01-01 12:00"), at("2024-01-01 18:00")),)}
    upper, lower = layer("2024-01-01 00:00", DAILY, ADA), layer("2024-01-01 00:00", DAILY, BOB)
    rules = schedule(upper, lower, absences=away)
    start, end = at("2024-01-01"), at("2024-01-02")
    found = calculator.shifts(rules, start, end)
    assert [(s.user_id, s.is_absent) for s in found] == [(BOB, False), (BOB, True), (BOB, False)]
    assert calculator.on_call(rules, at("2024-01-01 12:00")) is None
    assert calculator.on_call(rules, at("2024-01-01 18:00")) == BOB
    assert calculator.gaps(found, start, end) == list(away[BOB])


def test_a_change_never_moves_what_is_past() -> None:
    old = Version(at("2024-01-01"), (layer("2024-01-01 00:00", DAILY, ADA, BOB),))
    new = Version(at("2024-01-05 12:00"), (layer("2024-01-01 00:00", DAILY, EVE),))
    before, after = (
        ScheduleRules(ZoneInfo("UTC"), (old,)),
        ScheduleRules(ZoneInfo("UTC"), (old, new)),
    )
    past = at("2023-12-31"), at("2024-01-05 12:00")
    assert calculator.shifts(before, *past) == calculator.shifts(after, *past)
    assert calculator.on_call(after, at("2023-12-31 12:00")) is None  # there was no version yet
    assert calculator.on_call(after, at("2024-01-05 11:59")) == ADA
    assert calculator.on_call(after, at("2024-01-05 12:00")) == EVE


def test_one_persons_neighbouring_turns_are_one_shift() -> None:
    rules = schedule(layer("2024-01-01 09:00", DAILY, ADA, ADA, BOB))
    found = calculator.shifts(rules, at("2024-01-01"), at("2024-01-04"))
    assert found[0] == Shift(at("2024-01-01 09:00"), at("2024-01-03 09:00"), ADA, Origin.LAYER, 0)


def test_the_next_change_is_found_over_gaps_reasons_and_months() -> None:
    override = Entry(7, ADA, at("2024-01-02 00:00"), at("2024-01-03 00:00"))
    rules = schedule(
        layer("2024-01-01 00:00", WEEKLY, ADA, until="2024-01-02 06:00"), overrides=(override,)
    )
    end = at("2025-01-01")
    assert calculator.next_change(rules, at("2023-12-01"), end) == (at("2024-01-01"), ADA)
    assert calculator.next_change(rules, at("2024-01-01"), end) == (at("2024-01-03"), None)
    assert calculator.next_change(rules, at("2024-01-03"), end) is None
    yearly = schedule(layer("2024-01-01 00:00", Rotation(months=6), ADA, BOB))
    assert calculator.next_change(yearly, at("2024-01-01"), end) == (at("2024-07-01"), BOB)


@pytest.mark.parametrize(
    ("duration", "rotation"),
    [
        ("P1D", DAILY),
        ("P2W", Rotation(days=14)),
        ("P1W2D", Rotation(days=9)),
        ("PT12H", Rotation(minutes=720)),
        ("PT1H30M", Rotation(minutes=90)),
        ("P1M", MONTHLY),
        ("P1Y", Rotation(months=12)),
    ],
)
def test_durations_are_read_and_written(duration: str, rotation: Rotation) -> None:
    assert durations.parse(duration) == rotation
    assert durations.parse(rotation.iso) == rotation


@pytest.mark.parametrize(
    "nonsense",
    [
        "",
        "P",
        "PT",
        "P0D",
        "P-1D",
        "1W",
        "P1DT12H",
        "P1M1D",
        "PT59M",
        "P9999M",
        "P1.5D",
        "p1d",
        "P1D ",
    ],
)
def test_a_duration_without_one_meaning_is_refused(nonsense: str) -> None:
    with pytest.raises(Invalid) as refusal:
        durations.parse(nonsense)
    assert refusal.value.field == "rotation"


def test_a_calendar_month_takes_no_time() -> None:
    """20 ms is promised; ten times that here, so that a busy machine does not fail it."""
    weekdays = tuple(Restriction(time(9), time(17), day, day) for day in range(5))
    layers = [layer("2020-01-01 00:00", Rotation(minutes=60), ADA, BOB, only=weekdays)] * 5
    rules = schedule(layer("2020-01-01 00:00", DAILY, ADA, BOB, EVE), *layers, zone="Europe/Berlin")
    before = datetime.now(UTC)
    assert len(calculator.shifts(rules, at("2026-03-01"), at("2026-04-01"))) > 100
    assert datetime.now(UTC) - before < timedelta(milliseconds=200)


def test_layers_that_nobody_sees_cost_nothing_and_change_nothing() -> None:
    hourly = layer("2020-01-01 00:00", Rotation(minutes=60), ADA, BOB)
    own = layer("2020-01-01 00:00", DAILY, EVE)
    one, many = schedule(own), schedule(*[hourly] * 9, own)
    march = at("2026-03-01"), at("2026-04-01")
    assert [s.user_id for s in calculator.shifts(many, *march)] == [EVE]
    assert calculator.shifts(many, *march)[0].ends_at == calculator.shifts(one, *march)[0].ends_at
    assert len(calculator.by_layer(many, *march)) == 10
