"""Where is an alert shown in Slack, and does it show what it should?"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ForeignKey, Identity, Index, UniqueConstraint, func, select, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, db, now
from portal.domain.alerts.models import Alert
from portal.slack import installations
from portal.slack.errors import words

BEHIND = text("shown_version < wanted_version AND gave_up_at IS NULL")


class PostedMessage(Base):
    """One alert in one channel: the version it should show and the version Slack shows."""

    __tablename__ = "posted_messages"
    __table_args__ = (
        UniqueConstraint("alert_id", "channel_id"),
        Index(
            "ix_posted_messages_behind", "account_id", "channel_id", "id", postgresql_where=BEHIND
        ),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    alert_id: Mapped[int] = mapped_column(ForeignKey("alerts.id"))
    channel_id: Mapped[str]
    channel_name: Mapped[str]
    ts: Mapped[str | None]  # Slack's name of the message, once it is there
    wanted_version: Mapped[int] = mapped_column(default=1)
    shown_version: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=now)
    shown_at: Mapped[datetime | None]
    # The attempt that runs or ran last: written before the call, so that a crash leaves a trace.
    attempts: Mapped[int] = mapped_column(default=0)  # since the last success
    attempted_at: Mapped[datetime | None]
    last_error: Mapped[str | None]  # Slack's code, or ours: "timeout"
    gave_up_at: Mapped[datetime | None]  # Slack refused even the plain message

    alert: Mapped[Alert] = relationship()


class Lane(Base):
    """The pace of one channel, kept here so that all workers together keep it."""

    __tablename__ = "slack_lanes"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    channel_id: Mapped[str] = mapped_column(primary_key=True)
    next_at: Mapped[datetime] = mapped_column(default=now)  # no call before this moment
    paced_at: Mapped[datetime] = mapped_column(default=now)  # see lanes.reserve()
    failures: Mapped[int] = mapped_column(default=0)  # in a row
    held_reason: Mapped[str | None]  # Slack's code while next_at is a punishment, not the pace


@dataclass(frozen=True)
class Place:
    """One channel of an alert, in words: product.md 11.6."""

    channel_id: str
    channel_name: str
    permalink: str | None
    state: str  # shown, waiting, held, gave up
    is_up_to_date: bool
    detail: str
    next_try_at: datetime | None = None
    attempts: int = 0


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
        .order_by(PostedMessage.id)
    )
    installation = installations.of_account(alert.account_id)
    return [_place(posted, lane, installation) for posted, lane in rows]


def _place(
    posted: PostedMessage, lane: Lane | None, installation: installations.SlackInstallation | None
) -> Place:
    state, detail, next_try_at = _explained(posted, lane, installation)
    return Place(
        channel_id=posted.channel_id,
        channel_name=posted.channel_name,
        permalink=_permalink(posted, installation),
        state=state,
        is_up_to_date=posted.shown_version >= posted.wanted_version,
        detail=detail,
        next_try_at=next_try_at,
        attempts=posted.attempts,
    )


def _explained(
    posted: PostedMessage, lane: Lane | None, installation: installations.SlackInstallation | None
) -> tuple[str, str, datetime | None]:
    if posted.gave_up_at:
        reason = words(posted.last_error or "")
        return "gave up", f"Slack refused even the plain message. {reason}", None
    if posted.shown_version >= posted.wanted_version:
        return "shown", "Up to date.", None
    if installation is None:
        return "held", "No workspace is linked. An admin can link one under Connectors.", None
    if not installation.is_working:
        reason = words(installation.reason or "")
        return "held", f"{reason} An admin can re-authorize under Connectors.", None
    if lane is not None and lane.held_reason:
        state = "held" if lane.held_reason not in ("ratelimited", "timeout") else "waiting"
        return state, words(lane.held_reason), lane.next_at
    ahead = db.session.execute(
        select(func.count()).where(
            PostedMessage.account_id == posted.account_id,
            PostedMessage.channel_id == posted.channel_id,
            PostedMessage.id < posted.id,
            BEHIND,
        )
    ).scalar_one()
    return "waiting", f"{ahead} ahead of it in this channel." if ahead else "Next in line.", None


def _permalink(
    posted: PostedMessage, installation: installations.SlackInstallation | None
) -> str | None:
    """https://acme.slack.com/archives/C…/p…: the form Slack's own links have."""
    if posted.ts is None or installation is None:
        return None
    base = installation.team_url.rstrip("/")
    return f"{base}/archives/{posted.channel_id}/p{posted.ts.replace('.', '')}"
