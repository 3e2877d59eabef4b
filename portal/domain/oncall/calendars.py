"""How do shifts become an iCalendar, and what does somebody else's calendar say? (RFC 5545)

Nothing is ever fetched: text comes in, events come out.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any, cast
from zoneinfo import ZoneInfo

import recurring_ical_events
from icalendar import Calendar, Event, vDDDTypes, vRecur

from portal.domain.oncall.calculator import Shift
from portal.domain.oncall.local_time import to_utc
from portal.errors import Invalid

PRODUCT = "-//Tocsin//On-call//EN"
LARGEST = 256 * 1024  # characters
MOST_EVENTS = 500
MOST_FOUND = 200
PATIENCE_SECONDS = 3.0
# What a rotation needs. Rules that repeat within a day, or that may never match (30 February),
# could keep us busy for minutes.
ALLOWED: dict[str, set[str]] = {
    "DAILY": {"BYDAY", "BYMONTH"},
    "WEEKLY": {"BYDAY", "BYMONTH"},
    "MONTHLY": {"BYDAY", "BYMONTH", "BYMONTHDAY", "BYSETPOS"},
    "YEARLY": {"BYDAY", "BYMONTH", "BYMONTHDAY", "BYSETPOS"},
}
ALWAYS_ALLOWED = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST"}
MOST_LISTED = 50  # in one list of a rule; a month has 35 such as "2nd Monday"
EARLIEST = 1970  # to count days from the year 1 on takes seconds
UNREADABLE = "This is not a calendar we can read. Export it as iCalendar (.ics) and try again."


@dataclass(frozen=True)
class Found:
    """One event of somebody's calendar, in UTC. `emails` are its attendees and organizer."""

    summary: str
    emails: tuple[str, ...]
    starts_at: datetime
    ends_at: datetime


def feed(title: str, shifts: Iterable[tuple[str, str, Shift]], written_at: datetime) -> bytes:
    """A calendar of shifts, each with a name for its event and one that makes its UID unique."""
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", title)
    calendar.add("refresh-interval", timedelta(hours=1), parameters={"VALUE": "DURATION"})
    for summary, unique, shift in shifts:
        event = Event()
        start = shift.starts_at.astimezone(UTC)
        event.add("uid", f"{unique}-{shift.user_id}-{start:%Y%m%dT%H%M%SZ}@tocsin")
        event.add("dtstamp", written_at)
        event.add("dtstart", start)
        event.add("dtend", shift.ends_at.astimezone(UTC))
        event.add("summary", summary)
        event.add("transp", "TRANSPARENT")  # being on call does not make a person busy
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def read(text: str, zone: ZoneInfo, start: datetime, end: datetime) -> list[Found]:
    """The events within `[start, end)`, repetitions expanded, in order of time.

    Whole days and times without a zone are read in `zone`. Raises Invalid, in words, for what is
    no calendar, and for one that is too large or too intricate.
    """
    if len(text) > LARGEST:
        raise Invalid("This calendar is too large. Please export a shorter time.", "calendar")
    try:
        events = cast(list[Event], Calendar.from_ical(text).walk("VEVENT"))
    except Exception as problem:  # the parser lets out whatever a hostile line makes it meet
        raise Invalid(UNREADABLE, field="calendar") from problem
    if len(events) > MOST_EVENTS:
        raise Invalid(f"Please import at most {MOST_EVENTS} events at once.", field="calendar")
    series = defaultdict[str, list[Event]](list)
    for event in events:
        _refuse_intricate(event)
        series[str(event.get("uid", id(event)))].append(event)
    found = list(islice(_expanded(series, zone, start, end), MOST_FOUND + 1))
    if len(found) > MOST_FOUND:
        raise Invalid(f"Please import at most {MOST_FOUND} shifts at once.", field="calendar")
    return sorted(found, key=lambda one: (one.starts_at, one.ends_at, one.summary))


def _expanded(
    series: Mapping[str, list[Event]], zone: ZoneInfo, start: datetime, end: datetime
) -> Iterable[Found]:
    began = time.monotonic()
    for events in series.values():
        calendar = Calendar()
        for event in events:
            calendar.add_component(event)
        try:
            for one in recurring_ical_events.of(calendar).between(start, end):
                if one.get("status", "").upper() != "CANCELLED":
                    yield _found(cast(Event, one), zone)
        except Exception as problem:  # likewise, for dates and rules that make no sense
            raise Invalid(UNREADABLE, field="calendar") from problem
        if time.monotonic() - began > PATIENCE_SECONDS:
            raise Invalid("This calendar repeats in too intricate ways.", field="calendar")


def _found(event: Event, zone: ZoneInfo) -> Found:
    people = [*_listed(event.get("attendee")), *_listed(event.get("organizer"))]
    return Found(
        summary=" ".join(str(event.get("summary", "")).split())[:200],
        emails=tuple(str(person).lower().removeprefix("mailto:") for person in people),
        starts_at=_moment(event.start, zone),
        ends_at=_moment(event.end, zone),
    )


def _listed(value: Any) -> list[Any]:
    """The parser gives one value alone and several as a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _moment(value: datetime | date, zone: ZoneInfo) -> datetime:
    if not isinstance(value, datetime):
        return to_utc(datetime(value.year, value.month, value.day), zone)  # noqa: DTZ001
    return to_utc(value, zone) if value.tzinfo is None else value.astimezone(UTC)


def _refuse_intricate(event: Event) -> None:
    """Raises Invalid for repetitions that no shift needs and that would take long to expand."""
    for rule in _listed(event.get("rrule")):
        if not isinstance(rule, vRecur):  # marked as a date, for instance
            raise Invalid(UNREADABLE, field="calendar")
        frequency = str(_listed(rule.get("FREQ"))[0]) if rule.get("FREQ") else ""
        parts = {str(part).upper() for part, value in rule.items() if value}
        is_known = frequency in ALLOWED and parts <= ALWAYS_ALLOWED | ALLOWED[frequency]
        is_endless = 0 in _listed(rule.get("INTERVAL"))  # it would take all memory and never end
        if not is_known or is_endless or _is_ancient(event):
            raise Invalid(
                f"“{event.get('summary', 'An event')}” repeats in a way that no shift does. "
                "Please use daily, weekly, monthly or yearly repetition.",
                field="calendar",
            )
        if any(len(_listed(value)) > MOST_LISTED for value in rule.values()):
            raise Invalid(
                f"“{event.get('summary', 'An event')}” lists too many days for one repetition. "
                f"Please list at most {MOST_LISTED}, or enter several events.",
                field="calendar",
            )


def _is_ancient(event: Event) -> bool:
    starts = [one.dt for one in _listed(event.get("dtstart")) if isinstance(one, vDDDTypes)]
    return any(isinstance(start, date) and start.year < EARLIEST for start in starts)
