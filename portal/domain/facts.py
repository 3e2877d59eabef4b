"""What does the domain announce, in the past tense? Who reacts: portal/subscriptions.py."""

from dataclasses import dataclass

from portal.db import db
from portal.domain.alerts.models import TimelineEntry


@dataclass(frozen=True)
class Fact:
    """Something that happened. It names rows; whoever reacts reads their present state."""


@dataclass(frozen=True)
class PersonChanged(Fact):
    """Somebody was given another role, deactivated or reactivated."""

    user_id: int


@dataclass(frozen=True)
class PersonJoined(Fact):
    """Somebody was added to an account."""

    account_id: int


@dataclass(frozen=True)
class AlertCreated(Fact):
    """Whoever opened it by hand may have chosen a policy, or people to ask instead of one."""

    alert_id: int
    policy_id: int | None = None
    responder_ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class AlertEventJoined(Fact):
    """A further event joined an open alert: its count or its labels changed."""

    alert_id: int


@dataclass(frozen=True)
class AlertAcknowledged(Fact):
    alert_id: int


@dataclass(frozen=True)
class AlertResolved(Fact):
    alert_id: int


@dataclass(frozen=True)
class AlertPriorityRaised(Fact):
    """From low to high."""

    alert_id: int


@dataclass(frozen=True)
class AlertEscalated(Fact):
    """A further level was asked: by its time, by hand, or after a reroute. Not the first one."""

    alert_id: int
    level: int


@dataclass(frozen=True)
class AlertEscalationEnded(Fact):
    """The end of the policy: the alert is still pending and nobody further will be asked."""

    alert_id: int


@dataclass(frozen=True)
class NobodyOnCall(Fact):
    """Not one person was found to ask. Responders cannot know; the admins have to."""

    alert_id: int


@dataclass(frozen=True)
class ResponderAdded(Fact):
    """The person is asked to act: as a new responder, or once more."""

    alert_id: int
    user_id: int


@dataclass(frozen=True)
class ResponderRemoved(Fact):
    """The person need not act any more."""

    alert_id: int
    user_id: int


@dataclass(frozen=True)
class AlertSummaryChanged(Fact):
    """A person has put it in other words."""

    alert_id: int


@dataclass(frozen=True)
class NotificationDue(Fact):
    """A person should be told now, on one way."""

    notification_id: int


@dataclass(frozen=True)
class NotificationFailed(Fact):
    """A person could not be told on one way; perhaps there is another."""

    alert_id: int
    user_id: int


@dataclass(frozen=True)
class NoticeTold(Fact):
    """A notice stands on top of somebody's pages; they may not look at one for days."""

    notice_id: int


@dataclass(frozen=True)
class AlertRerouted(Fact):
    """Other people are asked now, and it is pending again."""

    alert_id: int


@dataclass(frozen=True)
class TimelineGrew(Fact):
    """Something was written on an alert's timeline. timeline.record() announces it for each line.

    It carries the row itself, which gets its id only when the transaction is flushed.
    """

    entry: TimelineEntry


@dataclass(frozen=True)
class AlertActionDue(Fact):
    """The time of an alert action has come that publishes this line of the timeline."""

    action_id: int
    entry: TimelineEntry


@dataclass(frozen=True)
class AlertActionRun(Fact):
    """A person has a manual alert action carried out for an alert."""

    run_id: int


@dataclass(frozen=True)
class AlertActionTested(Fact):
    """Somebody wants to see whether an alert action gets through."""

    action_id: int


@dataclass(frozen=True)
class DedicatedChannelRequested(Fact):
    """Something about an alert's channel is to be done in Slack: make it, or invite people."""

    dedicated_channel_id: int


@dataclass(frozen=True)
class DedicatedChannelAttached(Fact):
    """The channel exists and follows the alert from now on."""

    dedicated_channel_id: int
    alert_id: int


@dataclass(frozen=True)
class DedicatedChannelDetached(Fact):
    """The channel no longer follows the alert: by a person, or because it is gone in Slack."""

    dedicated_channel_id: int
    alert_id: int


@dataclass(frozen=True)
class WorkspaceLinked(Fact):
    """A workspace was linked or authorized again: what waited for it can go on."""

    account_id: int


@dataclass(frozen=True)
class WorkspaceBroken(Fact):
    """Slack no longer accepts the link: nothing is sent until an admin authorizes again."""

    account_id: int


@dataclass(frozen=True)
class WorkspaceUnlinked(Fact):
    """The link has ended. The revocation row keeps the token until Slack has confirmed."""

    account_id: int
    revocation_id: int


def announce(fact: Fact) -> None:
    """Have the subscribers react if, and only if, this transaction commits.

    Call it after the change, within the transaction (SQLAlchemy forgets an announcement made
    before the transaction began when it rolls back).
    """
    db.session.info.setdefault("facts", []).append(fact)
