"""What is an alert's dedicated channel, how far has its making come, and who was invited?"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, closed_list, now
from portal.domain.accounts.models import User
from portal.domain.alerts.models import Alert, Via

CURRENT = text("state <> 'detached'")


class ChannelState(StrEnum):
    CREATING = "creating"  # wanted; Slack was not asked yet, or its answer is not known
    ATTACHED = "attached"  # it exists and follows the alert
    NOT_CREATED = "not_created"  # Slack refused it for good; `problem` says why
    CLOSED = "closed"  # archived or deleted in Slack, or the bot was removed
    DETACHED = "detached"  # it no longer follows the alert, which is free for another one


class DedicatedChannel(Base):
    """One channel for one alert. The row is written before Slack hears of it and stays as long as
    the workspace is linked: so a crash at any moment leaves something that leads to the channel.

    An attempt is written down before the call (`step`, `step_begun_at`) and taken off with its
    outcome: one that is found later was interrupted, and nobody knows what Slack made of it.
    """

    __tablename__ = "dedicated_channels"
    __table_args__ = (
        # One at a time, whoever asks at the same moment.
        Index("uq_dedicated_channels_current", "alert_id", unique=True, postgresql_where=CURRENT),
        # A channel that ever belonged to an alert is never another one's.
        UniqueConstraint("account_id", "channel_id", name="uq_dedicated_channels_channel"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    alert_id: Mapped[int] = mapped_column(ForeignKey("alerts.id"), index=True)
    state: Mapped[ChannelState] = mapped_column(
        closed_list(ChannelState), default=ChannelState.CREATING
    )
    name: Mapped[str]  # as wanted; numbered while it is being made
    channel_name: Mapped[str]  # as it is asked for next, then as Slack answered
    is_name_typed: Mapped[bool]
    is_private: Mapped[bool]
    requested_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))  # None: an action
    via: Mapped[Via | None] = mapped_column(closed_list(Via))
    requested_at: Mapped[datetime] = mapped_column(default=now)
    # How far its making has come.
    step: Mapped[str | None]
    step_begun_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)  # since the last success
    next_try_at: Mapped[datetime] = mapped_column(default=now)
    problem: Mapped[str | None]  # the code of the last failure
    place_for: Mapped[str | None]  # the method whose budget has a place for us at next_try_at
    uncertain_since: Mapped[datetime | None]  # since then a channel of ours may have this name
    must_look: Mapped[bool] = mapped_column(default=False)  # for it, before anything else
    channel_id: Mapped[str | None]
    attached_at: Mapped[datetime | None]
    is_told: Mapped[bool] = mapped_column(
        default=False
    )  # the timeline names it, and who is missing
    topic: Mapped[str | None]  # as Slack shows it
    message_ts: Mapped[str | None]  # the alert's message there, once it is no longer followed
    # What became of each: "done", or the code of why not. None: still to be done.
    topic_outcome: Mapped[str | None]
    bookmark_outcome: Mapped[str | None]
    pin_outcome: Mapped[str | None]
    farewell_outcome: Mapped[str | None]
    archive_outcome: Mapped[str | None]
    # How it ended.
    closed_at: Mapped[datetime | None]
    closed_reason: Mapped[str | None]
    archive_at: Mapped[datetime | None]  # wanted, some days after the alert was resolved
    detached_at: Mapped[datetime | None]
    detached_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    alert: Mapped[Alert] = relationship()
    requested_by: Mapped[User | None] = relationship(foreign_keys=[requested_by_id])
    invitations: Mapped[list["ChannelInvitation"]] = relationship(
        order_by="ChannelInvitation.id", cascade="all, delete-orphan"
    )


class InvitationState(StrEnum):
    WANTED = "wanted"
    INVITED = "invited"
    REFUSED = "refused"  # `reason` says why: Slack's code, or ours


class ChannelInvitation(Base):
    """A person who should be in the channel. Nobody is taken out again (product.md section 6)."""

    __tablename__ = "channel_invitations"
    __table_args__ = (UniqueConstraint("dedicated_channel_id", "user_id"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    dedicated_channel_id: Mapped[int] = mapped_column(
        ForeignKey("dedicated_channels.id", ondelete="CASCADE")
    )
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    state: Mapped[InvitationState] = mapped_column(
        closed_list(InvitationState), default=InvitationState.WANTED
    )
    reason: Mapped[str | None]

    user: Mapped[User] = relationship()
