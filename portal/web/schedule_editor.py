"""How are schedules made and changed? With a preview of the next four weeks before saving."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.db import db, now
from portal.domain.accounts import queries as accounts
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Permission
from portal.domain.oncall import calculator, checks, operations, queries
from portal.domain.oncall.absences import can_be_on_call
from portal.domain.oncall.local_time import to_local, to_utc
from portal.domain.oncall.models import Schedule, ScheduleType
from portal.domain.oncall.rules import Layer, ScheduleRules, Span, Version
from portal.errors import Conflict, Invalid
from portal.web import schedule_drafts, schedule_drawing
from portal.web.access import requires, viewer
from portal.web.render import fragment, page
from portal.web.schedule_drafts import Draft, LayerDraft

bp = Blueprint("schedule_editor", __name__, url_prefix="/schedules")

PREVIEW = timedelta(weeks=4)


@bp.get("/new")
@requires(Permission.MANAGE_SCHEDULES)
def new() -> ResponseReturnValue:
    draft = Draft(time_zone=viewer().time_zone)
    draft.layers = [_new_layer(draft)]
    return _page(draft, None)


@bp.post("/new")
@requires(Permission.MANAGE_SCHEDULES)
def create() -> ResponseReturnValue:
    draft, type = schedule_drafts.from_form(request.form), _type()
    if "do" in request.form:
        schedule_drafts.reshape(draft, request.form["do"], _new_layer(draft))
        return _page(draft, None)
    layers = draft.read() if type is ScheduleType.RECURRING else []
    if draft.errors or _asks_about_gaps(draft, layers, type):
        return _page(draft, None, 422)
    try:
        schedule = operations.create(
            by=viewer(),
            name=draft.name,
            type=type,
            time_zone=draft.time_zone,
            layers=layers,
            shows_gaps=draft.shows_gaps,
        )
    except (Invalid, Conflict) as problem:
        return _unfit(draft, problem, None)
    return redirect(url_for("schedules.show", schedule_id=schedule.id), 303)


@bp.get("/<int:schedule_id>/edit")
@requires(Permission.MANAGE_SCHEDULES)
def edit(schedule_id: int) -> ResponseReturnValue:
    schedule = queries.schedule(viewer(), schedule_id)
    layers = queries.newest_layers(schedule.id)
    draft = Draft(
        name=schedule.name,
        time_zone=schedule.time_zone,
        shows_gaps=schedule.shows_gaps,
        layers=schedule_drafts.of_layers(layers),
    )
    return _page(draft, schedule)


@bp.post("/<int:schedule_id>/edit")
@requires(Permission.MANAGE_SCHEDULES)
def change(schedule_id: int) -> ResponseReturnValue:
    schedule = queries.schedule(viewer(), schedule_id)
    draft = replace(schedule_drafts.from_form(request.form), time_zone=schedule.time_zone)
    if "do" in request.form:
        schedule_drafts.reshape(draft, request.form["do"], _new_layer(draft))
        return _page(draft, schedule)
    layers = draft.read() if schedule.type is ScheduleType.RECURRING else []
    valid_from = draft.moment(draft.valid_from, "valid_from")
    if draft.errors or _asks_about_gaps(draft, layers, schedule.type):
        return _page(draft, schedule, 422)
    try:
        operations.change(
            schedule_id,
            by=viewer(),
            name=draft.name,
            shows_gaps=draft.shows_gaps,
            layers=layers,
            valid_from=to_utc(valid_from, ZoneInfo(schedule.time_zone)) if valid_from else None,
        )
    except (Invalid, Conflict) as problem:
        return _unfit(draft, problem, schedule_id)
    flash("The schedule is changed. Past shifts stay as they were.")
    return redirect(url_for("schedules.show", schedule_id=schedule_id), 303)


@bp.post("/<int:schedule_id>/delete")
@requires(Permission.MANAGE_SCHEDULES)
def delete(schedule_id: int) -> ResponseReturnValue:
    name = queries.schedule(viewer(), schedule_id).name
    try:
        operations.delete(schedule_id, by=viewer())
    except Conflict as problem:
        db.session.rollback()
        flash(str(problem), "warning")
        return redirect(url_for("schedules.show", schedule_id=schedule_id), 303)
    flash(f"{name} is deleted.")
    return redirect(url_for("schedules.index"), 303)


@bp.post("/editor")
@requires(Permission.MANAGE_SCHEDULES)
def reshape() -> ResponseReturnValue:
    """The editor's layers after one of its buttons; nothing is stored."""
    draft = schedule_drafts.from_form(request.form)
    schedule_drafts.reshape(draft, request.form.get("do", ""), _new_layer(draft))
    return fragment("schedules/_layers.html", draft=draft, **_choices(draft))


@bp.post("/preview")
@requires(Permission.MANAGE_SCHEDULES)
def preview() -> ResponseReturnValue:
    """The next four weeks as they would be; nothing is stored."""
    draft = schedule_drafts.from_form(request.form)
    return fragment("schedules/_preview.html", **_preview(draft))


def _preview(draft: Draft) -> dict[str, Any]:
    """What the preview shows: bands and gaps, or why there is nothing to see yet."""
    draft = replace(draft, errors={})
    layers, valid_from = draft.read(), draft.moment(draft.valid_from, "valid_from")
    try:
        zone = ZoneInfo(checks.time_zone(draft.time_zone))
        checks.layers(layers, zone.key, viewer(), frozenset(_all_people(layers)))
    except Invalid as problem:
        draft.refuse(problem)
    if draft.errors:
        return {"bands": [], "gaps": [], "problems": sorted(set(draft.errors.values()))}
    start = max(now(), to_utc(valid_from, zone)) if valid_from else now()
    rules = ScheduleRules(zone, (Version(start, tuple(layers)),))
    first = schedule_drawing.monday(to_local(start, zone).date())
    names = schedule_drawing.Names({person.id: person.name for person in _people()})
    return {
        "bands": schedule_drawing.bands(rules, names, first, 5, zone, now(), start),
        "gaps": _gaps(rules, start),
        "problems": [],
        "zone": zone,
        "words": schedule_drawing.words,
    }


def _gaps(rules: ScheduleRules, start: datetime) -> list[Span]:
    end = start + PREVIEW
    return calculator.gaps(calculator.shifts(rules, start, end), start, end)


def _asks_about_gaps(draft: Draft, layers: list[Layer], type: ScheduleType) -> bool:
    """Whether a gap in the next four weeks has to be confirmed first (product.md section 8.2)."""
    if type is ScheduleType.STATIC or not draft.shows_gaps or request.form.get("accepts_gaps"):
        return False
    return bool(_preview(draft)["gaps"])


def _type() -> ScheduleType:
    is_static = request.values.get("type") == ScheduleType.STATIC
    return ScheduleType.STATIC if is_static else ScheduleType.RECURRING


def _new_layer(draft: Draft) -> LayerDraft:
    """Starts at nine on the Monday of this week, by the schedule's clock."""
    known = draft.time_zone in available_timezones()
    today = to_local(now(), ZoneInfo(draft.time_zone if known else "UTC")).date()
    return LayerDraft(starts_on=f"{schedule_drawing.monday(today)}T09:00")


def _unfit(
    draft: Draft, problem: Invalid | Conflict, schedule_id: int | None
) -> ResponseReturnValue:
    db.session.rollback()
    taken = Invalid(str(problem), field="name")
    draft.refuse(problem if isinstance(problem, Invalid) else taken)
    schedule = None if schedule_id is None else queries.schedule(viewer(), schedule_id)
    return _page(draft, schedule, 422)


def _page(draft: Draft, schedule: Schedule | None, status: int = 200) -> ResponseReturnValue:
    type = schedule.type if schedule else _type()
    return page(
        "schedules/form.html",
        status=status,
        draft=draft,
        schedule=schedule,
        type=type,
        time_zones=sorted(available_timezones()),
        planned_from=queries.planned_from(schedule.id, now()) if schedule else None,
        asks_about_gaps=status == 422 and not draft.errors,
        **_choices(draft),
        **(_preview(draft) if type is ScheduleType.RECURRING else {}),
    )


def _choices(draft: Draft) -> dict[str, Any]:
    """Who can be chosen: whoever can be on call, and whoever is there already."""
    chosen = {person for layer in draft.layers for person in layer.people}
    people = [one for one in _people() if can_be_on_call(one) or str(one.id) in chosen]
    return {
        "people": people,
        "units": schedule_drafts.UNITS,
        "weekdays": schedule_drafts.WEEKDAYS,
    }


def _people() -> list[User]:
    return accounts.people_of(viewer())


def _all_people(layers: list[Layer]) -> set[int]:
    return {person for layer in layers for person in layer.people}
