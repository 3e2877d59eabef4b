"""When does a channel get its next message? One lane per channel: newest state only, at its pace.

A lane is one job that sends what is behind, as far as Slack allows now, and comes back at the next
moment it may. All that it must know stands on rows, so that any number of workers keep the pace
together, and a worker that dies leaves nothing but an attempt whose outcome is not known.
"""

import time
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import bindparam, select, union, update
from sqlalchemy.dialects.postgresql import insert

from portal.db import db, now
from portal.jobs.engine import job, wake
from portal.slack import calls, lookback, pacing, queue, steps, summaries, threads
from portal.slack.installations import Credentials, SlackInstallation
from portal.slack.pacing import HISTORY, POST, REPLIES, UPDATE, Outage
from portal.slack.posted import (
    BEHIND,
    REPLY_BEHIND,
    SUMMARY_BEHIND,
    Lane,
    PostedMessage,
    Sent,
    Summary,
    ThreadReply,
)
from portal.slack.steps import Ask, Done, Look, Step

MOST_STEPS = 25  # then the other lanes have their turn
SUCCESS_NOTED_EVERY = 30.0  # seconds
PLACES = {POST: "post_at", UPDATE: "update_at", HISTORY: "look_at", REPLIES: "look_at"}
LANE = (
    select(Lane)
    .where(Lane.account_id == bindparam("account_id"), Lane.channel_id == bindparam("channel_id"))
    .with_for_update()
    .execution_options(populate_existing=True)
)
LINK = (
    select(SlackInstallation, Outage.account_id)
    .outerjoin(Outage, Outage.account_id == SlackInstallation.account_id)
    .where(SlackInstallation.account_id == bindparam("account_id"))
)

_success_noted: dict[int, float] = {}


@job("lane:{account_id}:{channel_id}")
def deliver(account_id: int, channel_id: str) -> None:
    """Bring this channel's messages up to date, as far as Slack allows now."""
    done, has_asked = Done(), False
    for number in range(MOST_STEPS + 1):
        lane, moment = locked(account_id, channel_id), now()
        elsewhere = steps.record(lane, done)
        step = None
        if number < MOST_STEPS:
            step = _next(lane, moment, has_asked=done.says_slack_is_there)
        else:
            _come_back(lane, moment)
        _wake(account_id, elsewhere)
        db.session.commit()
        # Only what follows the question tells: Slack may answer it and still refuse to post.
        if (has_asked and done.has_answer) or (done.says_slack_is_there and step is None):
            _slack_is_back(account_id)
        if done.has_succeeded:
            _note_success(account_id)
        if step is None:
            return
        has_asked = done.says_slack_is_there
        done = steps.carry_out(step)


def locked(account_id: int, channel_id: str) -> Lane:
    """The channel's lane, made on first use, for this transaction alone."""
    mine = {"account_id": account_id, "channel_id": channel_id}
    lane = db.session.scalar(LANE, mine)
    if lane is None:
        moments = dict.fromkeys(("next_at", "paced_at", "seen_at"), now())
        made = insert(Lane).values(**mine, **moments, failures=0)
        db.session.execute(made.on_conflict_do_nothing())
        lane = db.session.execute(LANE, mine).scalar_one()
    lane.keep_time(now())
    return lane


def wake_all(account_id: int) -> None:
    """Have every lane of the account that is behind look again now. The caller commits.

    Lanes may have trusted that somebody else would come back: that is over. Whoever just wants
    something shown holds the lane's row until their commit, and so is waited for here.
    """
    lanes = select(Lane.channel_id).where(Lane.account_id == account_id)
    db.session.execute(lanes.order_by(Lane.channel_id).with_for_update()).all()
    forget = update(Lane).where(Lane.account_id == account_id).values(returns_at=None)
    db.session.execute(forget)
    messages = select(PostedMessage.channel_id).where(
        PostedMessage.account_id == account_id, BEHIND
    )
    summed = select(Summary.channel_id).where(Summary.account_id == account_id, SUMMARY_BEHIND)
    told = select(ThreadReply.channel_id).where(ThreadReply.account_id == account_id, REPLY_BEHIND)
    _wake(account_id, db.session.scalars(union(messages, summed, told)))


def _next(lane: Lane, moment: datetime, *, has_asked: bool) -> Step | None:
    """Choose the next step and write down that we try; or come back later, or rest."""
    lane.returns_at = None
    there = queue.census(lane.account_id, lane.channel_id, moment)
    may_rest = there.is_empty and lane.summary_id is None and not has_asked
    if may_rest and not _must_get_to_know(lane):
        return None
    found = db.session.execute(LINK, {"account_id": lane.account_id}).first()
    if found is None or not found[0].is_working:
        return None  # a link that comes back wakes the lanes
    if lane.next_at > moment:
        _come_back(lane, lane.next_at)
        return None
    credentials: Credentials = found[0].credentials
    outage = pacing.outage(lane.account_id) if found[1] is not None else None
    if outage is not None and not has_asked:
        if outage.is_quiet(moment):  # another lane asks, and wakes all when Slack is back
            lane.returns_at = outage.next_try_at + pacing.LEASE
            return None
        outage.next_try_at = moment + pacing.LEASE
        lane.returns_at = moment + pacing.LEASE
        return Ask(credentials)
    step, at = _due(lane, moment, credentials, there)
    if step is not None:
        # Whatever is wanted meanwhile will be seen: this job looks again after the step.
        lane.returns_at = moment + pacing.LEASE
    elif at is not None:
        _come_back(lane, at)
        lane.returns_at = at if at <= _shows_new_ones_from(lane, moment) else None
    return step


def _shows_new_ones_from(lane: Lane, moment: datetime) -> datetime:
    """From which moment on an alert that comes now could be shown: in a storm, by the summary."""
    if lane.summary_id is None:
        return lane.post_at or moment
    summary = db.session.get_one(Summary, lane.summary_id)
    return max(lane.update_at or moment, queue.ready_at(summary, moment))


def _due(
    lane: Lane, moment: datetime, credentials: Credentials, there: queue.Census
) -> tuple[Step | None, datetime | None]:
    """What may be done now; else when something may."""
    waits: list[datetime] = []
    may_look = lookback.may_look(credentials, lane)
    uncertain = queue.uncertain(lane) if may_look and _may_be_uncertain(there) else []
    untold = threads.uncertain(lane) if may_look and there.replies else []
    must_probe = may_look and there.is_empty and _must_get_to_know(lane)
    for rows, method, is_due in (
        (uncertain, HISTORY, bool(uncertain) or must_probe),
        (untold, REPLIES, bool(untold)),
    ):
        if not is_due:
            continue
        at = _place(lane, method, moment)
        if at <= moment:
            lane.look_at = None
            return _look(lane, rows, credentials, moment), None
        waits.append(at)
    if summaries.gather(lane, moment, there):
        db.session.flush()
        there = queue.census(lane.account_id, lane.channel_id, moment)
    message = None if uncertain else queue.next_post(lane, moment, there)
    reply = threads.next_reply(lane, moment) if there.replies and not untold else None
    next_post = queue.next_of_both(lane, moment, message, reply)
    for method, row in ((POST, next_post), (UPDATE, queue.next_update(lane, moment, there))):
        if row is None:
            continue
        at = queue.ready_at(row, moment)
        if at <= moment:
            at = _place(lane, method, moment)
        if at <= moment:
            return _attempt(lane, row, method, credentials, moment), None
        waits.append(at)
    storm_ends_at = summaries.ends_at(lane)
    if storm_ends_at is not None:
        waits.append(storm_ends_at)
    return None, min(waits, default=None)


def _look(lane: Lane, rows: Sequence[Sent], credentials: Credentials, moment: datetime) -> Look:
    """Into the channel, or for replies into the thread of the first. Without a row, only to see
    whether we may."""
    first = rows[0] if rows else None
    thread_ts = first.thread_ts if isinstance(first, ThreadReply) else None
    since = min([moment, *(row.uncertain_since or row.created_at for row in rows)])
    return Look(credentials, lane.channel_id, since, thread_ts)


def _may_be_uncertain(there: queue.Census) -> bool:
    return there.uncertain > 0 or there.summaries > 0


def _must_get_to_know(lane: Lane) -> bool:
    """Whether we post there and have never looked: people are told of it before it matters."""
    return lane.look_outcome is None and lane.last_success_at is not None


def _place(lane: Lane, method: str, moment: datetime) -> datetime:
    """The lane's place in the budgets: taken once, kept until it is used."""
    name = PLACES[method]
    place: datetime | None = getattr(lane, name)
    if place is not None and place <= moment:  # taken before: is it still good?
        held_until = pacing.holds(lane.account_id, moment).get(method)
        if held_until is not None or place < moment - pacing.STALE:
            place = None
    if place is None:
        place = pacing.take(lane.account_id, method, moment)
        if method == POST:
            place = max(place, pacing.channel_place(lane, moment))
        setattr(lane, name, place)
    return place


def _attempt(
    lane: Lane,
    row: Sent,
    method: str,
    credentials: Credentials,
    moment: datetime,
) -> Step:
    if isinstance(row, ThreadReply):
        threads.begin(lane, row, moment)
    perhaps_twice = row.uncertain_since is not None or row.last_error == "interrupted"
    call = calls.build(row, credentials, moment, perhaps_twice=perhaps_twice)
    row.attempts += 1
    row.attempted_at = moment
    if method == POST:
        row.uncertain_since = row.uncertain_since or moment
        lane.post_at = None
    else:
        lane.update_at = None
    return call


def _come_back(lane: Lane, at: datetime) -> None:
    lane.returns_at = at
    wake(deliver, at=at, account_id=lane.account_id, channel_id=lane.channel_id)


def _slack_is_back(account_id: int) -> None:
    if pacing.outage_over(account_id):
        wake_all(account_id)
    db.session.commit()


def _note_success(account_id: int) -> None:
    """When the link worked last, to the half minute.

    Apart from the lane's transaction, because linking and unlinking lock the link's row first.
    """
    noted_at = _success_noted.get(account_id)
    if noted_at is None or time.monotonic() - noted_at > SUCCESS_NOTED_EVERY:
        _success_noted[account_id] = time.monotonic()
        answered = update(SlackInstallation).where(SlackInstallation.account_id == account_id)
        db.session.execute(answered.values(last_success_at=now()))
        db.session.commit()


def _wake(account_id: int, channel_ids: Iterable[str]) -> None:
    for channel_id in sorted(channel_ids):
        wake(deliver, account_id=account_id, channel_id=channel_id)
