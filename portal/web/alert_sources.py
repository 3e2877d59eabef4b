"""Where do alerts come from, and does what is sent arrive?"""

import json
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Response, current_app, flash, redirect, request, session, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response as WerkzeugResponse
from wtforms import SelectChoice, SelectField, StringField

from portal.db import db, now
from portal.domain import rate_limits
from portal.domain.accounts.permissions import Permission
from portal.domain.alerts import queries as alerts
from portal.domain.alerts.models import Outcome
from portal.domain.escalation import queries as escalation
from portal.domain.routing import queries as routing
from portal.domain.slack_sources.models import SlackSource
from portal.domain.sources import operations, queries
from portal.domain.sources.models import TYPES, AlertSource
from portal.errors import Conflict, Invalid
from portal.web.access import requires, viewer
from portal.web.paging import part
from portal.web.render import form_errors, fragment, page

bp = Blueprint("alert_sources", __name__)

Answer = Response | WerkzeugResponse | tuple[Response, int]
WARN_FOR = timedelta(hours=48)
NEW_KEY = "new_integration_key"  # in the browser's session, from the change to the next page

OUTCOMES: dict[Outcome, str] = {
    Outcome.OPENED: "opened an alert",
    Outcome.JOINED: "joined an open alert",
    Outcome.ACKNOWLEDGED: "acknowledged an alert",
    Outcome.RESOLVED: "resolved an alert",
    Outcome.COMMENTED: "added a comment",
    Outcome.ALREADY_ACKNOWLEDGED: "changed nothing: the alert was acknowledged already",
    Outcome.NO_OPEN_ALERT: "changed nothing: no open alert has this key",
    Outcome.SOURCE_DISABLED: "opened no alert: the source was disabled",
}


def _id_or_none(chosen: str | int | None) -> int | None:
    """The id in a select whose first choice, the empty one, is none."""
    return int(chosen) if chosen not in (None, "", "None") else None


class SourceForm(FlaskForm):  # type: ignore[misc]
    """What a source is; operations.create() knows which values fit."""

    name = StringField("Name")
    type = SelectField("Type", choices=[SelectChoice(*kind) for kind in TYPES.items()])
    escalation_policy_id = SelectField("Escalation policy", coerce=_id_or_none)


@bp.get("/alert-sources")
@requires(Permission.SEE_ALERT_SOURCES)
def index() -> Response:
    shown = part(queries.sources_of(viewer()))
    last_events = {source.id: alerts.last_event_at(source) for source in shown.items}
    return page(
        "alert_sources/index.html",
        part=shown,
        types=TYPES,
        last_events=last_events,
        refused={source.id: _refused(source) for source in shown.items},
        **_may(),
    )


@bp.get("/alert-sources/new")
@requires(Permission.MANAGE_ALERT_SOURCES)
def new() -> Response:
    return _form(SourceForm(), None)


@bp.post("/alert-sources/new")
@requires(Permission.MANAGE_ALERT_SOURCES)
def create() -> Answer:
    form, account = SourceForm(), viewer().account
    assert account is not None  # noqa: S101 - whoever may manage sources has an account
    try:
        source, key = operations.create(
            account=account,
            name=form.name.data or "",
            type=form.type.data or "",
            escalation_policy_id=form.escalation_policy_id.data,
            by=viewer(),
        )
    except (Invalid, Conflict) as problem:
        return _unfit(form, problem, None)
    session[NEW_KEY] = {"source_id": source.id, "key": key}
    return redirect(url_for(".show", source_id=source.id))


@bp.get("/alert-sources/<int:source_id>")
@requires(Permission.SEE_ALERT_SOURCES)
def show(source_id: int) -> Response:
    """The source; right after its key was made, with the key, this one time."""
    source = queries.source(viewer(), source_id)
    key = _take_new_key(source)
    actions = [action for action in routing.actions_of(viewer()) if source in action.sources]
    answer = page(
        "alert_sources/show.html",
        source=source,
        types=TYPES,
        new_key=key,
        curl=_curl(key or "YOUR_INTEGRATION_KEY"),
        actions=actions,
        slack_settings=db.session.get(SlackSource, source.id),
        refused=_refused(source),
        **_events(source),
        **_may(),
    )
    if key:
        answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.get("/alert-sources/<int:source_id>/events")
@requires(Permission.SEE_ALERT_SOURCES)
def events(source_id: int) -> Response:
    source = queries.source(viewer(), source_id)
    return fragment("alert_sources/_events.html", source=source, **_events(source))


@bp.get("/alert-sources/<int:source_id>/edit")
@requires(Permission.MANAGE_ALERT_SOURCES)
def edit(source_id: int) -> Response:
    source = queries.source(viewer(), source_id)
    return _form(SourceForm(obj=source), source)


@bp.post("/alert-sources/<int:source_id>/edit")
@requires(Permission.MANAGE_ALERT_SOURCES)
def change(source_id: int) -> Answer:
    form = SourceForm()
    name, type = form.name.data or "", form.type.data or ""
    try:
        operations.change(
            source_id,
            name=name,
            type=type,
            escalation_policy_id=form.escalation_policy_id.data,
            by=viewer(),
        )
    except (Invalid, Conflict) as problem:
        return _unfit(form, problem, source_id)
    return redirect(url_for(".show", source_id=source_id))


@bp.post("/alert-sources/<int:source_id>/rotate")
@requires(Permission.MANAGE_ALERT_SOURCES)
def rotate(source_id: int) -> WerkzeugResponse:
    _, key = operations.rotate_integration_key(source_id, by=viewer())
    session[NEW_KEY] = {"source_id": source_id, "key": key}
    return redirect(url_for(".show", source_id=source_id))


@bp.post("/alert-sources/<int:source_id>/disable")
@requires(Permission.MANAGE_ALERT_SOURCES)
def disable(source_id: int) -> WerkzeugResponse:
    source = operations.disable(source_id, by=viewer())
    flash(f"{source.name} is disabled: its events open no alert.", "success")
    return redirect(url_for(".show", source_id=source_id))


@bp.post("/alert-sources/<int:source_id>/enable")
@requires(Permission.MANAGE_ALERT_SOURCES)
def enable(source_id: int) -> WerkzeugResponse:
    source = operations.enable(source_id, by=viewer())
    flash(f"{source.name} is enabled: its events open alerts again.", "success")
    return redirect(url_for(".show", source_id=source_id))


def _unfit(form: SourceForm, problem: Invalid | Conflict, source_id: int | None) -> Answer:
    db.session.rollback()
    taken = Invalid(str(problem), field="name")
    form_errors(form, problem if isinstance(problem, Invalid) else taken)
    source = None if source_id is None else queries.source(viewer(), source_id)
    return _form(form, source), 422


def _form(form: SourceForm, source: AlertSource | None) -> Response:
    form.escalation_policy_id.choices = [
        SelectChoice("", "None: nobody is asked"),
        *(SelectChoice(str(each.id), each.name) for each in escalation.policies_of(viewer())),
    ]
    return page("alert_sources/form.html", form=form, source=source)


def _take_new_key(source: AlertSource) -> str | None:
    made: dict[str, str | int] | None = session.pop(NEW_KEY, None)
    return str(made["key"]) if made and made["source_id"] == source.id else None


def _curl(key: str) -> str:
    event = {
        "integrationKey": key,
        "eventType": "ALERT",
        "alertKey": "test-1",
        "summary": "A test alert",
    }
    url = f"{current_app.config['PUBLIC_URL']}/api/events"
    return f"curl {url} -H 'Content-Type: application/json' -d '{json.dumps(event)}'"


def _events(source: AlertSource) -> dict[str, Any]:
    before = _moment(request.args.get("before", ""))
    found = alerts.event_log(source, before=before)
    shown = found[: alerts.PAGE]
    return {
        "events": shown,
        "before": before,
        "next_before": shown[-1].received_at if len(found) > alerts.PAGE else None,
        "last_event_at": alerts.last_event_at(source),
        "outcomes": OUTCOMES,
    }


def _moment(text: str) -> datetime | None:
    """The moment in a query, if it is one that says its zone and that PostgreSQL can hold."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo and 1970 < moment.year < 9999 else None


def _refused(source: AlertSource) -> int:
    return rate_limits.refused_since(f"events:{source.id}", now() - WARN_FOR)


def _may() -> dict[str, bool]:
    return {
        "can_manage": viewer().can(Permission.MANAGE_ALERT_SOURCES),
        "can_manage_actions": viewer().can(Permission.MANAGE_ALERT_ACTIONS),
    }
