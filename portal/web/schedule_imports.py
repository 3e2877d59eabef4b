"""How do overrides come out of somebody else's calendar? Shown first; no address is ever fetched."""

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from portal.db import db
from portal.domain.accounts.permissions import Permission
from portal.domain.oncall import imports, overrides, queries
from portal.domain.oncall.imports import Proposal
from portal.domain.oncall.models import Schedule
from portal.errors import Conflict, Invalid
from portal.web import schedule_view as view
from portal.web.access import requires, viewer
from portal.web.schedule_exchanges import done, page_of

bp = Blueprint("schedule_imports", __name__, url_prefix="/schedules")


@bp.get("/<int:schedule_id>/import")
@requires(Permission.OVERRIDE_ONESELF)
def import_calendar(schedule_id: int) -> ResponseReturnValue:
    schedule = queries.schedule(viewer(), schedule_id)
    return _import_page(schedule, "", [], {})


@bp.post("/<int:schedule_id>/import")
@requires(Permission.OVERRIDE_ONESELF)
def import_now(schedule_id: int) -> ResponseReturnValue:
    """Show what the calendar says; store it when that is confirmed."""
    schedule, text = queries.schedule(viewer(), schedule_id), _calendar_text()
    default = view.number(request.form, "default_user_id") or None
    try:
        if not text.strip():
            raise Invalid("Please choose a file, or paste the calendar’s text.", field="calendar")
        proposals = imports.propose(schedule, text, default_user_id=default, by=viewer())
        planned = [one.planned for one in proposals if one.planned]
        if "confirm" not in request.form:
            return _import_page(schedule, text, proposals, {})
        entered = overrides.enter_many(schedule_id, planned, by=viewer())
    except (Invalid, Conflict) as problem:
        db.session.rollback()
        schedule = queries.schedule(viewer(), schedule_id)
        return _import_page(schedule, text, [], {"calendar": str(problem)}, 422)
    return done(entered, url_for("schedules.show", schedule_id=schedule_id))


def _calendar_text() -> str:
    """The file's text, else what was pasted. Bytes that are no text become readable as such."""
    file = request.files.get("file")
    if file is not None and file.filename:
        return str(file.read(), "utf-8-sig", errors="replace")
    return request.form.get("calendar", "")


def _import_page(
    schedule: Schedule,
    text: str,
    proposals: list[Proposal],
    errors: dict[str, str],
    status: int = 200,
) -> ResponseReturnValue:
    return page_of(
        "import",
        schedule,
        status,
        text=text,
        proposals=proposals,
        count=sum(one.planned is not None for one in proposals),
        errors=errors,
        people=view.people_for_shifts(),
    )
