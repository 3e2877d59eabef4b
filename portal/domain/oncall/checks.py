"""Which schedules, layers and times make sense? Everything else is refused in words."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from portal.db import now
from portal.domain.accounts import queries as accounts
from portal.domain.accounts.models import User
from portal.domain.oncall.absences import can_be_on_call
from portal.domain.oncall.local_time import to_utc
from portal.domain.oncall.rules import Layer
from portal.errors import Invalid

LONGEST_NAME = 80
MOST_LAYERS = 10
MOST_PEOPLE = 50
MOST_RESTRICTIONS = 20
YEARS = range(2000, 2100)
PRESENT = timedelta(minutes=1)  # who types this minute means now
LONGEST = timedelta(days=366)
FURTHEST = timedelta(days=731)


def name(raw: str) -> str:
    """Raises Invalid unless it has 1 to 80 characters."""
    value = " ".join(raw.split())
    if not 0 < len(value) <= LONGEST_NAME:
        raise Invalid(f"Please give a name of 1 to {LONGEST_NAME} characters.", field="name")
    return value


def time_zone(raw: str) -> str:
    """Raises Invalid unless it is an IANA name that this machine knows."""
    if raw not in available_timezones():
        raise Invalid("Please choose a time zone, such as Europe/Berlin.", field="time_zone")
    return raw


def layers(found: Sequence[Layer], zone: str, by: User, kept: frozenset[int]) -> None:
    """Raises Invalid at `layer-<place>-<field>`. `kept` are people who may stay although absent."""
    if not 0 < len(found) <= MOST_LAYERS:
        raise Invalid(f"A schedule has 1 to {MOST_LAYERS} layers.", field="layers")
    people = {person.id: person for person in accounts.people_of(by)}
    for place, layer in enumerate(found):
        _layer(layer, ZoneInfo(zone), f"layer-{place}")
        for user_id in layer.people:
            person = people.get(user_id)
            if person is None or not (can_be_on_call(person) or user_id in kept):
                said = "They" if person is None else person.name
                raise Invalid(
                    f"{said} cannot be on call. Please choose somebody else.",
                    field=f"layer-{place}-people",
                )


def person_for_shift(user_id: int, by: User) -> User:
    """The person who is to be on call. Raises Invalid for stakeholders and deactivated people."""
    found = {person.id: person for person in accounts.people_of(by)}.get(user_id)
    if found is None:
        raise Invalid("Please choose a person of your account.", field="user_id")
    if not can_be_on_call(found):
        raise Invalid(f"{found.name} cannot be on call. Please choose somebody else.", "user_id")
    return found


def times(starts_at: datetime | None, ends_at: datetime) -> tuple[datetime, datetime]:
    """A shift's or override's time; no start means now. Raises Invalid when it lies in the past."""
    present = now()
    if starts_at is None or present - PRESENT < starts_at <= present:
        starts_at = present
    if starts_at < present:
        raise Invalid("The start lies in the past. Please choose now or later.", "starts_at")
    if ends_at <= starts_at:
        raise Invalid("The end has to lie after the start.", field="ends_at")
    if ends_at - starts_at > LONGEST:
        raise Invalid("Please choose a time of at most a year.", field="ends_at")
    if starts_at - present > FURTHEST:
        raise Invalid("Please choose a start within the next two years.", field="starts_at")
    return starts_at, ends_at


def _layer(layer: Layer, zone: ZoneInfo, where: str) -> None:
    if len(layer.name) > LONGEST_NAME:
        raise Invalid(f"Please use at most {LONGEST_NAME} characters.", field=f"{where}-name")
    if not layer.people:
        raise Invalid("Please add at least one person.", field=f"{where}-people")
    if len(layer.people) > MOST_PEOPLE:
        raise Invalid(f"A layer has at most {MOST_PEOPLE} people.", field=f"{where}-people")
    if layer.starts_on.year not in YEARS:
        raise Invalid("Please choose a year from 2000 to 2099.", field=f"{where}-starts_on")
    if len(layer.restrictions) > MOST_RESTRICTIONS:
        raise Invalid(
            f"A layer has at most {MOST_RESTRICTIONS} restrictions.", field=f"{where}-restrictions"
        )
    if layer.ends_on is None:
        return
    if layer.ends_on.year not in YEARS or (
        to_utc(layer.ends_on, zone) <= to_utc(layer.starts_on, zone)
    ):
        raise Invalid("The end has to lie after the start.", field=f"{where}-ends_on")
