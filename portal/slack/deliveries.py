"""What waits for Slack, where, since when, and what is wrong there? For the account's admins."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.alerts.models import Alert
from portal.domain.alerts.queries import visible_to
from portal.domain.routing import matching
from portal.domain.routing.models import AlertAction
from portal.slack import lookback, pacing, waiting
from portal.slack.errors import words
from portal.slack.posted import ENDED, Lane, PostedMessage

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
    no_look: str | None = None  # why a message may appear twice there, and what to do

    @property
    def label(self) -> str:
        """The place in words."""
        is_direct = self.channel_id[:1] in ("U", "W")
        return f"Direct messages to {self.name}" if is_direct else f"#{self.name}"


@dataclass(frozen=True)
class Overview:
    channels: list[Channel]
    waiting: int  # alerts; one that waits in two channels counts once, here and below
    failing: int  # of these, so many were tried in vain
    outage: pacing.Outage | None  # Slack does not answer for this workspace
    outage_reason: str
    holds: dict[str, datetime]  # methods that Slack forbids, and until when

    @property
    def oldest_at(self) -> datetime | None:
        return min((c.oldest_at for c in self.channels if c.oldest_at), default=None)


def overview(account_id: int) -> Overview:
    """All channels of the account, those with trouble first."""
    found = list(health(account_id).values())
    found.sort(key=lambda c: (c.problem is None, -c.failing, -c.waiting, c.name))
    outage = db.session.get(pacing.Outage, account_id)
    places = waiting.places([account_id]).c
    alerts = func.count(places.alert_id.distinct())
    both = select(alerts, alerts.filter(places.attempts > 0))
    behind, failing = db.session.execute(both).one()
    return Overview(
        channels=found,
        waiting=behind,
        failing=failing,
        outage=outage,
        outage_reason=words(outage.reason) if outage else "",
        holds=pacing.holds(account_id, now()),
    )


def health(account_id: int | None) -> dict[str, Channel]:
    """Channel id → what is known of it, for every channel that alerts are sent to."""
    names = _names(account_id)
    behind = _waiting(account_id)
    for channel_id, gave_up in _given_up(account_id).items():
        behind.setdefault(channel_id, {})["gave_up"] = gave_up
    lanes = select(Lane).where(Lane.account_id == account_id)
    known = {lane.channel_id: lane for lane in db.session.scalars(lanes)}
    return {
        channel_id: Channel(
            channel_id=channel_id,
            **{"name": names.get(channel_id, ""), **behind.get(channel_id, {})},
            **_of_lane(known.get(channel_id)),
        )
        for channel_id in sorted({*names, *behind})
    }


def waiting_alerts(viewer: User) -> list[Alert]:
    """The alerts that have waited longest for Slack, as far as the viewer may see them."""
    behind = select(waiting.places([viewer.account_id or 0]).c.alert_id)
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
        "no_look": lookback.why_not(lane),
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
    """By channel: how many alerts wait there, how many of them in vain so far, and since when."""
    places = waiting.places([account_id or 0]).c
    counted = select(
        places.channel_id,
        func.max(places.channel_name).label("name"),
        func.count().label("waiting"),
        func.count().filter(places.attempts > 0).label("failing"),
        func.min(places.since).label("oldest_at"),
    ).group_by(places.channel_id)
    rows = (dict(row) for row in db.session.execute(counted).mappings())
    return {row.pop("channel_id"): row for row in rows}


def _given_up(account_id: int | None) -> dict[str, int]:
    counted = select(PostedMessage.channel_id, func.count()).where(
        PostedMessage.account_id == account_id,
        PostedMessage.gave_up_at.is_not(None),
        func.coalesce(PostedMessage.last_error, "").not_in(ENDED),
    )
    rows: Any = db.session.execute(counted.group_by(PostedMessage.channel_id))
    return dict(rows.all())
