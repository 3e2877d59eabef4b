"""Where is an alert shown in Slack, and does it show what it should?"""

from datetime import datetime

from sqlalchemy import ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, now
from portal.domain.alerts.models import Alert

BEHIND = text("shown_version < wanted_version AND gave_up_at IS NULL")


class PostedMessage(Base):
    """One alert in one channel: the version it should show and the version Slack shows."""

    __tablename__ = "posted_messages"
    __table_args__ = (
        UniqueConstraint("alert_id", "channel_id"),
        Index("ix_posted_messages_behind", "account_id", "channel_id", "id", postgresql_where=BEHIND),
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
