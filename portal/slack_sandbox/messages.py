"""May this become a message, and what is stored of it? The rules that every way of posting shares."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from . import emoji
from .block_kit.check import problems_of, text_total
from .block_kit.ids import give_ids
from .platform import Platform
from .state import Channel, Message, World
from .text import length, mentions, parsed, stored
from .web_api.call import Call, SlackError

MOST_TEXT = 40_000
MOST_UPDATE_TEXT = 4_000
MOST_ATTACHMENTS = 100
MOST_METADATA = 10_000
NAMED_COLOURS = {"good": "2eb886", "warning": "daa038", "danger": "a30200"}
ATTACHMENT_CONTENT = ("text", "fallback", "blocks", "title", "fields", "pretext", "image_url")


@dataclass
class Content:
    """What a call wants to show. None means that the argument was left out."""

    text: str | None = None
    blocks: list[dict[str, Any]] | None = None
    attachments: list[dict[str, Any]] | None = None
    metadata: dict[str, Any] | None = None
    is_parsed: bool = False
    sent_ids: set[str] = field(default_factory=set)

    @property
    def is_empty(self) -> bool:
        return not (self.text or self.blocks or self.attachments)


def read(call: Call, parse_default: str, sums_texts: bool = True) -> Content:
    """The checked content of a call. Raises SlackError; records bad manners as violations.

    Sources: Slack docs, chat.postMessage and Block Kit; limits as in slack_sdk's models.
    """
    blocks = call.nested("blocks", "invalid_blocks_format", list)
    attachments = call.nested("attachments", "invalid_attachments", list)
    if call.has("markdown_text") and (call.has("text") or blocks):
        raise SlackError("markdown_text_conflict")
    content = Content(
        text=str(call.arguments["text"]) if call.has("text") else None,
        blocks=blocks,
        attachments=attachments,
        metadata=_metadata(call),
        is_parsed=call.flag("link_names") or (call.text("parse") or parse_default) != "none",
    )
    if call.has("markdown_text"):
        content.blocks = [{"type": "markdown", "text": call.text("markdown_text")}]
    _check_blocks(content, call.world.switches.blocks_text_limit if sums_texts else None)
    _check_attachments(content.attachments or [])
    _note_manners(call, content)
    return content


def _metadata(call: Call) -> dict[str, Any] | None:
    metadata: dict[str, Any] | None = call.nested("metadata", "invalid_metadata_format", dict)
    if metadata:
        if not isinstance(metadata.get("event_type"), str) or not isinstance(
            metadata.get("event_payload"), dict
        ):
            raise SlackError("invalid_metadata_schema")
        if len(str(metadata)) > MOST_METADATA:
            raise SlackError("metadata_too_large")
    return metadata


def _check_blocks(content: Content, text_limit: int | None) -> None:
    attachments = [each for each in content.attachments or [] if isinstance(each, dict)]
    lists = [(content.blocks or [], "/blocks")]
    for number, attachment in enumerate(attachments):
        nested = attachment.get("blocks")
        if isinstance(nested, list):
            lists.append((nested, f"/attachments/{number}/blocks"))
    problems = [problem for blocks, at in lists for problem in problems_of(blocks, at=at)]
    if problems:
        details = [f"[ERROR] {problem}" for problem in problems]
        raise SlackError("invalid_blocks", errors=problems, response_metadata={"messages": details})
    if text_limit is not None and sum(text_total(blocks) for blocks, _ in lists) > text_limit:
        raise SlackError("msg_blocks_too_long")


def _check_attachments(attachments: list[Any]) -> None:
    if len(attachments) > MOST_ATTACHMENTS:
        raise SlackError("too_many_attachments")
    for attachment in attachments:
        if not isinstance(attachment, dict) or not any(map(attachment.get, ATTACHMENT_CONTENT)):
            raise SlackError("invalid_attachments")


def _note_manners(call: Call, content: Content) -> None:
    """Record what Slack would let pass but an app should not do (5.3 of the platform contract)."""
    if (
        content.blocks or any(a.get("blocks") for a in content.attachments or [])
    ) and not content.text:
        call.violation(
            "blocks_without_text", "notifications and screen readers have nothing to read"
        )
    if call.flag("link_names"):
        call.violation("link_names", "names in texts from outside become mentions")
    if any(not each.get("verbatim") for each in _mrkdwn(content.blocks or [])) or any(
        not each.get("verbatim") for each in _mrkdwn(content.attachments or [])
    ):
        call.violation("mrkdwn_without_verbatim", "a plain @here in the text comes alive")


def _mrkdwn(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for item in value:
            yield from _mrkdwn(item)
    elif isinstance(value, dict):
        if value.get("type") == "mrkdwn":
            yield value
        for item in value.values():
            yield from _mrkdwn(item)


def put(platform: Platform, message: Message, content: Content, channel: Channel) -> None:
    """Write the content into the message as Slack stores it, and say whom it would ring."""
    world = platform.world
    if content.text is not None:
        text = emoji.to_names(content.text)
        message.text = parsed(text, world, message.team_id) if content.is_parsed else text
    if content.blocks is not None:
        message.blocks = stored(content.blocks, world, message.team_id)
        give_ids(message.blocks, lambda: _new_id(world))
    if content.attachments is not None:
        message.attachments = stored(content.attachments, world, message.team_id)
        for number, attachment in enumerate(message.attachments, start=1):
            _finish_attachment(world, attachment, number)
    if content.metadata is not None:
        message.metadata = content.metadata
    message.notifies = _rings(world, message, channel)


def _new_id(world: World) -> str:
    return f"b{world.count('block'):05}"


def _finish_attachment(world: World, attachment: dict[str, Any], number: int) -> None:
    colour = str(attachment.get("color") or "dddddd").removeprefix("#")
    attachment["color"] = NAMED_COLOURS.get(colour, colour)
    attachment.setdefault("id", number)
    attachment.setdefault("fallback", attachment.get("text") or "[no preview available]")
    give_ids(attachment.get("blocks") or [], lambda: _new_id(world))


def _rings(world: World, message: Message, channel: Channel) -> list[str]:
    """The people whose phones would ring: named ones, all members for @here, and a DM's person."""
    people = [channel.user] if channel.is_im else []
    for kind, whom in mentions([message.text, message.blocks, message.attachments]):
        people += channel.members if kind == "special" else [whom]
    known = (world.people[each] for each in dict.fromkeys(people) if each in world.people)
    return [each.id for each in known if not each.is_bot and not each.deleted]


def has_special_mention(message: Message) -> bool:
    found = mentions([message.text, message.blocks, message.attachments])
    return any(kind == "special" for kind, _ in found)


def cut_or_refuse(content: Content, is_update: bool) -> None:
    """Long texts: cut at 40,000 when posted, refused above 4,000 when updated."""
    if content.text is None:
        return
    if is_update and length(content.text) > MOST_UPDATE_TEXT:
        raise SlackError("msg_too_long")
    content.text = content.text[:MOST_TEXT]
