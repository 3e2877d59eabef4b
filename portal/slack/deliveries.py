"""What waits for Slack, where, since when, and what is wrong there? For the account's admins."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import selectinload

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.alerts.models import Alert
from portal.domain.alerts.queries import visible_to
from portal.domain.routing import matching
from portal.domain.routing.models import AlertAction
from portal.slack import pacing
from portal.slack.errors import words
from portal.slack.posted import SUMMARY_BEHIND, Lane, PostedMessage, Summary

MOST_ALERTS = 20


@dataclass(frozen=True)
class Channel:
    """One channel: what waits there, and its health in words."""

    channel_id: str
    name: str
    waiting: int = 0  # alerts that Slack does not show in their newest state
    failing: int = 0  # of these, so many were tried in vain
    oldest_at: datetime | None = None  # when the first of them was opened
    gave_up: int = 0
    problem: str | None = None
    problem_since: datetime | None = None
    next_try_at: datetime | None = None
    last_success_at: datetime | None = None

    @property
    def label(self) -> str:
        """The place in words."""
        is_direct = self.channel_id[:1] in ("U", "W")
        return f"Direct messages to {self.name}" if is_direct else f"#{self.name}"


@dataclass(frozen=True)
class Overview:
    channels: list[Channel]
    outage: pacing.Outage | None  # Slack does not answer for this workspace
    outage_reason: str
    holds: dict[str, datetime]  # methods that Slack forbids, and until when

    @property
    def waiting(self) -> int:
        return sum(channel.waiting for channel in self.channels)

    @property
    def failing(self) -> int:
        return sum(channel.failing for channel in self.channels)

    @property
    def oldest_at(self) -> datetime | None:
        return min((c.oldest_at for c in self.channels if c.oldest_at), default=None)


def overview(account_id: int) -> Overview:
    """All channels of the account, those with trouble first."""
    found = list(health(account_id).values())
    found.sort(key=lambda c: (c.problem is None, -c.failing, -c.waiting, c.name))
    outage = db.session.get(pacing.Outage, account_id)
    return Overview(
        channels=found,
        outage=outage,
        outage_reason=words(outage.reason) if outage else "",
        holds=pacing.holds(account_id, now()),
    )


def health(account_id: int | None) -> dict[str, Channel]:
    """Channel id → what is known of it, for every channel that alerts are sent to."""
    names = _names(account_id)
    waiting = _waiting(account_id)
    lanes = select(Lane).where(Lane.account_id == account_id)
    known = {lane.channel_id: lane for lane in db.session.scalars(lanes)}
    return {
        channel_id: Channel(
            channel_id=channel_id,
            **{"name": names.get(channel_id, ""), **waiting.get(channel_id, {})},
            **_of_lane(known.get(channel_id)),
        )
        for channel_id in sorted({*names, *waiting})
    }


def waiting_alerts(viewer: User) -> list[Alert]:
    """The alerts that have waited longest for Slack, as far as the viewer may see them."""
    behind = select(PostedMessage.alert_id).where(
        PostedMessage.account_id == viewer.account_id, SUMMARY_BEHIND, PostedMessage.is_own
    )
    wanted = visible_to(viewer).where(Alert.id.in_(behind)).order_by(Alert.id)
    return list(db.session.scalars(wanted.limit(MOST_ALERTS)))


def _of_lane(lane: Lane | None) -> dict[str, Any]:
    if lane is None:
        return {}
    return {
        "problem": words(lane.problem) if lane.problem else None,
        "problem_since": lane.problem_since,
        "next_try_at": lane.returns_at,
        "last_success_at": lane.last_success_at,
    }


def _names(account_id: int | None) -> dict[str, str]:
    actions = select(AlertAction).where(AlertAction.account_id == account_id)
    actions = actions.options(selectinload(AlertAction.channels))
    found: dict[str, str] = {}
    for action in db.session.scalars(actions):
        if action.fallback_channel_id:
            found[action.fallback_channel_id] = action.fallback_channel_name or ""
        found |= matching.channels_of([action])
    return found


def _waiting(account_id: int | None) -> dict[str, dict[str, Any]]:
    """By channel: what is behind by itself, and what a summary stands for that is behind."""
    named = (
        (PostedMessage.summary_id == Summary.id)
        & ~PostedMessage.is_own
        & (Summary.shown_version < Summary.wanted_version)
    )
    failed = case((PostedMessage.attempts > 0, 1), else_=0)
    is_behind = PostedMessage.is_own & (PostedMessage.shown_version < PostedMessage.wanted_version)
    rows = db.session.execute(
        select(
            PostedMessage.channel_id,
            func.max(PostedMessage.channel_name),
            func.count().filter(PostedMessage.gave_up_at.is_(None)),
            func.coalesce(func.sum(failed).filter(PostedMessage.gave_up_at.is_(None)), 0),
            func.min(PostedMessage.created_at).filter(PostedMessage.gave_up_at.is_(None)),
            func.count().filter(PostedMessage.gave_up_at.is_not(None)),
        )
        .outerjoin(Summary, PostedMessage.summary_id == Summary.id)
        .where(PostedMessage.account_id == account_id, is_behind | named)
        .group_by(PostedMessage.channel_id)
    )
    return {
        channel_id: {
            "name": name,
            "waiting": n,
            "failing": int(failing),
            "oldest_at": at,
            "gave_up": gave_up,
        }
        for channel_id, name, n, failing, at, gave_up in rows
    }
