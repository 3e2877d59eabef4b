"""How is a notice kept?"""

from datetime import datetime

from sqlalchemy import ForeignKey, Identity, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, now


class Notice(Base):
    """One sentence for one person, on top of every page until they dismiss it."""

    __tablename__ = "notices"
    __table_args__ = (UniqueConstraint("user_id", "about"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    about: Mapped[str]  # what it is about, so that it is said once: "slack_link", "channel:C012"
    text: Mapped[str]
    path: Mapped[str]  # where something can be done: "/settings/connectors/slack"
    created_at: Mapped[datetime] = mapped_column(default=now)
    dismissed_at: Mapped[datetime | None]
