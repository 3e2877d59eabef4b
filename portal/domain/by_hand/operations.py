"""How is an alert opened by hand: by a person, or by anybody in a channel that was set up for it?

Each operation is one transaction, and takes the key of the form or modal that was submitted: the
same submission opens one alert, however often and in whatever order it arrives.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError

from portal.db import db, now
from portal.domain.accounts import queries as accounts
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Permission
from portal.domain.alerts import timeline
from portal.domain.alerts.models import (
    LONGEST_SUMMARY,
    Alert,
    AlertStatus,
    Priority,
    TimelineKind,
    Via,
)
from portal.domain.escalation import queries as escalation
from portal.domain.escalation.models import EscalationPolicy
from portal.domain.facts import AlertCreated, announce
from portal.domain.slack_sources import queries as slack_sources
from portal.domain.sources import queries as sources
from portal.domain.sources.models import AlertSource
from portal.errors import Conflict, Denied, Invalid

LONGEST_DETAILS = 10_000
MOST_RESPONDERS = 20
NO_LONGER_OFFERED = "This choice is no longer offered. Please choose again."
NOT_SWITCHED_ON = (
    "Creating alerts without an account is not switched on in this channel. An admin can add it to a"
    " Slack alert source, or you connect your account."
)


@dataclass(frozen=True)
class Draft:
    """An alert as somebody wrote it. Where responders are named, no policy is climbed."""

    summary: str
    details: str = ""
    source_id: int | None = None
    policy_id: int | None = None  # none: the source's own
    priority: Priority = Priority.HIGH
    responder_ids: Sequence[int] = ()


@dataclass(frozen=True)
class SlackUser:
    """Who submitted a modal, as Slack names them, and in which channel they began."""

    id: str
    name: str
    channel_id: str = ""


class Opened(NamedTuple):
    alert: Alert
    is_new: bool  # False: this submission had opened it before


def create(
    draft: Draft, *, key: str, by: User, via: Via, slack_user: SlackUser | None = None
) -> Opened:
    """Open an alert for one of the sources that the person may see (product.md 7.1).

    Raises Invalid, whose field is a name of Draft; Conflict when the source is disabled.
    """
    by.require(Permission.RESPOND_TO_ALERTS)
    if by.account_id is not None and (earlier := _earlier(by.account_id, key)):
        return Opened(earlier, is_new=False)
    wanted = sources.visible_to(by).where(AlertSource.id == draft.source_id)
    source = db.session.scalar(wanted)
    if source is None:
        raise Invalid("Please choose an alert source.", field="source_id")
    people = _responders(draft.responder_ids, by)
    policy = None
    if draft.policy_id is not None and not people:
        policy = _kept(escalation.visible_to(by), draft.policy_id)
    alert = _alert(draft, source, key)
    return _open(alert, by, via, policy, people, slack_user)


def create_in_channel(
    draft: Draft, *, account_id: int, key: str, by: User | None, slack_user: SlackUser
) -> Opened:
    """Open an alert from a channel in which anybody may, with one of the policies offered there.

    All else comes from the channel's Slack source. `by` is None for somebody without an account.
    Raises Denied when the channel is not set up (any more), Invalid and Conflict as create().
    """
    if earlier := _earlier(account_id, key):
        return Opened(earlier, is_new=False)
    here = slack_sources.of_channel(account_id, slack_user.channel_id)
    if here is None:
        raise Denied(NOT_SWITCHED_ON)
    offered = [offer.policy_id for offer in here.offers]
    if draft.policy_id not in offered:
        raise Invalid(NO_LONGER_OFFERED, field="policy_id")
    ours = select(EscalationPolicy).where(EscalationPolicy.account_id == account_id)
    policy = _kept(ours, draft.policy_id)
    alert = _alert(draft, here.source, key)
    return _open(alert, by or slack_user.name, Via.SLACK, policy, [], slack_user)


def by_key(account_id: int, key: str) -> Alert | None:
    """The alert that this submission has opened."""
    wanted = select(Alert).where(Alert.account_id == account_id, Alert.creation_key == key)
    return db.session.scalar(wanted)


def _earlier(account_id: int, key: str) -> Alert | None:
    found = by_key(account_id, key)
    if found is not None:
        db.session.commit()
    return found


def _kept(visible: Select[EscalationPolicy], policy_id: int | None) -> EscalationPolicy:
    """The policy, kept from being deleted until the transaction ends."""
    wanted = visible.where(EscalationPolicy.id == policy_id)
    policy = db.session.scalar(wanted.with_for_update(read=True, key_share=True))
    if policy is None:
        raise Invalid(NO_LONGER_OFFERED, field="policy_id")
    return policy


def _responders(user_ids: Sequence[int], by: User) -> list[User]:
    chosen = list(dict.fromkeys(user_ids))
    if len(chosen) > MOST_RESPONDERS:
        raise Invalid(f"Please name at most {MOST_RESPONDERS} people.", field="responder_ids")
    if not chosen:
        return []
    who_may = accounts.who_may(Permission.RESPOND_TO_ALERTS, by.account_id)
    found = list(db.session.scalars(who_may.where(User.id.in_(chosen))))
    if len(found) < len(chosen):
        raise Invalid(
            "Somebody you chose may no longer answer alerts. Please choose again.",
            field="responder_ids",
        )
    return found


def _alert(draft: Draft, source: AlertSource, key: str) -> Alert:
    """The alert as it will be opened; it is not in the session yet."""
    summary, details = " ".join(draft.summary.split()), draft.details.strip()
    if not 0 < len(summary) <= LONGEST_SUMMARY:
        raise Invalid(
            f"Please give a summary of at most {LONGEST_SUMMARY} characters.", field="summary"
        )
    if len(details) > LONGEST_DETAILS:
        raise Invalid(
            f"Please give details of at most {LONGEST_DETAILS} characters.", field="details"
        )
    if source.disabled_at is not None:
        raise Conflict(f"Alerts from {source.name} are paused. Nothing was created.")
    moment = now()
    return Alert(
        account_id=source.account_id,
        source_id=source.id,
        creation_key=key,
        summary=summary,
        details=details,
        priority=draft.priority,
        status=AlertStatus.PENDING,
        created_at=moment,
        last_event_at=moment,
    )


def _open(
    alert: Alert,
    by: User | str,
    via: Via,
    policy: EscalationPolicy | None,
    people: Sequence[User],
    slack_user: SlackUser | None,
) -> Opened:
    account_id, key = alert.account_id, alert.creation_key or ""
    try:
        with db.session.begin_nested():
            db.session.add(alert)
    except IntegrityError:  # the same submission came twice at this moment
        earlier = by_key(account_id, key)
        if earlier is None:
            raise
        db.session.commit()
        return Opened(earlier, is_new=False)
    said = {"slack_user_id": slack_user.id} if slack_user else {}
    if people:
        said["asked"] = ", ".join(person.name for person in people)
    if policy is not None:
        said["policy"] = policy.name
    timeline.record(alert, TimelineKind.CREATED_BY_PERSON, by=by, via=via, **said)
    announce(
        AlertCreated(alert.id, policy.id if policy else None, tuple(each.id for each in people))
    )
    db.session.commit()
    return Opened(alert, is_new=True)
