"""How well do the messages of an account get to Slack? Numbers only, never what a message says."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import case, func, select

from portal.db import db, now
from portal.domain.alerts.models import Alert
from portal.domain.routing.models import AlertAction
from portal.slack.errors import words
from portal.slack.posted import BEHIND, Lane, PostedMessage

FAILURES_COUNT_FOR = timedelta(days=7)


@dataclass(frozen=True)
class Deliveries:
    """What waits, what failed, and when something last worked."""

    waiting: int = 0
    failed: int = 0  # given up within the last seven days
    oldest_waiting_at: datetime | None = None
    last_delivered_at: datetime | None = None


@dataclass(frozen=True)
class ChannelHealth:
    """One channel that shows alerts, or should."""

    channel_id: str
    channel_name: str
    deliveries: Deliveries
    held: str | None  # why Slack does not let us post there now, in words
    next_try_at: datetime | None


def of_accounts(account_ids: Collection[int]) -> dict[int, Deliveries]:
    """The deliveries of each account, in one query."""
    counted = select(PostedMessage.account_id, *_numbers()).join(PostedMessage.alert)
    chosen = counted.where(PostedMessage.account_id.in_(account_ids))
    found = db.session.execute(chosen.group_by(PostedMessage.account_id))
    known = {account_id: Deliveries(*numbers) for account_id, *numbers in found}
    return {account_id: known.get(account_id, Deliveries()) for account_id in account_ids}


def by_channel(account_id: int) -> list[ChannelHealth]:
    """Every channel that an alert action names or that has a message, by name."""
    actions = select(AlertAction.channel_id, AlertAction.channel_name)
    rows: Any = db.session.execute(actions.where(AlertAction.account_id == account_id))
    names: dict[str, str] = dict(rows.all())
    counted = select(
        PostedMessage.channel_id, func.max(PostedMessage.channel_name), *_numbers()
    ).join(PostedMessage.alert)
    of_account = counted.where(PostedMessage.account_id == account_id)
    deliveries = {}
    rows = db.session.execute(of_account.group_by(PostedMessage.channel_id))
    for channel_id, name, *numbers in rows:
        names.setdefault(channel_id, name)
        deliveries[channel_id] = Deliveries(*numbers)
    lanes = db.session.scalars(select(Lane).where(Lane.account_id == account_id))
    held = {lane.channel_id: lane for lane in lanes if lane.held_reason}
    found = [
        ChannelHealth(
            channel_id=channel_id,
            channel_name=name,
            deliveries=deliveries.get(channel_id, Deliveries()),
            held=words(held[channel_id].held_reason or "") if channel_id in held else None,
            next_try_at=held[channel_id].next_at if channel_id in held else None,
        )
        for channel_id, name in names.items()
    ]
    return sorted(found, key=lambda channel: (channel.channel_name, channel.channel_id))


def _numbers() -> tuple[Any, ...]:
    """The columns of Deliveries, in its order; for queries that join the alert."""
    given_up = PostedMessage.gave_up_at > now() - FAILURES_COUNT_FOR
    # A message that was never shown waits since it was wanted; one that is behind, at least since
    # the last change of its alert.
    changed = func.greatest(Alert.last_event_at, Alert.acknowledged_at, Alert.resolved_at)
    since = case((PostedMessage.shown_at.is_(None), PostedMessage.created_at), else_=changed)
    return (
        func.count().filter(BEHIND),
        func.count().filter(given_up),
        func.min(since).filter(BEHIND),
        func.max(PostedMessage.shown_at),
    )
