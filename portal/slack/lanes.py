"""When does a channel get its next message? One lane per channel: newest state only, at its pace.

A lane is one job that sends what is behind and wakes itself for the next moment Slack allows. The
pace stands on the lane's row, so that any number of workers keep it together.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from flask import current_app
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from portal.db import db, now
from portal.domain.alerts import timeline
from portal.domain.alerts.models import TimelineKind
from portal.jobs.engine import job, wake
from portal.slack import installations, workspace
from portal.slack.errors import Meaning, SlackError
from portal.slack.installations import Credentials, SlackInstallation
from portal.slack.messages.alert import EVENT_TYPE, alert_message, plain_message
from portal.slack.posted import BEHIND, Lane, PostedMessage

# https://docs.slack.dev/apis/web-api/rate-limits: one message per second and channel; short bursts
# are tolerated, with no promise how long.
PACE = timedelta(seconds=1)
BURST = 3
CLOSED_CHANNEL_AGAIN = timedelta(minutes=5)
LONGEST_BACKOFF = 300  # seconds

log = structlog.get_logger()


@dataclass(frozen=True)
class Call:
    """One message to bring up to date, with all that the call needs: no row is held meanwhile."""

    posted_id: int
    version: int
    credentials: Credentials
    method: str
    arguments: dict[str, Any]
    plain: dict[str, Any]


@job("lane:{account_id}:{channel_id}")
def deliver(account_id: int, channel_id: str) -> None:
    """Bring this channel's messages up to date, as far as the pace allows now."""
    for _ in range(BURST):
        call = _begin(account_id, channel_id)
        if call is None:
            return
        try:
            answer = _send(call)
        except SlackError as problem:
            _failed(account_id, channel_id, call, problem)
        else:
            _succeeded(account_id, channel_id, call, answer)
    _come_back(account_id, channel_id)


def reserve(lane: Lane, moment: datetime) -> None:
    """Take the next place in the lane: a pace of one second on average, with a burst of three.

    `paced_at` is the moment at which all that was sent would have been sent at an even pace (the
    generic cell rate algorithm); `next_at` is when the next call is allowed.
    """
    lane.paced_at = max(lane.paced_at, moment) + PACE
    lane.next_at = lane.paced_at - (BURST - 1) * PACE


def _begin(account_id: int, channel_id: str) -> Call | None:
    """Choose the next message and write down that we try; or come back later, or rest."""
    lane, moment = _locked(account_id, channel_id), now()
    posted = _next_behind(account_id, channel_id)
    installation = installations.of_account(account_id)
    if posted is None or installation is None or not installation.is_working:
        db.session.commit()  # a link that comes back wakes the lane
        return None
    if lane.next_at > moment:
        wake(deliver, at=lane.next_at, account_id=account_id, channel_id=channel_id)
        db.session.commit()
        return None
    reserve(lane, moment)
    posted.attempts += 1
    posted.attempted_at = moment
    call = _call(posted, installation.credentials)
    db.session.commit()
    return call


def _call(posted: PostedMessage, credentials: Credentials) -> Call:
    url = f"{current_app.config['PUBLIC_URL']}/alerts/{posted.alert_id}"
    common: dict[str, Any] = {"channel": posted.channel_id}
    if posted.ts:
        common["ts"] = posted.ts
    else:
        payload = {"alert_id": posted.alert_id, "posted_message_id": posted.id}
        common |= {
            "unfurl_links": False,
            "unfurl_media": False,
            "metadata": {"event_type": EVENT_TYPE, "event_payload": payload},
        }
    message = alert_message(posted.alert, url, posted.wanted_version)
    return Call(
        posted_id=posted.id,
        version=posted.wanted_version,
        credentials=credentials,
        method="chat.update" if posted.ts else "chat.postMessage",
        arguments=common | message | {"parse": "none"},
        plain=common | plain_message(posted.alert, url) | {"parse": "none"},
    )


def _send(call: Call) -> dict[str, Any]:
    try:
        return workspace.call(call.credentials, call.method, **call.arguments)
    except SlackError as problem:
        if problem.meaning is not Meaning.CONTENT_REFUSED:
            raise
        log.error("message_refused", posted_message_id=call.posted_id, slack_error=problem.code)
        return workspace.call(call.credentials, call.method, **call.plain)


def _succeeded(account_id: int, channel_id: str, call: Call, answer: dict[str, Any]) -> None:
    lane = _locked(account_id, channel_id)
    lane.failures, lane.held_reason = 0, None
    posted = db.session.get(PostedMessage, call.posted_id)
    if posted is None:
        db.session.rollback()  # unlinked while Slack was answering; the lane's row goes as well
        return
    if posted.ts is None:
        posted.ts = str(answer["ts"])
        channel = posted.channel_name
        timeline.record(posted.alert, TimelineKind.SLACK_POSTED, by="Slack", channel=channel)
    posted.shown_version = max(posted.shown_version, call.version)
    posted.shown_at, posted.attempts, posted.last_error = now(), 0, None
    db.session.commit()
    # Apart, because linking and unlinking lock the link's row first and the lanes after it.
    answered = update(SlackInstallation).where(SlackInstallation.account_id == account_id)
    db.session.execute(answered.values(last_success_at=now()))
    db.session.commit()


def _failed(account_id: int, channel_id: str, call: Call, problem: SlackError) -> None:
    """Write the reason on the rows, where people read it, and say when the lane may go on."""
    lane, moment = _locked(account_id, channel_id), now()
    posted = db.session.get(PostedMessage, call.posted_id)
    if posted is None:
        db.session.rollback()
        return
    was_held = lane.held_reason
    posted.last_error = problem.code
    lane.failures += 1
    lane.held_reason = problem.code
    match problem.meaning:
        case Meaning.ASKED_TO_WAIT:
            lane.next_at = moment + timedelta(seconds=problem.retry_after or 1)
        case Meaning.CHANNEL_CLOSED:
            lane.next_at = moment + CLOSED_CHANNEL_AGAIN
        case Meaning.MESSAGE_GONE if posted.ts:
            posted.ts, lane.held_reason = None, None  # posted anew, once
        case Meaning.CONTENT_REFUSED | Meaning.MESSAGE_GONE:
            posted.gave_up_at, lane.held_reason = moment, None
        case Meaning.LINK_DEAD:
            pass  # the link is broken now; authorizing again wakes the lane
        case _:
            lane.next_at = moment + timedelta(seconds=min(LONGEST_BACKOFF, 2**lane.failures))
    if (
        problem.meaning is Meaning.CHANNEL_CLOSED and was_held != problem.code
    ) or posted.gave_up_at:
        kind = TimelineKind.SLACK_FAILED if posted.gave_up_at else TimelineKind.SLACK_HELD
        channel, reason = posted.channel_name, problem.code
        timeline.record(posted.alert, kind, by="Slack", channel=channel, reason=reason)
    log.warning("delivery_failed", posted_message_id=call.posted_id, slack_error=problem.code)
    db.session.commit()


def _come_back(account_id: int, channel_id: str) -> None:
    if _next_behind(account_id, channel_id) is not None:
        lane = _locked(account_id, channel_id)
        wake(deliver, at=lane.next_at, account_id=account_id, channel_id=channel_id)
    db.session.commit()


def _next_behind(account_id: int, channel_id: str) -> PostedMessage | None:
    """The oldest message that is behind; one that was tried in vain lets the others go first."""
    wanted = select(PostedMessage).where(
        PostedMessage.account_id == account_id, PostedMessage.channel_id == channel_id, BEHIND
    )
    return db.session.scalar(wanted.order_by(PostedMessage.attempts, PostedMessage.id).limit(1))


def _locked(account_id: int, channel_id: str) -> Lane:
    fresh = {
        "account_id": account_id,
        "channel_id": channel_id,
        "next_at": now(),
        "paced_at": now(),
    }
    db.session.execute(insert(Lane).values(failures=0, **fresh).on_conflict_do_nothing())
    wanted = select(Lane).where(Lane.account_id == account_id, Lane.channel_id == channel_id)
    locked = wanted.with_for_update().execution_options(populate_existing=True)
    return db.session.execute(locked).scalar_one()
