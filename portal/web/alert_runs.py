"""How does a person carry out a manual alert action on the page of an alert?"""

from flask import Blueprint, Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as WerkzeugResponse

from portal.db import db
from portal.domain.accounts.permissions import Permission
from portal.domain.alerts import queries
from portal.domain.alerts.models import Via
from portal.domain.routing import runs
from portal.errors import Conflict
from portal.web import alerts
from portal.web.access import requires, viewer

bp = Blueprint("alert_runs", __name__)


@bp.post("/alerts/<int:alert_id>/actions/<int:action_id>/run")
@requires(Permission.RESPOND_TO_ALERTS)
def run(alert_id: int, action_id: int) -> Response | WerkzeugResponse:
    """Have it carried out; what becomes of it is shown where the button was."""
    refused = None
    try:
        runs.run(alert_id, action_id, by=viewer(), via=Via.WEB)
    except Conflict as lost:
        db.session.rollback()
        refused = str(lost)
    if request.headers.get("HX-Request"):
        return alerts.slack_section(queries.alert(viewer(), alert_id), conflict=refused)
    if refused:
        flash(refused, "warning")
    return redirect(url_for("alerts.show", alert_id=alert_id))
