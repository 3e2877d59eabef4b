"""What does every interaction payload carry? The person, the workspace, a trigger, an answer address."""

import json
from typing import Any
from urllib.parse import urlencode

from .delivery import send
from .journal import Delivery
from .platform import Platform
from .state import Channel, Installation, Person, ResponseURL, World
from .surfaces import Trigger

RESPONSE_URL_SECONDS = 1_800
TRIGGER_SECONDS = 3.0
TRIGGERS_KEPT = 500  # older ones are unknown, no longer only expired
VERIFICATION = "deprecated-verification-token"  # Slack still sends one; it proves nothing
TROUBLE = {
    "operation_timeout": "The app did not answer in time (operation_timeout).",
    "http_error": "The app answered with an error.",
    "connection_failed": "The app could not be reached.",
}
TROUBLE_CONNECTING = "We had some trouble connecting. Try again?"


class NotThere(Exception):
    """There is nothing like that to act on; the message says what was looked for."""


def installed_in(world: World, team_id: str) -> Installation:
    """The live installation of a workspace. Raises NotThere."""
    own = world.installation_for(team_id)
    if own is None:
        raise NotThere("The app is not installed in this workspace; nothing was delivered.")
    return own


def identity(
    platform: Platform, world: World, own: Installation, person: Person, team_id: str
) -> dict[str, Any]:
    """Who acts where, and whose app is asked (Slack docs: interaction payloads)."""
    home = world.workspaces[own.team_id or team_id]
    grid = {"id": home.enterprise_id, "name": home.enterprise_name} if home.enterprise_id else None
    team = {"id": home.id, "domain": home.domain}
    if home.enterprise_id:
        team |= {"enterprise_id": home.enterprise_id, "enterprise_name": home.enterprise_name}
    return {
        "user": {
            "id": person.id,
            "username": person.name,
            "name": person.name,
            "team_id": team_id,
        },
        "api_app_id": platform.app.app_id,
        "token": VERIFICATION,
        "team": None if own.is_enterprise_install else team,
        "enterprise": grid,
        "is_enterprise_install": own.is_enterprise_install,
    }


def common(
    platform: Platform,
    world: World,
    own: Installation,
    person: Person,
    team_id: str,
    view_id: str = "",
) -> dict[str, Any]:
    """What every interaction carries: the identity, and a trigger that opens one modal."""
    asked = identity(platform, world, own, person, team_id)
    return asked | {"trigger_id": trigger(platform, world, own, person.id, team_id, view_id)}


def trigger(
    platform: Platform,
    world: World,
    own: Installation,
    user_id: str,
    team_id: str,
    view_id: str = "",
) -> str:
    made = Trigger(
        id=f"{world.count('trigger')}.{platform.secret('')[:24]}",
        installation_id=own.id,
        team_id=team_id,
        user=user_id,
        expires_at=platform.clock.now() + TRIGGER_SECONDS,
        view_id=view_id,
    )
    world.triggers[made.id] = made
    while len(world.triggers) > TRIGGERS_KEPT:
        del world.triggers[next(iter(world.triggers))]
    return made.id


def response_url(
    platform: Platform,
    world: World,
    own: Installation,
    user_id: str,
    channel: Channel,
    message_ts: str = "",
    kind: str = "actions",
) -> str:
    """A fresh answer address; without `message_ts` there is nothing it could replace."""
    made = ResponseURL(
        id=platform.secret("r"),
        installation_id=own.id,
        channel=channel.id,
        user=user_id,
        message_ts=message_ts,
        expires_at=platform.clock.now() + RESPONSE_URL_SECONDS,
    )
    world.response_urls[made.id] = made
    return f"{platform.url}/{kind}/{own.team_id or channel.team_id}/{made.id}"


def channel_name(channel: Channel) -> str:
    """Slack hides the name of a private conversation behind a fixed word."""
    if channel.is_im:
        return "directmessage"
    return "privategroup" if channel.is_private else channel.name


def deliver(platform: Platform, payload: dict[str, Any], url: str = "") -> Delivery:
    """Send an interaction to the app and wait for its answer. Call it without the lock."""
    body = urlencode({"payload": json.dumps(payload)}).encode()
    return send(platform, payload["type"], url or platform.manifest.interactions_url, body, payload)
