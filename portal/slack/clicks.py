"""What did somebody press in Slack, and what do we still have to answer?"""

from datetime import datetime

from sqlalchemy import ForeignKey, Identity
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, now
from portal.slack.tokens import EncryptedStr


class SlackClick(Base):
    """A click that a job carries out: of somebody whom Slack must be asked about first, or one that
    concerns many alerts. `alert_id` is the number on the button: of a summary, under a summary."""

    __tablename__ = "slack_clicks"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    slack_user_id: Mapped[str]
    user_team_id: Mapped[str]
    channel_id: Mapped[str]
    action_id: Mapped[str]
    alert_id: Mapped[int]
    response_url: Mapped[str | None] = mapped_column(EncryptedStr)
    created_at: Mapped[datetime] = mapped_column(default=now)


class EphemeralReply(Base):
    """A sentence that only the person who clicked will see."""

    __tablename__ = "slack_ephemeral_replies"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    slack_user_id: Mapped[str]
    channel_id: Mapped[str]
    text: Mapped[str]
    response_url: Mapped[str | None] = mapped_column(EncryptedStr)
    created_at: Mapped[datetime] = mapped_column(default=now)
    attempts: Mapped[int] = mapped_column(default=0)
