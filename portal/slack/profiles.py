"""What did Slack last say of one of its users? Whether they belong to the workspace, and their zone."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ForeignKey, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, closed_list, db, now
from portal.slack import payloads
from portal.slack.installations import SlackInstallation

NOBODY = ("deleted", "is_bot", "is_stranger")
GUEST = ("is_restricted", "is_ultra_restricted")


class Kind(StrEnum):
    MEMBER = "member"
    GUEST = "guest"  # somebody from outside who was invited into the workspace
    OUTSIDER = "outsider"  # of another workspace, a bot, or deactivated


class SlackProfile(Base):
    """A user of the linked workspace, mapped to a person of ours or not."""

    __tablename__ = "slack_profiles"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    slack_user_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(default="")  # as people see it in Slack
    kind: Mapped[Kind] = mapped_column(closed_list(Kind))
    time_zone: Mapped[str]  # an IANA name; empty: Slack named none that we know
    noted_at: Mapped[datetime] = mapped_column(default=now)
    updated: Mapped[int] = mapped_column(default=0)  # when it changed in Slack, seconds since 1970


def of(account_id: int, slack_user_id: str) -> SlackProfile | None:
    """None: nobody has asked Slack yet."""
    wanted = select(SlackProfile).where(
        SlackProfile.account_id == account_id, SlackProfile.slack_user_id == slack_user_id
    )
    return db.session.scalar(wanted.execution_options(populate_existing=True))


def names(account_id: int) -> dict[str, str]:
    """What the workspace's users are called there, as far as we were told, by their id."""
    wanted = select(SlackProfile.slack_user_id, SlackProfile.name)
    found: Any = db.session.execute(wanted.where(SlackProfile.account_id == account_id))
    return dict(found.all())


def note(record: dict[str, Any], installation: SlackInstallation) -> bool:
    """Keep what Slack's user record says. Within the caller's transaction.

    Returns False for a record that is older than what we know: events overtake one another.
    """
    slack_user_id = payloads.text(record, "id")
    if not slack_user_id:
        return False
    said = {
        "name": name_of(record),
        "updated": _seconds(record.get("updated")),
        "kind": kind_of(record, installation),
        "time_zone": _zone(payloads.text(record, "tz")),
        "noted_at": now(),
    }
    row = insert(SlackProfile).values(
        account_id=installation.account_id, slack_user_id=slack_user_id, **said
    )
    key = ["account_id", "slack_user_id"]
    newer = row.on_conflict_do_update(
        index_elements=key, set_=said, where=SlackProfile.updated <= said["updated"]
    )
    kept = db.session.execute(newer.returning(SlackProfile.slack_user_id)).first()
    return kept is not None


def name_of(record: dict[str, Any]) -> str:
    """The name that Slack shows: the one they chose, else their whole name."""
    profile = record.get("profile")
    shown = payloads.text(profile, "display_name") if isinstance(profile, dict) else ""
    return shown or payloads.text(record, "real_name") or payloads.text(record, "name")


def is_confirmed(record: dict[str, Any]) -> bool:
    """Slack says so of some users; where it says nothing, its workspace vouches for the address."""
    return record.get("is_email_confirmed") is not False


def kind_of(record: dict[str, Any], installation: SlackInstallation) -> Kind:
    """What the flags of Slack's user record mean (users.info, method reference)."""
    if installation.team_id not in _teams(record) or any(record.get(flag) for flag in NOBODY):
        return Kind.OUTSIDER
    return Kind.GUEST if any(record.get(flag) for flag in GUEST) else Kind.MEMBER


def _teams(record: dict[str, Any]) -> list[object]:
    """The workspaces of the user: one, or with an organisation several."""
    grid = record.get("enterprise_user")
    several = grid.get("teams") if isinstance(grid, dict) else None
    return [record.get("team_id"), *(several if isinstance(several, list) else [])]


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key if name else ""
    except (ValueError, OSError, LookupError):  # no zone that this machine knows
        return ""


def _seconds(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        return 0
    return value if 0 <= value < 2**40 else 0
