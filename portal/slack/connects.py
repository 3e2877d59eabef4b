"""How does a Slack user whom we do not know get a way to say who they are? A link, once.

What stands in the database is a hash: the address is made at the moment it is sent to Slack, lives
for 15 minutes, and belongs to one Slack user and to whoever opens it first (connecting.py).
"""

from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement, SectionBlock
from sqlalchemy import ForeignKey, Identity, select
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, db, now
from portal.domain.accounts.secrets import new_token, token_hash
from portal.slack import people, profiles
from portal.slack.messages.text import markdown
from portal.slack.profiles import Kind

LASTS = timedelta(minutes=15)
CONNECT = "connect"  # the button's action_id: it opens an address, and Slack tells us besides


class Connect(Base):
    """An offer to one Slack user. It is deleted when it is used; a click waits in it meanwhile."""

    __tablename__ = "slack_connects"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    slack_user_id: Mapped[str]
    token_hash: Mapped[bytes | None] = mapped_column(unique=True)  # none: not sent yet
    expires_at: Mapped[datetime]
    opened_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    # What they pressed: the button, and the number on it.
    action_id: Mapped[str | None]
    about_id: Mapped[int | None]


def offer(
    account_id: int,
    slack_user_id: str,
    *,
    action_id: str | None = None,
    about_id: int | None = None,
) -> int:
    """A new offer's id, for address(). Within the caller's transaction."""
    row = Connect(
        account_id=account_id,
        slack_user_id=slack_user_id,
        expires_at=now() + LASTS,
        action_id=action_id,
        about_id=about_id,
    )
    db.session.add(row)
    db.session.flush()
    return row.id


def offer_to_stranger(
    account_id: int,
    slack_user_id: str,
    *,
    action_id: str | None = None,
    about_id: int | None = None,
) -> int | None:
    """The same for whoever may connect and is not connected; none for bots and people from outside."""
    profile = profiles.of(account_id, slack_user_id)
    is_theirs = people.linked(account_id, slack_user_id) is not None
    if profile is None or profile.kind is Kind.OUTSIDER or is_theirs:
        return None
    return offer(account_id, slack_user_id, action_id=action_id, about_id=about_id)


def address(connect_id: int) -> str | None:
    """The address to send now; an earlier one of the same offer ends. None: the offer is over.

    The caller commits, before it sends.
    """
    row = db.session.get(Connect, connect_id, with_for_update=True)
    if row is None:
        return None
    token = new_token()
    row.token_hash, row.expires_at = token_hash(token), now() + LASTS
    return f"{current_app.config['PUBLIC_URL']}/connect/{token}"


def of_token(token: str) -> Connect | None:
    """The offer with this address, locked; none where it is over."""
    wanted = select(Connect).where(
        Connect.token_hash == token_hash(token), Connect.expires_at > now()
    )
    return db.session.scalar(wanted.with_for_update().execution_options(populate_existing=True))


def blocks(text: str, url: str) -> list[dict[str, Any]]:
    """The text, and below it the button that leads to the address."""
    button = ButtonElement(text="Connect", action_id=CONNECT, url=url, style="primary")
    shown: list[Block] = [SectionBlock(text=markdown(text)), ActionsBlock(elements=[button])]
    return [block.to_dict() for block in shown]
