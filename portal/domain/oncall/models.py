"""How are schedules kept? Rules by the wall clock of the schedule's zone, moments in UTC."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, closed_list, now
from portal.domain.accounts.models import Account, User


class ScheduleType(StrEnum):
    RECURRING = "recurring"  # layers of people who take turns
    STATIC = "static"  # single shifts, entered one by one


class Schedule(Base):
    """At most one person at a time. Its type and time zone are fixed when it is created."""

    __tablename__ = "schedules"
    __table_args__ = (Index("uq_schedules_name", "account_id", text("lower(name)"), unique=True),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    name: Mapped[str]
    type: Mapped[ScheduleType] = mapped_column(closed_list(ScheduleType))
    time_zone: Mapped[str]  # an IANA name
    shows_gaps: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=now)

    account: Mapped[Account] = relationship()
    versions: Mapped[list["ScheduleVersion"]] = relationship(
        back_populates="schedule",
        order_by="ScheduleVersion.valid_from",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )


class ScheduleVersion(Base):
    """All layers of a recurring schedule, from a moment on. Never changed once it has begun."""

    __tablename__ = "schedule_versions"
    __table_args__ = (UniqueConstraint("schedule_id", "valid_from"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedules.id", ondelete="CASCADE"))
    valid_from: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(default=now)

    schedule: Mapped[Schedule] = relationship(back_populates="versions")
    layers: Mapped[list["RotationLayer"]] = relationship(
        order_by="RotationLayer.position", cascade="all, delete-orphan", passive_deletes=True
    )


class RotationLayer(Base):
    """People who take turns. Of several layers the lowest in the list (last position) wins."""

    __tablename__ = "rotation_layers"
    __table_args__ = (UniqueConstraint("version_id", "position"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("schedule_versions.id", ondelete="CASCADE"))
    position: Mapped[int]
    name: Mapped[str]
    # By the schedule's wall clock, so that 09:00 stays 09:00 when a zone's rules change.
    starts_on: Mapped[datetime] = mapped_column(DateTime(timezone=False))
    ends_on: Mapped[datetime | None] = mapped_column(DateTime(timezone=False))
    rotation: Mapped[str]  # an ISO 8601 duration
    # In order, somebody may stand here twice. People are never deleted, only deactivated.
    user_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    restrictions: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)


class StaticShift(Base):
    """One shift of a static schedule. Shifts of one schedule do not overlap."""

    __tablename__ = "static_shifts"
    __table_args__ = (
        CheckConstraint("starts_at < ends_at", name="starts_before_it_ends"),
        Index("ix_static_shifts_schedule_id_ends_at", "schedule_id", "ends_at"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedules.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]

    user: Mapped[User] = relationship()


class Override(Base):
    """A one-time exception. Of several that cover a moment the one created last counts."""

    __tablename__ = "overrides"
    __table_args__ = (
        CheckConstraint("starts_at < ends_at", name="starts_before_it_ends"),
        Index("ix_overrides_schedule_id_ends_at", "schedule_id", "ends_at"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    schedule_id: Mapped[int] = mapped_column(ForeignKey("schedules.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    created_by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(default=now)

    schedule: Mapped[Schedule] = relationship()
    user: Mapped[User] = relationship(foreign_keys=[user_id])
    created_by: Mapped[User] = relationship(foreign_keys=[created_by_id])


class Absence(Base):
    """A time in which a person could not be on call: deactivated, or a stakeholder."""

    __tablename__ = "on_call_absences"
    __table_args__ = (
        Index(
            "uq_on_call_absences_open",
            "user_id",
            unique=True,
            postgresql_where=text("ends_at IS NULL"),
        ),
        Index("ix_on_call_absences_user_id", "user_id"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    starts_at: Mapped[datetime] = mapped_column(default=now)
    ends_at: Mapped[datetime | None]


class CalendarLink(Base):
    """A secret address of a calendar: of one schedule, or of the person's own shifts.

    Its token is stored hashed. It shows what its owner may see at that moment.
    """

    __tablename__ = "calendar_links"
    __table_args__ = (
        UniqueConstraint("user_id", "schedule_id", postgresql_nulls_not_distinct=True),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    schedule_id: Mapped[int | None] = mapped_column(ForeignKey("schedules.id", ondelete="CASCADE"))
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_read_at: Mapped[datetime | None]

    user: Mapped[User] = relationship()
    schedule: Mapped[Schedule | None] = relationship()
