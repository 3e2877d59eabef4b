"""What follows from Slack's answer to a call? Everything is written on rows, where people read it.

Each function works within the caller's transaction, with the lane locked.
"""

import random
from datetime import datetime, timedelta
from typing import Any, cast

import structlog
from sqlalchemy import select

from portal.db import db
from portal.domain import rate_limits
from portal.domain.alerts.models import TimelineEntry, TimelineKind
from portal.observability import counters
from portal.slack import (
    channel_problems,
    direct_outcomes,
    lookback,
    pacing,
    run_outcomes,
    summaries,
    threads,
)
from portal.slack.calls import SIMPLER, Call
from portal.slack.errors import Meaning, SlackError
from portal.slack.posted import Lane, PostedMessage, Sent, Summary, ThreadReply

WITHOUT_RETRY_AFTER = timedelta(seconds=30)
LONGEST_BACKOFF = 300.0  # seconds
SPACING = timedelta(seconds=2.5)
# What Slack says of the workspace, and not of a channel that was spoken to too fast.
OF_THE_WORKSPACE = {"message_limit_exceeded"}
# Codes that close a thread where they answer a reply, and not the channel.
THREAD_CLOSED = {
    "restricted_action_non_threadable_channel",
    "restricted_action_thread_locked",
}
FIRST_PROBE = 10.0  # seconds until a closed channel is tried again; then twice as long each time

log = structlog.get_logger()


def succeeded(lane: Lane, call: Call, answer: dict[str, Any], moment: datetime) -> None:
    """Slack shows what we sent."""
    lane.failures, lane.held_reason, lane.last_success_at = 0, None, moment
    channel_problems.over(lane)
    row = _row(call)
    if row is None:
        return  # unlinked while Slack was answering
    counted = counters.calls(call.method, "ok")
    if row.ts is None:
        row.ts = str(answer["ts"])
        if str(answer.get("channel") or row.channel_id) != row.channel_id:
            row.conversation_id = str(answer["channel"])
    counted |= _now_shown(row, call.version, moment, perhaps_twice=call.perhaps_twice)
    counters.add(counted, shard=lane.channel_id)


def _row(call: Call) -> Sent | None:
    wanted = select(call.kind).where(call.kind.id == call.row_id).with_for_update()
    return cast(Sent | None, db.session.scalar(wanted))


def adopted(lane: Lane, row: Sent, ts: str, version: int) -> None:
    """An attempt that we heard nothing of had succeeded: its message was found in the channel."""
    row.ts = ts
    counted = _now_shown(row, version, row.uncertain_since or row.created_at)
    counters.add(counted, shard=lane.channel_id)
    log.info("message_found_again", kind=row.__tablename__, id=row.id)


def _now_shown(
    row: Sent, version: int, moment: datetime, *, perhaps_twice: bool = False
) -> counters.Counts:
    """Bring the row up to date; returns how long its alerts took, where Slack shows them first."""
    is_first, shown_before = row.shown_at is None, row.shown_at
    row.shown_version = max(row.shown_version, version)
    row.shown_at, row.attempts, row.last_error = moment, 0, None
    row.uncertain_since = row.not_before = None
    is_single = isinstance(row, PostedMessage)  # summaries have a spacing of their own
    if is_single and shown_before is not None and moment - shown_before < SPACING:
        row.not_before = moment + SPACING  # the first change goes at once, then they are gathered
    opened = [row.created_at] if is_first and isinstance(row, PostedMessage) else []
    said = {"perhaps_twice": True} if perhaps_twice else {}
    if isinstance(row, Summary):
        opened = summaries.was_shown(row, version, moment, **said)
    elif isinstance(row, ThreadReply):
        threads.was_shown(row, moment)
    elif row.is_direct and is_first:
        direct_outcomes.note([row.id])
    elif not row.is_direct and (is_first or perhaps_twice or row.was_reposted):
        _record(row, TimelineKind.SLACK_POSTED, **said)
    if isinstance(row, PostedMessage) and is_first:
        run_outcomes.went([row.run_id])
    return counters.first_shown([(moment - each).total_seconds() for each in opened])


def failed(lane: Lane, call: Call, problem: SlackError, moment: datetime) -> list[str]:
    """Write down why, and when the lane may go on. Returns other channels that now have work."""
    counters.add(counters.calls(call.method, problem.code), shard=lane.channel_id)
    log.warning("delivery_failed", channel_id=lane.channel_id, slack_error=problem.code)
    row = _row(call)
    if row is None:
        return []
    is_news, row.last_error = row.last_error != problem.code, problem.code
    if row.uncertain_since == call.begun_at and not problem.may_have_happened:
        row.uncertain_since = None
    elsewhere: list[str] = []
    match problem.meaning:
        case Meaning.ASKED_TO_WAIT:
            _asked_to_wait(lane, call, problem, moment)
        case Meaning.CHANNEL_CLOSED if not row.is_direct and not _is_thread(row, problem):
            if is_news and isinstance(row, PostedMessage):
                _record(row, TimelineKind.SLACK_HELD, reason=problem.code)
                run_outcomes.went_wrong(row.run_id, problem.code)
            elsewhere = _closed(lane, problem, moment)
        case Meaning.MESSAGE_GONE | Meaning.PERSON if _is_new_in_channel(row):
            if is_news and isinstance(row, PostedMessage):
                _record(row, TimelineKind.SLACK_HELD, reason=problem.code)
                run_outcomes.went_wrong(row.run_id, problem.code)
            _temporary(lane, row, call, problem, moment)  # it concerns neither: nothing is lost
        case (
            Meaning.CHANNEL_CLOSED
            | Meaning.TOO_LONG
            | Meaning.CONTENT_REFUSED
            | Meaning.MESSAGE_GONE
            | Meaning.PERSON
        ):
            _refused(row, problem, moment)
        case Meaning.LINK_DEAD:
            pass  # the link is broken now; authorizing again wakes the lane
        case Meaning.TEMPORARY:
            _temporary(lane, row, call, problem, moment)
    return elsewhere


def _asked_to_wait(lane: Lane, call: Call, problem: SlackError, moment: datetime) -> None:
    """Hold exactly what Slack holds: the channel, or the method in the workspace."""
    lane.held_reason = problem.code
    is_of_channel = problem.code not in OF_THE_WORKSPACE and call.method == pacing.POST
    if is_of_channel and pacing.is_hurried(lane, call.begun_at):
        _note_refusal(lane.account_id)
        pacing.hold_channel(lane, _wait_until(problem, moment))
    else:
        hold_method(lane.account_id, call.method, problem, moment)


def hold_method(account_id: int, method: str, problem: SlackError, moment: datetime) -> None:
    """Slack asked us to wait with this method in the whole workspace."""
    _note_refusal(account_id)
    pacing.hold(account_id, method, _wait_until(problem, moment), moment)


def _wait_until(problem: SlackError, moment: datetime) -> datetime:
    seconds = problem.retry_after
    return moment + (WITHOUT_RETRY_AFTER if seconds is None else timedelta(seconds=seconds))


def _note_refusal(account_id: int) -> None:
    """Before anything else of the workspace is locked, so that two lanes never wait in a circle."""
    rate_limits.note_refusal(
        pacing.REFUSALS.format(account_id=account_id), window=timedelta(minutes=1)
    )


def _closed(lane: Lane, problem: SlackError, moment: datetime) -> list[str]:
    """Try again later, and later still; the first time, tell those who can mend it."""
    lane.failures += 1
    lane.held_reason = problem.code
    wait = min(LONGEST_BACKOFF, FIRST_PROBE * 2 ** min(lane.failures - 1, 9))
    lane.next_at = moment + timedelta(seconds=_jitter(wait))
    return channel_problems.begin(lane, problem.code, moment)


def _is_new_in_channel(row: Sent) -> bool:
    return row.ts is None and not row.is_direct and not isinstance(row, ThreadReply)


def _is_thread(row: Sent, problem: SlackError) -> bool:
    """Whether it is only the thread that is closed, not the channel."""
    return isinstance(row, ThreadReply) and problem.code in THREAD_CLOSED


def _refused(row: Sent, problem: SlackError, moment: datetime) -> None:
    """A simpler form, or a new message in place of a deleted one, once; then it is given up."""
    if problem.meaning is Meaning.MESSAGE_GONE and isinstance(row, ThreadReply):
        if not row.was_reposted:
            threads.begin_anew(row, moment)
            return
    elif problem.meaning is Meaning.MESSAGE_GONE and row.ts and not row.was_reposted:
        row.ts, row.was_reposted = None, True
        return
    simpler = SIMPLER.get((problem.meaning, row.form))
    if simpler is not None:
        log.error("message_refused", kind=row.__tablename__, id=row.id, slack_error=problem.code)
        row.form = simpler
        return
    row.gave_up_at = moment
    if isinstance(row, ThreadReply):
        _record(row.posted, TimelineKind.SLACK_FAILED, reason=problem.code, update=True)
    elif row.is_direct:
        direct_outcomes.note_refusal(row)
    elif isinstance(row, PostedMessage):
        _record(row, TimelineKind.SLACK_FAILED, reason=problem.code)
        run_outcomes.went_wrong(row.run_id, problem.code)


def _temporary(lane: Lane, row: Sent, call: Call, problem: SlackError, moment: datetime) -> None:
    """An outage holds the whole workspace's lanes; a code that only this message meets, only it."""
    backoff = _jitter(min(LONGEST_BACKOFF, 2.0 ** min(row.attempts, 9)))
    if not problem.is_outage:
        row.not_before = moment + timedelta(seconds=backoff)
        return
    is_first = pacing.outage(lane.account_id) is None
    lane.next_at = pacing.note_outage(lane.account_id, problem.code, moment)
    lane.held_reason = problem.code
    is_blind = row.uncertain_since is not None and not lookback.may_look(call.credentials, lane)
    # Others got through meanwhile, so perhaps it is this one that Slack cannot digest; or it may be
    # shown already and we cannot look: then each further attempt may be one message too many.
    if (is_first and row.attempts > 2) or is_blind:
        row.not_before = moment + timedelta(seconds=backoff)


def _record(row: PostedMessage, kind: TimelineKind, **more: Any) -> None:
    """Add to the alert's timeline, without loading the alert."""
    data = {"channel": row.channel_name, **more}
    db.session.add(TimelineEntry(alert_id=row.alert_id, kind=kind, actor_name="Slack", data=data))


def _jitter(seconds: float) -> float:
    return seconds * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
