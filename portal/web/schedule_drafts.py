"""What did somebody type into the editor of a schedule? Kept as typed, then read.

Field names: `name`, and per layer `layer-0-every`. People and restrictions are repeated fields.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import TypeVar

from werkzeug.datastructures import MultiDict

from portal.domain.oncall.durations import Rotation
from portal.domain.oncall.rules import Layer, Restriction
from portal.errors import Invalid

Item = TypeVar("Item")
UNITS = {"hours": 17520, "days": 730, "weeks": 104, "months": 24, "minutes": 9999}  # up to
WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
ROW_NUMBER = re.compile(r"[0-9]{1,18}")
MOST = 60  # of anything in a form; more is not typed by a person
A_TIME = "Please give a date and a time."


@dataclass
class LimitDraft:
    """A restriction to a time of the day (no weekdays) or of the week."""

    start_day: str = ""
    start: str = "09:00"
    end_day: str = ""
    end: str = "17:00"


@dataclass
class LayerDraft:
    starts_on: str
    name: str = ""
    ends_on: str = ""
    every: str = "1"
    unit: str = "weeks"
    people: list[str] = field(default_factory=lambda: [""])
    limits: list[LimitDraft] = field(default_factory=list)


@dataclass
class Draft:
    """The whole form. `errors` holds a sentence per field name."""

    name: str = ""
    time_zone: str = "UTC"
    shows_gaps: bool = True
    valid_from: str = ""  # empty: from now
    layers: list[LayerDraft] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)

    def read(self) -> list[Layer]:
        """The layers; what cannot be read stands in `errors` afterwards."""
        return [self._layer(place, layer) for place, layer in enumerate(self.layers)]

    def refuse(self, problem: Invalid) -> None:
        self.errors.setdefault(problem.field or "", str(problem))

    def moment(self, raw: str, where: str) -> datetime | None:
        """A date and time by the wall clock; None for nothing, and with an error for nonsense."""
        try:
            return read_time(raw, where)
        except Invalid as problem:
            self.refuse(problem)
            return None

    def _layer(self, place: int, draft: LayerDraft) -> Layer:
        where = f"layer-{place}"
        starts_on = self.moment(draft.starts_on, f"{where}-starts_on")
        if starts_on is None:
            self.errors.setdefault(f"{where}-starts_on", A_TIME)
        return Layer(
            starts_on=starts_on or datetime(2000, 1, 1),  # noqa: DTZ001 - the wall clock
            ends_on=self.moment(draft.ends_on, f"{where}-ends_on"),
            rotation=self._rotation(draft, f"{where}-every"),
            people=tuple(int(one) for one in draft.people if ROW_NUMBER.fullmatch(one)),
            restrictions=tuple(self._limit(one, f"{where}-restrictions") for one in draft.limits),
            name=" ".join(draft.name.split()),
        )

    def _rotation(self, draft: LayerDraft, where: str) -> Rotation:
        number = int(draft.every) if re.fullmatch(r"[0-9]{1,5}", draft.every.strip()) else 0
        least = 60 if draft.unit == "minutes" else 1
        if not least <= number <= UNITS.get(draft.unit, 0):
            self.errors.setdefault(
                where,
                "Please give a whole number, from one hour up to two years.",
            )
            return Rotation(days=1)
        if draft.unit == "months":
            return Rotation(months=number)
        if draft.unit in ("hours", "minutes"):
            return Rotation(minutes=number * (60 if draft.unit == "hours" else 1))
        return Rotation(days=number * (7 if draft.unit == "weeks" else 1))

    def _limit(self, draft: LimitDraft, where: str) -> Restriction:
        days = [draft.start_day, draft.end_day]
        try:
            starts, ends = time.fromisoformat(draft.start), time.fromisoformat(draft.end)
            if starts.tzinfo or ends.tzinfo:
                raise ValueError("a time with a zone")
        except ValueError:
            self.errors.setdefault(where, "Please give both times, such as 09:00 and 17:00.")
            return Restriction(time(0), time(0))
        if days == ["", ""]:
            return Restriction(starts, ends)
        if not all(day in ("0", "1", "2", "3", "4", "5", "6") for day in days):
            self.errors.setdefault(where, "Please choose two weekdays, or twice “every day”.")
            return Restriction(time(0), time(0))
        return Restriction(starts, ends, int(days[0]), int(days[1]))


def read_time(raw: str, where: str) -> datetime | None:
    """A naive date and time as browsers send it; None when empty. Raises Invalid at `where`."""
    if not raw.strip():
        return None
    try:
        found = datetime.fromisoformat(raw.strip())
    except ValueError:
        raise Invalid(A_TIME, field=where) from None
    if found.tzinfo is not None or found.year not in range(2000, 2100):
        raise Invalid("Please give a date from 2000 to 2099 and a time.", field=where)
    return found


def from_form(form: MultiDict[str, str]) -> Draft:
    """As typed. What is missing is empty, so that a sentence can say so."""
    count = form.get("layers", "0")
    number = min(int(count), MOST) if re.fullmatch(r"[0-9]{1,3}", count) else 0
    return Draft(
        name=form.get("name", ""),
        time_zone=form.get("time_zone", ""),
        shows_gaps=bool(form.get("shows_gaps")),
        valid_from=form.get("valid_from", ""),
        layers=[_layer_from(form, f"layer-{place}") for place in range(number)],
    )


def of_layers(layers: Sequence[Layer]) -> list[LayerDraft]:
    """What the editor shows of layers that are kept."""
    return [_draft_of(layer) for layer in layers]


def reshape(draft: Draft, do: str, new_layer: LayerDraft) -> None:
    """Do what a button of the editor says, such as `layer-0-person-1-up`. Others change nothing."""
    if do == "layer-add":
        draft.layers.append(new_layer)
        return
    found = re.fullmatch(r"layer-(\d{1,2})(?:-(person|limit)(?:-(\d{1,2}))?)?-(\w+)", do)
    if found is None or int(found[1]) >= len(draft.layers):
        return
    place, kind, item, deed = int(found[1]), found[2], found[3], found[4]
    layer = draft.layers[place]
    if kind is None:
        _move(draft.layers, place, deed)
    elif deed == "add":
        layer.people.append("") if kind == "person" else layer.limits.append(LimitDraft())
    elif item is not None and kind == "person":
        _move(layer.people, int(item), deed)
    elif item is not None:
        _move(layer.limits, int(item), deed)


def _move(items: list[Item], place: int, deed: str) -> None:
    if place >= len(items):
        return
    if deed == "remove":
        del items[place]
        return
    other = place + {"up": -1, "down": 1}.get(deed, 0)
    if 0 <= other < len(items):
        items[place], items[other] = items[other], items[place]


def _layer_from(form: MultiDict[str, str], where: str) -> LayerDraft:
    def one(name: str) -> str:
        return form.get(f"{where}-{name}", "")

    def many(name: str) -> list[str]:
        return form.getlist(f"{where}-{name}")[:MOST]

    limits = zip(many("start_day"), many("start"), many("end_day"), many("end"), strict=False)
    return LayerDraft(
        starts_on=one("starts_on"),
        name=one("name"),
        ends_on=one("ends_on"),
        every=one("every"),
        unit=one("unit"),
        people=many("person"),
        limits=[LimitDraft(*limit) for limit in limits],
    )


def _draft_of(layer: Layer) -> LayerDraft:
    length = layer.rotation
    every, unit = length.months, "months"
    if length.minutes:
        whole = length.minutes % 60 == 0
        every, unit = (length.minutes // 60, "hours") if whole else (length.minutes, "minutes")
    elif length.days:
        whole = length.days % 7 == 0
        every, unit = (length.days // 7, "weeks") if whole else (length.days, "days")
    return LayerDraft(
        starts_on=layer.starts_on.isoformat("T", "minutes"),
        name=layer.name,
        ends_on=layer.ends_on.isoformat("T", "minutes") if layer.ends_on else "",
        every=str(every),
        unit=unit,
        people=[str(person) for person in layer.people],
        limits=[
            LimitDraft(
                "" if one.start_day is None else str(one.start_day),
                one.starts.isoformat("minutes"),
                "" if one.end_day is None else str(one.end_day),
                one.ends.isoformat("minutes"),
            )
            for one in layer.restrictions
        ],
    )
