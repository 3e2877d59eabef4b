"""How do people take, hand over or swap shifts? Shown first, stored on the second press."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.db import now
from portal.domain.accounts import queries as accounts
from portal.domain.accounts.permissions import Permission
from portal.domain.oncall import calculator, exchanges, overrides, queries
from portal.domain.oncall.exchanges import Part
from portal.domain.oncall.loading import rules_of
from portal.domain.oncall.models import Override, Schedule
from portal.errors import Invalid
from portal.web import schedule_view as view
from portal.web.access import requires, viewer
from portal.web.render import page
from portal.web.schedule_drafts import ROW_NUMBER
from portal.web.schedule_drawing import words

bp = Blueprint("schedule_exchanges", __name__, url_prefix="/schedules")

SWAP_AHEAD = timedelta(weeks=8)
NOTHING = "There is nothing to take: they are not on call in that time."


@bp.get("/<int:schedule_id>/take")
@requires(Permission.OVERRIDE_ONESELF)
def take(schedule_id: int) -> ResponseReturnValue:
    """Choose whose shifts and when; then see what would be taken."""
    schedule = queries.schedule(viewer(), schedule_id)
    others = [one for one in accounts.people_of(viewer()) if one.id != viewer().id]
    said: dict[str, Any] = {"people": others, "planned": [], "errors": {}}
    if "of" not in request.args:
        return page_of("take", schedule, **said)
    try:
        start, end = _range(request.args, ZoneInfo(schedule.time_zone))
        of_user_id = view.number(request.args, "of")
        said["planned"] = exchanges.taking([schedule_id], of_user_id, viewer().id, start, end)
        if not said["planned"]:
            raise Invalid(NOTHING, field="of")
    except Invalid as problem:
        return page_of("take", schedule, 422, **said | {"errors": _at_field(problem)})
    carried = {"of": of_user_id, "start": start.isoformat(), "end": end.isoformat()}
    return page_of("take", schedule, **said, carried=carried)


@bp.post("/<int:schedule_id>/take")
@requires(Permission.OVERRIDE_ONESELF)
def take_now(schedule_id: int) -> ResponseReturnValue:
    queries.schedule(viewer(), schedule_id)
    taken = overrides.take(
        schedule_id,
        of_user_id=view.number(request.form, "of"),
        starts_at=view.exact(request.form.get("start", "")),
        ends_at=view.exact(request.form.get("end", "")),
        by=viewer(),
    )
    return done(taken, url_for("schedules.show", schedule_id=schedule_id))


@bp.get("/hand-over")
@requires(Permission.OVERRIDE_ANYBODY)
def hand_over() -> ResponseReturnValue:
    """Choose who takes my shifts, in which schedules and when; then see which."""
    mine = queries.schedules_of(viewer())
    people = [one for one in view.people_for_shifts() if one.id != viewer().id]
    said: dict[str, Any] = {"schedules": mine, "people": people, "planned": [], "errors": {}}
    if "to" not in request.args:
        return page_of("hand_over", None, **said)
    try:
        start, end = _range(request.args, ZoneInfo(viewer().time_zone))
        to_user_id, ids = view.number(request.args, "to"), _chosen(mine)
        if to_user_id not in {one.id for one in people}:
            raise Invalid("Please choose who takes your shifts.", field="to")
        said["planned"] = exchanges.taking(ids, viewer().id, to_user_id, start, end)
        if not said["planned"]:
            raise Invalid("You are not on call in that time.", field="starts_at")
    except Invalid as problem:
        return page_of("hand_over", None, 422, **said | {"errors": _at_field(problem)})
    carried = {"to": to_user_id, "start": start.isoformat(), "end": end.isoformat()}
    return page_of("hand_over", None, **said, carried=carried, ids=ids)


@bp.post("/hand-over")
@requires(Permission.OVERRIDE_ANYBODY)
def hand_over_now() -> ResponseReturnValue:
    handed = overrides.hand_over(
        [int(id) for id in request.form.getlist("schedule") if ROW_NUMBER.fullmatch(id)],
        to_user_id=view.number(request.form, "to"),
        starts_at=view.exact(request.form.get("start", "")),
        ends_at=view.exact(request.form.get("end", "")),
        by=viewer(),
    )
    return done(handed, url_for("calendar_feeds.my_shifts"))


@bp.get("/<int:schedule_id>/swap")
@requires(Permission.OVERRIDE_ANYBODY)
def swap(schedule_id: int) -> ResponseReturnValue:
    """Choose two coming shifts; then see who would be on call when."""
    schedule = queries.schedule(viewer(), schedule_id)
    said: dict[str, Any] = {"parts": _coming(schedule), "planned": [], "errors": {}}
    if "one" not in request.args:
        return page_of("swap", schedule, **said)
    try:
        one, other = _part(schedule, "one", request.args), _part(schedule, "other", request.args)
        if one.user_id == other.user_id:
            raise Invalid("Please choose shifts of two people.", field="other")
        said["planned"] = exchanges.swapping(one, other)
        if not said["planned"]:
            raise Invalid("One of them is not on call then any more.", field="other")
    except Invalid as problem:
        return page_of("swap", schedule, 422, **said | {"errors": _at_field(problem)})
    carried = {name: request.args[name] for name in ("one", "other")}
    return page_of("swap", schedule, **said, carried=carried)


@bp.post("/<int:schedule_id>/swap")
@requires(Permission.OVERRIDE_ANYBODY)
def swap_now(schedule_id: int) -> ResponseReturnValue:
    schedule = queries.schedule(viewer(), schedule_id)
    one, other = _part(schedule, "one", request.form), _part(schedule, "other", request.form)
    swapped = overrides.swap(one, other, by=viewer())
    return done(swapped, url_for("schedules.show", schedule_id=schedule_id))


def page_of(
    name: str, schedule: Schedule | None, status: int = 200, **said: Any
) -> ResponseReturnValue:
    zone = ZoneInfo(schedule.time_zone if schedule else viewer().time_zone)
    return page(
        f"schedules/{name}.html",
        status=status,
        schedule=schedule,
        schedule_names={one.id: one.name for one in queries.schedules_of(viewer())},
        names=view.names_of(viewer()),
        zone=zone.key,
        at=lambda moment: words(moment, zone, now()),
        **said,
    )


def done(entered: Iterable[Override], target: str) -> ResponseReturnValue:
    count = len(list(entered))
    flash("The override is entered." if count == 1 else f"{count} overrides are entered.")
    return redirect(target, 303)


def _range(typed: Mapping[str, str], zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Exact, as a link of ours carries it, or typed by the wall clock; from now at the earliest."""
    if "start" in typed:
        start, end = view.exact(typed["start"]), view.exact(typed.get("end", ""))
    else:
        start = view.moment(typed, "starts_at", zone, required=False) or now()
        end = view.moment(typed, "ends_at", zone) or start
    start = max(start, now())
    if end <= start:
        raise Invalid("The end has to lie after the start, and in the future.", field="ends_at")
    if end - start > timedelta(days=366):
        raise Invalid("Please choose a time of at most a year.", field="ends_at")
    return start, end


def _chosen(schedules: list[Schedule]) -> list[int]:
    wanted = request.args.getlist("schedule")
    return [one.id for one in schedules if str(one.id) in wanted]


def _coming(schedule: Schedule) -> list[Part]:
    start = now()
    rules = rules_of([schedule], start, start + SWAP_AHEAD)[schedule.id]
    return [
        Part(schedule.id, one.user_id, one.starts_at, one.ends_at)
        for one in calculator.shifts(rules, start, start + SWAP_AHEAD)
    ]


def _part(schedule: Schedule, name: str, typed: Mapping[str, str]) -> Part:
    """A choice of the swap's form: person, start and end. Raises Invalid for anything else."""
    values = typed.get(name, "").split("|")
    if len(values) != 3 or not ROW_NUMBER.fullmatch(values[0]):
        raise Invalid("Please choose a shift.", field=name)
    return Part(schedule.id, int(values[0]), view.exact(values[1]), view.exact(values[2]))


def _at_field(problem: Invalid) -> dict[str, str]:
    return {problem.field or "": str(problem)}
