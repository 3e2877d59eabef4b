"""What is an escalation policy, how far has an alert climbed it, and who was asked?"""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, now
from portal.domain.accounts.models import User
from portal.domain.alerts.models import Alert
from portal.domain.escalation.steps import Position, Rule
from portal.domain.oncall.models import Schedule


class EscalationPolicy(Base):
    """Ordered rules: level 1 is asked first, the next one when nobody answered in time."""

    __tablename__ = "escalation_policies"
    __table_args__ = (
        Index("uq_escalation_policies_name", "account_id", text("lower(name)"), unique=True),
        # What a source's policy refers to, so that it cannot be another account's.
        UniqueConstraint("account_id", "id", name="uq_escalation_policies_account_id_id"),
        Index(
            "uq_escalation_policies_routing_key",
            "account_id",
            text("lower(routing_key)"),
            unique=True,
        ),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    name: Mapped[str]
    delay_minutes: Mapped[int] = mapped_column(default=0)  # before level 1, at creation only
    repeats: Mapped[int] = mapped_column(default=0)  # further passes after the first
    routing_key: Mapped[str | None]  # an event that names it chooses this policy
    created_at: Mapped[datetime] = mapped_column(default=now)

    rules: Mapped[list["EscalationRule"]] = relationship(
        cascade="all, delete-orphan", order_by="EscalationRule.level"
    )

    @property
    def plan(self) -> list[Rule]:
        """The rules as an alert carries them from its creation on."""
        return [rule.plain for rule in self.rules]


class EscalationRule(Base):
    """Who is asked at one level, and how long they have to answer."""

    __tablename__ = "escalation_rules"
    __table_args__ = (UniqueConstraint("policy_id", "level"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    policy_id: Mapped[int] = mapped_column(ForeignKey("escalation_policies.id", ondelete="CASCADE"))
    level: Mapped[int]  # 1, 2, …
    timeout_minutes: Mapped[int]

    targets: Mapped[list["EscalationTarget"]] = relationship(
        cascade="all, delete-orphan", order_by="EscalationTarget.id"
    )

    @property
    def plain(self) -> Rule:
        return Rule(
            timeout_minutes=self.timeout_minutes,
            users=tuple(target.user_id for target in self.targets if target.user_id),
            schedules=tuple(target.schedule_id for target in self.targets if target.schedule_id),
        )


class EscalationTarget(Base):
    """A person, or whoever is on call in a schedule."""

    __tablename__ = "escalation_targets"
    __table_args__ = (
        CheckConstraint("num_nonnulls(user_id, schedule_id) = 1", name="person_or_schedule"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    rule_id: Mapped[int] = mapped_column(
        ForeignKey("escalation_rules.id", ondelete="CASCADE"), index=True
    )
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    schedule_id: Mapped[int | None] = mapped_column(ForeignKey("schedules.id"), index=True)

    user: Mapped[User | None] = relationship()
    schedule: Mapped[Schedule | None] = relationship()


class AlertEscalation(Base):
    """How far one alert has climbed, on its own copy of the rules: later edits do not move it.

    Changed only while the alert's row is locked. `next_step_at` is the timer: see
    jobs/escalations.py. An alert without such a row asks nobody by itself.
    """

    __tablename__ = "alert_escalations"
    __table_args__ = (
        Index(
            "ix_alert_escalations_due",
            "next_step_at",
            postgresql_where=text("next_step_at IS NOT NULL"),
        ),
    )

    alert_id: Mapped[int] = mapped_column(ForeignKey("alerts.id"), primary_key=True)
    policy_id: Mapped[int | None] = mapped_column(
        ForeignKey("escalation_policies.id", ondelete="SET NULL"), index=True
    )
    policy_name: Mapped[str]
    rules: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    repeats: Mapped[int]
    level: Mapped[int] = mapped_column(default=0)  # entered last; 0: the delay is running
    lap: Mapped[int] = mapped_column(default=1)  # the pass over all levels, 1 … 1 + repeats
    has_asked: Mapped[bool] = mapped_column(default=False)  # somebody, in this pass
    next_step_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    alert: Mapped[Alert] = relationship()

    @property
    def plan(self) -> list[Rule]:
        return [Rule.from_json(rule) for rule in self.rules]

    @property
    def position(self) -> Position:
        return Position(self.level, self.lap, self.has_asked)


class Responder(Base):
    """A person who was asked to act on an alert, or who took it."""

    __tablename__ = "alert_responders"

    alert_id: Mapped[int] = mapped_column(ForeignKey("alerts.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True, index=True)
    added_at: Mapped[datetime] = mapped_column(default=now)
    asked_at: Mapped[datetime | None]  # the last time; none for who took it unasked
    acknowledged_at: Mapped[datetime | None]  # stays when the alert is escalated again

    user: Mapped[User] = relationship()
