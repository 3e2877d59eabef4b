"""What follows from an event that Slack sends? One transaction: the mark "seen" and the work.

https://docs.slack.dev/apis/events-api: events come late, twice and out of order. So each is known by
its id, and one that is older than the present installation says nothing about it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, db, now
from portal.jobs.engine import wake
from portal.slack import (
    channel_health,
    home,
    link_state,
    mapping,
    payloads,
    probes,
    thread_comments,
)
from portal.slack.installations import SlackInstallation

# `event_time` counts whole seconds, and Slack's clock is not ours.
CLOCKS_DIFFER = timedelta(seconds=2)
LONGEST_ID = 200  # Slack's have a dozen characters; an index cannot hold just any length


class SlackEvent(Base):
    """An event that was carried out, so that its repetitions are not."""

    __tablename__ = "slack_events"

    event_id: Mapped[str] = mapped_column(primary_key=True)
    received_at: Mapped[datetime] = mapped_column(default=now, index=True)


@dataclass(frozen=True)
class Event:
    """The part of Slack's envelope that we read."""

    event_id: str
    team_id: str
    happened_at: datetime
    body: dict[str, Any]  # what is called `event` in the envelope

    @classmethod
    def parse(cls, envelope: dict[str, Any]) -> Self | None:
        """None for what is no event of a workspace, such as app_rate_limited."""
        body, team_id = envelope.get("event"), payloads.text(envelope, "team_id")
        if envelope.get("type") != "event_callback" or not isinstance(body, dict) or not team_id:
            return None
        return cls(
            event_id=payloads.text(envelope, "event_id"),
            team_id=team_id,
            happened_at=_moment(envelope.get("event_time")),
            body=body,
        )


def receive(event: Event) -> None:
    """Carry the event out, once. Events of workspaces that nobody has linked are ignored.

    Of a busy channel's messages nearly none is for us: those cost one look, and leave nothing.
    """
    if thread_comments.is_noise(event.body):
        return
    installation = _installation_of(event.team_id)
    if installation is None or not _is_new(event.event_id):
        db.session.commit()
        return
    handle = HANDLERS.get(str(event.body.get("type")))
    if handle is not None:
        handle(event, installation)
    # Last, because whoever delivers locks lanes before the link.
    heard = update(SlackInstallation).where(SlackInstallation.team_id == event.team_id)
    db.session.execute(heard.values(last_event_at=now()))
    db.session.commit()


def _uninstalled(event: Event, installation: SlackInstallation) -> None:
    _ended(event, installation, "app_uninstalled")


def _tokens_revoked(event: Event, installation: SlackInstallation) -> None:
    """The lists hold user ids: only our bot's concerns the link, others are people's own tokens."""
    tokens = event.body.get("tokens")
    bots = tokens.get("bot") if isinstance(tokens, dict) else None
    if isinstance(bots, list) and installation.bot_user_id in bots:
        _ended(event, installation, "tokens_revoked")


def _ended(event: Event, installation: SlackInstallation, code: str) -> None:
    """The link is broken, unless the event belongs to an earlier installation.

    By our clock, which may be wrong; so Slack is asked about an event that seems to be older.
    """
    db.session.refresh(installation, with_for_update=True)
    if event.happened_at - installation.installed_at > CLOCKS_DIFFER:
        link_state.break_off(installation, code)
    elif installation.is_working:
        wake(probes.probe, account_id=installation.account_id)


def _about_a_channel(event: Event, installation: SlackInstallation) -> None:
    channel_health.follow(installation.account_id, event.body)


def _about_a_person(event: Event, installation: SlackInstallation) -> None:
    record = event.body.get("user")
    if isinstance(record, dict):
        mapping.follow(record, installation)


def _home_opened(event: Event, installation: SlackInstallation) -> None:
    user_id = payloads.text(event.body, "user")
    if user_id and event.body.get("tab") == "home" and installation.is_working:
        home.opened(installation.account_id, user_id)


def _said(event: Event, installation: SlackInstallation) -> None:
    thread_comments.note(event.body, installation)


HANDLERS: dict[str, Callable[[Event, SlackInstallation], None]] = {
    **dict.fromkeys(channel_health.HANDLERS, _about_a_channel),
    "app_uninstalled": _uninstalled,
    "tokens_revoked": _tokens_revoked,
    "app_home_opened": _home_opened,
    "team_join": _about_a_person,
    "user_change": _about_a_person,
    "message": _said,
}
# What the manifest asks for: messages come by the kind of their channel.
SUBSCRIBED = (
    *(name for name in HANDLERS if name != "message"),
    "message.channels",
    "message.groups",
)


def _installation_of(team_id: str) -> SlackInstallation | None:
    return db.session.scalar(select(SlackInstallation).where(SlackInstallation.team_id == team_id))


def _is_new(event_id: str) -> bool:
    if len(event_id) > LONGEST_ID:
        return False
    seen = insert(SlackEvent).values(event_id=event_id).on_conflict_do_nothing()
    return (
        not event_id or db.session.execute(seen.returning(SlackEvent.event_id)).first() is not None
    )


def _moment(event_time: object) -> datetime:
    try:
        return datetime.fromtimestamp(int(str(event_time)), UTC)
    except (ValueError, OverflowError, OSError):
        return now()
