"""Which call brings a message up to date? All that it needs, so that no row is held meanwhile."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import current_app

from portal.slack import people, summaries, threads
from portal.slack.errors import Meaning
from portal.slack.installations import Credentials
from portal.slack.messages import alert as alert_messages
from portal.slack.messages import summary as summary_messages
from portal.slack.messages import thread as thread_messages
from portal.slack.pacing import POST, UPDATE
from portal.slack.posted import Message, PostedMessage, Sent, Summary, ThreadReply

# What is sent next when Slack refuses a form; after the plain one there is nothing simpler.
SIMPLER = {
    (Meaning.TOO_LONG, "full"): "brief",
    (Meaning.TOO_LONG, "brief"): "plain",
    (Meaning.CONTENT_REFUSED, "full"): "plain",
    (Meaning.CONTENT_REFUSED, "brief"): "plain",
}


@dataclass(frozen=True)
class Call:
    """One attempt at one message. `perhaps_twice`: an earlier one may have got through."""

    kind: type[PostedMessage] | type[Summary] | type[ThreadReply]
    row_id: int
    version: int
    begun_at: datetime
    credentials: Credentials
    method: str
    arguments: dict[str, Any] = field(repr=False)
    perhaps_twice: bool = False


def build(
    row: Sent,
    credentials: Credentials,
    moment: datetime,
    *,
    perhaps_twice: bool = False,
) -> Call:
    """The call that shows the row's present state: a new message, or a change of it."""
    alerts_url = f"{current_app.config['PUBLIC_URL']}/alerts"
    common: dict[str, Any] = {"channel": row.conversation_id or row.channel_id, "parse": "none"}
    if row.ts:
        common["ts"] = row.ts
    else:
        metadata = _metadata(row)
        common |= {"unfurl_links": False, "unfurl_media": False, "metadata": metadata}
    if isinstance(row, ThreadReply):
        common["thread_ts"] = row.thread_ts
    return Call(
        kind=type(row),
        row_id=row.id,
        version=row.wanted_version,
        begun_at=moment,
        credentials=credentials,
        method=UPDATE if row.ts else POST,
        arguments=common | _content(row, alerts_url),
        perhaps_twice=perhaps_twice,
    )


def _metadata(row: Message) -> dict[str, Any]:
    """Our own name of the message, by which it is found again after a crash."""
    if isinstance(row, PostedMessage):
        payload = {"alert_id": row.alert_id, "posted_message_id": row.id}
        event_type = alert_messages.EVENT_TYPE
    elif isinstance(row, ThreadReply):
        payload, event_type = {"reply_id": row.id}, thread_messages.EVENT_TYPE
    else:
        payload, event_type = {"summary_id": row.id}, summary_messages.EVENT_TYPE
    return {
        "event_type": event_type,
        "event_payload": payload | {"version": row.wanted_version},
    }


def _content(row: Sent, alerts_url: str) -> dict[str, Any]:
    if isinstance(row, ThreadReply):
        return threads.content(row, alerts_url)
    if isinstance(row, Summary):
        gathered = summaries.gathered(row)
        if row.form == "plain":
            return summary_messages.plain_summary(gathered, alerts_url)
        return summary_messages.summary_message(gathered, alerts_url, row.wanted_version)
    url = f"{alerts_url}/{row.alert_id}"
    if row.form == "plain":
        return alert_messages.plain_message(row.alert, url)
    return alert_messages.alert_message(
        row.alert,
        url,
        row.wanted_version,
        asked=people.asked_about(row.alert_id),
        is_brief=row.form == "brief",
    )
