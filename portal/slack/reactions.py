"""What should Slack show now that something happened? Database only; the lanes do the talking."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import TextClause, delete, select, text, update

from portal.db import db, now
from portal.domain.alerts.models import Alert, TimelineEntry
from portal.domain.dedicated_channels import reactions as dedicated_channels
from portal.domain.facts import (
    AlertAcknowledged,
    AlertActionDue,
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
    TimelineGrew,
    WorkspaceLinked,
)
from portal.domain.routing import matching, timers
from portal.domain.routing import queries as routing
from portal.domain.routing.triggers import Trigger
from portal.jobs.engine import Wake, job, wake
from portal.slack import thread_updates
from portal.slack.lanes import deliver
from portal.slack.pacing import Outage
from portal.slack.posted import (
    BEHIND,
    CLOCKS_AGREE,
    REPLY_BEHIND,
    SUMMARY_BEHIND,
    Lane,
    PostedMessage,
    Summary,
    ThreadReply,
)
from portal.slack.thread_updates import Told

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

# What is written down while a lane or a dedicated channel is locked: whoever then locked the lanes of
# the alert's other channels could wait for somebody who waits for them.
BESIDE_A_LANE = {Trigger.CHANNEL_ATTACHED, Trigger.CHANNEL_DETACHED}
# In words of SQL, because building these two anew took as long as running them, for each event.
LOCKED = (
    "SELECT channel_id, returns_at, update_at, next_at, seen_at FROM slack_lanes"
    " WHERE account_id = :account_id AND channel_id = ANY(:ids) ORDER BY channel_id FOR SHARE"
)
SHOWN = (
    "WITH shown AS (INSERT INTO posted_messages"
    " (account_id, alert_id, channel_id, channel_name, created_at,"
    " wanted_version, shown_version, attempts, is_own, form, was_reposted)"
    " SELECT :account_id, place.alert_id, place.id, place.name, :moment, 1, 0, 0, true, 'full', false"
    " FROM unnest(CAST(:alert_ids AS bigint[]), CAST(:place_ids AS text[]), CAST(:names AS text[]))"
    " AS place (alert_id, id, name)"
    " ON CONFLICT DO NOTHING) "
)
LOCK, SHOW_AND_LOCK = text(LOCKED), text(SHOWN + LOCKED)
SHOW = text(SHOWN + "SELECT 1")


class NewPlace(NamedTuple):
    """A channel where an alert is to be shown from now on."""

    alert_id: int
    channel_id: str
    channel_name: str


def show_new_alerts(facts: Sequence[AlertCreated]) -> list[Wake]:
    """The channels of the matching alert actions should show them; one may be made for one alone."""
    places: dict[int, list[NewPlace]] = {}
    for alert in [db.session.get_one(Alert, fact.alert_id) for fact in facts]:
        for channel_id, name in _channels_of_new(alert).items():
            places.setdefault(alert.account_id, []).append(NewPlace(alert.id, channel_id, name))
    wakes: list[Wake] = []
    for account_id, wanted in sorted(places.items()):
        channels = {each.channel_id for each in wanted}
        wakes += lanes_of(account_id, channels, SHOW_AND_LOCK, posts_in=channels, **_put(wanted))
    return wakes


def _channels_of_new(alert: Alert) -> Mapping[str, str]:
    actions = routing.actions_for(alert)
    if not actions:
        return {}
    dedicated_channels.create_where_wanted(alert, actions)
    for action in actions:
        if Trigger.NOT_RESOLVED in action.triggers:
            timers.start([alert.id], action, Trigger.NOT_RESOLVED)
    subject = routing.subject_of(alert, actions)
    posting = matching.publishing(actions, Trigger.CREATED, subject)
    return thread_updates.open_channels(alert.account_id, posting)


def show_alerts_anew(facts: Sequence[AlertChanged | TimelineGrew | AlertActionDue]) -> list[Wake]:
    """Wherever they are shown, they should show their present state: the wanted version goes up,
    and what alert actions publish is told in the threads.

    Where a summary stands for them, the summary's does. An update may be the first that an action
    publishes: then it posts the message.
    """
    changed = {f.alert_id for f in facts if not isinstance(f, TimelineGrew | AlertActionDue)}
    updates = thread_updates.worth_telling(facts)
    later = [each for each in updates if each.trigger in BESIDE_A_LANE]
    wakes = [Wake(tell_update, {"entry_id": each.entry.id}) for each in later]
    return wakes + _show(changed, [each for each in updates if each not in later])


@job("tell_update:{entry_id}")
def tell_update(entry_id: int) -> None:
    """Tell one update in the threads, in a transaction that has locked nothing else."""
    entry = db.session.get(TimelineEntry, entry_id)
    if entry is not None:
        for wanted in _show(set(), thread_updates.worth_telling([TimelineGrew(entry)])):
            wake(wanted.job, at=wanted.at, **wanted.ids)
    db.session.commit()


def _show(changed: Collection[int], updates: Sequence[Told]) -> list[Wake]:
    concerned = {*changed, *(each.entry.alert_id for each in updates)}
    if not concerned:
        return []
    shown = thread_updates.shown(concerned, with_channels=bool(updates))
    told = thread_updates.wanted(updates, shown)
    changes: dict[int, set[str]] = {}
    for each in shown:
        if each.alert_id in changed:
            changes.setdefault(each.account_id, set()).add(each.channel_id)
    # Lanes first, messages after them: whoever delivers locks them in this order as well.
    wakes: list[Wake] = []
    for account_id in sorted({*changes, *told.channels}):
        of_account, posts = changes.get(account_id, set()), told.channels.get(account_id, {})
        only_posts = posts.keys() - of_account
        wakes += lanes_of(account_id, of_account | only_posts, posts_in=only_posts)
    if changes:
        _want_newer(changed)
    if told.lines:
        _show_where_told(told, {(each.alert_id, each.channel_id) for each in shown})
        thread_updates.tell(told)
    return wakes


def _show_where_told(told: thread_updates.Wanted, there: set[tuple[int, str]]) -> None:
    """A message comes first, wherever the alert is not shown yet."""
    missing: dict[int, list[NewPlace]] = {}
    for alert_id, channel_id in sorted(told.lines.keys() - there):
        account_id = db.session.get_one(Alert, alert_id).account_id
        name = told.channels[account_id][channel_id]
        missing.setdefault(account_id, []).append(NewPlace(alert_id, channel_id, name))
    for account_id, places in sorted(missing.items()):
        db.session.execute(SHOW, {"account_id": account_id, **_put(places)})


def _put(places: Sequence[NewPlace]) -> dict[str, Any]:
    """What SHOWN needs besides the account."""
    alert_ids, place_ids, names = (list(each) for each in zip(*places, strict=True))
    return {"alert_ids": alert_ids, "place_ids": place_ids, "names": names, "moment": now()}


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
    kinds = (PostedMessage, BEHIND), (Summary, SUMMARY_BEHIND), (ThreadReply, REPLY_BEHIND)
    behind = [
        select(kind.channel_id).where(kind.account_id == fact.account_id, is_behind).distinct()
        for kind, is_behind in kinds
    ]
    # In the order of whoever delivers: the lanes, by name, then what is theirs together.
    lanes = select(Lane.channel_id).where(Lane.account_id == fact.account_id)
    db.session.execute(lanes.order_by(Lane.channel_id).with_for_update()).all()
    free = update(Lane).where(Lane.account_id == fact.account_id)
    anew = {"held_reason": None, "returns_at": None, "look_outcome": None}
    db.session.execute(free.values(next_at=now(), failures=0, **anew))
    db.session.execute(delete(Outage).where(Outage.account_id == fact.account_id))
    channels = {channel for wanted in behind for channel in db.session.scalars(wanted)}
    return [_lane(fact.account_id, channel_id) for channel_id in sorted(channels)]


def lanes_of(
    account_id: int,
    channel_ids: Iterable[str],
    lock: TextClause = LOCK,
    *,
    posts_in: Collection[str] = (),
    **more: Any,
) -> list[Wake]:
    """The lanes that must be woken: not those where a job comes back before more could be done.

    In `posts_in` something new waits, and nothing that there is changes. The lock makes such a job
    wait until we have committed, so that it cannot miss our change.
    """
    channels = sorted(channel_ids)
    locked = db.session.execute(lock, {"account_id": account_id, "ids": channels, **more})
    moment, coming = now(), set()
    for lane in locked:
        at = lane.returns_at
        # A change needs no place for a new message: only a spent budget of changes delays it.
        changes_from = max(lane.update_at or lane.next_at, lane.next_at)
        is_new = lane.channel_id in posts_in
        is_planned = at is not None and at > moment and lane.seen_at <= moment + CLOCKS_AGREE
        if is_planned and (is_new or at <= changes_from):
            coming.add(lane.channel_id)
    return [_lane(account_id, channel) for channel in channels if channel not in coming]


def _lane(account_id: int, channel_id: str) -> Wake:
    return Wake(deliver, {"account_id": account_id, "channel_id": channel_id})
