"""How is an alert created from Slack: in which modal, by whom, and who is told? product.md section 4.

Channels that a Slack alert source names have a modal for everybody, with what is offered there.
Elsewhere people with an account choose among all that they may see.
"""

import re
from typing import Any

from sqlalchemy import Select, func

from portal.db import db
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Permission
from portal.domain.alerts.models import Via
from portal.domain.by_hand import operations as by_hand
from portal.domain.by_hand.operations import NOT_SWITCHED_ON, Draft, SlackUser
from portal.domain.escalation import queries as escalation
from portal.domain.escalation.models import EscalationPolicy
from portal.domain.slack_sources import queries as slack_sources
from portal.domain.slack_sources.models import SlackSource
from portal.domain.sources import queries as sources
from portal.domain.sources.models import AlertSource
from portal.errors import Conflict, Denied, Invalid
from portal.slack import people
from portal.slack.messages import new_alert as messages
from portal.slack.messages.modal import MOST_OPTIONS
from portal.slack.messages.new_alert import ADVANCED, SOURCE, Named, Typed
from portal.slack.refusals import only_members
from portal.slack.windows import Kind, Next, Values, View, Window

TEAM, CHANNEL = "new_alert", "new_alert_here"
KEY = "slack:"  # what an alert's creation_key begins with, before the number of its modal
USAGE = (
    "`/il-alert` opens a new alert; what stands behind it becomes the summary.\n"
    "In channels that are set up for it anybody may; elsewhere people with an account.\n"
    "`/il-alert help` shows this."
)
NOT_ALLOWED = (
    "Your role does not let you create alerts here. Ask an admin for the role responder, or to add"
    " this channel to a Slack alert source."
)
NO_SOURCE = "There is no alert source you may use. Ask an admin."
PAUSED = "Alerts from here are paused. Nothing was created."
LONGEST_NAME = 80  # of a Slack user, on the timeline
USER_ID = re.compile(r"(?<!<)@([UW][A-Z0-9]{2,30})\b")

Subject = dict[str, Any]


def kind_for(account_id: int, channel_id: str) -> str:
    """Which modal opens in this channel."""
    is_set_up = channel_id and slack_sources.of_channel(account_id, channel_id)
    return CHANNEL if is_set_up else TEAM


def subject(account_id: int, text: str, user_name: str, origin: str = "") -> Subject:
    """What a modal is about that somebody opens with a text, such as that of a message.

    Slack's ids of people become names where we know them.
    """
    typed = messages.prefilled(named(account_id, text), origin)
    return {
        "summary": typed.summary,
        "details": typed.details,
        "user_name": user_name[:LONGEST_NAME],
    }


def named(account_id: int, text: str) -> str:
    """The text with people's names in place of Slack's ids, as far as they are mapped."""
    names = people.names(account_id, set(USER_ID.findall(text)))
    return USER_ID.sub(lambda found: f"@{names.get(found[1], found[1])}", text)


def source_choices(person: User, typed: str) -> list[Named]:
    """What fits in the modal's search for a source."""
    if not person.can(Permission.RESPOND_TO_ALERTS):
        return []
    return _fitting(_sources(person), AlertSource, typed)


def policy_choices(person: User, typed: str) -> list[Named]:
    if not person.can(Permission.RESPOND_TO_ALERTS):
        return []
    return _fitting(escalation.visible_to(person), EscalationPolicy, typed)


def _view_of_team(window: Window) -> View:
    person = window.person
    if not person.can(Permission.RESPOND_TO_ALERTS):
        raise Denied(NOT_ALLOWED)
    if db.session.scalar(_sources(person).with_only_columns(AlertSource.id).limit(1)) is None:
        raise Conflict(NO_SOURCE)
    source = _chosen(_sources(person), AlertSource, window.subject.get("source_id"))
    policy = _chosen(
        escalation.visible_to(person), EscalationPolicy, window.subject.get("policy_id")
    )
    return messages.of_team(_typed(window), source, policy)


def _view_of_channel(window: Window) -> View:
    here = _here(window)
    may_choose = window.asker.person is not None and window.asker.person.can(
        Permission.RESPOND_TO_ALERTS
    )
    return messages.of_channel(
        _typed(window),
        here.label,
        [(offer.policy_id, offer.name) for offer in here.offers],
        has_advanced=may_choose,
    )


def _choose_source(window: Window, value: str) -> Next:
    """The source fills in its policy."""
    chosen = sources.visible_to(window.person).where(AlertSource.id == _id(value))
    source = db.session.scalar(chosen)
    picked = {
        "source_id": source.id if source else None,
        "policy_id": source.escalation_policy_id if source else None,
    }
    return Next(TEAM, window.subject | picked)


def _advance(window: Window, value: str) -> Next:
    """To the modal with all sources and policies; the one that was ticked stays chosen."""
    return Next(TEAM, window.subject | {"policy_id": _id(window.values.get("policy_id", ""))})


def _submit_of_team(window: Window, values: Values) -> None:
    # The policy's field is called differently for each source: see messages/new_alert.py.
    fields = {name.partition("-")[0]: name for name in values}
    draft = _draft(values, values.get(fields.get("policy_id", ""), ""), values.get("source_id", ""))
    try:
        by_hand.create(
            draft,
            key=f"{KEY}{window.modal_id}",
            by=window.person,
            via=Via.SLACK,
            slack_user=_slack_user(window),
        )
    except Invalid as problem:
        raise Invalid(str(problem), field=fields.get(problem.field or "")) from problem
    except Conflict as problem:
        raise Invalid(str(problem), field="source_id") from problem


def _submit_of_channel(window: Window, values: Values) -> None:
    _here(window)
    by_hand.create_in_channel(
        _draft(values, values.get("policy_id", "")),
        account_id=window.asker.installation.account_id,
        key=f"{KEY}{window.modal_id}",
        by=window.asker.person,
        slack_user=_slack_user(window),
    )


MODALS: dict[str, Kind] = {
    TEAM: Kind(
        _view_of_team,
        _submit_of_team,
        actions={SOURCE: _choose_source},
        errors_at="summary",
        without_person=NOT_SWITCHED_ON,
    ),
    CHANNEL: Kind(
        _view_of_channel,
        _submit_of_channel,
        actions={ADVANCED: _advance},
        errors_at="policy_id",
        needs_person=False,
    ),
}


def _here(window: Window) -> SlackSource:
    """The Slack source of the channel. Raises Denied where nobody may, Conflict while it is paused."""
    asker = window.asker
    if asker.is_outsider:
        raise Denied(only_members(asker.installation.team_name))
    here = slack_sources.of_channel(asker.installation.account_id, asker.channel_id)
    if here is None:
        raise Denied(NOT_SWITCHED_ON)
    if here.source.disabled_at is not None:
        raise Conflict(PAUSED)
    return here


def _draft(values: Values, policy: str, source: str = "") -> Draft:
    return Draft(
        summary=values.get("summary", ""),
        details=values.get("details", ""),
        source_id=_id(source),
        policy_id=_id(policy),
    )


def _typed(window: Window) -> Typed:
    return Typed(window.subject.get("summary", ""), window.subject.get("details", ""))


def _slack_user(window: Window) -> SlackUser:
    asker = window.asker
    name = window.subject.get("user_name") or f"Slack user {asker.slack_user_id}"
    return SlackUser(asker.slack_user_id, name, asker.channel_id)


def _sources(person: User) -> Select[AlertSource]:
    return sources.visible_to(person).where(AlertSource.disabled_at.is_(None))


def _fitting(visible: Select[Any], kind: Any, typed: str) -> list[Named]:
    fits = func.lower(kind.name).contains(typed.strip().lower(), autoescape=True)
    wanted = visible.where(fits).order_by(func.lower(kind.name), kind.id).limit(MOST_OPTIONS)
    return [(found.id, found.name) for found in db.session.scalars(wanted)]


def _chosen(visible: Select[Any], kind: Any, row_id: int | None) -> Named | None:
    found = db.session.scalar(visible.where(kind.id == row_id)) if row_id else None
    return (found.id, found.name) if found else None


def _id(value: str) -> int | None:
    """The id that a select or a radio button carries; 0, which nothing has, for what is no number."""
    if not value:
        return None
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 19 else 0
