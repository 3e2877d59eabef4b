"""What did somebody press or type in Slack, and what do we still have to answer?"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Identity
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, closed_list, now
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


class SlackCommand(Base):
    """A slash command of somebody whom Slack must be asked about."""

    __tablename__ = "slack_commands"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    slack_user_id: Mapped[str]
    channel_id: Mapped[str]
    command: Mapped[str]
    text: Mapped[str]
    is_owed: Mapped[bool]  # an answer, or a part of it, that has to wait for what Slack says
    response_url: Mapped[str | None] = mapped_column(EncryptedStr)
    created_at: Mapped[datetime] = mapped_column(default=now)


class Way(StrEnum):
    """What becomes of the message that somebody has clicked in."""

    NEW = "new"  # it stays; the reply comes below it
    PUBLIC = "public"  # it stays; everybody in the channel reads the reply
    REPLACE = "replace"
    DELETE = "delete"


class EphemeralReply(Base):
    """What only the person who clicked or asked will see."""

    __tablename__ = "slack_ephemeral_replies"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"))
    slack_user_id: Mapped[str]
    channel_id: Mapped[str]
    text: Mapped[str]
    blocks: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
    way: Mapped[Way] = mapped_column(closed_list(Way), default=Way.NEW)
    response_url: Mapped[str | None] = mapped_column(EncryptedStr)
    # Below it the *Connect* button, whose address is made when the reply is sent.
    connect_id: Mapped[int | None] = mapped_column(
        ForeignKey("slack_connects.id", ondelete="SET NULL")
    )
    created_at: Mapped[datetime] = mapped_column(default=now)
    attempts: Mapped[int] = mapped_column(default=0)
