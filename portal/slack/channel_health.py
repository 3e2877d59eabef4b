"""What do Slack's own events about channels change? Names, ids, and whether we can post there.

Events come late, twice or not at all, so errors decide in the end: an event only makes a lane look
sooner, or spares a call that would be refused. product.md 11.4.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import case, delete, select, update
from sqlalchemy.orm import InstrumentedAttribute

from portal.db import db, now
from portal.domain.dedicated_channels import progress
from portal.domain.dedicated_channels.models import DedicatedChannel
from portal.domain.routing import queries as routing
from portal.domain.routing.models import ActionChannel, AlertAction
from portal.jobs.engine import wake
from portal.slack import channel_problems, installations, lanes, payloads
from portal.slack.posted import Lane, PostedMessage, Summary, ThreadReply

Names = tuple[InstrumentedAttribute[Any], InstrumentedAttribute[Any]]
NAMED: tuple[tuple[type[Any], Names], ...] = (
    (ActionChannel, (ActionChannel.channel_id, ActionChannel.channel_name)),
    (AlertAction, (AlertAction.fallback_channel_id, AlertAction.fallback_channel_name)),
    (DedicatedChannel, (DedicatedChannel.channel_id, DedicatedChannel.channel_name)),
    (PostedMessage, (PostedMessage.channel_id, PostedMessage.channel_name)),
    (Summary, (Summary.channel_id, Summary.channel_name)),
    (ThreadReply, (ThreadReply.channel_id, ThreadReply.channel_name)),
)


def follow(account_id: int, event: dict[str, Any]) -> None:
    """Carry out one of Slack's channel events (slack.md 2.4). The caller commits.

    `event` is what is called so in Slack's envelope; types that are not ours change nothing.
    """
    handle = HANDLERS.get(str(event.get("type")))
    if handle is not None:
        handle(account_id, event)


def try_now(account_id: int, channel_id: str) -> None:
    """Have the channel tried at once, unless Slack itself asked us to wait. The caller commits."""
    lane = lanes.locked(account_id, channel_id)
    lane.next_at, lane.returns_at = now(), None
    for kind in (PostedMessage, Summary, ThreadReply):
        mine = (kind.account_id == account_id) & (kind.channel_id == channel_id)
        waiting = update(kind).where(mine, kind.not_before > now())
        db.session.execute(waiting.values(not_before=None))
    wake(lanes.deliver, account_id=account_id, channel_id=channel_id)


def _renamed(account_id: int, event: dict[str, Any]) -> None:
    channel = event.get("channel")
    name = payloads.text(channel, "name") if isinstance(channel, dict) else ""
    if not name:
        return
    for table, (channel_id, channel_name) in NAMED:
        named = update(table).where(table.account_id == account_id, channel_id == _id(event))
        db.session.execute(named.values({channel_name: name[:80]}))


def _new_id(account_id: int, event: dict[str, Any]) -> None:
    """A shared channel gets a new id; a row that is there under the new one already stays."""
    old, new = payloads.text(event, "old_channel_id"), payloads.text(event, "new_channel_id")
    if not old or not new or old == new:
        return
    # Lanes first, by name, and messages after them: whoever delivers locks them in this order.
    held = {channel_id: lanes.locked(account_id, channel_id) for channel_id in sorted((old, new))}
    known = select(PostedMessage.alert_id).where(
        PostedMessage.account_id == account_id, PostedMessage.channel_id == new
    )
    mine = (PostedMessage.account_id == account_id) & (PostedMessage.channel_id == old)
    db.session.execute(delete(PostedMessage).where(mine, PostedMessage.alert_id.in_(known)))
    for table, (channel_id, _) in NAMED:
        moved = update(table).where(table.account_id == account_id, channel_id == old)
        db.session.execute(moved.values({channel_id: new}))
    for table in (PostedMessage, Summary, ThreadReply):
        followed = update(table).where(table.account_id == account_id)
        is_old = case((table.conversation_id == old, new), else_=table.conversation_id)
        db.session.execute(
            followed.where(table.conversation_id.is_not(None)).values(conversation_id=is_old)
        )
    _succeed(held[old], held[new])
    wake(lanes.deliver, account_id=account_id, channel_id=new)


def _succeed(was: Lane, now_is: Lane) -> None:
    """The new lane goes on with the old one's storm, unless it has one of its own."""
    if now_is.summary_id is None:
        now_is.summary_id, now_is.gathered_at = was.summary_id, was.gathered_at
    elif was.summary_id is not None:
        closed = update(Summary).where(Summary.id == was.summary_id)
        db.session.execute(closed.values(closed_at=now()))
    channel_problems.over(was)
    db.session.delete(was)


def _closed(code: str) -> Callable[[int, dict[str, Any]], None]:
    def close(account_id: int, event: dict[str, Any]) -> None:
        progress.note_closed(account_id, _id(event), code, now())
        lane = _known_lane(account_id, _id(event))
        if lane is None:
            return
        for channel_id in channel_problems.begin(lane, code, now()):
            wake(lanes.deliver, account_id=account_id, channel_id=channel_id)

    return close


def _opened(account_id: int, event: dict[str, Any]) -> None:
    """It may be open again: the next message will tell."""
    if _known_lane(account_id, _id(event)) is not None:
        try_now(account_id, _id(event))


def _joined(account_id: int, event: dict[str, Any]) -> None:
    installation = installations.of_account(account_id)
    if installation is not None and event.get("user") == installation.bot_user_id:
        _opened(account_id, event)
        _look_again(account_id, event)


def _look_again(account_id: int, event: dict[str, Any]) -> None:
    """The app came or went: whether it may look into the channel is to be seen."""
    lane = _known_lane(account_id, _id(event))
    if lane is not None:
        lane.look_outcome = None
        wake(lanes.deliver, account_id=account_id, channel_id=lane.channel_id)


def _known_lane(account_id: int, channel_id: str) -> Lane | None:
    """The lane of a channel that alerts are sent to; nothing is kept of any other."""
    if db.session.scalar(routing.naming(account_id, channel_id).limit(1)) is None:
        return None
    return lanes.locked(account_id, channel_id)


def _id(event: dict[str, Any]) -> str:
    """In some events the channel is an id, in others an object."""
    channel = event.get("channel")
    return (
        payloads.text(channel, "id")
        if isinstance(channel, dict)
        else payloads.text(event, "channel")
    )


HANDLERS: dict[str, Callable[[int, dict[str, Any]], None]] = {
    "channel_rename": _renamed,
    "group_rename": _renamed,
    "channel_id_changed": _new_id,
    "channel_archive": _closed("is_archived"),
    "group_archive": _closed("is_archived"),
    "channel_deleted": _closed("channel_deleted"),
    "group_deleted": _closed("channel_deleted"),
    "group_left": _closed("bot_left"),
    "channel_left": _look_again,  # a public channel may be posted to all the same
    "channel_unarchive": _opened,
    "group_unarchive": _opened,
    "member_joined_channel": _joined,
}
