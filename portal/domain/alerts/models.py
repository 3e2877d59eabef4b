"""What is an alert, and how is what happened to it kept?"""

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Identity, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, closed_list, now
from portal.domain.accounts.models import User
from portal.domain.alerts.incoming import EventType
from portal.domain.sources.models import AlertSource

LONGEST_SUMMARY = 250
OPEN = text("status <> 'resolved'")
BY_HAND = text("creation_key IS NOT NULL")


class AlertStatus(StrEnum):
    PENDING = "pending"  # nobody has taken it
    ACKNOWLEDGED = "acknowledged"  # somebody works on it
    RESOLVED = "resolved"  # done for good


class Priority(StrEnum):
    HIGH = "high"
    LOW = "low"


class Via(StrEnum):
    """On which way somebody acted."""

    WEB = "web"
    SLACK = "slack"
    EVENT = "event"


class Alert(Base):
    """A thing to act on."""

    __tablename__ = "alerts"
    __table_args__ = (
        # One open alert per key and source, whoever sends at the same moment.
        Index("uq_alerts_open_key", "source_id", "alert_key", unique=True, postgresql_where=OPEN),
        # One alert per submission of a form or a modal, however often it arrives.
        Index(
            "uq_alerts_creation_key",
            "account_id",
            "creation_key",
            unique=True,
            postgresql_where=BY_HAND,
        ),
        Index("ix_alerts_account_open", "account_id", "id", postgresql_where=OPEN),
        Index("ix_alerts_account_id_id", "account_id", "id"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    source_id: Mapped[int] = mapped_column(ForeignKey("alert_sources.id"))
    alert_key: Mapped[str | None]  # folded for comparing; the timeline has it as it was sent
    summary: Mapped[str]
    details: Mapped[str] = mapped_column(default="")
    priority: Mapped[Priority] = mapped_column(closed_list(Priority), default=Priority.HIGH)
    severity: Mapped[int | None]
    links: Mapped[list[dict[str, str]]] = mapped_column(JSONB, default=list)
    images: Mapped[list[dict[str, str]]] = mapped_column(JSONB, default=list)
    labels: Mapped[dict[str, str]] = mapped_column(JSONB, default=dict)
    custom_details: Mapped[Any] = mapped_column(JSONB(none_as_null=True), nullable=True)
    routing_key: Mapped[str | None]  # of the event that opened it, as it was sent
    creation_key: Mapped[str | None]  # of the form or modal that opened it; none: an event did
    status: Mapped[AlertStatus] = mapped_column(
        closed_list(AlertStatus), default=AlertStatus.PENDING
    )
    event_count: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_event_at: Mapped[datetime] = mapped_column(default=now)
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    resolved_at: Mapped[datetime | None]
    resolved_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    source: Mapped[AlertSource] = relationship()
    acknowledged_by: Mapped[User | None] = relationship(foreign_keys=[acknowledged_by_id])
    resolved_by: Mapped[User | None] = relationship(foreign_keys=[resolved_by_id])

    @property
    def is_open(self) -> bool:
        return self.status is not AlertStatus.RESOLVED

    @property
    def acknowledger(self) -> str | None:
        """Who has it, by name: a person, or the source that reported an acknowledgement."""
        if self.acknowledged_at is None:
            return None
        return self.acknowledged_by.name if self.acknowledged_by else self.source.name

    @property
    def resolver(self) -> str | None:
        """Who ended it, by name: a person or the source."""
        if self.resolved_at is None:
            return None
        return self.resolved_by.name if self.resolved_by else self.source.name


class TimelineKind(StrEnum):
    """What can happen to an alert: a closed list (product.md 7.2), grown by what exists."""

    CREATED = "created"
    CREATED_BY_PERSON = "created_by_person"
    EVENT_RECEIVED = "event_received"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    COMMENT_ADDED = "comment_added"
    PRIORITY_RAISED = "priority_raised"
    ESCALATED = "escalated"  # a level was asked; the data says which, whom and why
    NOBODY_ON_CALL = "nobody_on_call"  # a level was passed by
    ESCALATION_ENDED = "escalation_ended"
    REROUTED = "rerouted"
    NOT_ROUTED = "not_routed"  # no policy has the routing key of the event
    RESPONDER_ADDED = "responder_added"
    RESPONDER_REMOVED = "responder_removed"
    SUMMARY_CHANGED = "summary_changed"  # the data says before and after
    NOT_RESOLVED = "not_resolved"  # within the time that an alert action names
    ACTION_SUCCEEDED = "action_succeeded"  # a person had a manual alert action carried out
    ACTION_FAILED = "action_failed"
    NOTIFIED = "notified"
    NOTIFICATION_FAILED = "notification_failed"
    SLACK_POSTED = "slack_posted"
    SLACK_FAILED = "slack_failed"
    SLACK_HELD = "slack_held"
    CHANNEL_ATTACHED = "channel_attached"
    CHANNEL_DETACHED = "channel_detached"


OPENINGS = (TimelineKind.CREATED, TimelineKind.CREATED_BY_PERSON)


class TimelineEntry(Base):
    __tablename__ = "timeline_entries"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    alert_id: Mapped[int] = mapped_column(ForeignKey("alerts.id"), index=True)
    at: Mapped[datetime] = mapped_column(default=now)
    kind: Mapped[TimelineKind] = mapped_column(closed_list(TimelineKind))
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    actor_name: Mapped[str]  # a person or a source, as it was called then
    via: Mapped[Via | None] = mapped_column(closed_list(Via))
    data: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)


class Outcome(StrEnum):
    """What became of a received event, for the source's event log."""

    OPENED = "opened"
    JOINED = "joined"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    COMMENTED = "commented"
    ALREADY_ACKNOWLEDGED = "already_acknowledged"
    NO_OPEN_ALERT = "no_open_alert"
    SOURCE_DISABLED = "source_disabled"


class ReceivedEvent(Base):
    """One line of a source's event log; its id is the correlation id the sender was given."""

    __tablename__ = "received_events"
    __table_args__ = (
        Index("ix_received_events_source_id_received_at", "source_id", "received_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    source_id: Mapped[int] = mapped_column(ForeignKey("alert_sources.id"))
    received_at: Mapped[datetime] = mapped_column(default=now, index=True)
    type: Mapped[EventType] = mapped_column(closed_list(EventType))
    alert_key: Mapped[str | None]
    summary: Mapped[str]
    outcome: Mapped[Outcome] = mapped_column(closed_list(Outcome))
    alert_id: Mapped[int | None] = mapped_column(ForeignKey("alerts.id"))
    notes: Mapped[list[str]] = mapped_column(JSONB, default=list)
