"""Why is this alert not in Slack yet, and when is the next try? In words (product.md 11.6)."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from portal.db import db, now
from portal.domain.alerts.models import Alert
from portal.slack import installations, pacing, queue
from portal.slack.errors import MEANINGS, Meaning, words
from portal.slack.installations import SlackInstallation
from portal.slack.posted import BEHIND, Lane, Message, PostedMessage, label

MOST_COUNTED = 200  # ahead of one alert; a storm has a summary long before


@dataclass(frozen=True)
class Place:
    """One channel of an alert, in words."""

    channel_id: str
    label: str  # "#db", or whose direct messages
    permalink: str | None
    state: str  # shown, in a summary, waiting, asked to wait, Slack not reachable, held, gave up
    is_up_to_date: bool
    detail: str
    shown_version: int = 0
    wanted_version: int = 0
    next_try_at: datetime | None = None
    attempts: int = 0
    last_error: str | None = None  # in words
    can_try_now: bool = False


@dataclass(frozen=True)
class Why:
    """A state of product.md 11.6, the sentence beside it, and the next try."""

    state: str
    detail: str
    next_try_at: datetime | None = None
    can_try_now: bool = False


def places(alert: Alert) -> list[Place]:
    """Every channel where the alert is or should be shown, and why it is not there yet."""
    rows = db.session.execute(
        select(PostedMessage, Lane)
        .outerjoin(
            Lane,
            (Lane.account_id == PostedMessage.account_id)
            & (Lane.channel_id == PostedMessage.channel_id),
        )
        .where(PostedMessage.alert_id == alert.id)
        .options(joinedload(PostedMessage.summary))
        .order_by(PostedMessage.id)
    )
    installation = installations.of_account(alert.account_id)
    return [_place(posted, lane, installation) for posted, lane in rows]


def _place(
    posted: PostedMessage, lane: Lane | None, installation: SlackInstallation | None
) -> Place:
    shown: Message = posted
    if posted.summary is not None and posted.ts is None:
        shown = posted.summary
    why = _why(posted, shown, lane, installation)
    return Place(
        channel_id=posted.channel_id,
        label=label(posted),
        permalink=_permalink(shown, installation),
        state=why.state,
        is_up_to_date=not posted.is_behind if shown is posted else not shown.is_behind,
        detail=why.detail,
        shown_version=shown.shown_version,
        wanted_version=shown.wanted_version,
        next_try_at=why.next_try_at,
        attempts=shown.attempts,
        last_error=words(shown.last_error) if shown.last_error else None,
        can_try_now=why.can_try_now,
    )


def _why(
    posted: PostedMessage,
    shown: Message,
    lane: Lane | None,
    installation: SlackInstallation | None,
) -> Why:
    if shown.gave_up_at:
        reason = words(shown.last_error or "")
        if shown.last_error == "person_left":  # Slack refused nothing: we stopped
            return Why("gave up", reason)
        return Why("gave up", f"Slack refused even the plain message. {reason}")
    if posted.summary is not None and shown is posted.summary and _is_named(posted):
        others = _named_beside(posted)
        together = f"With {others} {'other' if others == 1 else 'others'} in one message."
        return Why("in a summary", together if others else "In a message that names it.")
    if not shown.is_behind:
        return Why("shown", "Up to date.")
    if installation is None:
        return Why("held", "No workspace is linked. An admin can link one under Connectors.")
    if not installation.is_working:
        reason = words(installation.reason or "")
        return Why("held", f"{reason} An admin can re-authorize under Connectors.")
    return _waiting(posted, shown, lane)


def _waiting(posted: PostedMessage, shown: Message, lane: Lane | None) -> Why:
    """The link is all right: it is the channel, Slack as a whole, a limit, or simply its turn."""
    moment = now()
    if lane is not None and lane.problem:
        return Why("held", words(lane.problem), lane.next_at, can_try_now=True)
    outage = db.session.get(pacing.Outage, posted.account_id)
    if outage is not None:
        detail = f"{words(outage.reason)} Tried {outage.failures} times."
        return Why("Slack not reachable", detail, max(outage.next_try_at, moment))
    method = pacing.UPDATE if shown.ts else pacing.POST
    held_until = pacing.holds(posted.account_id, moment).get(method)
    if held_until is None and lane is not None and lane.held_reason == "ratelimited":
        held_until = lane.post_at if method == pacing.POST else None
    if held_until is not None and held_until > moment:
        return Why("asked to wait", f"Slack asked us to wait with {method}.", held_until)
    if shown.last_error and MEANINGS.get(shown.last_error) is not Meaning.ASKED_TO_WAIT:
        at = max(shown.not_before or moment, moment)
        return Why("waiting", words(shown.last_error), at, can_try_now=True)
    ahead = _ahead_of(posted, moment)
    said = f"{ahead} ahead of it in this channel." if ahead else "Next in line."
    return Why("waiting", said, lane.returns_at if lane else None)


def _is_named(posted: PostedMessage) -> bool:
    """Whether Slack shows a version of the summary that names this alert."""
    summary, since = posted.summary, posted.summary_version
    return summary is not None and since is not None and summary.shown_version >= since


def _named_beside(posted: PostedMessage) -> int:
    count = select(func.count()).where(PostedMessage.summary_id == posted.summary_id)
    return int(db.session.execute(count).scalar_one()) - 1


def _ahead_of(posted: PostedMessage, moment: datetime) -> int:
    """How many new messages of this channel come before it, in the order of the lane."""
    waiting = (
        select(PostedMessage.id)
        .join(Alert, Alert.id == PostedMessage.alert_id)
        .where(
            PostedMessage.account_id == posted.account_id,
            PostedMessage.channel_id == posted.channel_id,
            PostedMessage.ts.is_(None),
            BEHIND,
        )
        .order_by(*queue.POSTING_ORDER)
        .limit(MOST_COUNTED)
    )
    ids = list(db.session.scalars(waiting, {"moment": moment}))
    place = ids.index(posted.id) if posted.id in ids else len(ids)
    return place + queue.new_summaries(posted.account_id, posted.channel_id)


def _permalink(shown: Message, installation: SlackInstallation | None) -> str | None:
    """https://acme.slack.com/archives/C…/p…: the form Slack's own links have."""
    if shown.ts is None or installation is None or shown.is_direct:
        return None  # direct messages open for one person only
    base = installation.team_url.rstrip("/")
    channel_id = shown.conversation_id or shown.channel_id
    return f"{base}/archives/{channel_id}/p{shown.ts.replace('.', '')}"
