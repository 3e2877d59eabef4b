"""How do rows become the calculator's rules?"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from portal.db import db
from portal.domain.accounts.models import User
from portal.domain.oncall import durations
from portal.domain.oncall.absences import can_be_on_call
from portal.domain.oncall.models import (
    Absence,
    Override,
    RotationLayer,
    Schedule,
    ScheduleVersion,
    StaticShift,
)
from portal.domain.oncall.rules import Entry, Layer, Restriction, ScheduleRules, Span, Version

ALWAYS = datetime.min.replace(tzinfo=UTC)


def rules_of(
    schedules: Iterable[Schedule], start: datetime, end: datetime
) -> dict[int, ScheduleRules]:
    """What the schedules say about `[start, end)`, by schedule id: six queries, however many."""
    by_id = {schedule.id: schedule for schedule in schedules}
    versions = _versions(list(by_id))
    shifts = _entries(_shifts(list(by_id), start, end))
    overrides = _entries(_overrides(list(by_id), start, end))
    away = _absences(versions, shifts, overrides)
    return {
        id: ScheduleRules(
            zone=ZoneInfo(schedule.time_zone),
            versions=tuple(versions[id]),
            shifts=tuple(shifts[id]),
            overrides=tuple(overrides[id]),
            absences=away,
        )
        for id, schedule in by_id.items()
    }


def layer_of(row: RotationLayer) -> Layer:
    return Layer(
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        rotation=durations.parse(row.rotation),
        people=tuple(row.user_ids),
        restrictions=tuple(restriction_of(kept) for kept in row.restrictions),
        name=row.name,
    )


def restriction_of(kept: dict[str, Any]) -> Restriction:
    return Restriction(
        starts=time.fromisoformat(kept["starts"]),
        ends=time.fromisoformat(kept["ends"]),
        start_day=kept["start_day"],
        end_day=kept["end_day"],
    )


def kept_restriction(restriction: Restriction) -> dict[str, Any]:
    """As the column keeps it; `restriction_of` reads it again."""
    return {
        "starts": restriction.starts.isoformat("minutes"),
        "ends": restriction.ends.isoformat("minutes"),
        "start_day": restriction.start_day,
        "end_day": restriction.end_day,
    }


def _versions(ids: list[int]) -> dict[int, list[Version]]:
    wanted = (
        select(ScheduleVersion)
        .where(ScheduleVersion.schedule_id.in_(ids))
        .order_by(ScheduleVersion.valid_from)
        .options(selectinload(ScheduleVersion.layers))
    )
    found = defaultdict[int, list[Version]](list)
    for row in db.session.scalars(wanted):
        version = Version(row.valid_from, tuple(layer_of(layer) for layer in row.layers))
        found[row.schedule_id].append(version)
    return found


def _shifts(ids: list[int], start: datetime, end: datetime) -> Iterable[StaticShift]:
    return db.session.scalars(
        select(StaticShift)
        .where(StaticShift.schedule_id.in_(ids))
        .where(StaticShift.starts_at < end, StaticShift.ends_at > start)
        .order_by(StaticShift.starts_at)
    )


def _overrides(ids: list[int], start: datetime, end: datetime) -> Iterable[Override]:
    return db.session.scalars(
        select(Override)
        .where(Override.schedule_id.in_(ids))
        .where(Override.starts_at < end, Override.ends_at > start)
        .order_by(Override.id)
    )


def _entries(rows: Iterable[StaticShift] | Iterable[Override]) -> dict[int, list[Entry]]:
    found = defaultdict[int, list[Entry]](list)
    for row in rows:
        found[row.schedule_id].append(Entry(row.id, row.user_id, row.starts_at, row.ends_at))
    return found


def _absences(
    versions: dict[int, list[Version]], *entries: dict[int, list[Entry]]
) -> dict[int, tuple[Span, ...]]:
    """When the people named were absent; who is absent without a record always was."""
    people = {
        person
        for many in versions.values()
        for version in many
        for layer in version.layers
        for person in layer.people
    } | {entry.user_id for kind in entries for many in kind.values() for entry in many}
    away = defaultdict[int, list[Span]](list)
    recorded = select(Absence).where(Absence.user_id.in_(people)).order_by(Absence.starts_at)
    for row in db.session.scalars(recorded):
        away[row.user_id].append(Span(row.starts_at, row.ends_at))
    for person in db.session.scalars(select(User).where(User.id.in_(people))):
        is_open = any(span.ends_at is None for span in away[person.id])
        if not is_open and not can_be_on_call(person):
            away[person.id].append(Span(person.deactivated_at or ALWAYS, None))
    return {person: tuple(spans) for person, spans in away.items() if spans}
