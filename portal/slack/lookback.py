"""Was it posted, although we never heard so? Look into the channel before posting again.

A message carries our own name of it in its metadata. The look needs a history scope, which a
workspace may refuse; then a message shown twice is preferred to one that is lost, and it is said.
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from portal.slack import workspace
from portal.slack.errors import INVITE
from portal.slack.installations import Credentials
from portal.slack.messages import alert, summary, thread
from portal.slack.pacing import HISTORY, REPLIES
from portal.slack.posted import Lane, Message, PostedMessage, Summary, ThreadReply

SCOPES = {"channels:history", "groups:history"}
CLOCKS_DIFFER = timedelta(seconds=60)
PER_PAGE, MOST_PAGES = 200, 25
OK = "ok"  # as Lane.look_outcome; otherwise Slack's code
NAMES: dict[str, tuple[type[Message], str]] = {
    alert.EVENT_TYPE: (PostedMessage, "posted_message_id"),
    summary.EVENT_TYPE: (Summary, "summary_id"),
    thread.EVENT_TYPE: (ThreadReply, "reply_id"),
}


class Found(NamedTuple):
    ts: str
    version: int


Name = tuple[type[Message], int]


class Seen(NamedTuple):
    """What was found, and how many calls that took."""

    messages: dict[Name, Found]
    pages: int


def may_look(credentials: Credentials, lane: Lane) -> bool:
    """Whether the channel may be read, as far as is known. Direct messages never."""
    is_channel = lane.channel_id[:1] in ("C", "G")
    is_refused = lane.look_outcome not in (None, OK)
    return is_channel and not is_refused and bool(SCOPES & credentials.scopes)


def why_not(lane: Lane) -> str | None:
    """Why we may not look there and what to do, in words; None where we may, as far as is known."""
    match lane.look_outcome:
        case None | "ok":
            return None
        case "not_in_channel" | "channel_not_found":
            what = f"The app is not a member here. {INVITE}"
        case "missing_scope":
            what = "The app may not read this channel. An admin can re-authorize it with all boxes"
        case code:
            what = f"Slack does not let the app read this channel (“{code}”). Ask a Slack admin"
    return f"{what}, so that a message is not shown twice after an interruption."


def look(
    credentials: Credentials, channel_id: str, since: datetime, thread_ts: str | None = None
) -> Seen:
    """Our own messages in the channel, or in one of its threads, since then, by their names.

    Raises SlackError.
    """
    where = {"ts": thread_ts} if thread_ts else {}
    found: dict[Name, Found] = {}
    cursor, pages = None, 0
    while pages < MOST_PAGES:
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
        pages += 1
        for message in page.get("messages") or []:
            name = _name(message)
            if name is not None:
                found[name[0]] = name[1]
        cursor = (page.get("response_metadata") or {}).get("next_cursor") or None
        if cursor is None:
            break
    return Seen(found, pages)


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
