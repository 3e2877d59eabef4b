"""What can a test or the demo do with a running sandbox? The same over HTTP and in one process."""

import json
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from . import installations, interactions, oauth, payloads
from .delivery import FORM, JSON, send
from .journal import Delivery, Request, Violation
from .platform import Platform
from .seed import SEEDS
from .state import Message
from .web_api import shapes


class Unknown(Exception):
    """The call names something the sandbox does not have; the message says what it has."""


def seed(platform: Platform, name: str = "default") -> dict[str, Any]:
    """Start again from a named state. Tokens, journal, limits, faults and the clock start anew."""
    if name not in SEEDS:
        raise Unknown(f"There is no start state {name}; there are {', '.join(SEEDS)}.")
    with platform.changing() as old:
        world = SEEDS[name]()
        world.epoch = old.epoch + 1
        platform.world = world
        platform.clock.real()
        platform.limiter.clear()
        platform.faults.clear()
        platform.events.clear()
    platform.journal.clear()
    return state(platform)


def state(platform: Platform) -> dict[str, Any]:
    """Everything there is, and the app's credentials. Messages are asked for by channel."""
    with platform.reading() as world:
        known = asdict(world)
    del known["messages"]
    return known | {
        "app": asdict(platform.app),
        "url": platform.url,
        "clock": platform.clock.describe(),
        "faults": platform.faults.describe(),
    }


def messages(
    platform: Platform, channel_id: str, as_user: str | None = None
) -> list[dict[str, Any]]:
    """The messages of a channel in order; with a person's id also what only they can see."""
    with platform.reading() as world:
        found = sorted(world.messages_in(channel_id), key=lambda message: float(message.ts))
        return [
            _told(platform, message)
            for message in found
            if not message.ephemeral_for
            or (message.ephemeral_for == as_user and not message.is_dismissed)
        ]


def _told(platform: Platform, message: Message) -> dict[str, Any]:
    return shapes.message(platform, platform.world, message) | {
        "channel": message.channel,
        "is_ephemeral": bool(message.ephemeral_for),
        "is_deleted": message.is_tombstone,
        "notifies": list(message.notifies),
        "unfurls": message.unfurls,
        "failures": dict(message.failures),
    }


def install(
    platform: Platform,
    team_id: str = "T0ACME",
    user_id: str = "U0OLIVIA",
    without: str = "",
    scopes: str = "",
) -> dict[str, Any]:
    """Install the app at once, without a browser; `without` and `scopes` are comma-separated."""
    declined = set(without.split(","))
    wanted = scopes.split(",") if scopes else platform.manifest.bot_scopes
    with platform.changing() as world:
        enterprise_id = world.workspaces[team_id].enterprise_id
        own, token = installations.install(
            platform, team_id, enterprise_id, user_id, [s for s in wanted if s not in declined]
        )
        return asdict(own) | {"token": token.token, "refresh_token": token.refresh_token}


def consent(
    platform: Platform,
    authorize_url: str,
    team_id: str = "T0ACME",
    user_id: str = "U0OLIVIA",
    allow: bool = True,
    without: str = "",
    whole_organization: bool = False,
) -> str:
    """Answer the consent page without a browser; the callback URL, "" while approval is pending.

    Raises oauth.Refused where Slack would show an error page.
    """
    question = oauth.check(platform, dict(parse_qsl(urlsplit(authorize_url).query, True)))
    if not allow:
        return oauth.deny(platform, question)
    declined = set(without.split(","))
    granted = [*question.required, *(s for s in question.optional if s not in declined)]
    return oauth.grant(platform, question, team_id, user_id, granted, whole_organization) or ""


def ephemerals(platform: Platform, user_id: str) -> list[dict[str, Any]]:
    """What only this person can see now, over all channels."""
    with platform.reading() as world:
        return [
            _told(platform, message)
            for channel_id in world.channels
            for message in world.messages_in(channel_id)
            if message.ephemeral_for == user_id and not message.is_dismissed
        ]


def wait_for_message(
    platform: Platform, channel_id: str, text: str, timeout: float = 10.0
) -> dict[str, Any]:
    """The newest message of a channel that says `text` anywhere; Unknown if none comes in time."""

    def find() -> dict[str, Any] | None:
        for message in reversed(platform.world.messages_in(channel_id)):
            told = None if message.ephemeral_for else _told(platform, message)
            if told and text in json.dumps(told, ensure_ascii=False):
                return told
        return None

    found: dict[str, Any] | None = platform.wait_for(find, timeout)
    if found is None:
        raise Unknown(f"No message in {channel_id} says “{text}” within {timeout} seconds.")
    return found


def click(
    platform: Platform,
    channel_id: str,
    ts: str,
    action_id: str,
    user_id: str,
    block_id: str = "",
    confirm: bool = True,
) -> Delivery:
    """Press a button, named by its action_id or by the text on it, as this person.

    Raises payloads.NotThere where there is no such button, or its dialog was declined.
    """
    with platform.reading() as world:
        found = interactions.find(world, user_id, channel_id, ts, action_id, block_id)
        team_id = world.people[user_id].team_id
    if not confirm:
        raise payloads.NotThere(f"{user_id} declined to confirm {action_id}: no delivery.")
    return interactions.click(platform, team_id, user_id, channel_id, ts, *found)


def select(
    platform: Platform, channel_id: str, ts: str, action_id: str, user_id: str, option: str
) -> Delivery:
    """Choose the option with this value from a menu."""
    with platform.reading() as world:
        found = interactions.find(world, user_id, channel_id, ts, action_id)
        team_id = world.people[user_id].team_id
    return interactions.click(platform, team_id, user_id, channel_id, ts, *found, option)


def deliver(
    platform: Platform,
    url: str = "",
    payload: dict[str, Any] | None = None,
    body: str | None = None,
    kind: str = "on_request",
    as_json: bool = False,
    secret: str | None = None,
    skew: float = 0.0,
    changed_body: str | None = None,
    headers: dict[str, str] | None = None,
) -> Delivery:
    """Send any signed request. The payload travels as Slack sends it, or give the `body` itself.

    Forge with `secret` (another one), `skew` (seconds added to the timestamp), `changed_body` (sent
    under the signature of the right one) and `headers` (set or replaced).
    """
    sent = payload or {}
    if body is None:
        body = json.dumps(sent) if as_json else urlencode({"payload": json.dumps(sent)})
    at = str(int(platform.clock.now() + skew))
    return send(
        platform,
        kind,
        url or platform.manifest.interactions_url,
        body.encode(),
        sent,
        content_type=JSON if as_json else FORM,
        headers=headers,
        secret=secret,
        timestamp=at,
        sent_body=changed_body.encode() if changed_body is not None else None,
    )


def requests(
    platform: Platform, method: str = "", since: int = 0, wait: float = 0.0, count: int = 1
) -> list[Request]:
    """Requests of a method (all without) after the entry `since`; waits for `count` of them."""
    kept = platform.journal.requests
    return platform.journal.wait(
        lambda: [e for e in kept if e.seq > since and method in ("", e.method)], wait, count
    )


def deliveries(
    platform: Platform, kind: str = "", since: int = 0, wait: float = 0.0, count: int = 1
) -> list[Delivery]:
    kept = platform.journal.deliveries
    return platform.journal.wait(
        lambda: [e for e in kept if e.seq > since and kind in ("", e.kind)], wait, count
    )


def violations(platform: Platform, rule: str = "") -> list[Violation]:
    return [each for each in list(platform.journal.violations) if rule in ("", each.rule)]


def away(platform: Platform, seconds: float) -> None:
    """Refuse all connections for some real seconds, this control API included."""
    if platform.go_away is None:
        raise Unknown("The sandbox does not listen.")
    platform.go_away(seconds)


def clock(
    platform: Platform, real: bool = False, freeze: bool | float = False, advance: float = 0.0
) -> dict[str, object]:
    """Set the sandbox's time: back to the real one, stand still (at a moment), or move on."""
    if real:
        platform.clock.real()
    if freeze is not False:
        platform.clock.freeze(None if freeze is True else freeze)
    platform.clock.advance(advance)
    return platform.clock.describe()
