"""What did Slack send? Its JSON becomes small frozen types, once, here at the edge."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True)
class BlockAction:
    """A pressed button, or a choice in a select: https://docs.slack.dev/reference/interaction-payloads/block_actions-payload."""

    app_id: str
    team_id: str
    team_domain: str  # acme, of https://acme.slack.com/
    user_id: str
    user_team_id: str  # another workspace's, when somebody of a shared channel presses
    channel_id: str
    action_id: str
    value: str
    response_url: str
    trigger_id: str = ""
    view: "OpenView | None" = None  # none: in a message
    is_home: bool = False  # in the app's Home

    @classmethod
    def parse(cls, payload: dict[str, Any]) -> Self | None:
        """Return the first action, or None where there is none. Odd shapes become empty strings."""
        actions = payload.get("actions")
        action = _dict(actions[0]) if isinstance(actions, list) and actions else None
        if action is None:
            return None
        user = _dict(payload.get("user"))
        team = _dict(payload.get("team"))
        team_id = text(team, "id") or text(user, "team_id")
        container = _dict(payload.get("container"))
        return cls(
            app_id=text(payload, "api_app_id"),
            team_id=team_id,
            team_domain=text(team, "domain"),
            user_id=text(user, "id"),
            user_team_id=text(user, "team_id") or team_id,
            channel_id=text(_dict(payload.get("channel")), "id") or text(container, "channel_id"),
            action_id=text(action, "action_id"),
            value=text(action, "value") or text(_dict(action.get("selected_option")), "value"),
            response_url=text(payload, "response_url"),
            trigger_id=text(payload, "trigger_id"),
            view=OpenView.parse(payload) if "view" in payload else None,
            is_home=text(_dict(payload.get("view")), "type") == "home",
        )


@dataclass(frozen=True)
class OpenView:
    """A modal, as the person's client has it: https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload."""

    app_id: str
    team_id: str
    user_id: str
    user_team_id: str
    view_id: str
    callback_id: str
    token: str  # our private_metadata
    values: Mapping[str, str]  # by block_id; several choices are joined by commas

    @classmethod
    def parse(cls, payload: dict[str, Any]) -> Self:
        """Odd shapes become empty strings."""
        user, view = _dict(payload.get("user")), _dict(payload.get("view"))
        user_team_id = text(user, "team_id")
        team_id = text(_dict(payload.get("team")), "id") or text(view, "app_installed_team_id")
        blocks = _dict(_dict(view.get("state")).get("values"))
        return cls(
            app_id=text(payload, "api_app_id"),
            team_id=team_id or user_team_id,
            user_id=text(user, "id"),
            user_team_id=user_team_id or team_id,
            view_id=text(view, "id"),
            callback_id=text(view, "callback_id"),
            token=text(view, "private_metadata"),
            values={
                str(block_id): _value(next(iter(_dict(elements).values()), None))
                for block_id, elements in blocks.items()
            },
        )


def _value(element: object) -> str:
    """What one element of a modal holds: https://docs.slack.dev/reference/block-kit/block-elements."""
    state = _dict(element)
    if isinstance(several := state.get("selected_options"), list):
        return ",".join(text(_dict(each), "value") for each in several)
    chosen = text(_dict(state.get("selected_option")), "value")
    return text(state, "value") or chosen or text(state, "selected_user")


@dataclass(frozen=True)
class SlashCommand:
    """A line that began with a slash: https://docs.slack.dev/interactivity/implementing-slash-commands."""

    app_id: str
    team_id: str
    user_id: str
    user_name: str
    channel_id: str
    command: str  # /il-oncall
    text: str  # what came after it, with Slack's escapes undone
    response_url: str
    trigger_id: str = ""

    @classmethod
    def parse(cls, form: Mapping[str, str]) -> Self:
        """Whatever is missing becomes an empty string."""
        fields = dict(form)
        return cls(
            app_id=text(fields, "api_app_id"),
            team_id=text(fields, "team_id"),
            user_id=text(fields, "user_id"),
            user_name=text(fields, "user_name"),
            channel_id=text(fields, "channel_id"),
            command=text(fields, "command"),
            text=as_typed(text(fields, "text")),
            response_url=text(fields, "response_url"),
            trigger_id=text(fields, "trigger_id"),
        )


@dataclass(frozen=True)
class Shortcut:
    """One of the app's shortcuts, in general or on a message:
    https://docs.slack.dev/reference/interaction-payloads/shortcuts-interaction-payload."""

    app_id: str
    team_id: str
    user_id: str
    user_name: str
    user_team_id: str
    callback_id: str
    trigger_id: str
    channel_id: str  # empty for a global one, as all that follows
    response_url: str
    message_ts: str
    thread_ts: str
    author: str  # Slack's id of who wrote the message
    author_name: str  # of an app that wrote it
    text: str  # with Slack's escapes undone

    @classmethod
    def parse(cls, payload: dict[str, Any]) -> Self:
        """Odd shapes become empty strings."""
        user, message = _dict(payload.get("user")), _dict(payload.get("message"))
        user_team_id = text(user, "team_id")
        team_id = text(_dict(payload.get("team")), "id") or user_team_id
        return cls(
            app_id=text(payload, "api_app_id"),
            team_id=team_id,
            user_id=text(user, "id"),
            user_name=text(user, "username") or text(user, "name"),
            user_team_id=user_team_id or team_id,
            callback_id=text(payload, "callback_id"),
            trigger_id=text(payload, "trigger_id"),
            channel_id=text(_dict(payload.get("channel")), "id"),
            response_url=text(payload, "response_url"),
            message_ts=text(payload, "message_ts") or text(message, "ts"),
            thread_ts=text(message, "thread_ts"),
            author=text(message, "user"),
            author_name=text(message, "username"),
            text=as_typed(text(message, "text") or _attached(message)),
        )

    @property
    def is_reply(self) -> bool:
        return self.thread_ts not in ("", self.message_ts)


def _attached(message: dict[str, Any]) -> str:
    """What an app's message says that has attachments only."""
    attachments = message.get("attachments")
    first = _dict(attachments[0]) if isinstance(attachments, list) and attachments else {}
    return text(first, "fallback") or text(first, "text")


@dataclass(frozen=True)
class BlockSuggestion:
    """What was typed into a select that loads its options:
    https://docs.slack.dev/reference/interaction-payloads/block_suggestion-payload."""

    app_id: str
    team_id: str
    user_id: str
    user_team_id: str
    channel_id: str  # of the message that the select is in; empty in a modal
    action_id: str
    typed: str
    token: str = ""  # private_metadata of the modal it is in

    @classmethod
    def parse(cls, payload: dict[str, Any]) -> Self:
        """Odd shapes become empty strings."""
        user, view = _dict(payload.get("user")), _dict(payload.get("view"))
        team_id = text(_dict(payload.get("team")), "id") or text(view, "app_installed_team_id")
        user_team_id = text(user, "team_id")
        return cls(
            app_id=text(payload, "api_app_id"),
            team_id=team_id or user_team_id,
            user_id=text(user, "id"),
            user_team_id=user_team_id or team_id,
            channel_id=text(_dict(payload.get("channel")), "id"),
            action_id=text(payload, "action_id"),
            typed=text(payload, "value"),
            token=text(view, "private_metadata"),
        )


# <@U1>, <@U1|ada>, <#C1|ops>, <#C1|>, <https://…|label>: a label says more than an id.
ESCAPED = re.compile(r"<([@#]?)[!]?([^<>|]*)(?:\|([^<>]*))?>")


def as_typed(escaped: str) -> str:
    """What a person typed, of the text that Slack made of it (slack.md 3.7)."""
    plain = ESCAPED.sub(lambda found: found[1] + (found[3] or found[2]), escaped)
    return plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").strip()


def decode(raw: str) -> dict[str, Any]:
    """A JSON object, or an empty one for whatever else was sent."""
    try:
        return _dict(json.loads(raw))
    except (ValueError, RecursionError):
        return {}


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def text(holder: dict[str, Any], name: str) -> str:
    """The text under this name, or an empty one for whatever else is there."""
    value = holder.get(name)
    # PostgreSQL cannot keep a NUL, nor UTF-8 a lone surrogate; Slack sends neither.
    return (
        value.replace("\x00", "").encode(errors="replace").decode()
        if isinstance(value, str)
        else ""
    )
