"""Which replies in Slack become comments on an alert? slack.md 2.5, product.md section 12.

Slack sends every message of the channels that the app is in. All but replies of people of the
account in the thread of one alert is dropped here: not stored, not logged. What was written in the
thread is not told there again; it is told wherever else the alert is followed.
"""

import html
import re
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from portal.db import db
from portal.domain.accounts.permissions import Permission
from portal.domain.alerts import queries as alerts
from portal.domain.alerts import timeline
from portal.domain.alerts.models import TimelineKind, Via
from portal.domain.alerts.operations import LONGEST_COMMENT
from portal.errors import PortalError
from portal.slack import people
from portal.slack.installations import SlackInstallation
from portal.slack.payloads import text
from portal.slack.people import UserLink
from portal.slack.posted import PostedMessage, ThreadComment

SAID = ("", "file_share", "thread_broadcast")  # subtypes of what a person says
MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")
LINK = re.compile(r"<([^<>|]+)(?:\|([^<>]*))?>")


def note(event: dict[str, Any], installation: SlackInstallation) -> None:
    """Make a comment of a reply that is no noise, if it is one for us; once, however often it comes.

    `event` is what is called so in Slack's envelope. Within the caller's transaction.
    """
    channel_id, ts, thread_ts = (text(event, name) for name in ("channel", "ts", "thread_ts"))
    if text(event, "user_team") not in ("", installation.team_id):
        return  # somebody of another company, in a channel that is shared with it
    posted = _alert_in(installation.account_id, channel_id, thread_ts)
    if posted is None:
        return
    person = people.linked(installation.account_id, text(event, "user"))
    content = _content(event, installation.account_id)
    if person is None or not person.can(Permission.RESPOND_TO_ALERTS) or not content:
        return
    try:
        alert = alerts.locked(person, posted.alert_id)
    except PortalError:
        return  # not theirs to see
    if db.session.get(ThreadComment, (installation.account_id, channel_id, ts)) is not None:
        return
    entry = timeline.record(
        alert,
        TimelineKind.COMMENT_ADDED,
        by=person,
        via=Via.SLACK,
        content=content,
        slack_channel_id=channel_id,
    )
    db.session.flush()
    mine = {"account_id": installation.account_id, "channel_id": channel_id, "ts": ts}
    db.session.execute(insert(ThreadComment).values(**mine, entry_id=entry.id))


def is_noise(event: dict[str, Any]) -> bool:
    """Whether it is a message that cannot be a person's reply in a thread.

    That is what was said beside threads, by an app (our own messages come back as events), or
    changed or taken back afterwards.
    """
    if event.get("type") != "message":
        return False
    channel_id, ts, thread_ts = (text(event, name) for name in ("channel", "ts", "thread_ts"))
    is_reply = bool(channel_id and ts and thread_ts) and ts != thread_ts
    from_app = any(event.get(name) for name in ("bot_id", "bot_profile", "app_id"))
    is_said = not event.get("hidden") and text(event, "subtype") in SAID
    return not is_reply or from_app or not is_said or not text(event, "user")


def _alert_in(account_id: int, channel_id: str, thread_ts: str) -> PostedMessage | None:
    """The alert whose own message began the thread. A summary's thread belongs to many alerts."""
    wanted = select(PostedMessage).where(
        PostedMessage.channel_id == channel_id,
        PostedMessage.ts == thread_ts,
        PostedMessage.account_id == account_id,
    )
    return db.session.scalar(wanted)


def _content(event: dict[str, Any], account_id: int) -> str:
    """What was written, as people read it; what is too long for a comment is cut."""
    written = text(event, "text").replace("\x00", "")
    written = written[: 4 * LONGEST_COMMENT]
    names = _names(account_id, set(MENTION.findall(written)))
    said = MENTION.sub(lambda found: f"@{names.get(found[1], 'somebody')}", written)
    said = html.unescape(LINK.sub(_shown, said)).strip()
    files = event.get("files")
    number = len(files) if isinstance(files, list) else 0
    if number:
        attached = f"({number} file{'' if number == 1 else 's'} in Slack)"
        said = f"{said} {attached}".strip()
    return said if len(said) <= LONGEST_COMMENT else f"{said[: LONGEST_COMMENT - 1]}…"


def _shown(found: re.Match[str]) -> str:
    """A link or a channel as it reads: the address, with its label where that says something else."""
    address, label = found[1], found[2] or ""
    if address.startswith(("#", "!")):
        return f"#{label}" if address.startswith("#") and label else f"@{label or address[1:]}"
    is_said = not label or label in address
    return address if is_said else f"{label} ({address})"


def _names(account_id: int, slack_user_ids: set[str]) -> dict[str, str]:
    if not slack_user_ids:
        return {}
    wanted = select(UserLink).where(
        UserLink.account_id == account_id, UserLink.slack_user_id.in_(slack_user_ids)
    )
    return {link.slack_user_id: link.user.name for link in db.session.scalars(wanted)}
