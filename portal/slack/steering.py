"""Whom does an alert ask next, as somebody chooses in Slack? Escalate, reroute, add a responder."""

from typing import Any

from sqlalchemy import Select, func

from portal.db import db, now
from portal.domain.accounts import queries as accounts
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Permission
from portal.domain.alerts import queries as alerts
from portal.domain.alerts.models import Alert, Priority, Via
from portal.domain.escalation import operations, outlook
from portal.domain.escalation import queries as escalation
from portal.domain.escalation.models import EscalationPolicy
from portal.domain.escalation.targets import Target, TargetKind
from portal.domain.oncall import queries as oncall
from portal.domain.oncall.models import Schedule
from portal.errors import Conflict, NotFound
from portal.slack.alert_windows import alert_id_of, open_alert, said, url_of
from portal.slack.messages import alert_modals as messages
from portal.slack.messages.modal import Groups
from portal.slack.payloads import BlockSuggestion
from portal.slack.windows import Kind, Values, View, Window, subject_of

ESCALATE, REROUTE, ADD_RESPONDER = "alert_escalate", "alert_reroute", "alert_add_responder"
# How much of Slack's hundred options each kind may take.
SUGGESTED, PEOPLE, OTHERS = 10, 50, 20


def _escalate(window: Window) -> View:
    alert = open_alert(window)
    climb = escalation.escalation_of(alert)
    if climb is None or alert.priority is Priority.LOW:
        raise Conflict("This alert has no level to escalate to. Nothing was changed.")
    levels = outlook.levels(climb.plan, now())
    reached = len(levels) if climb.lap > 1 else climb.level
    return messages.escalate(alert, url_of(alert), levels, reached, climb.level, said(window))


def _submit_escalate(window: Window, values: Values) -> None:
    level = values.get("level", "")
    number = int(level) if level.isascii() and level.isdecimal() and len(level) < 6 else 0
    operations.escalate(alert_id_of(window), number, by=window.person, via=Via.SLACK)


def _reroute(window: Window) -> View:
    alert = open_alert(window)
    return messages.reroute(alert, url_of(alert), said(window))


def _submit_reroute(window: Window, values: Values) -> None:
    to = Target.parse(values.get("to", ""))
    operations.reroute(alert_id_of(window), to, by=window.person, via=Via.SLACK)


def _add_responder(window: Window) -> View:
    alert = open_alert(window)
    return messages.add_responder(alert, url_of(alert), said(window))


def _submit_responder(window: Window, values: Values) -> None:
    chosen = Target.parse(values.get("person", ""))
    operations.add_responder(alert_id_of(window), chosen.id, by=window.person, via=Via.SLACK)


MODALS: dict[str, Kind] = {
    ESCALATE: Kind(_escalate, _submit_escalate, errors_at="level"),
    REROUTE: Kind(_reroute, _submit_reroute, errors_at="to"),
    ADD_RESPONDER: Kind(_add_responder, _submit_responder, errors_at="person"),
}


def targets(person: User, asked: BlockSuggestion) -> Groups:
    """Where an alert can be rerouted to: who is on call for it first, then all that fits."""
    may_answer = accounts.who_may(Permission.RESPOND_TO_ALERTS, person.account_id)
    first = {} if asked.typed.strip() else _on_call(person, asked)
    groups = {
        "People": _fitting(may_answer, User, TargetKind.PERSON, asked.typed, PEOPLE),
        "Schedules": _fitting(
            oncall.visible_to(person), Schedule, TargetKind.SCHEDULE, asked.typed, OTHERS
        ),
        "Escalation policies": _fitting(
            escalation.visible_to(person), EscalationPolicy, TargetKind.POLICY, asked.typed, OTHERS
        ),
    }
    return {"Suggestions": first, **{kind: _without(first, each) for kind, each in groups.items()}}


def responders(person: User, asked: BlockSuggestion) -> Groups:
    """Who can be asked too: who is on call first, and nobody who is a responder already."""
    may_answer = accounts.who_may(Permission.RESPOND_TO_ALERTS, person.account_id)
    alert = _alert(person, asked)
    present = [each.user_id for each in escalation.responders_of(alert)] if alert else []
    first = {} if asked.typed.strip() else _on_call(person, asked)
    others = may_answer.where(User.id.not_in(present))
    people = _fitting(others, User, TargetKind.PERSON, asked.typed, PEOPLE)
    return {"Suggestions": first, "People": _without(first, people)}


def _on_call(person: User, asked: BlockSuggestion) -> dict[str, str]:
    """The people whom the alert's own policy comes to now, level by level, and nobody present."""
    alert = _alert(person, asked)
    climb = escalation.escalation_of(alert) if alert else None
    if alert is None or climb is None:
        return {}
    present = {each.user_id for each in escalation.responders_of(alert)}
    found: dict[str, str] = {}
    for level in outlook.levels(climb.plan, now()):
        for turn in level.turns:
            if turn.person is not None and turn.person.id not in present:
                value = str(Target(TargetKind.PERSON, turn.person.id))
                found.setdefault(value, f"{turn.person.name} (level {level.number})")
    return dict(list(found.items())[:SUGGESTED])


def _alert(person: User, asked: BlockSuggestion) -> Alert | None:
    """The alert that the modal is about."""
    subject = subject_of(asked.token, person.account_id, asked.user_id)
    try:
        return alerts.alert(person, int(subject.get("alert_id", 0)))
    except NotFound:
        return None


def _fitting(
    visible: Select[Any], kind: Any, target: TargetKind, typed: str, most: int
) -> dict[str, str]:
    fits = func.lower(kind.name).contains(typed.strip().lower(), autoescape=True)
    wanted = visible.where(fits).order_by(None).order_by(func.lower(kind.name), kind.id)
    found = db.session.scalars(wanted.limit(most))
    return {str(Target(target, each.id)): each.name for each in found}


def _without(first: dict[str, str], others: dict[str, str]) -> dict[str, str]:
    return {value: name for value, name in others.items() if value not in first}
