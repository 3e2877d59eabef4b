"""Who is asked about an alert, what happens next, and how do people steer it?"""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response as WerkzeugResponse
from wtforms import StringField

from portal.db import db, now
from portal.domain.accounts import queries as accounts
from portal.domain.accounts.permissions import Permission
from portal.domain.alerts import operations as alerts
from portal.domain.alerts import queries as seen
from portal.domain.alerts.models import Alert, Via
from portal.domain.escalation import operations, outlook, queries
from portal.domain.escalation.targets import Target
from portal.domain.oncall import queries as oncall
from portal.errors import Conflict, Invalid, NotFound
from portal.web.access import requires, viewer
from portal.web.render import fragment

bp = Blueprint("escalations", __name__)

Answer = Response | WerkzeugResponse


class SteerForm(FlaskForm):  # type: ignore[misc]
    """What the dialogs of the alert's page send; the operations know what fits."""

    level = StringField("Level")
    target = StringField("To")
    person = StringField("Person")


@bp.get("/alerts/<int:alert_id>/escalation")
@requires(Permission.SEE_ALERTS)
def show(alert_id: int) -> Response:
    alert = seen.alert(viewer(), alert_id)
    return fragment("alerts/_escalation.html", alert=alert, **context(alert))


@bp.post("/alerts/<int:alert_id>/escalate")
@requires(Permission.RESPOND_TO_ALERTS)
def escalate(alert_id: int) -> Answer:
    level = SteerForm().level.data or ""
    number = int(level) if level.isascii() and level.isdecimal() and len(level) < 6 else 0
    return _done(alert_id, lambda: operations.escalate(alert_id, number, by=viewer(), via=Via.WEB))


@bp.post("/alerts/<int:alert_id>/reroute")
@requires(Permission.RESPOND_TO_ALERTS)
def reroute(alert_id: int) -> Answer:
    chosen = SteerForm().target.data or ""
    return _done(
        alert_id,
        lambda: operations.reroute(alert_id, Target.parse(chosen), by=viewer(), via=Via.WEB),
    )


@bp.post("/alerts/<int:alert_id>/raise")
@requires(Permission.RESPOND_TO_ALERTS)
def raise_priority(alert_id: int) -> Answer:
    return _done(alert_id, lambda: alerts.raise_priority(alert_id, by=viewer(), via=Via.WEB))


@bp.post("/alerts/<int:alert_id>/add-responder")
@requires(Permission.RESPOND_TO_ALERTS)
def add_responder(alert_id: int) -> Answer:
    chosen = SteerForm().person.data or ""
    return _done(
        alert_id,
        lambda: operations.add_responder(
            alert_id, Target.parse(chosen).id, by=viewer(), via=Via.WEB
        ),
    )


@bp.post("/alerts/<int:alert_id>/remove-responder")
@requires(Permission.RESPOND_TO_ALERTS)
def remove_responder(alert_id: int) -> Answer:
    chosen = SteerForm().person.data or ""
    return _done(
        alert_id,
        lambda: operations.remove_responder(
            alert_id, Target.parse(chosen).id, by=viewer(), via=Via.WEB
        ),
    )


def context(alert: Alert) -> dict[str, Any]:
    """What `alerts/_escalation.html` shows: the state, what comes next, and what can be chosen."""
    climb = queries.escalation_of(alert)
    can_steer = viewer().can(Permission.RESPOND_TO_ALERTS) and alert.is_open
    return {
        "climb": climb,
        "next_step": outlook.next_step(alert, climb) if climb else None,
        "responders": queries.responders_of(alert),
        "can_steer": can_steer,
        "levels": outlook.levels(climb.plan, now()) if climb and can_steer else [],
        **(_choices() if can_steer else {}),
    }


def _choices() -> dict[str, Any]:
    may_answer = accounts.who_may(Permission.RESPOND_TO_ALERTS, viewer().account_id)
    return {
        "people": list(db.session.scalars(may_answer)),
        "schedules": oncall.schedules_of(viewer()),
        "policies": queries.policies_of(viewer()),
    }


def _done(alert_id: int, deed: Callable[[], Alert]) -> Answer:
    """The present state where the button was pressed, with the reason when nothing was changed."""
    refused = None
    seen.alert(viewer(), alert_id)  # what is not there is a 404, whatever the form says
    try:
        deed()
    except (Conflict, Invalid, NotFound) as problem:
        db.session.rollback()
        refused = str(problem)
    if not request.headers.get("HX-Request"):
        if refused:
            flash(refused, "warning")
        return redirect(url_for("alerts.show", alert_id=alert_id))
    alert = seen.alert(viewer(), alert_id)
    answer = fragment(
        "alerts/_escalation.html", alert=alert, conflict=refused, is_answer=True, **context(alert)
    )
    answer.headers["HX-Trigger"] = "alert-changed, alert-steered"
    return answer
