"""Who is on call, now and in the coming weeks, and who takes whose place?"""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, request, session
from flask.typing import ResponseReturnValue

from portal.db import db, now
from portal.domain.accounts.permissions import Permission
from portal.domain.oncall import calendar_links, overrides, queries, static_shifts
from portal.domain.oncall.models import Schedule
from portal.errors import Invalid
from portal.web import schedule_view as view
from portal.web.access import requires, viewer
from portal.web.paging import part
from portal.web.render import fragment, page, wants_fragment

bp = Blueprint("schedules", __name__, url_prefix="/schedules")

NEW_LINK = "new_calendar_link"  # in the browser's session, from its making to the next page


@bp.get("")
@requires(Permission.SEE_SCHEDULES)
def index() -> ResponseReturnValue:
    shown = part(queries.schedules_of(viewer()))
    ids, present = [schedule.id for schedule in shown.items], now()
    return page(
        "schedules/index.html",
        part=shown,
        on_call=queries.on_call_now(ids, present),
        changes=queries.next_changes(ids, present),
        names=view.names_of(viewer()),
        **view.may(),
    )


@bp.get("/<int:schedule_id>")
@requires(Permission.SEE_SCHEDULES)
def show(schedule_id: int) -> ResponseReturnValue:
    schedule = queries.schedule(viewer(), schedule_id)
    if wants_fragment():
        return fragment("schedules/_board.html", **view.context(schedule))
    return _page(schedule, view.context(schedule))


@bp.post("/<int:schedule_id>/overrides")
@requires(Permission.OVERRIDE_ONESELF)
def add_override(schedule_id: int) -> ResponseReturnValue:
    return _entered(schedule_id, "override", overrides.add, "The override is entered.")


@bp.post("/<int:schedule_id>/shifts")
@requires(Permission.MANAGE_SCHEDULES)
def add_shift(schedule_id: int) -> ResponseReturnValue:
    return _entered(schedule_id, "shift", static_shifts.add_shift, "The shift is entered.")


@bp.post("/<int:schedule_id>/overrides/<int:override_id>/remove")
@requires(Permission.OVERRIDE_ONESELF)
def remove_override(schedule_id: int, override_id: int) -> ResponseReturnValue:
    queries.schedule(viewer(), schedule_id)
    return _done(overrides.remove(override_id, by=viewer()), "The override is removed.")


@bp.post("/<int:schedule_id>/shifts/<int:shift_id>/remove")
@requires(Permission.MANAGE_SCHEDULES)
def remove_shift(schedule_id: int, shift_id: int) -> ResponseReturnValue:
    queries.schedule(viewer(), schedule_id)
    return _done(static_shifts.remove_shift(shift_id, by=viewer()), "The shift is removed.")


def _entered(
    schedule_id: int, kind: str, enter: Callable[..., Any], said: str
) -> ResponseReturnValue:
    """Read the form of an override or a shift, enter it, and show the board anew."""
    schedule = queries.schedule(viewer(), schedule_id)
    zone = view.range_of(schedule).zone
    try:
        enter(
            schedule_id,
            user_id=view.number(request.form, "user_id"),
            starts_at=view.moment(request.form, "starts_at", zone, required=False),
            ends_at=view.moment(request.form, "ends_at", zone),
            by=viewer(),
        )
    except Invalid as problem:
        db.session.rollback()
        typed = {"values": {kind: request.form}, "errors": {kind: _at_field(problem)}}
        return _board(queries.schedule(viewer(), schedule_id), typed, 422)
    return _done(queries.schedule(viewer(), schedule_id), said)


def _at_field(problem: Invalid) -> dict[str, str]:
    return {problem.field or "user_id": str(problem)}


def _done(schedule: Schedule, said: str) -> ResponseReturnValue:
    if wants_fragment():
        return _board(schedule, {"said": said})
    flash(said)
    return redirect(view.link_to(schedule, view.range_of(schedule)), 303)


def _board(schedule: Schedule, more: dict[str, Any], status: int = 200) -> ResponseReturnValue:
    """The fragment for HTMX; the whole page for a browser without script."""
    context = {**view.context(schedule), **more}
    if wants_fragment():
        return fragment("schedules/_board.html", status=status, **context)
    return _page(schedule, context, status)


def _page(schedule: Schedule, context: dict[str, Any], status: int = 200) -> ResponseReturnValue:
    present = now()
    made: dict[str, Any] | None = session.pop(NEW_LINK, None)
    address = made["address"] if made and made["schedule_id"] == schedule.id else None
    answer = page(
        "schedules/show.html",
        status=status,
        on_call=queries.on_call_now([schedule.id], present)[schedule.id],
        change=queries.next_change(schedule.id, present),
        names=view.names_of(viewer()),
        calendar_link=calendar_links.link_of(viewer(), schedule.id),
        new_address=address,
        **context,
    )
    if address:
        answer.headers["Cache-Control"] = "no-store"
    return answer
