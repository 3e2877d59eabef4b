"""Which manual alert actions does an alert's page offer, and what came of those that were run?"""

from typing import Any

from flask import Blueprint, Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as WerkzeugResponse

from portal.db import db
from portal.domain.accounts.permissions import Permission
from portal.domain.alerts import queries
from portal.domain.alerts.models import Alert, Via
from portal.domain.routing import queries as routing
from portal.domain.routing import runs
from portal.errors import Conflict, NotFound
from portal.slack import errors
from portal.web.access import requires, viewer
from portal.web.render import fragment

bp = Blueprint("manual_actions", __name__)

Answer = Response | WerkzeugResponse


@bp.get("/alerts/<int:alert_id>/manual-actions")
@requires(Permission.SEE_ALERTS)
def show(alert_id: int) -> Response:
    alert = queries.alert(viewer(), alert_id)
    return fragment("alerts/_manual_actions.html", alert=alert, **context(alert))


@bp.post("/alerts/<int:alert_id>/manual-actions/<int:action_id>/run")
@requires(Permission.RESPOND_TO_ALERTS)
def run(alert_id: int, action_id: int) -> Answer:
    refused = None
    queries.alert(viewer(), alert_id)  # what is not there is a 404, whatever the form says
    try:
        runs.run(alert_id, action_id, by=viewer(), via=Via.WEB)
    except (Conflict, NotFound) as problem:
        db.session.rollback()
        refused = str(problem)
    if not request.headers.get("HX-Request"):
        if refused:
            flash(refused, "warning")
        return redirect(url_for("alerts.show", alert_id=alert_id))
    alert = queries.alert(viewer(), alert_id)
    answer = fragment(
        "alerts/_manual_actions.html",
        alert=alert,
        conflict=refused,
        is_answer=True,
        **context(alert),
    )
    answer.headers["HX-Trigger"] = "alert-changed"
    return answer


def context(alert: Alert) -> dict[str, Any]:
    """What `alerts/_manual_actions.html` shows."""
    return {
        "manual_actions": routing.manual_actions(alert),
        "can_run": viewer().can(Permission.RESPOND_TO_ALERTS),
        "run_problem": errors.words,
    }
