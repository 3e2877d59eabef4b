"""Who uses the portal? Accounts, which are the tenants, and the people in them."""

from datetime import datetime
from typing import Self

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, closed_list, now
from portal.domain.accounts.permissions import (
    HIDDEN,
    PERMISSIONS,
    REFUSALS,
    REFUSED,
    Permission,
    Role,
)
from portal.errors import NOTHING_HERE, Denied, NotFound


class Account(Base):
    """A tenant. Nothing of one account is ever shown to another."""

    __tablename__ = "accounts"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(default=now)


class User(Base):
    """A person who can sign in. Support staff belong to no account."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("(role = 'support') = (account_id IS NULL)", name="support_has_no_account"),
        Index("uq_users_email", text("lower(email)"), unique=True),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    email: Mapped[str]
    name: Mapped[str]
    role: Mapped[Role] = mapped_column(closed_list(Role))
    password_hash: Mapped[str | None]  # none until an invitation is accepted
    time_zone: Mapped[str] = mapped_column(default="UTC")
    phone: Mapped[str | None]  # +44…; shown to the person, to admins, and where a source says so
    created_at: Mapped[datetime] = mapped_column(default=now)
    deactivated_at: Mapped[datetime | None]

    account: Mapped[Account | None] = relationship()
    invitation: Mapped["Invitation | None"] = relationship(
        back_populates="user", foreign_keys="Invitation.user_id", cascade="all, delete-orphan"
    )

    # The four members that Flask-Login asks for; a base class of its would break the arrow.
    is_authenticated = True
    is_anonymous = False

    @property
    def is_active(self) -> bool:
        return self.deactivated_at is None

    def get_id(self) -> str:
        return str(self.id)

    def can(self, permission: Permission) -> bool:
        return self.is_active and permission in PERMISSIONS[self.role]

    def require(self, permission: Permission) -> Self:
        """Return the person, or raise Denied with a sentence that says whom to ask.

        Raises NotFound instead where the mere existence is nobody's business.
        """
        if not self.can(permission):
            if permission in HIDDEN:
                raise NotFound(NOTHING_HERE)
            raise Denied(REFUSALS.get(permission, REFUSED))
        return self


class SignIn(Base):
    """One browser that is signed in. Deleting the row signs it out at its next request."""

    __tablename__ = "sign_ins"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    user_agent: Mapped[str]
    address: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_seen_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]

    user: Mapped[User] = relationship()


class Invitation(Base):
    """A link that lets one person choose a password, the first or a new one.

    Its token is stored hashed.
    """

    __tablename__ = "invitations"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    invited_by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    expires_at: Mapped[datetime]

    user: Mapped[User] = relationship(back_populates="invitation", foreign_keys=[user_id])
    invited_by: Mapped[User] = relationship(foreign_keys=[invited_by_id])
