"""When does a channel get its next message? One lane per channel: newest state only, at its pace.

A lane is one job that sends what is behind, as far as Slack allows now, and comes back at the next
moment it may. All that it must know stands on rows, so that any number of workers keep the pace
together, and a worker that dies leaves nothing but an attempt whose outcome is not known.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select, union, update
from sqlalchemy.dialects.postgresql import insert

from portal.db import db, now
from portal.jobs.engine import job, wake
from portal.observability import counters
from portal.slack import (
    calls,
    gateway,
    installations,
    lookback,
    outcomes,
    pacing,
    queue,
    summaries,
    workspace,
)
from portal.slack.calls import Call
from portal.slack.errors import SlackError
from portal.slack.installations import Credentials
from portal.slack.pacing import HISTORY, POST, UPDATE
from portal.slack.posted import BEHIND, SUMMARY_BEHIND, Lane, PostedMessage, Summary

MOST_STEPS = 25  # then the other lanes have their turn

log = structlog.get_logger()


@dataclass(frozen=True)
class Ask:
    """During an outage, before anything else: does Slack answer at all?"""

    credentials: Credentials


@dataclass(frozen=True)
class Look:
    """Was something posted already that we never heard of?"""

    credentials: Credentials
    since: datetime


Step = Call | Ask | Look


@job("lane:{account_id}:{channel_id}")
def deliver(account_id: int, channel_id: str) -> None:
    """Bring this channel's messages up to date, as far as Slack allows now."""
    has_asked = False
    for _ in range(MOST_STEPS):
        step = _begin(account_id, channel_id, has_asked=has_asked)
        match step:
            case None:
                return
            case Ask():
                has_asked = _ask(account_id, channel_id, step)
            case Look():
                _look(account_id, channel_id, step)
            case Call():
                _send(account_id, channel_id, step)
                has_asked = False
    lane = locked(account_id, channel_id)
    _come_back(lane, now())
    db.session.commit()


def locked(account_id: int, channel_id: str) -> Lane:
    """The channel's lane, made on first use, for this transaction alone."""
    wanted = select(Lane).where(Lane.account_id == account_id, Lane.channel_id == channel_id)
    wanted = wanted.with_for_update().execution_options(populate_existing=True)
    lane = db.session.scalar(wanted)
    if lane is None:
        fresh = {"account_id": account_id, "channel_id": channel_id}
        made = insert(Lane).values(**fresh, next_at=now(), paced_at=now(), failures=0)
        db.session.execute(made.on_conflict_do_nothing())
        lane = db.session.execute(wanted).scalar_one()
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
    for channel_id in sorted(db.session.scalars(union(messages, summed))):
        wake(deliver, account_id=account_id, channel_id=channel_id)


def _begin(account_id: int, channel_id: str, *, has_asked: bool) -> Step | None:
    """Choose the next step and write down that we try; or come back later, or rest."""
    lane, moment = locked(account_id, channel_id), now()
    installation = installations.of_account(account_id)
    if installation is None or not installation.is_working:
        _rest(lane, None)  # a link that comes back wakes the lanes
        return None
    if lane.next_at > moment:
        _rest(lane, lane.next_at)
        return None
    credentials = installation.credentials
    outage = pacing.outage(account_id)
    if outage is not None and not has_asked:
        if outage.next_try_at > moment:  # another lane asks, and wakes all when Slack is back
            lane.returns_at = outage.next_try_at + pacing.PILOT_LEASE
            db.session.commit()
            return None
        outage.next_try_at = moment + pacing.PILOT_LEASE
        return _go(lane, Ask(credentials), moment)
    step, at = _next(lane, moment, credentials)
    if step is not None:
        return _go(lane, step, moment)
    _rest(lane, at)
    if outage is not None:
        _slack_is_back(account_id)
    return None


def _next(
    lane: Lane, moment: datetime, credentials: Credentials
) -> tuple[Step | None, datetime | None]:
    """What may be done now; else when something may."""
    holds = pacing.holds(lane.account_id, moment)
    uncertain = queue.uncertain(lane) if lookback.may_look(credentials, lane.channel_id) else []
    if uncertain and HISTORY not in holds:
        since = min(row.uncertain_since or row.created_at for row in uncertain)
        return Look(credentials, since), None
    summaries.gather(lane, moment)
    waits = [holds[HISTORY]] if uncertain else []
    for method, choose in ((POST, queue.next_post), (UPDATE, queue.next_update)):
        row = choose(lane, moment)
        if row is None or (uncertain and method == POST):
            continue
        at = queue.ready_at(row)
        if at <= moment:
            at = _place(lane, method, moment, holds)
        if at <= moment:
            return _attempt(lane, row, method, credentials, moment), None
        waits.append(at)
    storm_ends_at = summaries.ends_at(lane)
    if storm_ends_at is not None:
        waits.append(storm_ends_at)
    return None, min(waits, default=None)


def _place(lane: Lane, method: str, moment: datetime, holds: dict[str, datetime]) -> datetime:
    """The lane's place in the budgets: taken once, kept until it is used."""
    name = "post_at" if method == POST else "update_at"
    place: datetime | None = getattr(lane, name)
    held_until = holds.get(method, place)
    if (
        place is None
        or place < moment - pacing.STALE
        or (held_until is not None and place < held_until)
    ):
        place = pacing.take(lane.account_id, method, moment)
        if method == POST:
            place = max(place, pacing.channel_place(lane, moment))
        setattr(lane, name, place)
    return place


def _attempt(
    lane: Lane,
    row: PostedMessage | Summary,
    method: str,
    credentials: Credentials,
    moment: datetime,
) -> Call:
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


def _go(lane: Lane, step: Step, moment: datetime) -> Step:
    """Whatever is wanted meanwhile will be seen: this job looks again after the step."""
    lane.returns_at = moment + pacing.PILOT_LEASE
    db.session.commit()
    return step


def _rest(lane: Lane, at: datetime | None) -> None:
    """Come back at that moment, if anything is behind or a storm has to end."""
    lane.returns_at = None
    is_needed = lane.summary_id is not None or not queue.is_empty(lane.account_id, lane.channel_id)
    if at is not None and is_needed:
        _come_back(lane, at)
    db.session.commit()


def _come_back(lane: Lane, at: datetime) -> None:
    lane.returns_at = at
    wake(deliver, at=at, account_id=lane.account_id, channel_id=lane.channel_id)


def _send(account_id: int, channel_id: str, call: Call) -> None:
    elsewhere: list[str] = []
    try:
        answer = workspace.call(call.credentials, call.method, **call.arguments)
    except SlackError as problem:
        lane = locked(account_id, channel_id)
        elsewhere = outcomes.failed(lane, call, problem, now())
        has_answered = not problem.is_outage
    else:
        lane = locked(account_id, channel_id)
        outcomes.succeeded(lane, call, answer, now())
        has_answered = True
    was_away = has_answered and pacing.outage_over(account_id)
    _wake(account_id, elsewhere)
    db.session.commit()
    if was_away:
        _slack_is_back(account_id)


def _ask(account_id: int, channel_id: str, step: Ask) -> bool:
    if gateway.answers(step.credentials.token):
        return True
    lane = locked(account_id, channel_id)
    lane.next_at = pacing.note_outage(account_id, "unreachable", now())
    db.session.commit()
    return False


def _look(account_id: int, channel_id: str, step: Look) -> None:
    try:
        found = lookback.look(step.credentials, channel_id, step.since)
    except SlackError as problem:
        lane, moment = locked(account_id, channel_id), now()
        counters.add(counters.calls(HISTORY, problem.code), shard=channel_id)
        if problem.retry_after is not None:
            until = moment + timedelta(seconds=problem.retry_after)
            pacing.hold(account_id, HISTORY, until)
        else:
            lane.next_at = pacing.note_outage(account_id, problem.code, moment)
        db.session.commit()
        return
    lane = locked(account_id, channel_id)
    counters.add(
        counters.calls(HISTORY, "ok" if found is not None else "refused"), shard=channel_id
    )
    for row in queue.uncertain(lane):
        seen = (found or {}).get((type(row), row.id))
        if seen is not None:
            outcomes.adopted(lane, row, seen.ts, seen.version)
        elif found is not None:
            row.uncertain_since = None  # it is not there: nothing stands in the way of posting it
        else:
            row.uncertain_since, row.last_error = None, "interrupted"
    db.session.commit()


def _slack_is_back(account_id: int) -> None:
    pacing.outage_over(account_id)
    wake_all(account_id)
    db.session.commit()


def _wake(account_id: int, channel_ids: Iterable[str]) -> None:
    for channel_id in sorted(channel_ids):
        wake(deliver, account_id=account_id, channel_id=channel_id)
