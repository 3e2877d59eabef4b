"""How does the app write, change and remove messages? chat.postMessage and its siblings."""

from typing import Any

from .. import channels, direct_messages, events, links, messages
from ..block_kit.ids import explicit_ids
from ..messages import Content
from ..state import Channel, Message
from . import shapes
from .call import Call, RateLimited, SlackError


def post_message(call: Call) -> dict[str, Any]:
    """Post into a channel, or to a person, which opens the direct messages with them."""
    channel = _place(call)
    content = messages.read(call, parse_default="none")
    messages.cut_or_refuse(content, is_update=False)
    if content.is_empty:
        raise SlackError("no_text")
    thread_ts = _thread(call, channel)
    _admit_post(call, channel)
    message = _new(call, channel, thread_ts)
    message.is_broadcast = call.flag("reply_broadcast")
    message.unfurls = call.flag("unfurl_links", True) or call.flag("unfurl_media", True)
    messages.put(call.platform, message, content, channel)
    call.platform.keep(message)
    _note_post(call, message, channel)
    return {
        "channel": channel.id,
        "ts": message.ts,
        "message": shapes.message(call.platform, call.world, message),
    }


def post_ephemeral(call: Call) -> dict[str, Any]:
    """Show something to one member of a channel only; it cannot be changed later."""
    channel = _place(call)
    person = call.person(call.text("user"))
    if person.id not in channel.members:
        raise SlackError("user_not_in_channel")
    content = messages.read(call, parse_default="none")
    messages.cut_or_refuse(content, is_update=False)
    if content.is_empty:
        raise SlackError("no_text")
    message = _new(call, channel, _thread(call, channel))
    message.ephemeral_for = person.id
    messages.put(call.platform, message, content, channel)
    message.notifies = []
    call.platform.keep(message)
    return {"message_ts": message.ts}


def update(call: Call) -> dict[str, Any]:
    """Change an own message. Text without blocks removes the blocks; neither keeps both."""
    message, channel = _own_message(call, "cant_update_message")
    if channel.is_archived:
        raise SlackError("is_inactive")
    if not call.world.switches.edit_window_open:
        raise SlackError("edit_window_closed")
    content = messages.read(call, parse_default="client")
    messages.cut_or_refuse(content, is_update=True)
    if content.text is None and content.blocks is None and content.attachments is None:
        raise SlackError("no_text")
    _note_reused_ids(call, message, content)
    before = shapes.message(call.platform, call.world, message)
    if content.text is not None and content.blocks is None:
        message.blocks = []
        message.edited_at = call.platform.clock.now()
    messages.put(call.platform, message, content, channel)
    message.failures.clear()
    events.message_changed(call.platform, message, before)
    return {
        "channel": channel.id,
        "ts": message.ts,
        "text": message.text,
        "message": shapes.message(call.platform, call.world, message),
    }


def delete(call: Call) -> dict[str, Any]:
    """Remove an own message. Replies stay, under a placeholder."""
    message, channel = _own_message(call, "cant_delete_message")
    channels.take_away(call.platform, message)
    return {"channel": channel.id, "ts": message.ts}


def get_permalink(call: Call) -> dict[str, Any]:
    channel = call.channel()
    message = call.world.message(channel.id, call.text("message_ts"))
    if message is None or message.ephemeral_for:
        raise SlackError("message_not_found")
    return {"channel": channel.id, "permalink": links.permalink(call.platform, message)}


def _place(call: Call) -> Channel:
    """The channel to post into; refuses where the app may not post."""
    named = call.text("channel")
    if named[:1] in ("U", "W"):
        return direct(call, named)
    if named.startswith("#"):
        for each in call.world.channels.values():
            if each.name == named[1:] and each.is_seen_from(call.workspace.id):
                call.arguments["channel"] = each.id
    channel = call.channel()
    if channel.is_archived:
        raise SlackError("is_archived")
    may_post = call.is_member(channel) or "chat:write.public" in call.installation.scopes
    if not may_post and not channel.is_im:
        raise SlackError("not_in_channel")
    if channel.posting == "admins":
        raise SlackError("restricted_action_read_only_channel")
    return channel


def direct(call: Call, user_id: str) -> Channel:
    """The direct messages with a person, opened now if need be; refuses whom the app cannot write."""
    person = call.person(user_id)
    if person.is_bot:
        raise SlackError("cannot_dm_bot")
    if person.deleted:
        raise SlackError("user_disabled")
    if person.team_id != call.workspace.id:
        raise SlackError("user_not_visible")
    if not call.platform.manifest.messages_tab_enabled:
        raise SlackError("messages_tab_disabled")
    return direct_messages.opened(call.platform, call.installation, person, call.workspace.id)


def _admit_post(call: Call, channel: Channel) -> None:
    now, switches = call.platform.clock.now(), call.world.switches
    verdict = call.platform.limiter.admit_post(call.workspace.id, channel.id, now, switches)
    for rule, detail in verdict.violations:
        call.violation(rule, detail)
    if verdict.retry_after:
        raise RateLimited(verdict.retry_after)


def _thread(call: Call, channel: Channel) -> str:
    """The parent to reply to; a reply's ts is taken as well, as in Slack, but is a defect."""
    thread_ts = call.text("thread_ts")
    if not thread_ts:
        return ""
    parent = call.world.message(channel.id, thread_ts)
    if parent is None or parent.ephemeral_for:
        raise SlackError("message_not_found")
    if parent.is_reply:
        call.violation("reply_as_thread_ts", f"{thread_ts} is a reply to {parent.thread_ts}")
        return parent.thread_ts
    return thread_ts


def _new(call: Call, channel: Channel, thread_ts: str) -> Message:
    own = call.installation
    return Message(
        channel.id,
        call.platform.next_ts(),
        call.workspace.id,
        own.bot_user_id,
        bot_id=own.bot_id,
        thread_ts=thread_ts,
    )


def _own_message(call: Call, refusal: str) -> tuple[Message, Channel]:
    channel = call.channel()
    message = call.world.message(channel.id, call.text("ts"))
    if message is None or message.ephemeral_for or message.is_tombstone:
        raise SlackError("message_not_found")
    if message.user != call.installation.bot_user_id:
        raise SlackError(refusal)
    return message, channel


def _note_post(call: Call, message: Message, channel: Channel) -> None:
    if message.unfurls:
        call.violation("unfurling_left_on", "Slack fetches the links of the message")
    if channel.is_general:
        call.violation("posted_to_general", f"#{channel.name} is everyone's")
    if messages.has_special_mention(message):
        call.violation("special_mention", "the message rings everyone in the channel")


def _note_reused_ids(call: Call, message: Message, content: Content) -> None:
    again = explicit_ids(content.blocks or []) & explicit_ids(message.blocks)
    if again:
        call.violation("block_id_reused", f"{', '.join(sorted(again))} of the version before")
