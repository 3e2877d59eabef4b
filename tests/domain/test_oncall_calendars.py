"""Are shifts written as calendars that others read, and are others' calendars read with care?"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Role
from portal.domain.oncall import calendars, imports
from portal.domain.oncall.calculator import Origin, Shift
from portal.domain.oncall.models import Schedule
from portal.errors import Invalid
from tests.make import make_account, make_schedule, make_user

BERLIN = ZoneInfo("Europe/Berlin")
START, END = datetime(2026, 6, 1, tzinfo=UTC), datetime(2027, 6, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def calendar(*events: str) -> str:
    """A calendar of events, each given as lines without its frame."""
    framed = [f"BEGIN:VEVENT\nUID:{n}\n{event}\nEND:VEVENT\n" for n, event in enumerate(events)]
    return f"BEGIN:VCALENDAR\nVERSION:2.0\n{''.join(framed)}END:VCALENDAR\n"


def read(text: str) -> list[calendars.Found]:
    return calendars.read(text, BERLIN, START, END)


def test_a_feed_is_a_calendar_that_others_read() -> None:
    shift = Shift(START, START + DAY, 7, Origin.LAYER, 0)
    named = [("Ada; on, call\nBEGIN:VEVENT", "3", shift)]
    (event,) = Calendar.from_ical(calendars.feed("Platform", named, START)).walk("VEVENT")
    assert (event["dtstart"].dt, event["dtend"].dt) == (START, START + DAY)
    assert str(event["summary"]) == "Ada; on, call\nBEGIN:VEVENT"
    assert event["uid"] == "3-7-20260601T000000Z@tocsin"


def test_repetitions_follow_the_wall_clock_and_leave_out_exceptions() -> None:
    weekly = (
        "DTSTART;TZID=Europe/Berlin:20261012T090000\nDURATION:PT8H\nSUMMARY:Ada\n"
        "RRULE:FREQ=WEEKLY;COUNT=4\nEXDATE;TZID=Europe/Berlin:20261019T090000"
    )
    starts = [one.starts_at for one in read(calendar(weekly))]
    assert [f"{start:%m-%d %H}" for start in starts] == ["10-12 07", "10-26 08", "11-02 08"]


@pytest.mark.parametrize(
    ("lines", "starts", "ends"),
    [
        # Whole days and floating times are read by the schedule's clock.
        ("DTSTART;VALUE=DATE:20260701", "2026-06-30T22", "2026-07-01T22"),
        ("DTSTART:20260701T090000\nDTEND:20260701T100000", "2026-07-01T07", "2026-07-01T08"),
        ("DTSTART:20260701T090000Z\nDURATION:P1D", "2026-07-01T09", "2026-07-02T09"),
    ],
)
def test_times_are_read_in_the_schedules_zone(lines: str, starts: str, ends: str) -> None:
    (found,) = read(calendar(lines))
    assert (f"{found.starts_at:%Y-%m-%dT%H}", f"{found.ends_at:%Y-%m-%dT%H}") == (starts, ends)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not a calendar"),
        ("hello", "not a calendar"),
        ("<html>sign in</html>", "not a calendar"),
        ("BEGIN:VCALENDAR\n", "not a calendar"),
        (calendar("SUMMARY:no start"), "not a calendar"),
        (calendar("DTSTART:2026"), "not a calendar"),
        (calendar("DTSTART:20260701T090000Z\nRRULE:FREQ=SECONDLY"), "in a way that no shift does"),
        (calendar("DTSTART:20260701T090000Z\nRRULE:FREQ=HOURLY"), "in a way that no shift does"),
        (
            calendar("DTSTART:20200101T000000Z\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"),
            "in a way that no shift does",
        ),
        (
            calendar("DTSTART:20260701T090000Z\nRRULE:FREQ=DAILY;INTERVAL=0"),
            "in a way that no shift does",
        ),
        (calendar("DTSTART:00010101T090000Z\nRRULE:FREQ=DAILY"), "in a way that no shift does"),
        (calendar("RRULE:FREQ=DAILY"), "not a calendar"),
        (
            calendar(
                "DTSTART:19700101T000000Z\nRRULE:FREQ=YEARLY;BYMONTHDAY=1;BYSETPOS="
                + ",".join(["1"] * 30_000)
            ),
            "lists too many days",
        ),
        (calendar("DTSTART:20260701T000000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY"), "at most 200"),
        (calendar(*["DTSTART:20200101T000000Z"] * 501), "at most 500"),
        ("x" * 300_000, "too large"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(Invalid, match=words) as refused:
        read(text)
    assert refused.value.field == "calendar"


NAMES = ["DTSTART", "DTEND", "DURATION", "RRULE", "EXDATE", "RDATE", "SUMMARY", "ATTENDEE", "UID"]
VALUES = ["20260701T090000Z", "20260701", "PT1H", "-P1W", "FREQ=WEEKLY;BYDAY=5MO", "FREQ=YEARLY"]
PARAMETERS = [
    "",
    ";VALUE=DATE",
    ";TZID=Mars/Olympus",
    ";TZID=Europe/Berlin",
    ";RANGE=THISANDFUTURE",
]
hostile_lines = st.tuples(
    st.sampled_from(NAMES), st.sampled_from(PARAMETERS), st.sampled_from(VALUES) | st.text()
).map(lambda parts: f"{parts[0]}{parts[1]}:{parts[2]}")


@settings(max_examples=400, deadline=None)
@given(st.lists(hostile_lines, max_size=6).map("\n".join).map(calendar) | st.text())
def test_nothing_that_is_pasted_breaks_us(text: str) -> None:
    try:
        found = read(text)
    except Invalid:
        return  # in words; anything else would be a fault
    assert all(one.starts_at <= one.ends_at for one in found)


def test_what_was_called_off_there_is_left_out() -> None:
    kept, off = (f"DTSTART:2026070{day}T090000Z\nDURATION:PT1H" for day in (1, 2))
    assert [one.starts_at.day for one in read(calendar(kept, f"{off}\nSTATUS:CANCELLED"))] == [1]


@pytest.fixture
def noon() -> Iterator[None]:
    with time_machine.travel(START, tick=False):
        yield


@pytest.fixture
def people(app: Flask, noon: None) -> tuple[Schedule, User, User, User]:
    """A schedule in UTC, with Uma who may enter anybody, Ann a responder, Stan a stakeholder."""
    with app.app_context():
        account = make_account()
        uma = make_user(account, role=Role.USER, name="Uma", email="uma@example.com")
        ann = make_user(account, name="Ann", email="ann@example.com")
        stan = make_user(account, role=Role.STAKEHOLDER, name="Stan")
        return make_schedule(ann), uma, ann, stan


def event(summary: str, more: str = "") -> str:
    return f"DTSTART:20260701T090000Z\nDURATION:PT1H\nSUMMARY:{summary}\n{more}"


@pytest.mark.parametrize(
    ("lines", "person", "problem"),
    [
        (event("Pager", "ATTENDEE;CN=x:MAILTO:Ann@Example.com"), "Ann", ""),
        (event("Ann on call"), "Ann", ""),
        (event("call uma@example.com first"), "Uma", ""),
        (event("A planning meeting"), None, "names nobody"),
        (event("Planning: Ann"), "Ann", ""),
        (event("Ann or Uma"), None, "names nobody"),
        (event("Stan"), "Stan", "Stan cannot be on call"),
        ("DTSTART:20260701T090000Z\nSUMMARY:Ann", "Ann", "end has to lie after the start"),
        ("DTSTART:20260701T090000Z\nDURATION:P800D\nSUMMARY:Ann", "Ann", "at most a year"),
    ],
)
def test_an_event_finds_its_person(
    app: Flask,
    people: tuple[Schedule, User, User, User],
    lines: str,
    person: str | None,
    problem: str,
) -> None:
    schedule, uma, _, _ = people
    with app.app_context():
        (one,) = imports.propose(schedule, calendar(lines), default_user_id=None, by=uma)
        assert (one.person.name if one.person else None) == person
        assert problem in one.problem
        assert bool(one.planned) == (not problem)


def test_events_that_name_nobody_are_for_the_default_person(
    app: Flask, people: tuple[Schedule, User, User, User]
) -> None:
    schedule, uma, ann, _ = people
    with app.app_context():
        text = calendar(event("Pager"))
        (one,) = imports.propose(schedule, text, default_user_id=ann.id, by=uma)
        assert one.planned is not None
        assert one.planned.user_id == ann.id
        (own,) = imports.propose(schedule, text, default_user_id=uma.id, by=ann)
        assert own.problem == "You may enter only yourself."


def test_of_a_running_event_the_rest_is_proposed(
    app: Flask, people: tuple[Schedule, User, User, User]
) -> None:
    schedule, uma, _, _ = people
    with app.app_context():
        running = "DTSTART:20260531T120000Z\nDURATION:P1D\nSUMMARY:Uma"
        (one,) = imports.propose(schedule, calendar(running), default_user_id=None, by=uma)
        assert one.planned is not None
        assert (one.planned.starts_at, one.planned.ends_at) == (START, START + 12 * HOUR)
