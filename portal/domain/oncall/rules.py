"""What does a schedule say? Plain data: no database, no clock (product.md section 8.2)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from zoneinfo import ZoneInfo

from portal.domain.oncall.durations import Rotation


@dataclass(frozen=True)
class Restriction:
    """A time of every day or, with both weekdays (Monday is 0), of every week.

    It may cross midnight or the week's end. Where both edges are equal it is the whole day or week.
    """

    starts: time
    ends: time
    start_day: int | None = None
    end_day: int | None = None


@dataclass(frozen=True)
class Layer:
    """People who take turns from `starts_on`, which is also the hand-off time.

    `starts_on` and `ends_on` are naive, by the schedule's wall clock.
    """

    starts_on: datetime
    rotation: Rotation
    people: tuple[int, ...]
    ends_on: datetime | None = None
    restrictions: tuple[Restriction, ...] = ()
    name: str = ""


@dataclass(frozen=True)
class Version:
    """The layers that hold from a moment on, until the next version begins."""

    valid_from: datetime
    layers: tuple[Layer, ...]


@dataclass(frozen=True)
class Entry:
    """A static shift or an override: one person in `[starts_at, ends_at)`."""

    id: int
    user_id: int
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class Span:
    """A time without a person. No end: it lasts."""

    starts_at: datetime
    ends_at: datetime | None


@dataclass(frozen=True)
class ScheduleRules:
    """All that decides who is on call. Versions in time order, overrides in order of creation."""

    zone: ZoneInfo
    versions: tuple[Version, ...] = ()
    shifts: tuple[Entry, ...] = ()
    overrides: tuple[Entry, ...] = ()
    absences: Mapping[int, tuple[Span, ...]] = field(default_factory=dict)
