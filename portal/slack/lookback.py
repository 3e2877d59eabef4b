"""Was it posted, although we never heard so? Look into the channel before posting again.

A message carries our own name of it in its metadata. The look needs a history scope, which a
workspace may refuse; then a message shown twice is preferred to one that is lost, and it is said.
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from portal.slack import workspace
from portal.slack.errors import Meaning, SlackError
from portal.slack.installations import Credentials
from portal.slack.messages import alert, summary, thread
from portal.slack.pacing import HISTORY, REPLIES
from portal.slack.posted import Message, PostedMessage, Summary, ThreadReply

SCOPES = {"channels:history", "groups:history"}
CLOCKS_DIFFER = timedelta(seconds=60)
PER_PAGE, MOST_PAGES = 200, 25
NAMES: dict[str, tuple[type[Message], str]] = {
    alert.EVENT_TYPE: (PostedMessage, "posted_message_id"),
    summary.EVENT_TYPE: (Summary, "summary_id"),
    thread.EVENT_TYPE: (ThreadReply, "reply_id"),
}


class Found(NamedTuple):
    ts: str
    version: int


Name = tuple[type[Message], int]


def may_look(credentials: Credentials, channel_id: str) -> bool:
    """Whether the workspace lets us read a channel. Direct messages never."""
    return bool(SCOPES & credentials.scopes) and channel_id[:1] in ("C", "G")


def look(
    credentials: Credentials, channel_id: str, since: datetime, thread_ts: str | None = None
) -> dict[Name, Found] | None:
    """Our own messages in the channel, or in one of its threads, since then, by their names.

    None where we may not look. Raises SlackError when Slack does not answer or asks to wait.
    """
    where = {"ts": thread_ts} if thread_ts else {}
    found: dict[Name, Found] = {}
    cursor = None
    for _ in range(MOST_PAGES):
        try:
            page = workspace.call(
                credentials,
                REPLIES if thread_ts else HISTORY,
                channel=channel_id,
                **where,
                oldest=f"{(since - CLOCKS_DIFFER).timestamp():.6f}",
                include_all_metadata="true",
                limit=PER_PAGE,
                cursor=cursor,
            )
        except SlackError as problem:
            if problem.meaning in (Meaning.TEMPORARY, Meaning.ASKED_TO_WAIT, Meaning.LINK_DEAD):
                raise
            return None
        for message in page.get("messages") or []:
            name = _name(message)
            if name is not None:
                found[name[0]] = name[1]
        cursor = (page.get("response_metadata") or {}).get("next_cursor") or None
        if cursor is None:
            break
    return found


def _name(message: dict[str, Any]) -> tuple[Name, Found] | None:
    metadata = message.get("metadata") or {}
    payload = metadata.get("event_payload") or {}
    event_type = str(metadata.get("event_type"))
    if event_type not in NAMES:
        return None
    kind, key = NAMES[event_type]
    try:
        row_id, version = int(payload[key]), int(payload.get("version") or 0)
    except (KeyError, TypeError, ValueError):
        return None
    return (kind, row_id), Found(str(message.get("ts")), version)
