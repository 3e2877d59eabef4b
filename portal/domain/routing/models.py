"""Which alert sources post to which channels, when, and what did people have posted by hand?"""

from datetime import datetime
from enum import StrEnum
from json import dumps

from sqlalchemy import (
    Column,
    ForeignKey,
    Identity,
    Index,
    Table,
    UniqueConstraint,
    false,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, closed_list, now
from portal.domain.accounts.models import User
from portal.domain.alerts.models import Via
from portal.domain.routing.conditions import Condition
from portal.domain.routing.triggers import DEFAULT, Trigger, TriggerMode
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
    """Alerts of these sources appear in these channels: by themselves, or when a person says so."""

    __tablename__ = "alert_actions"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    name: Mapped[str]
    mode: Mapped[TriggerMode] = mapped_column(
        closed_list(TriggerMode), default=TriggerMode.AUTOMATIC, server_default="automatic"
    )
    trigger_names: Mapped[list[str]] = mapped_column(
        "triggers", JSONB, default=lambda: list(DEFAULT), server_default=text(f"'{dumps(DEFAULT)}'")
    )
    # Seconds until two of the triggers publish (product.md 3.2).
    ended_after: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    not_resolved_after: Mapped[int | None]
    stored_conditions: Mapped[list[dict[str, str]]] = mapped_column(
        "conditions", JSONB, default=list, server_default=text("'[]'")
    )
    needs_all: Mapped[bool] = mapped_column(default=True, server_default=true())  # AND, else OR
    # Where alerts are shown as well while nothing can be posted to one of the channels.
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
    channels: Mapped[list["ActionChannel"]] = relationship(
        cascade="all, delete-orphan", order_by="ActionChannel.channel_name", passive_deletes=True
    )

    @property
    def triggers(self) -> list[Trigger]:
        """In their fixed order; none where a person runs the action."""
        is_automatic = self.mode is TriggerMode.AUTOMATIC
        return [each for each in Trigger if is_automatic and each in self.trigger_names]

    @property
    def conditions(self) -> list[Condition]:
        return [Condition.parse(**stored) for stored in self.stored_conditions]

    @property
    def place(self) -> str:
        """Its channels in words: “#db and #ops”."""
        *most, last = [f"#{each.channel_name}" for each in self.channels] or ["no channel"]
        return f"{', '.join(most)} and {last}" if most else last


class ActionChannel(Base):
    """A channel of an alert action. The name is only for showing."""

    __tablename__ = "alert_action_channels"
    __table_args__ = (Index("ix_alert_action_channels_channel", "account_id", "channel_id"),)

    action_id: Mapped[int] = mapped_column(
        ForeignKey("alert_actions.id", ondelete="CASCADE"), primary_key=True
    )
    channel_id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    channel_name: Mapped[str]


class ActionTimer(Base):
    """When an action has to look at an alert again: see jobs/alert_actions.py."""

    __tablename__ = "alert_action_timers"
    __table_args__ = (UniqueConstraint("alert_id", "action_id", "trigger"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    alert_id: Mapped[int] = mapped_column(ForeignKey("alerts.id", ondelete="CASCADE"))
    action_id: Mapped[int] = mapped_column(
        ForeignKey("alert_actions.id", ondelete="CASCADE"), index=True
    )
    trigger: Mapped[Trigger] = mapped_column(closed_list(Trigger))
    due_at: Mapped[datetime] = mapped_column(index=True)


class ActionRun(Base):
    """A person had a manual action carried out for an alert. Slack's answer may take a while."""

    __tablename__ = "alert_action_runs"
    __table_args__ = (UniqueConstraint("alert_id", "action_id"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    alert_id: Mapped[int] = mapped_column(ForeignKey("alerts.id", ondelete="CASCADE"))
    action_id: Mapped[int] = mapped_column(
        ForeignKey("alert_actions.id", ondelete="CASCADE"), index=True
    )
    run_by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    via: Mapped[Via] = mapped_column(closed_list(Via))
    run_at: Mapped[datetime] = mapped_column(default=now)
    succeeded_at: Mapped[datetime | None]
    problem: Mapped[str | None]  # Slack's code, until it succeeds after all

    action: Mapped[AlertAction] = relationship()
    run_by: Mapped[User] = relationship()


class ActionTest(Base):
    """The last test of an action in one of its channels, and what Slack said to it."""

    __tablename__ = "alert_action_tests"

    action_id: Mapped[int] = mapped_column(
        ForeignKey("alert_actions.id", ondelete="CASCADE"), primary_key=True
    )
    channel_id: Mapped[str] = mapped_column(primary_key=True)
    channel_name: Mapped[str]
    asked_at: Mapped[datetime] = mapped_column(default=now)
    answered_at: Mapped[datetime | None]
    problem: Mapped[str | None]  # Slack's code; none where the message is there
