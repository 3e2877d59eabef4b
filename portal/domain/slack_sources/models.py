"""What is set up on an alert source of the type Slack? Channels, policies, and what is allowed there."""

from sqlalchemy import ForeignKey, ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base
from portal.domain.escalation.models import EscalationPolicy
from portal.domain.sources.models import AlertSource

TYPE = "slack"  # the key in sources.models.TYPES
LABEL = "Who should be alerted?"


class SlackSource(Base):
    """The Slack settings of one alert source (product.md section 4)."""

    __tablename__ = "slack_sources"

    source_id: Mapped[int] = mapped_column(
        ForeignKey("alert_sources.id", ondelete="CASCADE"), primary_key=True
    )
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    label: Mapped[str] = mapped_column(default=LABEL)  # above the choice of a policy
    anyone_may_ask: Mapped[bool] = mapped_column(default=False)  # who is on call
    shows_phone: Mapped[bool] = mapped_column(default=False)  # only counts together with the above

    source: Mapped[AlertSource] = relationship()
    channels: Mapped[list["SlackSourceChannel"]] = relationship(
        cascade="all, delete-orphan", order_by="SlackSourceChannel.channel_name"
    )
    offers: Mapped[list["OfferedPolicy"]] = relationship(
        cascade="all, delete-orphan", order_by="OfferedPolicy.position"
    )


class SlackSourceChannel(Base):
    """A channel whose members may use the commands. The key holds "one Slack source" in a race."""

    __tablename__ = "slack_source_channels"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    channel_id: Mapped[str] = mapped_column(primary_key=True)
    channel_name: Mapped[str]  # only for showing
    source_id: Mapped[int] = mapped_column(
        ForeignKey("slack_sources.source_id", ondelete="CASCADE"), index=True
    )


class OfferedPolicy(Base):
    """A policy that is offered in the channels, in the order of `position` from 0."""

    __tablename__ = "slack_source_policies"
    __table_args__ = (
        # Both columns, so that no source can ever offer another account's policy.
        ForeignKeyConstraint(
            ["account_id", "policy_id"],
            ["escalation_policies.account_id", "escalation_policies.id"],
            name="fk_slack_source_policies_escalation_policy",
        ),
        UniqueConstraint("source_id", "policy_id"),
    )

    source_id: Mapped[int] = mapped_column(
        ForeignKey("slack_sources.source_id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    policy_id: Mapped[int] = mapped_column(index=True)
    display_name: Mapped[str] = mapped_column(default="")  # empty: the policy's own name

    policy: Mapped[EscalationPolicy] = relationship()

    @property
    def name(self) -> str:
        return self.display_name or self.policy.name
