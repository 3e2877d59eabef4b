"""How does a person open an alert by hand, and whom does that ask?"""

import secrets
from typing import Any

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response as WerkzeugResponse
from wtforms import HiddenField, SelectChoice, SelectField, StringField, TextAreaField

from portal.db import db
from portal.domain.accounts import queries as accounts
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Permission
from portal.domain.alerts.models import Priority, Via
from portal.domain.by_hand import operations as by_hand
from portal.domain.by_hand.operations import Draft
from portal.domain.escalation import queries as escalation
from portal.domain.sources import queries as sources
from portal.errors import Conflict, Invalid
from portal.web.access import requires, viewer
from portal.web.render import form_errors, page, row_id

bp = Blueprint("new_alert", __name__, url_prefix="/alerts/new")

LONGEST_KEY = 64
PRIORITIES = {
    Priority.HIGH: "High: escalates until answered",
    Priority.LOW: "Low: asks the first level only",
}


class AlertForm(FlaskForm):  # type: ignore[misc]
    """What is wrong, and who is asked; by_hand.create() knows what fits."""

    key = HiddenField()  # the same for every press of the button
    source_id = SelectField("Alert source", validate_choice=False)
    summary = StringField("Summary")
    details = TextAreaField("Details (optional)")
    policy_id = SelectField("Escalation policy", validate_choice=False)
    priority = SelectField(
        "Priority", choices=[SelectChoice(each.value, words) for each, words in PRIORITIES.items()]
    )


@bp.get("")
@requires(Permission.RESPOND_TO_ALERTS)
def show() -> Response:
    """An empty form; `?source=` chooses the source that the person comes from."""
    filled = {"key": secrets.token_urlsafe(16), "source_id": request.args.get("source", "")}
    return _form(AlertForm(formdata=None, data=filled), [])


@bp.post("")
@requires(Permission.RESPOND_TO_ALERTS)
def create() -> Response | WerkzeugResponse:
    form, chosen = AlertForm(), request.form.getlist("responders")
    key = (form.key.data or secrets.token_urlsafe(16))[:LONGEST_KEY].replace("\x00", "")
    try:
        opened = by_hand.create(
            _draft(form, chosen), key=f"web:{viewer().id}:{key}", by=viewer(), via=Via.WEB
        )
    except (Invalid, Conflict) as problem:
        db.session.rollback()
        field = problem.field if isinstance(problem, Invalid) else "source_id"
        form_errors(form, Invalid(str(problem), field=field))
        return _form(form, chosen, problem=str(problem), field=field)
    flash("The alert is open." if opened.is_new else "This alert was open already.", "success")
    return redirect(url_for("alerts.show", alert_id=opened.alert.id))


def _draft(form: AlertForm, chosen: list[str]) -> Draft:
    is_low = form.priority.data == Priority.LOW.value
    return Draft(
        summary=(form.summary.data or "").replace("\x00", ""),
        details=(form.details.data or "").replace("\x00", ""),
        source_id=row_id(form.source_id.data),
        policy_id=_id_or_gone(form.policy_id.data),
        priority=Priority.LOW if is_low else Priority.HIGH,
        responder_ids=[row_id(each) or 0 for each in chosen],
    )


def _id_or_gone(chosen: str | None) -> int | None:
    """None where nothing was chosen; 0, which no policy has, for what is no number."""
    return (row_id(chosen) or 0) if chosen else None


def _form(
    form: AlertForm, chosen: list[str], *, problem: str = "", field: str | None = None
) -> Response:
    policies = {each.id: each.name for each in escalation.policies_of(viewer())}
    offered = sources.sources_of(viewer())
    form.source_id.choices = [
        SelectChoice("", "Choose an alert source …"),
        *(
            SelectChoice(str(each.id), f"{each.name}: {_asks(each.escalation_policy_id, policies)}")
            for each in offered
            if each.disabled_at is None
        ),
    ]
    form.policy_id.choices = [
        SelectChoice("", "The source’s own"),
        *(SelectChoice(str(id), name) for id, name in policies.items()),
    ]
    context: dict[str, Any] = {
        "form": form,
        "people": _people(),
        "chosen": chosen,
        "responder_problem": problem if field == "responder_ids" else "",
        "has_sources": len(form.source_id.choices) > 1,
        "can_manage": viewer().can(Permission.MANAGE_ALERT_SOURCES),
    }
    return page("alerts/new.html", status=422 if problem else 200, **context)


def _people() -> list[User]:
    may_answer = accounts.who_may(Permission.RESPOND_TO_ALERTS, viewer().account_id)
    return list(db.session.scalars(may_answer))


def _asks(policy_id: int | None, policies: dict[int, str]) -> str:
    return f"asks {policies[policy_id]}" if policy_id in policies else "asks nobody by itself"
