"""How well do the messages of an account get to Slack? Numbers only, never what a message says."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, select

from portal.db import db, now
from portal.domain import rate_limits
from portal.domain.routing.models import ActionChannel
from portal.slack import lookback, pacing, waiting
from portal.slack.errors import words
from portal.slack.installations import SlackInstallation
from portal.slack.posted import ENDED, Lane, PostedMessage

FAILURES_COUNT_FOR = timedelta(days=7)
NOTHING = (0, None)


@dataclass(frozen=True)
class Deliveries:
    """What waits, what failed, and when something last worked."""

    waiting: int = 0
    oldest_waiting_at: datetime | None = None
    failed: int = 0  # given up within the last seven days
    last_delivered_at: datetime | None = None


@dataclass(frozen=True)
class ChannelHealth:
    """One channel that shows alerts, or should."""

    channel_id: str
    channel_name: str
    deliveries: Deliveries
    held: str | None  # why Slack does not let us post there now, in words
    next_try_at: datetime | None
    no_look: str | None = None  # why a message may appear twice there, and what to do

    @property
    def is_direct(self) -> bool:
        """A person's id in place of a channel's means direct messages to them."""
        return self.channel_id.startswith(("U", "W"))

    @property
    def label(self) -> str:
        return f"Messages to {self.channel_name}" if self.is_direct else f"#{self.channel_name}"


def of_accounts(account_ids: Collection[int]) -> dict[int, Deliveries]:
    """The deliveries of each account, in few queries."""
    behind = _waiting("account_id", account_ids)
    failed: Any = db.session.execute(
        select(PostedMessage.account_id, func.count())
        .where(PostedMessage.account_id.in_(account_ids), _was_given_up())
        .group_by(PostedMessage.account_id)
    )
    delivered: Any = db.session.execute(
        select(SlackInstallation.account_id, SlackInstallation.last_success_at).where(
            SlackInstallation.account_id.in_(account_ids)
        )
    )
    failures, last = dict(failed.all()), dict(delivered.all())
    return {
        account_id: Deliveries(
            *behind.get(account_id, NOTHING), failures.get(account_id, 0), last.get(account_id)
        )
        for account_id in account_ids
    }


def by_channel(account_id: int) -> list[ChannelHealth]:
    """Every channel that an alert action names or that has a message, by name."""
    of_account = PostedMessage.account_id == account_id
    behind = _waiting("channel_id", [account_id])
    seen = select(
        PostedMessage.channel_id,
        func.max(PostedMessage.channel_name),
        func.count().filter(_was_given_up()),
        func.max(PostedMessage.shown_at),
    ).where(of_account)
    actions = select(ActionChannel.channel_id, ActionChannel.channel_name)
    named: Any = db.session.execute(actions.where(ActionChannel.account_id == account_id))
    names: dict[str, str] = dict(named.all())
    deliveries = {}
    for channel_id, name, failed, last in db.session.execute(
        seen.group_by(PostedMessage.channel_id)
    ):
        names.setdefault(channel_id, name)
        deliveries[channel_id] = Deliveries(*behind.get(channel_id, NOTHING), failed, last)
    of_account_too = select(Lane).where(Lane.account_id == account_id)
    lanes = {lane.channel_id: lane for lane in db.session.scalars(of_account_too)}
    held = {id: lane for id, lane in lanes.items() if lane.problem or lane.held_reason}
    found = [
        ChannelHealth(
            channel_id=channel_id,
            channel_name=name,
            deliveries=deliveries.get(channel_id, Deliveries()),
            held=_why(held.get(channel_id)),
            next_try_at=_still_to_come(held.get(channel_id)),
            no_look=lookback.why_not(lanes[channel_id]) if channel_id in lanes else None,
        )
        for channel_id, name in names.items()
    ]
    return sorted(found, key=lambda channel: (channel.channel_name, channel.channel_id))


def in_all(channels: Iterable[ChannelHealth]) -> Deliveries:
    """What the channels of one account add up to."""
    each = [channel.deliveries for channel in channels]
    return Deliveries(
        waiting=sum(one.waiting for one in each),
        oldest_waiting_at=min(filter(None, (one.oldest_waiting_at for one in each)), default=None),
        failed=sum(one.failed for one in each),
        last_delivered_at=max(filter(None, (one.last_delivered_at for one in each)), default=None),
    )


def asked_to_wait(account_id: int) -> int:
    """How often Slack asked us to wait (429 and its like) within the last hour."""
    key = pacing.REFUSALS.format(account_id=account_id)
    return rate_limits.refused_since(key, now() - timedelta(hours=1))


def _waiting(by: str, account_ids: Collection[int]) -> dict[Any, tuple[int, datetime | None]]:
    """How many alerts wait and since when, for each value of the column `by`."""
    places = waiting.places(account_ids).c
    counted = select(places[by], func.count(), func.min(places.since)).group_by(places[by])
    return {value: (number, oldest) for value, number, oldest in db.session.execute(counted)}


def _still_to_come(lane: Lane | None) -> datetime | None:
    """Where the moment is over, something else is waited for; it is not known here when it comes."""
    return lane.next_at if lane is not None and lane.next_at > now() else None


def _why(lane: Lane | None) -> str | None:
    return words(lane.problem or lane.held_reason or "") if lane is not None else None


def _was_given_up() -> ColumnElement[bool]:
    is_refusal = func.coalesce(PostedMessage.last_error, "").not_in(ENDED)
    return (PostedMessage.gave_up_at > now() - FAILURES_COUNT_FOR) & is_refusal
