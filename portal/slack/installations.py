"""Which workspace is linked to an account, and is the link all right?"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Identity, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.types import Text

from portal.db import Base, closed_list, db, now
from portal.domain.accounts.models import Account, User
from portal.slack.scopes import ALL, FEATURES, Feature
from portal.slack.tokens import EncryptedStr


class LinkState(StrEnum):
    """product.md 2.2. No row at all is `unlinked`."""

    LINKED = "linked"
    LIMITED = "limited"  # some scopes are missing; all but the features that need them works
    BROKEN = "broken"


WORKING = (LinkState.LINKED, LinkState.LIMITED)


@dataclass(frozen=True)
class Credentials:
    """What a call for an account needs to know of its link, so that no row is held meanwhile."""

    account_id: int
    token: str
    scopes: frozenset[str]
    expires_at: datetime | None  # tokens of an app without rotation never expire


class SlackInstallation(Base):
    """The one workspace of an account. The two unique columns hold "one to one" in every race."""

    __tablename__ = "slack_installations"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), unique=True)
    team_id: Mapped[str] = mapped_column(unique=True)
    team_name: Mapped[str]
    team_url: Mapped[str]  # https://acme.slack.com/
    enterprise_id: Mapped[str | None]
    app_id: Mapped[str]
    bot_user_id: Mapped[str]
    bot_id: Mapped[str]
    bot_token: Mapped[str] = mapped_column(EncryptedStr)
    refresh_token: Mapped[str | None] = mapped_column(EncryptedStr)
    token_expires_at: Mapped[datetime | None]
    # Until then nobody else refreshes: somebody is at it, or Slack has just failed.
    refresh_not_before: Mapped[datetime | None]
    refresh_failures: Mapped[int] = mapped_column(default=0)  # in a row
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    state: Mapped[LinkState] = mapped_column(closed_list(LinkState), default=LinkState.LINKED)
    state_since: Mapped[datetime] = mapped_column(default=now)
    state_reason: Mapped[str | None]  # Slack's code, for instance token_revoked
    state_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))  # None: Slack itself
    installed_at: Mapped[datetime] = mapped_column(default=now)
    installed_by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    last_success_at: Mapped[datetime | None]
    last_event_at: Mapped[datetime | None]  # when Slack last sent an event of this workspace
    probed_at: Mapped[datetime | None]

    account: Mapped[Account] = relationship()
    installed_by: Mapped[User] = relationship(foreign_keys=[installed_by_id])

    @property
    def is_working(self) -> bool:
        return self.state in WORKING and self.bot_token != ""

    @property
    def reason(self) -> str | None:
        """Why it is limited or broken: Slack's code, or ours where no key opens the token."""
        return self.state_reason if self.bot_token else "token_unreadable"

    @property
    def credentials(self) -> Credentials:
        return Credentials(
            self.account_id, self.bot_token, frozenset(self.scopes), self.token_expires_at
        )

    @property
    def missing_scopes(self) -> list[str]:
        return [scope for scope in ALL if scope not in self.scopes]

    @property
    def features_off(self) -> list[Feature]:
        """What does not work for want of a scope, with the reason in words (product.md 2.4)."""
        return [each for each in FEATURES if not set(each.scopes) <= set(self.scopes)]


class OAuthState(Base):
    """A started authorization: usable once, for ten minutes, by the same person and browser."""

    __tablename__ = "slack_oauth_states"

    state_hash: Mapped[bytes] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    sign_in_id: Mapped[int] = mapped_column(ForeignKey("sign_ins.id", ondelete="CASCADE"))
    expires_at: Mapped[datetime]


class Revocation(Base):
    """A token that must still be revoked at Slack, after the link has ended here."""

    __tablename__ = "slack_revocations"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    team_id: Mapped[str] = mapped_column(index=True)
    bot_token: Mapped[str] = mapped_column(EncryptedStr)
    refresh_token: Mapped[str | None] = mapped_column(EncryptedStr)
    created_at: Mapped[datetime] = mapped_column(default=now)
    attempts: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime] = mapped_column(default=now)
    last_error: Mapped[str | None]


def of_account(account_id: int | None) -> SlackInstallation | None:
    return db.session.scalar(
        select(SlackInstallation).where(SlackInstallation.account_id == account_id)
    )


def of_team(team_id: str) -> SlackInstallation | None:
    return db.session.scalar(select(SlackInstallation).where(SlackInstallation.team_id == team_id))
