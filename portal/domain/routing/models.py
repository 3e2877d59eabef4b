"""Which alert sources post to which channel?"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Column, ForeignKey, Identity, Table, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, closed_list, now
from portal.domain.accounts.models import User
from portal.domain.sources.models import AlertSource

alert_action_sources = Table(
    "alert_action_sources",
    Base.metadata,
    Column("action_id", ForeignKey("alert_actions.id", ondelete="CASCADE"), primary_key=True),
    Column("source_id", ForeignKey("alert_sources.id"), primary_key=True, index=True),
)


class AfterStorm(StrEnum):
    """What becomes of open alerts in a summary, once the storm in their channel is over."""

    SUMMARY = "summary"  # they stay in it
    OWN = "own"  # each gets a message of its own


class AlertAction(Base):
    """Alerts of these sources appear in this channel. The channel's name is only for showing."""

    __tablename__ = "alert_actions"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    name: Mapped[str]
    channel_id: Mapped[str]
    channel_name: Mapped[str]
    # Where alerts are shown as well while nothing can be posted to the channel.
    fallback_channel_id: Mapped[str | None]
    fallback_channel_name: Mapped[str | None]
    after_storm: Mapped[AfterStorm] = mapped_column(
        closed_list(AfterStorm), default=AfterStorm.SUMMARY
    )
    # Whether each alert of high priority gets a channel of its own, and when such a channel is
    # archived: so many days after the alert was resolved.
    creates_channel: Mapped[bool] = mapped_column(default=False, server_default=false())
    archive_channel_days: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    created_by: Mapped[User | None] = relationship()
    sources: Mapped[list[AlertSource]] = relationship(
        secondary=alert_action_sources, order_by=AlertSource.name
    )
