"""How do shifts get into a calendar program? By a secret address that can be revoked."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, current_app, flash, redirect, session, url_for
from flask.typing import ResponseReturnValue

from portal.db import now
from portal.domain.accounts import queries as accounts
from portal.domain.accounts.permissions import Permission
from portal.domain.oncall import calculator, calendar_links, calendars, queries
from portal.domain.oncall.loading import rules_of
from portal.domain.oncall.models import CalendarLink, Schedule
from portal.web.access import public, requires, viewer
from portal.web.render import page
from portal.web.schedule_drawing import words
from portal.web.schedules import NEW_LINK

bp = Blueprint("calendar_feeds", __name__)

BEFORE, AFTER = timedelta(days=31), timedelta(days=92)


@bp.get("/calendar/<token>.ics")
@public
def feed(token: str) -> ResponseReturnValue:
    """The last month and the next three, as long as the link's owner may see them."""
    link = calendar_links.opened_by(token)
    body = _own(link) if link.schedule is None else _of_schedule(link, link.schedule)
    response = Response(body, mimetype="text/calendar")
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Content-Disposition"] = 'inline; filename="on-call.ics"'
    return response


@bp.get("/my-shifts")
@requires(Permission.SEE_SCHEDULES)
def my_shifts() -> ResponseReturnValue:
    present, zone = now(), ZoneInfo(viewer().time_zone)
    made: dict[str, Any] | None = session.pop(NEW_LINK, None)
    address = made["address"] if made and made["schedule_id"] is None else None
    answer = page(
        "schedules/my_shifts.html",
        shifts=queries.shifts_of(viewer(), present, present + AFTER),
        calendar_link=calendar_links.link_of(viewer(), None),
        new_address=address,
        can_override_anybody=viewer().can(Permission.OVERRIDE_ANYBODY),
        zone=zone.key,
        at=lambda moment: words(moment, zone, present),
    )
    if address:
        answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.post("/my-shifts/calendar-link")
@requires(Permission.SEE_SCHEDULES)
def create_own() -> ResponseReturnValue:
    return _create(None)


@bp.post("/my-shifts/calendar-link/revoke")
@requires(Permission.SEE_SCHEDULES)
def revoke_own() -> ResponseReturnValue:
    return _revoke(None)


@bp.post("/schedules/<int:schedule_id>/calendar-link")
@requires(Permission.SEE_SCHEDULES)
def create(schedule_id: int) -> ResponseReturnValue:
    return _create(schedule_id)


@bp.post("/schedules/<int:schedule_id>/calendar-link/revoke")
@requires(Permission.SEE_SCHEDULES)
def revoke(schedule_id: int) -> ResponseReturnValue:
    queries.schedule(viewer(), schedule_id)
    return _revoke(schedule_id)


def _create(schedule_id: int | None) -> ResponseReturnValue:
    _, token = calendar_links.create(schedule_id, by=viewer())
    address = current_app.config["PUBLIC_URL"] + url_for(".feed", token=token)
    session[NEW_LINK] = {"schedule_id": schedule_id, "address": address}
    return redirect(_page_of(schedule_id), 303)


def _revoke(schedule_id: int | None) -> ResponseReturnValue:
    calendar_links.revoke(schedule_id, by=viewer())
    flash("The calendar link is revoked. Calendars that used it get nothing more.")
    return redirect(_page_of(schedule_id), 303)


def _page_of(schedule_id: int | None) -> str:
    if schedule_id is None:
        return url_for(".my_shifts")
    return url_for("schedules.show", schedule_id=schedule_id)


def _own(link: CalendarLink) -> bytes:
    present = now()
    found = queries.shifts_of(link.user, present - BEFORE, present + AFTER)
    shifts = [(f"On call: {one.name}", str(one.id), shift) for one, shift in found]
    return calendars.feed(f"{link.user.name} on call", shifts, present)


def _of_schedule(link: CalendarLink, schedule: Schedule) -> bytes:
    queries.schedule(link.user, schedule.id)
    present = now()
    start, end = present - BEFORE, present + AFTER
    names = {person.id: person.name for person in accounts.people_of(link.user)}
    shifts = [
        (f"{names.get(one.user_id, 'Somebody')} on call: {schedule.name}", str(schedule.id), one)
        for one in calculator.shifts(rules_of([schedule], start, end)[schedule.id], start, end)
        if not one.is_absent
    ]
    return calendars.feed(f"{schedule.name} on call", shifts, present)
