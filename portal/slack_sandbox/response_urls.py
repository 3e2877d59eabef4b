"""What may the app say through a `response_url`, and for how long?"""

from typing import Any

from . import channels, events, messages
from .platform import Platform
from .state import Channel, Message
from .web_api import shapes
from .web_api.call import Call, RateLimited, SlackError

MOST_USES = 5


class Gone(Exception):
    """The address was used up, or is too old."""


def use(platform: Platform, url_id: str, arguments: dict[str, Any]) -> None:
    """Apply one POST to a response_url (Slack docs: Handling user interaction).

    Raises Gone, SlackError for content Slack refuses, RateLimited. Call it with the lock held.
    """
    world = platform.world
    url = world.response_urls.get(url_id)
    own = world.installations.get(url.installation_id) if url else None
    if url is None or own is None or not own.is_active or url.channel not in world.channels:
        raise Gone
    if url.uses >= MOST_USES or platform.clock.now() >= url.expires_at:
        raise Gone
    url.uses += 1
    call = Call(platform, "response_url", arguments, caller=own)
    content = messages.read(call, parse_default="none", sums_texts=False)
    original, channel = world.message(url.channel, url.message_ts), world.channels[url.channel]
    if call.flag("delete_original") and original is not None:
        channels.take_away(platform, original)
        if content.is_empty:
            return
    if content.is_empty:
        raise SlackError("no_text")
    if call.flag("replace_original") and original is not None and not call.flag("delete_original"):
        _replace(platform, original, content, channel)
    else:
        post(call, url.user, original, content, channel)


def _replace(
    platform: Platform, original: Message, content: messages.Content, channel: Channel
) -> None:
    before = shapes.message(platform, platform.world, original)
    if content.text is not None and content.blocks is None:
        original.blocks = []
    if content.attachments is None:
        original.attachments = []
    messages.put(platform, original, content, channel)
    original.failures.clear()
    events.message_changed(platform, original, before)


def post(
    call: Call,
    user_id: str,
    original: Message | None,
    content: messages.Content,
    channel: Channel,
) -> None:
    """Say it to the channel, or to this person only, as `response_type` in the call asks."""
    platform, own = call.platform, call.installation
    is_public = call.text("response_type") == "in_channel"
    if is_public:
        _admit(call, channel)
    thread_ts = call.text("thread_ts") if is_public else ""
    if not is_public and original is not None:
        thread_ts = original.thread_ts
    home = own.team_id or channel.team_id
    message = Message(
        channel.id,
        platform.next_ts(),
        home,
        own.bot_user_id,
        bot_id=own.bot_id,
        thread_ts=thread_ts,
    )
    messages.put(platform, message, content, channel)
    if not is_public:
        message.ephemeral_for, message.notifies = user_id, []
    platform.keep(message)


def _admit(call: Call, channel: Channel) -> None:
    platform = call.platform
    home = call.installation.team_id or channel.team_id
    verdict = platform.limiter.admit_post(
        home, channel.id, platform.clock.now(), call.world.switches
    )
    if verdict.retry_after:
        raise RateLimited(verdict.retry_after)
