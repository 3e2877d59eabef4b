"""What should Slack show now that something happened? Database only; the lanes do the talking."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import TextClause, delete, select, text, update

from portal.db import db, now
from portal.domain.alerts.models import Alert
from portal.domain.facts import (
    AlertAcknowledged,
    AlertCreated,
    AlertEscalated,
    AlertEscalationEnded,
    AlertEventJoined,
    AlertPriorityRaised,
    AlertRerouted,
    AlertResolved,
    AlertSummaryChanged,
    NobodyOnCall,
    ResponderAdded,
    ResponderRemoved,
    WorkspaceLinked,
)
from portal.domain.routing import matching
from portal.domain.routing import queries as routing
from portal.jobs.engine import Wake
from portal.slack.lanes import deliver
from portal.slack.pacing import Outage
from portal.slack.posted import BEHIND, SUMMARY_BEHIND, Lane, PostedMessage, Summary

AlertChanged = (
    AlertEventJoined
    | AlertAcknowledged
    | AlertResolved
    | AlertPriorityRaised
    | AlertEscalated
    | AlertEscalationEnded
    | NobodyOnCall
    | ResponderAdded
    | ResponderRemoved
    | AlertRerouted
    | AlertSummaryChanged
)

# In words of SQL, because building these two anew took as long as running them, for each event.
LOCKED = (
    "SELECT channel_id, returns_at, update_at, next_at FROM slack_lanes"
    " WHERE account_id = :account_id AND channel_id = ANY(:ids) ORDER BY channel_id FOR SHARE"
)
SHOWN = (
    "WITH shown AS (INSERT INTO posted_messages"
    " (account_id, alert_id, channel_id, channel_name, created_at,"
    " wanted_version, shown_version, attempts, is_own, form, was_reposted)"
    " SELECT :account_id, :alert_id, place.id, place.name, :moment, 1, 0, 0, true, 'full', false"
    " FROM unnest(CAST(:ids AS text[]), CAST(:names AS text[])) AS place (id, name)"
    " ON CONFLICT DO NOTHING) "
)
LOCK, SHOW_AND_LOCK = text(LOCKED), text(SHOWN + LOCKED)


def show_new_alert(fact: AlertCreated) -> Iterable[Wake]:
    """The channels of the matching alert actions should show it."""
    alert = db.session.get_one(Alert, fact.alert_id)
    actions = routing.actions_for(alert)
    channels = matching.channels_for(alert, actions)
    if any(action.fallback_channel_id for action in actions):
        closed = _closed_channels(alert.account_id, channels)
        channels |= matching.fallbacks_for(alert, actions, closed)
    if not channels:
        return []
    put = {
        "alert_id": alert.id,
        "names": [channels[channel_id] for channel_id in sorted(channels)],
        "moment": now(),
    }
    return lanes_of(alert.account_id, channels, SHOW_AND_LOCK, is_new=True, **put)


def show_alerts_anew(facts: Sequence[AlertChanged]) -> Iterable[Wake]:
    """Wherever they are shown, they should show their present state: the wanted version goes up.

    Where a summary stands for them, the summary's does.
    """
    alert_ids = {fact.alert_id for fact in facts}
    places = select(PostedMessage.account_id, PostedMessage.channel_id)
    places = places.where(PostedMessage.alert_id.in_(alert_ids)).distinct()
    channels: dict[int, set[str]] = {}
    for account_id, channel_id in db.session.execute(places):
        channels.setdefault(account_id, set()).add(channel_id)
    # Lanes first, messages after them: whoever delivers locks them in this order as well.
    wakes = [
        wanted
        for account_id, of_account in sorted(channels.items())
        for wanted in lanes_of(account_id, of_account, is_new=False)
    ]
    if channels:
        _want_newer(alert_ids)
    return wakes


def _want_newer(alert_ids: Collection[int]) -> None:
    changed = (
        update(PostedMessage)
        .where(PostedMessage.alert_id.in_(alert_ids))
        .values(wanted_version=PostedMessage.wanted_version + 1)
        .returning(PostedMessage.summary_id)
    )
    rows = db.session.execute(changed).all()
    summary_ids = sorted({row.summary_id for row in rows if row.summary_id is not None})
    for summary_id in summary_ids:
        counted = update(Summary).where(Summary.id == summary_id)
        db.session.execute(counted.values(wanted_version=Summary.wanted_version + 1))


def resume_lanes(fact: WorkspaceLinked) -> Iterable[Wake]:
    """What waited for the link goes on at once, newest state first."""
    behind = [
        select(kind.channel_id).where(kind.account_id == fact.account_id, is_behind).distinct()
        for kind, is_behind in ((PostedMessage, BEHIND), (Summary, SUMMARY_BEHIND))
    ]
    # In the order of whoever delivers: the lanes, by name, then what is theirs together.
    lanes = select(Lane.channel_id).where(Lane.account_id == fact.account_id)
    db.session.execute(lanes.order_by(Lane.channel_id).with_for_update()).all()
    free = update(Lane).where(Lane.account_id == fact.account_id)
    db.session.execute(free.values(next_at=now(), held_reason=None, failures=0, returns_at=None))
    db.session.execute(delete(Outage).where(Outage.account_id == fact.account_id))
    channels = {channel for wanted in behind for channel in db.session.scalars(wanted)}
    return [_lane(fact.account_id, channel_id) for channel_id in sorted(channels)]


def _closed_channels(account_id: int, channel_ids: Iterable[str]) -> set[str]:
    wanted = select(Lane.channel_id).where(
        Lane.account_id == account_id,
        Lane.channel_id.in_(list(channel_ids)),
        Lane.problem.is_not(None),
    )
    return set(db.session.scalars(wanted))


def lanes_of(
    account_id: int,
    channel_ids: Iterable[str],
    lock: TextClause = LOCK,
    *,
    is_new: bool,
    **more: Any,
) -> list[Wake]:
    """The lanes that must be woken: not those where a job comes back before more could be done.

    The lock makes such a job wait until we have committed, so that it cannot miss our change.
    """
    channels = sorted(channel_ids)
    locked = db.session.execute(lock, {"account_id": account_id, "ids": channels, **more})
    moment, coming = now(), set()
    for lane in locked:
        at = lane.returns_at
        # A change needs no place for a new message: only a spent budget of changes delays it.
        changes_from = max(lane.update_at or lane.next_at, lane.next_at)
        if at is not None and at > moment and (is_new or at <= changes_from):
            coming.add(lane.channel_id)
    return [_lane(account_id, channel) for channel in channels if channel not in coming]


def _lane(account_id: int, channel_id: str) -> Wake:
    return Wake(deliver, {"account_id": account_id, "channel_id": channel_id})
