"""Which person of the account is a Slack user?"""

from datetime import datetime

from sqlalchemy import ForeignKey, Identity, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, db, now
from portal.domain.accounts.models import User


class UserLink(Base):
    """A Slack user ↔ one person, by the e-mail address that Slack's own record shows."""

    __tablename__ = "slack_user_links"
    __table_args__ = (UniqueConstraint("account_id", "slack_user_id"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), unique=True)
    slack_user_id: Mapped[str]
    linked_at: Mapped[datetime] = mapped_column(default=now)

    user: Mapped[User] = relationship()


def linked(account_id: int, slack_user_id: str) -> User | None:
    """The person behind a Slack user, if they are linked and still active."""
    link = db.session.scalar(
        db.select(UserLink).where(
            UserLink.account_id == account_id, UserLink.slack_user_id == slack_user_id
        )
    )
    return link.user if link and link.user.is_active else None
