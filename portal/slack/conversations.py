"""Which channels can an alert action choose from? All pages of Slack's list, kept for a while."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, db, now
from portal.jobs.engine import job, wake
from portal.slack import installations, workspace
from portal.slack.errors import SlackError, words

PER_PAGE = 999  # Slack: "under 1000"
MOST_PAGES = 200
PAGE_WAITS = timedelta(seconds=3)  # conversations.list: 20 a minute (tier 2)


class ChannelList(Base):
    """The channels of the linked workspace, as Slack last listed them."""

    __tablename__ = "slack_channel_lists"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    channels: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    fetched_at: Mapped[datetime | None]
    asked_at: Mapped[datetime | None]  # later than fetched_at while a refresh runs
    # A refresh in progress: what the pages brought so far, and where the next one begins.
    found: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    cursor: Mapped[str] = mapped_column(default="")
    pages: Mapped[int] = mapped_column(default=0)
    problem: Mapped[str | None]  # a sentence


@dataclass(frozen=True)
class Channel:
    id: str
    name: str
    is_private: bool
    is_member: bool


@dataclass(frozen=True)
class KnownChannels:
    channels: list[Channel]
    fetched_at: datetime | None
    is_refreshing: bool
    problem: str | None


def known_channels(account_id: int) -> KnownChannels:
    """The list as we know it, sorted by name; empty before the first refresh."""
    row = db.session.get(ChannelList, account_id)
    if row is None:
        return KnownChannels([], None, is_refreshing=False, problem=None)
    channels = sorted((Channel(**each) for each in row.channels), key=lambda each: each.name)
    return KnownChannels(channels, row.fetched_at, _is_refreshing(row), row.problem)


def ask_refresh(account_id: int) -> None:
    """Have the list fetched anew, beginning with its first page. One transaction."""
    begun = {"asked_at": now(), "found": [], "cursor": "", "pages": 0, "problem": None}
    asked = insert(ChannelList).values(account_id=account_id, channels=[], **begun)
    db.session.execute(asked.on_conflict_do_update(index_elements=["account_id"], set_=begun))
    wake(fetch_channels, account_id=account_id)
    db.session.commit()


@job("channels:{account_id}")
def fetch_channels(account_id: int) -> None:
    """Fetch one page of the list, and come back for the next until Slack names no cursor."""
    row = db.session.get(ChannelList, account_id)
    installation = installations.of_account(account_id)
    if row is None or installation is None or not _is_refreshing(row):
        return
    cursor, pages, scopes = row.cursor, row.pages, installation.scopes
    credentials = installation.credentials
    types = ["public_channel", *["private_channel"] * ("groups:read" in scopes)]
    db.session.commit()
    try:
        answer = workspace.call(
            credentials,
            "conversations.list",
            types=",".join(types),
            exclude_archived="true",
            limit=PER_PAGE,
            cursor=cursor or None,
        )
    except SlackError as problem:
        _not_fetched(account_id, problem)
        return
    _fetched(account_id, cursor, pages, answer)


def _fetched(account_id: int, cursor: str, pages: int, answer: dict[str, Any]) -> None:
    row = _locked(account_id)
    if row is None or (row.cursor, row.pages) != (cursor, pages):
        db.session.commit()  # begun anew meanwhile, or unlinked
        return
    row.found = row.found + [_channel(each) for each in answer.get("channels") or []]
    row.cursor = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
    row.pages, row.problem = row.pages + 1, None
    if row.cursor and row.pages < MOST_PAGES:
        # Only an empty cursor ends the list: a page may be short, even empty.
        wait = PAGE_WAITS if row.pages > 10 else timedelta()
        wake(fetch_channels, at=now() + wait, account_id=account_id)
    else:
        row.channels, row.found, row.cursor, row.fetched_at = row.found, [], "", now()
    db.session.commit()


def _not_fetched(account_id: int, problem: SlackError) -> None:
    row = _locked(account_id)
    if row is not None:
        row.problem = words(problem.code)
        if problem.retry_after is not None:
            at = now() + timedelta(seconds=problem.retry_after)
            wake(fetch_channels, at=at, account_id=account_id)
        else:
            row.asked_at = None  # shown with the reason; the person refreshes again
    db.session.commit()


def _locked(account_id: int) -> ChannelList | None:
    wanted = select(ChannelList).where(ChannelList.account_id == account_id).with_for_update()
    return db.session.scalar(wanted.execution_options(populate_existing=True))


def _is_refreshing(row: ChannelList) -> bool:
    return row.asked_at is not None and (row.fetched_at is None or row.fetched_at < row.asked_at)


def _channel(raw: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": str(raw.get("id")),
        "name": str(raw.get("name") or raw.get("id")),
        "is_private": bool(raw.get("is_private")),
        "is_member": bool(raw.get("is_member")),
    }
