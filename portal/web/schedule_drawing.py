"""How does a calendar look? One band per week, one lane per layer, widths in per cent.

Pure: shifts in, places of bars out. Per cent, so that a phone shows the same drawing, only narrower.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from portal.domain.oncall import calculator
from portal.domain.oncall.calculator import Origin, Shift
from portal.domain.oncall.local_time import to_local, to_utc
from portal.domain.oncall.rules import ScheduleRules

WEEK = timedelta(weeks=1)
COLOURS = 8


@dataclass(frozen=True)
class Bar:
    """A shift, or a gap, in per cent of its band. `kind` is the class that colours it."""

    x: float
    width: float
    label: str
    words: str  # the same as a sentence, with its times
    kind: str


@dataclass(frozen=True)
class Lane:
    name: str
    bars: list[Bar]
    is_result: bool = False


@dataclass(frozen=True)
class Day:
    x: float
    width: float
    label: str
    number: str
    date: date
    hours: float  # 24, except where clocks change
    is_today: bool
    is_weekend: bool


@dataclass(frozen=True)
class Band:
    """One week from Monday, as the zone's clocks show it: 167 or 169 hours where they change."""

    days: list[Day]
    lanes: list[Lane]
    now: float | None  # where the present moment is, in per cent


@dataclass(frozen=True)
class Names:
    """How people are called, and in which order they get their colours."""

    by_id: dict[int, str]

    def of(self, user_id: int) -> str:
        return self.by_id.get(user_id, "somebody")

    def colour(self, user_id: int) -> str:
        place = list(self.by_id).index(user_id) if user_id in self.by_id else 0
        return f"who-{place % COLOURS}"


def monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def midnight(day: date, zone: ZoneInfo) -> datetime:
    return to_utc(datetime(day.year, day.month, day.day), zone)  # noqa: DTZ001


def bands(
    rules: ScheduleRules,
    names: Names,
    first: date,
    weeks: int,
    zone: ZoneInfo,
    present: datetime,
    since: datetime | None = None,
) -> list[Band]:
    """The weeks from the Monday `first` on, drawn in `zone`; no gap is drawn before `since`."""
    frames = [
        _Frame(
            midnight(first + number * WEEK, zone),
            midnight(first + (number + 1) * WEEK, zone),
            zone,
            names,
            since,
        )
        for number in range(weeks)
    ]
    return [_band(rules, frame, present) for frame in frames]


def words(moment: datetime, zone: ZoneInfo, present: datetime | None = None) -> str:
    """`Mon 24 Nov, 09:00`, by the zone's clocks; with the year where it is not the present one."""
    local = to_local(moment, zone)
    is_other_year = present is not None and to_local(present, zone).year != local.year
    return f"{local:%a %-d %b %Y, %H:%M}" if is_other_year else f"{local:%a %-d %b, %H:%M}"


def _band(rules: ScheduleRules, frame: "_Frame", present: datetime) -> Band:
    result = calculator.shifts(rules, frame.start, frame.end)
    lanes = [
        Lane(_layer_name(rules, place, frame.end), frame.bars(found))
        for place, found in enumerate(calculator.by_layer(rules, frame.start, frame.end))
    ]
    for name, origin in (("Shifts", Origin.STATIC), ("Overrides", Origin.OVERRIDE)):
        own = [shift for shift in result if shift.origin is origin]
        if own:
            lanes.append(Lane(name, frame.bars(own)))
    final = sorted([*frame.bars(result), *frame.gaps(result)], key=lambda bar: bar.x)
    lanes.append(Lane("On call", final, is_result=True))
    first = to_local(frame.start, frame.zone).date()
    days = [frame.day(first + timedelta(days=number), present) for number in range(7)]
    is_now = frame.start <= present < frame.end
    return Band(days, lanes, frame.place(present) if is_now else None)


def _layer_name(rules: ScheduleRules, place: int, end: datetime) -> str:
    layers = calculator.version_at(rules, end)
    name = layers[place].name if place < len(layers) else ""
    return name or f"Layer {place + 1}"


@dataclass(frozen=True)
class _Frame:
    start: datetime
    end: datetime
    zone: ZoneInfo
    names: Names
    since: datetime | None  # what was before is not said to be a gap

    def place(self, moment: datetime) -> float:
        return round(100 * ((moment - self.start) / (self.end - self.start)), 3)

    def bars(self, shifts: Iterable[Shift]) -> list[Bar]:
        return [self._shift(shift) for shift in shifts]

    def gaps(self, shifts: Iterable[Shift]) -> list[Bar]:
        """Where no shift is; that of an absent person is drawn as such."""
        since = max(self.start, self.since or self.start)
        return [
            self._bar(gap.starts_at, gap.ends_at or self.end, "nobody", "Nobody", "gap")
            for gap in calculator.uncovered(shifts, since, self.end)
        ]

    def day(self, day: date, present: datetime) -> Day:
        since, until = midnight(day, self.zone), midnight(day + timedelta(days=1), self.zone)
        return Day(
            x=self.place(since),
            width=self.place(until) - self.place(since),
            label=f"{day:%a}",
            date=day,
            hours=(until - since) / timedelta(hours=1),
            number=f"{day:%-d %b}" if day.day == 1 else f"{day:%-d}",
            is_today=to_local(present, self.zone).date() == day,
            is_weekend=day.weekday() >= 5,
        )

    def _shift(self, shift: Shift) -> Bar:
        name = self.names.of(shift.user_id)
        if shift.is_absent:
            said = f"Nobody, because {name} cannot be on call"
            return self._bar(shift.starts_at, shift.ends_at, name, said, "absent")
        colour = self.names.colour(shift.user_id)
        return self._bar(shift.starts_at, shift.ends_at, name, name, colour)

    def _bar(self, since: datetime, until: datetime, label: str, said: str, kind: str) -> Bar:
        x = self.place(since)
        times = f"{words(since, self.zone)} – {words(until, self.zone)}"
        return Bar(x, round(self.place(until) - x, 3), label, f"{said}: {times}", kind)
