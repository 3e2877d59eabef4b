"""Why is a person not connected to Slack? The reason that an admin and the person themselves read."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, closed_list, db, now


class Why(StrEnum):
    NOT_FOUND = "not_found"
    UNCONFIRMED = "unconfirmed"
    GUEST = "guest"
    DEACTIVATED = "deactivated"
    NOT_A_MEMBER = "not_a_member"
    TAKEN = "taken"
    ADDRESS_CHANGED = "address_changed"
    REMOVED = "removed"
    NOT_ASKED = "not_asked"


WORDS = {
    Why.NOT_FOUND: "Slack knows nobody with this e-mail address.",
    Why.UNCONFIRMED: "The e-mail address is not confirmed in Slack.",
    Why.GUEST: "A guest in the Slack workspace, who can connect by hand there.",
    Why.DEACTIVATED: "Deactivated in Slack.",
    Why.NOT_A_MEMBER: "What has this address in Slack is a bot or of another workspace.",
    Why.TAKEN: "The Slack user with this address is connected to somebody else, who confirmed that.",
    Why.ADDRESS_CHANGED: "The Slack profile has another e-mail address now.",
    Why.REMOVED: "The connection was removed, by the person themselves.",
    Why.NOT_ASKED: "Slack could not be asked; pressing a button in Slack asks again.",
}
NOT_YET = "Slack has not been asked yet."


class UnlinkedPerson(Base):
    """What came of the last look for somebody's Slack user. Whoever is connected has no row."""

    __tablename__ = "slack_unlinked_people"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    why: Mapped[Why] = mapped_column(closed_list(Why))
    noted_at: Mapped[datetime] = mapped_column(default=now)


def of_account(account_id: int) -> dict[int, UnlinkedPerson]:
    """By the person's id."""
    wanted = select(UnlinkedPerson).where(UnlinkedPerson.account_id == account_id)
    return {row.user_id: row for row in db.session.scalars(wanted)}


def has_removed(user_id: int) -> bool:
    """Whether the person wants no connection: only they themselves make one again."""
    row = db.session.get(UnlinkedPerson, user_id)
    return row is not None and row.why is Why.REMOVED


def note(user_id: int, account_id: int, why: Why) -> None:
    """Within the caller's transaction. What the person decided is not overwritten."""
    said = {"why": why, "noted_at": now()}
    row = insert(UnlinkedPerson).values(user_id=user_id, account_id=account_id, **said)
    db.session.execute(
        row.on_conflict_do_update(
            index_elements=["user_id"], set_=said, where=UnlinkedPerson.why != Why.REMOVED
        )
    )


def forget(user_id: int) -> None:
    """They are connected, or want to be looked for again."""
    db.session.execute(delete(UnlinkedPerson).where(UnlinkedPerson.user_id == user_id))
