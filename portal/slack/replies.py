"""How does the person who pressed a button hear what came of it? By a line only they can see."""

from datetime import timedelta
from typing import Any

import structlog

from portal.db import db, now
from portal.jobs.engine import job, wake
from portal.slack import connects, gateway, installations, workspace
from portal.slack.clicks import EphemeralReply, Way
from portal.slack.errors import Meaning, SlackError
from portal.slack.installations import Credentials

KEPT = timedelta(minutes=30)  # as long as Slack's response_url lives
QUIET = {"unfurl_links": False, "unfurl_media": False}

log = structlog.get_logger()


def say(
    text: str,
    *,
    account_id: int | None,
    slack_user_id: str,
    channel_id: str,
    response_url: str | None,
    blocks: list[dict[str, Any]] | None = None,
    way: Way = Way.NEW,
    connect_id: int | None = None,
) -> None:
    """Have the person told, once this transaction has committed. The caller commits.

    With blocks, `text` is what notifications and screen readers get of them.
    """
    reply = EphemeralReply(
        account_id=account_id,
        slack_user_id=slack_user_id,
        channel_id=channel_id,
        text=text,
        blocks=blocks,
        way=way,
        response_url=response_url or None,
        connect_id=connect_id,
    )
    db.session.add(reply)
    db.session.flush()
    wake(send_reply, reply_id=reply.id)


@job("reply:{reply_id}", queue="urgent")
def send_reply(reply_id: int) -> None:
    """Answer through the click's response_url, else by chat.postEphemeral; then forget it."""
    reply = db.session.get(EphemeralReply, reply_id)
    if reply is None:
        return
    if now() - reply.created_at > KEPT:
        _forget(reply_id)
        return
    installation = installations.of_account(reply.account_id) if reply.account_id else None
    credentials = installation.credentials if installation and installation.is_working else None
    url, channel_id, user_id = reply.response_url, reply.channel_id, reply.slack_user_id
    message, way = {"text": reply.text, "blocks": reply.blocks}, reply.way
    if reply.connect_id is not None and (address := connects.address(reply.connect_id)):
        message["blocks"] = connects.blocks(reply.text, address)
    db.session.commit()
    try:
        _send(url, credentials, channel_id, user_id, message, way)
    except SlackError as problem:
        log.warning("reply_failed", reply_id=reply_id, slack_error=problem.code)
        if problem.meaning in (Meaning.TEMPORARY, Meaning.ASKED_TO_WAIT):
            _try_again(reply_id, problem)
            return
    _forget(reply_id)


def _send(
    url: str | None,
    credentials: Credentials | None,
    channel_id: str,
    user_id: str,
    message: dict[str, Any],
    way: Way,
) -> None:
    if url and gateway.may_respond_to(url):
        try:
            gateway.respond(url, _response(message, way))
            return
        except SlackError as problem:
            if problem.code != "response_url_gone":
                raise
    if credentials and user_id and way is not Way.DELETE:
        _post(credentials, channel_id, user_id, message, way)


def _post(
    credentials: Credentials, channel_id: str, user_id: str, message: dict[str, Any], way: Way
) -> None:
    """Without a response_url: in the channel; where we cannot speak there, to the person alone."""
    try:
        if channel_id and way is Way.PUBLIC:
            workspace.call(credentials, "chat.postMessage", channel=channel_id, **QUIET, **message)
            return
        if channel_id:
            where = {"channel": channel_id, "user": user_id}
            workspace.call(credentials, "chat.postEphemeral", **where, **message)
            return
    except SlackError as problem:
        if problem.meaning is not Meaning.CHANNEL_CLOSED:
            raise
    workspace.call(credentials, "chat.postMessage", channel=user_id, **QUIET, **message)


def _response(message: dict[str, Any], way: Way) -> dict[str, Any]:
    """https://docs.slack.dev/interactivity/handling-user-interaction#message_responses"""
    if way is Way.DELETE:
        return {"delete_original": True}
    said = {name: value for name, value in message.items() if value is not None}
    if way is Way.PUBLIC:
        return {"response_type": "in_channel", "replace_original": False, **QUIET, **said}
    return {"response_type": "ephemeral", "replace_original": way is Way.REPLACE, **said}


def _try_again(reply_id: int, problem: SlackError) -> None:
    reply = db.session.get(EphemeralReply, reply_id)
    if reply is not None:
        reply.attempts += 1
        wait = problem.retry_after or min(300, 2**reply.attempts)
        wake(send_reply, at=now() + timedelta(seconds=wait), reply_id=reply_id)
    db.session.commit()


def _forget(reply_id: int) -> None:
    reply = db.session.get(EphemeralReply, reply_id)
    if reply is not None:
        db.session.delete(reply)
    db.session.commit()
