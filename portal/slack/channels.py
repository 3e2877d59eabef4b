"""What did Slack last say of one of its channels? Its name, and who else reads it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, db, now
from portal.slack import payloads


class SlackChannel(Base):
    """A channel in which somebody used one of the commands."""

    __tablename__ = "slack_channels"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    channel_id: Mapped[str] = mapped_column(primary_key=True)
    channel_name: Mapped[str]
    is_shared: Mapped[bool]  # with another company
    noted_at: Mapped[datetime] = mapped_column(default=now)


@dataclass(frozen=True)
class Place:
    """A channel as Slack describes it just now (conversations.info, method reference)."""

    id: str
    name: str
    is_conversation: bool  # a direct message, of two or several people
    is_open_to_us: bool  # public, or private with our bot in it
    is_shared: bool

    @classmethod
    def parse(cls, record: dict[str, Any]) -> "Place":
        is_public = not (record.get("is_private") or record.get("is_group"))
        return cls(
            id=payloads.text(record, "id"),
            name=payloads.text(record, "name"),
            is_conversation=bool(record.get("is_im") or record.get("is_mpim")),
            is_open_to_us=is_public or bool(record.get("is_member")),
            is_shared=bool(record.get("is_ext_shared")),
        )


def of(account_id: int, channel_id: str) -> SlackChannel | None:
    """None: nobody has asked Slack about it yet."""
    return db.session.get(SlackChannel, (account_id, channel_id), populate_existing=True)


def note(place: Place, account_id: int) -> None:
    """Keep what Slack said. Within the caller's transaction."""
    said = {"channel_name": place.name, "is_shared": place.is_shared, "noted_at": now()}
    row = insert(SlackChannel).values(account_id=account_id, channel_id=place.id, **said)
    key = ["account_id", "channel_id"]
    db.session.execute(row.on_conflict_do_update(index_elements=key, set_=said))
