"""What happens when a person opens the app's Home?"""

import json
from typing import Any

from . import direct_messages, views
from .delivery import JSON, send
from .journal import Delivery
from .payloads import VERIFICATION, installed_in
from .platform import Platform
from .state import Installation


def open_home(platform: Platform, team_id: str, user_id: str, tab: str = "home") -> Delivery | None:
    """Tell the app (`app_home_opened`); None when it did not subscribe to that.

    Raises NotThere where the app is not installed.
    """
    manifest = platform.manifest
    with platform.changing() as world:
        own, person = installed_in(world, team_id), world.people[user_id]
        channel = direct_messages.opened(platform, own, person, team_id)
        shown = world.home_of(user_id)
        event = {
            "type": "app_home_opened",
            "user": user_id,
            "channel": channel.id,
            "tab": tab,
            "event_ts": f"{platform.clock.now():.6f}",
        }
        if shown is not None and tab == "home":
            event["view"] = json.loads(json.dumps(views.shape(platform, world, shown)))
        wrapped = _wrapped(platform, own, team_id, event)
    if "app_home_opened" not in manifest.bot_events or not manifest.events_url:
        return None
    body = json.dumps(wrapped).encode()
    return send(platform, "app_home_opened", manifest.events_url, body, wrapped, JSON)


def _wrapped(
    platform: Platform, own: Installation, team_id: str, event: dict[str, Any]
) -> dict[str, Any]:
    """Slack docs: Events API, the outer event."""
    authorization = {
        "enterprise_id": own.enterprise_id or None,
        "team_id": own.team_id or None,
        "user_id": own.bot_user_id,
        "is_bot": True,
        "is_enterprise_install": own.is_enterprise_install,
    }
    return {
        "token": VERIFICATION,
        "team_id": team_id,
        "context_team_id": team_id,
        "context_enterprise_id": own.enterprise_id or None,
        "api_app_id": platform.app.app_id,
        "event": event,
        "type": "event_callback",
        "event_id": f"Ev{platform.secret('')[:12].upper()}",
        "event_time": int(platform.clock.now()),
        "authorizations": [authorization],
        "is_ext_shared_channel": False,
    }
