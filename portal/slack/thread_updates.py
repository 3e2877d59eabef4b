"""Which updates should be told in which channel's thread? Within the transaction of what happened.

Alert actions say it, for the channels that they send an alert to; in an alert's own channel every
update is told, whatever they say (product.md 3.2 and 3.3).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import false, select, text
from sqlalchemy.orm import defer, joinedload

from portal.db import db, now
from portal.domain.alerts.models import Alert, TimelineEntry
from portal.domain.dedicated_channels.models import ChannelState, DedicatedChannel
from portal.domain.facts import AlertActionDue, TimelineGrew
from portal.domain.routing import matching, timers, triggers
from portal.domain.routing import queries as routing
from portal.domain.routing.conditions import Subject
from portal.domain.routing.models import AlertAction
from portal.domain.routing.triggers import Trigger
from portal.slack.posted import Lane, PostedMessage

# Told once for each message and line; nothing is told under a message that will never be there.
TELL = text(
    "INSERT INTO slack_thread_replies (account_id, channel_id, channel_name, posted_message_id,"
    " entry_id, created_at, wanted_version, shown_version, attempts, form, was_reposted)"
    " SELECT posted.account_id, posted.channel_id, posted.channel_name, posted.id,"
    " told.entry_id, :moment, 1, 0, 0, 'full', false"
    " FROM unnest(CAST(:alert_ids AS bigint[]), CAST(:channel_ids AS text[]),"
    " CAST(:entry_ids AS bigint[])) AS told (alert_id, channel_id, entry_id)"
    " JOIN posted_messages AS posted"
    " ON posted.alert_id = told.alert_id AND posted.channel_id = told.channel_id"
    " WHERE posted.gave_up_at IS NULL OR posted.ts IS NOT NULL"
    " ORDER BY told.entry_id, posted.id ON CONFLICT DO NOTHING"
)


class Shown(NamedTuple):
    """A place where an alert is or will be shown; perhaps its dedicated channel."""

    account_id: int
    alert_id: int
    channel_id: str
    channel_name: str
    is_own_channel: bool


class Told(NamedTuple):
    """One update to tell. `action_id` names the only action that it concerns, if there is one."""

    entry: TimelineEntry
    trigger: Trigger
    action_id: int | None = None


@dataclass
class Wanted:
    """What has to be told where: (alert id, channel id) → the lines; and the channels by account."""

    lines: dict[tuple[int, str], list[int]] = field(default_factory=dict)
    channels: dict[int, matching.Channels] = field(default_factory=dict)

    def add(self, alert: Alert, channels: matching.Channels, entry: TimelineEntry) -> None:
        self.channels.setdefault(alert.account_id, {}).update(channels)
        for channel_id in channels:
            self.lines.setdefault((alert.id, channel_id), []).append(entry.id)


def worth_telling(facts: Iterable[object]) -> list[Told]:
    """The updates among the facts, in their order."""
    found = []
    for fact in facts:
        if isinstance(fact, TimelineGrew | AlertActionDue):
            trigger = triggers.of_entry(fact.entry)
            only = fact.action_id if isinstance(fact, AlertActionDue) else None
            is_timed = trigger is Trigger.NOT_RESOLVED and only is None
            if trigger is not None and not is_timed:
                found.append(Told(fact.entry, trigger, only))
    return found


def wanted(updates: Sequence[Told], shown: Sequence[Shown]) -> Wanted:
    """Where the updates have to be told. Starts the timers of actions that only do so later.

    `shown` is where the alerts are shown so far.
    """
    if not updates:
        return Wanted()
    alerts = _alerts({told.entry.alert_id for told in updates})
    by_source = routing.actions_by_source({alert.source_id for alert in alerts.values()})
    everything = [action for actions in by_source.values() for action in actions]
    subjects = routing.subjects_of(alerts.values(), everything)
    own = {s.alert_id: {s.channel_id: s.channel_name} for s in shown if s.is_own_channel}
    found = Wanted()
    for told in updates:
        alert = alerts[told.entry.alert_id]
        actions = _publishing(told, by_source.get(alert.source_id, []), subjects[alert.id])
        channels = open_channels(alert.account_id, actions)
        if told.trigger is not Trigger.CHANNEL_ATTACHED:  # whoever reads it there sees the channel
            channels |= own.get(alert.id, {})
        channels.pop(str((told.entry.data or {}).get("slack_channel_id")), None)  # said there
        found.add(alert, channels, told.entry)
    return found


def tell(found: Wanted) -> None:
    """Store it. Afterwards the lanes of these channels have to look."""
    rows = [(*place, entry_id) for place, lines in found.lines.items() for entry_id in lines]
    if rows:
        alert_ids, channel_ids, entry_ids = (list(column) for column in zip(*rows, strict=True))
        values = {"alert_ids": alert_ids, "channel_ids": channel_ids, "entry_ids": entry_ids}
        db.session.execute(TELL, values | {"moment": now()})


def open_channels(account_id: int, actions: Sequence[AlertAction]) -> matching.Channels:
    """Where these actions post: for a closed channel its other one as well, if it names one."""
    channels = matching.channels_of(actions)
    if any(action.fallback_channel_id for action in actions):
        closed = select(Lane.channel_id).where(
            Lane.account_id == account_id,
            Lane.channel_id.in_(list(channels)),
            Lane.problem.is_not(None),
        )
        channels |= matching.fallbacks_of(actions, set(db.session.scalars(closed)))
    return channels


def _publishing(told: Told, actions: list[AlertAction], subject: Subject) -> list[AlertAction]:
    """The actions that publish it now; those that wait for a while get a timer."""
    chosen = matching.publishing(actions, told.trigger, subject)
    if told.action_id is not None:
        return [action for action in chosen if action.id == told.action_id]
    if told.trigger is Trigger.ESCALATION_ENDED:
        for action in chosen:
            if action.ended_after:
                timers.start([told.entry.alert_id], action, Trigger.ESCALATION_ENDED)
        return [action for action in chosen if not action.ended_after]
    return chosen


def _alerts(alert_ids: set[int]) -> dict[int, Alert]:
    """A single one is in the session already. Many come without what may be a mebibyte each;
    conditions that look at it fetch it."""
    if len(alert_ids) == 1:
        return {alert_id: db.session.get_one(Alert, alert_id) for alert_id in alert_ids}
    heavy = defer(Alert.details), defer(Alert.custom_details)
    wanted = select(Alert).where(Alert.id.in_(alert_ids)).options(joinedload(Alert.source), *heavy)
    return {alert.id: alert for alert in db.session.scalars(wanted)}


def shown(alert_ids: Collection[int], *, with_channels: bool) -> list[Shown]:
    """Where these alerts are shown; `with_channels` looks which place is a dedicated channel."""
    columns = (
        PostedMessage.account_id,
        PostedMessage.alert_id,
        PostedMessage.channel_id,
        PostedMessage.channel_name,
    )
    of_these = PostedMessage.alert_id.in_(alert_ids)
    if not with_channels:
        places = select(*columns, false()).where(of_these)
    else:
        is_own = (DedicatedChannel.alert_id == PostedMessage.alert_id) & (
            DedicatedChannel.channel_id == PostedMessage.channel_id
        )
        is_attached = DedicatedChannel.state == ChannelState.ATTACHED
        places = select(*columns, DedicatedChannel.id.is_not(None)).where(of_these)
        places = places.outerjoin(DedicatedChannel, is_own & is_attached)
    return [Shown(*row) for row in db.session.execute(places)]
