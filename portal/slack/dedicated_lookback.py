"""Did Slack make the channel, although we never heard so? Only what is provably ours counts.

Never by its name alone: a channel of that name may be another tenant's, or people's own. It must
have been made by our bot, after the intent was written down, and no alert may have used it.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from portal.db import db
from portal.domain.dedicated_channels.models import DedicatedChannel
from portal.slack import workspace
from portal.slack.installations import Credentials, SlackInstallation
from portal.slack.pacing import MEMBERSHIPS

CLOCKS_DIFFER = timedelta(seconds=60)
MOST_PAGES = 50


def memberships(credentials: Credentials, arguments: dict[str, Any]) -> list[dict[str, Any]]:
    """The channels that our bot is in: whoever makes a channel is. Raises SlackError."""
    found: list[dict[str, Any]] = []
    cursor = None
    for _ in range(MOST_PAGES):
        page = workspace.call(credentials, MEMBERSHIPS, **arguments, cursor=cursor)
        found += page.get("channels") or []
        cursor = (page.get("response_metadata") or {}).get("next_cursor") or None
        if cursor is None:
            break
    return found


def ours(
    channel: DedicatedChannel, installation: SlackInstallation, found: list[dict[str, Any]]
) -> str | None:
    """The id of the channel that an earlier attempt has made, if there is one; the oldest."""
    earliest = (channel.requested_at - CLOCKS_DIFFER).timestamp()
    fitting = [
        each
        for each in found
        if each.get("name") == channel.channel_name
        and each.get("creator") == installation.bot_user_id
        and int(each.get("created") or 0) >= earliest
        and not each.get("is_archived")
    ]
    ids = [str(each["id"]) for each in sorted(fitting, key=lambda each: int(each["created"]))]
    known = select(DedicatedChannel.channel_id).where(
        DedicatedChannel.account_id == channel.account_id, DedicatedChannel.channel_id.in_(ids)
    )
    used = set(db.session.scalars(known))
    return next((each for each in ids if each not in used), None)
