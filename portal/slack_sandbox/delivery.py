"""How does a signed request reach the portal, and what does Slack make of the answer?"""

import http.client
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from .journal import Delivery
from .platform import Platform
from .signing import signature

PATIENCE = 3.0  # seconds Slack waits for an answer
FORM, JSON = "application/x-www-form-urlencoded", "application/json"


def send(
    platform: Platform,
    kind: str,
    url: str,
    body: bytes,
    payload: dict[str, Any],
    content_type: str = FORM,
    headers: Mapping[str, str] | None = None,
    secret: str | None = None,
    timestamp: str | None = None,
    sent_body: bytes | None = None,
    any_success: bool = False,
) -> Delivery:
    """POST the body, signed over exactly these bytes, and journal it. Never raises for the portal.

    `secret`, `timestamp`, `headers` and `sent_body` (sent in place of the signed one) exist to send
    what Slack would not: a stale or forged request. With `any_success` every 2xx is good, as for
    events. Call it without the platform's lock, since the portal may call back meanwhile.
    """
    at = timestamp or str(int(platform.clock.now()))
    sent = {
        "Content-Type": content_type,
        "User-Agent": "Slackbot 1.0 (sandbox)",
        "X-Slack-Request-Timestamp": at,
        "X-Slack-Signature": signature(secret or platform.app.signing_secret, at, body),
        **(headers or {}),
    }
    body = body if sent_body is None else sent_body
    seq, now = platform.journal.next_seq(), platform.clock.now()
    delivery = Delivery(seq, now, kind, url, sent, body.decode(errors="replace"), payload)
    started = time.monotonic()
    try:
        delivery.status, delivery.answer_headers, delivery.answer = _post(url, body, sent)
        is_good = delivery.status == 200 or (any_success and delivery.status // 100 == 2)
        delivery.verdict = "ok" if is_good else "http_error"
    except TimeoutError:
        delivery.verdict = "operation_timeout"
    except (OSError, http.client.HTTPException, ValueError) as problem:
        delivery.verdict, delivery.answer = "connection_failed", str(problem)
    delivery.duration = time.monotonic() - started
    if delivery.verdict == "ok" and delivery.duration > PATIENCE:
        delivery.verdict = "operation_timeout"
    platform.journal.add(delivery)
    return delivery


def _post(url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, dict[str, str], str]:
    """One request without redirects, proxies or second tries."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = connect(parts.netloc, timeout=PATIENCE)
    try:
        path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        connection.request("POST", path, body, dict(headers))
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read().decode(errors="replace")
    finally:
        connection.close()
