"""Which Slack user am I? Where the *Connect* button in Slack leads, and what a person confirms there."""

from flask import Blueprint, flash, redirect, url_for
from flask.typing import ResponseReturnValue

from portal.domain.accounts.permissions import Permission
from portal.slack import connecting
from portal.web.access import requires, viewer
from portal.web.render import page

bp = Blueprint("connect", __name__, url_prefix="/connect")


@bp.get("/<token>")
@requires(Permission.OWN_PROFILE)
def show(token: str) -> ResponseReturnValue:
    """Both sides by name. Looking changes nothing but whose link it is."""
    sides = connecting.opened(token, by=viewer())
    answer = page("connect/show.html", sides=sides, token=token)
    answer.headers["Referrer-Policy"] = "no-referrer"  # the address is the secret
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.post("/<token>")
@requires(Permission.OWN_PROFILE)
def confirm(token: str) -> ResponseReturnValue:
    """Connect, do what was pressed in Slack, and go where that can be seen."""
    person = viewer()
    sides = connecting.confirm(token, by=person)
    outcome = connecting.carry_out(sides, by=person)
    flash(
        f"You are connected to {sides.slack_name} in Slack.{outcome.said}",
        "success" if outcome.is_done else "warning",
    )
    if outcome.alert_id is not None and person.can(Permission.SEE_ALERTS):
        return redirect(url_for("alerts.show", alert_id=outcome.alert_id), 303)
    return redirect(url_for("profile.show", _anchor="slack"), 303)
