"""What did Slack send? Its JSON becomes small frozen types, once, here at the edge."""

import json
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True)
class BlockAction:
    """A pressed button: https://docs.slack.dev/reference/interaction-payloads/block_actions-payload."""

    app_id: str
    team_id: str
    team_domain: str  # acme, of https://acme.slack.com/
    user_id: str
    user_team_id: str  # another workspace's, when somebody of a shared channel presses
    channel_id: str
    action_id: str
    value: str
    response_url: str

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
            value=text(action, "value"),
            response_url=text(payload, "response_url"),
        )


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
