"""How do events reach the app, and how often does Slack try?"""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from . import events
from .delivery import JSON, send
from .event_queue import Attempt
from .journal import Delivery
from .platform import Platform

# Seconds from one failed attempt to the next (Slack docs: Events API, error handling).
PAUSES = (0.0, 60.0, 300.0)
REASONS = {
    "operation_timeout": "http_timeout",
    "http_error": "http_error",
    "connection_failed": "connection_failed",
}


def keep_sending(platform: Platform) -> None:
    """Deliver what falls due, one after the other, until the sandbox stops."""
    while (attempt := platform.events.take(platform.stopping)) is not None:
        if not _still_allowed(platform, attempt):
            continue
        delivery = _verified(platform) or deliver(
            platform, attempt.payload, attempt.number, attempt.reason
        )
        if delivery.verdict != "ok":
            _try_again(platform, attempt, delivery)


def _still_allowed(platform: Platform, attempt: Attempt) -> bool:
    """After an uninstallation events stop, except those that tell of it."""
    kind, team_id = attempt.payload["event"]["type"], attempt.payload["team_id"]
    with platform.reading() as world:
        if kind in ("tokens_revoked", "app_uninstalled"):
            return True
        return team_id in world.workspaces and world.installation_for(team_id) is not None


def _try_again(platform: Platform, attempt: Attempt, delivery: Delivery) -> None:
    headers = {key.lower(): value for key, value in delivery.answer_headers.items()}
    if attempt.number == len(PAUSES) or headers.get("x-slack-no-retry") == "1":
        return
    due = platform.clock.now() + PAUSES[attempt.number]
    reason = REASONS[delivery.verdict]
    platform.events.put(attempt.payload, due, attempt.number + 1, reason)


def deliver(
    platform: Platform, payload: dict[str, Any], number: int = 0, reason: str = "http_timeout"
) -> Delivery:
    """Send an event once; `number` counts repetitions and shows in Slack's two headers."""
    again = {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": reason} if number else {}
    kind = payload.get("event", {}).get("type") or payload["type"]
    return send(
        platform,
        kind,
        platform.manifest.events_url,
        json.dumps(payload).encode(),
        payload,
        content_type=JSON,
        headers=again,
        any_success=True,
    )


def _verified(platform: Platform) -> Delivery | None:
    """None once the request URL has answered a challenge; else the delivery that failed."""
    if platform.events.verified_url == platform.manifest.events_url:
        return None
    delivery = verify_url(platform)
    return None if delivery.verdict == "ok" else delivery


def verify_url(platform: Platform) -> Delivery:
    """Challenge the events URL, as Slack does when it is set (Slack docs: url_verification)."""
    url = platform.manifest.events_url
    with platform.changing():
        challenge = platform.secret("challenge-")
    asked = {
        "token": "deprecated-verification-token",
        "challenge": challenge,
        "type": "url_verification",
    }
    delivery = deliver(platform, asked)
    if delivery.verdict == "ok" and challenge not in _answers(delivery.answer):
        delivery.verdict = "http_error"
    if delivery.verdict == "ok":
        platform.events.verified_url = url
    return delivery


def _answers(answer: str) -> tuple[str, ...]:
    """What an answer to a challenge may mean: plain text, a form, or JSON."""
    try:
        told = json.loads(answer)
    except ValueError:
        return answer.strip(), answer.strip().removeprefix("challenge=")
    return (str(told.get("challenge")),) if isinstance(told, dict) else ()


def send_event(
    platform: Platform,
    team_id: str,
    event: dict[str, Any],
    event_id: str = "",
    event_time: float | None = None,
    times: int = 1,
    at_once: bool = False,
    changes: dict[str, Any] | None = None,
) -> list[Delivery]:
    """Send any event by hand, subscribed or not, and wait for the answers.

    `event_time` (seconds since 1970) makes it late, `times` doubled under one `event_id`, `at_once`
    all of them concurrently, and `changes` replaces fields of the wrapper. Nothing is tried again.
    """
    with platform.changing() as world:
        owns = [each for each in world.installations.values() if each.team_id == team_id]
        live = world.installation_for(team_id) if team_id in world.workspaces else None
        own = live or (owns[-1] if owns else None)
        payload = events.wrapper(platform, team_id, event, own, event_id, event_time)
    payload |= changes or {}
    return send_payloads(platform, [payload] * times, at_once)


def send_payloads(
    platform: Platform, payloads: list[dict[str, Any]], at_once: bool = False
) -> list[Delivery]:
    """Send whole bodies in this order; one that was in the list before goes out as a repetition."""
    told: dict[str, int] = {}
    attempts = []
    for payload in payloads:
        number = told.get(payload["event_id"], 0)
        told[payload["event_id"]] = number + 1
        attempts.append((payload, number))
    if not at_once:
        return [deliver(platform, payload, number) for payload, number in attempts]
    with ThreadPoolExecutor(len(payloads)) as pool:
        return list(pool.map(lambda payload: deliver(platform, payload), payloads))


def hold(platform: Platform) -> None:
    """Keep events back from now on, until `release`."""
    platform.events.hold()


def release(platform: Platform, order: list[int] | None = None) -> list[Delivery]:
    """Send what was held, in the order of these places (one may come twice), or as it happened."""
    held = platform.events.release()
    chosen = held if order is None else [held[place] for place in order]
    return send_payloads(platform, chosen)
