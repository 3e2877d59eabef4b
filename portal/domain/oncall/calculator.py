"""Who is on call? Pure functions of (rules, moment), as product.md section 8.2 says.

An override comes first (of several the last created), then a static shift, then the lowest layer
of the version that held at that moment. All ranges are half-open, all moments aware.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from portal.domain.oncall import layers
from portal.domain.oncall.rules import Entry, Layer, ScheduleRules, Span

LOOK_AHEAD = timedelta(days=31)  # most changes are near: do not compute a year for them


class Origin(StrEnum):
    OVERRIDE = "override"
    STATIC = "static"
    LAYER = "layer"


@dataclass(frozen=True, slots=True)
class Shift:
    """One person in `[starts_at, ends_at)`, and why. `is_absent`: their turn, but nobody answers.

    `origin_id` is the id of the override or static shift, or the layer's place in the list from 0.
    """

    starts_at: datetime
    ends_at: datetime
    user_id: int
    origin: Origin
    origin_id: int
    is_absent: bool = False


def on_call(rules: ScheduleRules, moment: datetime) -> int | None:
    """The one person on call at the moment; None in a gap, and where the person is absent."""
    user_id = _turn_of(rules, moment)
    if user_id is None or _is_absent(rules.absences.get(user_id, ()), moment):
        return None
    return user_id


def shifts(rules: ScheduleRules, start: datetime, end: datetime) -> list[Shift]:
    """The final result within `[start, end)`: in order, not overlapping, cut to the range.

    One person's neighbouring turns for the same reason are one shift. What no shift covers is a
    gap; a shift of an absent person counts as one and stands here so that it can be explained.
    """
    found = list[Shift]()
    for entry in reversed(rules.overrides):  # they may overlap one another: one by one
        found = _under(found, [_entered(entry, Origin.OVERRIDE)])
    found = _under(found, [_entered(entry, Origin.STATIC) for entry in rules.shifts])
    for since, until, version in _held(rules, start, end):
        for place in reversed(range(len(version))):
            if not uncovered(_cut(found, since, until), since, until):
                break  # nothing of the layers above can be seen
            found = _under(found, _turns(rules, version, place, since, until))
    return list(_joined(_cut(_without_absent(rules, found), start, end)))


def by_layer(rules: ScheduleRules, start: datetime, end: datetime) -> list[list[Shift]]:
    """What each layer alone says within `[start, end)`, in the order of the list."""
    lanes: list[list[Shift]] = []
    for since, until, version in _held(rules, start, end):
        lanes += [[] for _ in range(len(version) - len(lanes))]
        for place in range(len(version)):
            lanes[place] += _turns(rules, version, place, since, until)
    return [list(_joined(_without_absent(rules, lane))) for lane in lanes]


def version_at(rules: ScheduleRules, moment: datetime) -> tuple[Layer, ...]:
    """The layers that hold at the moment; none before the first version."""
    place = bisect_right(rules.versions, moment, key=lambda version: version.valid_from)
    return rules.versions[place - 1].layers if place else ()


def gaps(found: Iterable[Shift], start: datetime, end: datetime) -> list[Span]:
    """When nobody is on call within `[start, end)`, given `shifts` of that range."""
    return uncovered([shift for shift in found if not shift.is_absent], start, end)


def uncovered(found: Iterable[Shift], start: datetime, end: datetime) -> list[Span]:
    """Where no shift is, not even one of an absent person."""
    result, since = list[Span](), start
    for shift in found:
        if since < shift.starts_at:
            result.append(Span(since, shift.starts_at))
        since = max(since, shift.ends_at)
    return [*result, Span(since, end)] if since < end else result


def next_change(
    rules: ScheduleRules, moment: datetime, end: datetime
) -> tuple[datetime, int | None] | None:
    """When another person, or nobody, is on call for the first time before `end`, and who."""
    present = on_call(rules, moment)
    while moment < end:
        until = min(end, moment + LOOK_AHEAD)
        since = moment
        for shift in shifts(rules, moment, until):
            user_id = None if shift.is_absent else shift.user_id
            if since < shift.starts_at and present is not None:
                return since, None
            if user_id != present:
                return shift.starts_at, user_id
            since = shift.ends_at
        if since < until and present is not None:
            return since, None
        moment = until
    return None


def _entered(entry: Entry, origin: Origin) -> Shift:
    return Shift(entry.starts_at, entry.ends_at, entry.user_id, origin, entry.id)


def _turn_of(rules: ScheduleRules, moment: datetime) -> int | None:
    for entry in (*reversed(rules.overrides), *rules.shifts):
        if entry.starts_at <= moment < entry.ends_at:
            return entry.user_id
    for layer in reversed(version_at(rules, moment)):
        user_id = layers.person_at(layer, rules.zone, moment)
        if user_id is not None:
            return user_id
    return None


def _held(
    rules: ScheduleRules, start: datetime, end: datetime
) -> Iterator[tuple[datetime, datetime, tuple[Layer, ...]]]:
    """From when until when, within `[start, end)`, which layers hold."""
    ends = [*(version.valid_from for version in rules.versions[1:]), end]
    for version, next_from in zip(rules.versions, ends, strict=False):
        since, until = max(start, version.valid_from), min(end, next_from)
        if since < until:
            yield since, until, version.layers


def _turns(
    rules: ScheduleRules, version: tuple[Layer, ...], place: int, start: datetime, end: datetime
) -> list[Shift]:
    turns = layers.shifts(version[place], rules.zone, start, end)
    return [Shift(*turn, Origin.LAYER, place) for turn in turns]


def _under(top: list[Shift], below: list[Shift]) -> list[Shift]:
    """Both lists in order and without overlaps, `top` whole and `below` in its gaps."""
    result, place = list[Shift](), 0
    for shift in below:
        since = shift.starts_at
        while place < len(top) and top[place].ends_at <= since:
            result.append(top[place])
            place += 1
        while place < len(top) and top[place].starts_at < shift.ends_at:
            if since < top[place].starts_at:
                result.append(replace(shift, starts_at=since, ends_at=top[place].starts_at))
            since = top[place].ends_at
            if since > shift.ends_at:
                break  # the next of `below` may lie under it too
            result.append(top[place])
            place += 1
        if since < shift.ends_at:
            result.append(replace(shift, starts_at=since))
    return result + top[place:]


def _cut(found: Iterable[Shift], start: datetime, end: datetime) -> Iterator[Shift]:
    for shift in found:
        if start <= shift.starts_at and shift.ends_at <= end:
            yield shift
        elif shift.starts_at < end and shift.ends_at > start:
            since, until = max(start, shift.starts_at), min(end, shift.ends_at)
            yield replace(shift, starts_at=since, ends_at=until)


def _without_absent(rules: ScheduleRules, found: Iterable[Shift]) -> Iterator[Shift]:
    """Split shifts where their person's absence begins or ends, and mark the absent parts."""
    for shift in found:
        spans = rules.absences.get(shift.user_id, ())
        if not spans:
            yield shift
            continue
        edges = {edge for span in spans for edge in (span.starts_at, span.ends_at) if edge}
        inside = sorted(edge for edge in edges if shift.starts_at < edge < shift.ends_at)
        starts = [shift.starts_at, *inside]
        for since, until in zip(starts, [*inside, shift.ends_at], strict=True):
            is_absent = _is_absent(spans, since)
            yield replace(shift, starts_at=since, ends_at=until, is_absent=is_absent)


def _is_absent(spans: Iterable[Span], moment: datetime) -> bool:
    return any(
        span.starts_at <= moment and (span.ends_at is None or moment < span.ends_at)
        for span in spans
    )


def _joined(found: Iterable[Shift]) -> Iterator[Shift]:
    before: Shift | None = None
    for shift in found:
        if before is not None and before.ends_at == shift.starts_at and _is_same(before, shift):
            before = replace(before, ends_at=shift.ends_at)
            continue
        if before is not None:
            yield before
        before = shift
    if before is not None:
        yield before


def _is_same(one: Shift, other: Shift) -> bool:
    """The same person for the same reason, whenever that is."""
    return (one.user_id, one.origin, one.origin_id, one.is_absent) == (
        other.user_id,
        other.origin,
        other.origin_id,
        other.is_absent,
    )
