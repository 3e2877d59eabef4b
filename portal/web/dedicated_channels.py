"""How does a person ask for an alert's own channel in Slack, see how it gets on, and detach it?"""

from typing import Any

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response as WerkzeugResponse
from wtforms import BooleanField, IntegerField, StringField

from portal.db import db
from portal.domain.accounts.permissions import Permission
from portal.domain.alerts import queries as alerts
from portal.domain.alerts.models import Alert, Via
from portal.domain.dedicated_channels import names, operations
from portal.domain.dedicated_channels.models import ChannelState
from portal.domain.routing import operations as routing
from portal.errors import Conflict, Invalid
from portal.slack import dedicated_view
from portal.web import alert_content
from portal.web.access import requires, viewer
from portal.web.render import form_errors, fragment

bp = Blueprint("dedicated_channels", __name__)

Answer = Response | WerkzeugResponse | tuple[Response, int]


class ChannelForm(FlaskForm):  # type: ignore[misc]
    """What the dialog sends; operations.create() knows which names fit."""

    name = StringField("Name", id="channel-name")
    is_private = BooleanField("Make the channel private", id="channel-is-private")


class OptionsForm(FlaskForm):  # type: ignore[misc]
    """What an alert action wants of dedicated channels."""

    creates_channel = BooleanField("Create a channel for each alert of high priority")
    archive_channel_days = IntegerField("Archive it so many days after the alert is resolved")


@bp.get("/alerts/<int:alert_id>/channel")
@requires(Permission.SEE_ALERTS)
def show(alert_id: int) -> Response:
    return _section(alerts.alert(viewer(), alert_id))


@bp.get("/alerts/<int:alert_id>/channel/name")
@requires(Permission.RESPOND_TO_ALERTS)
def name(alert_id: int) -> Response:
    """What Slack would call a channel for which `?name=` was typed so far."""
    alert = alerts.alert(viewer(), alert_id)
    typed = request.args.get("name", "")
    cleaned = names.clean(typed)
    if not typed.strip():
        cleaned = names.proposed(alert.source.name, alert.id)
    return fragment("alerts/_channel_name.html", cleaned=cleaned, typed=typed, errors=[])


@bp.post("/alerts/<int:alert_id>/channel")
@requires(Permission.RESPOND_TO_ALERTS)
def create(alert_id: int) -> Answer:
    form, alert = ChannelForm(), alerts.alert(viewer(), alert_id)
    try:
        operations.create(
            alert_id,
            name=form.name.data or "",
            is_private=form.is_private.data,
            by=viewer(),
            via=Via.WEB,
        )
    except Invalid as problem:
        db.session.rollback()
        form_errors(form, problem)
        alert = alerts.alert(viewer(), alert_id)
        return _form(alert, form), 422
    except Conflict as problem:
        db.session.rollback()
        return _done(alert_id, refused=str(problem))
    return _done(alert_id)


@bp.post("/alerts/<int:alert_id>/channel/detach")
@requires(Permission.RESPOND_TO_ALERTS)
def detach(alert_id: int) -> Answer:
    alerts.alert(viewer(), alert_id)
    try:
        operations.detach(alert_id, by=viewer(), via=Via.WEB)
    except Conflict as problem:
        db.session.rollback()
        return _done(alert_id, refused=str(problem))
    return _done(alert_id)


@bp.post("/alerts/<int:alert_id>/channel/invite")
@requires(Permission.RESPOND_TO_ALERTS)
def invite_again(alert_id: int) -> Answer:
    alerts.alert(viewer(), alert_id)
    try:
        operations.invite_again(alert_id, by=viewer())
    except Conflict as problem:
        db.session.rollback()
        return _done(alert_id, refused=str(problem))
    return _done(alert_id)


@bp.post("/alert-actions/<int:action_id>/dedicated-channels")
@requires(Permission.MANAGE_ALERT_ACTIONS)
def change_options(action_id: int) -> WerkzeugResponse:
    """The days may be left empty: then nothing is archived."""
    form = OptionsForm()
    typed = request.form.get("archive_channel_days", "").strip()
    try:
        routing.choose_channels(
            action_id, creates_channel=form.creates_channel.data, archive_days=typed, by=viewer()
        )
    except Invalid as problem:
        db.session.rollback()
        flash(str(problem), "error")
    else:
        flash("Saved. It holds for new alerts, and for channels that are still open.", "success")
    return redirect(url_for("alert_actions.show", action_id=action_id, _anchor="dedicated"))


def context(alert: Alert) -> dict[str, Any]:
    """What `alerts/_channel.html` shows."""
    shown = dedicated_view.shown(alert)
    under_way = shown is not None and shown.state in operations.UNDER_WAY
    can_create = viewer().can(Permission.RESPOND_TO_ALERTS) and alert.is_open and not under_way
    offer = dedicated_view.offer(alert, viewer()) if can_create else None
    suggested = (shown.suggestion if shown else None) or (offer.name if offer else "")
    return {
        "channel": shown,
        "channel_states": ChannelState,
        "offer": offer,
        "channel_form": ChannelForm(formdata=None, name=suggested),
        "suggested": suggested,
        "can_detach": viewer().can(Permission.RESPOND_TO_ALERTS),
        "listed": alert_content.LISTED,
        "can_link": viewer().can(Permission.MANAGE_CONNECTORS),
    }


def _section(alert: Alert, **more: Any) -> Response:
    return fragment("alerts/_channel.html", alert=alert, **context(alert), **more)


def _form(alert: Alert, form: ChannelForm) -> Response:
    return fragment(
        "alerts/_channel_form.html", alert=alert, **(context(alert) | {"channel_form": form})
    )


def _done(alert_id: int, *, refused: str | None = None) -> Answer:
    """The present state where the button was pressed, with the reason when nothing was changed."""
    if not request.headers.get("HX-Request"):
        if refused:
            flash(refused, "warning")
        return redirect(url_for("alerts.show", alert_id=alert_id))
    answer = _section(alerts.alert(viewer(), alert_id), conflict=refused, is_answer=True)
    # The dialog's form is what HTMX would replace; that is for what does not fit in it.
    answer.headers["HX-Retarget"] = "#alert-channel"
    answer.headers["HX-Reswap"] = "outerHTML"
    answer.headers["HX-Trigger"] = "alert-changed"
    return answer
