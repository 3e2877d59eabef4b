"""How does somebody want to be told, and what became of telling them?"""

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, closed_list, now
from portal.domain.accounts.models import User
from portal.domain.alerts.models import Alert, Priority


class Way(StrEnum):
    """On which way somebody is told."""

    SLACK = "slack"
    EMAIL = "email"


WAYS = {Way.SLACK: "Slack", Way.EMAIL: "e-mail"}  # in words


class NotificationState(StrEnum):
    PLANNED = "planned"  # its time has not come
    UNDER_WAY = "under_way"  # handed to Slack's lane, or to the mail server's job
    SENT = "sent"
    FAILED = "failed"
    CANCELLED = "cancelled"  # somebody answered first, or it was planned anew


class Preferences(Base):
    """One person's choice: for each priority and way, after how many minutes; none is never.

    Whoever has chosen nothing has no row, and DEFAULTS hold.
    """

    __tablename__ = "notification_preferences"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    slack_high: Mapped[int | None]
    email_high: Mapped[int | None]
    slack_low: Mapped[int | None]
    email_low: Mapped[int | None]
    # In Slack, a word when somebody answers an alert that they were told of there.
    status_updates: Mapped[bool] = mapped_column(default=False)
    muted_until: Mapped[datetime | None]

    def after(self, priority: Priority) -> dict[Way, timedelta]:
        """The ways that are used for this priority, and how long after being asked."""
        minutes = {way: getattr(self, f"{way}_{priority}") for way in Way}
        return {
            way: timedelta(minutes=after) for way, after in minutes.items() if after is not None
        }

    def muted_at(self, moment: datetime) -> datetime | None:
        """Until when nothing is sent, if that is so at the moment."""
        is_muted = self.muted_until is not None and self.muted_until > moment
        return self.muted_until if is_muted else None


def defaults(user_id: int) -> Preferences:
    """Slack at once; for high priority e-mail too, should nobody have answered after two minutes."""
    return Preferences(
        user_id=user_id, slack_high=0, email_high=2, slack_low=0, status_updates=False
    )


def muted_words(until: datetime) -> str:
    return f"They are muted until {until:%-d %b %Y, %H:%M} UTC."


class Notification(Base):
    """One attempt to tell one person about one alert on one way.

    `due_at` is the timer of a planned one (see jobs/notifications.py), and the next try of one that
    is under way. What is under way or later was, at least, about to be sent.
    """

    __tablename__ = "notifications"
    __table_args__ = (
        Index("ix_notifications_alert_id_user_id", "alert_id", "user_id"),
        Index("ix_notifications_due", "due_at", postgresql_where=text("state = 'planned'")),
        Index("ix_notifications_under_way", "id", postgresql_where=text("state = 'under_way'")),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    alert_id: Mapped[int | None] = mapped_column(ForeignKey("alerts.id"))  # none: only a test
    way: Mapped[Way] = mapped_column(closed_list(Way))
    state: Mapped[NotificationState] = mapped_column(closed_list(NotificationState))
    due_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(default=now)
    attempts: Mapped[int] = mapped_column(default=0)  # written down before each attempt
    last_error: Mapped[str | None]  # a sentence; none while an attempt's outcome is not known
    done_at: Mapped[datetime | None]

    user: Mapped[User] = relationship()
    alert: Mapped[Alert | None] = relationship()
