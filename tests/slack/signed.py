"""How does Slack sign a request? Five lines of our own, so that they check the portal's verifying."""

import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import urlencode

SECRET = "test-signing-secret"
FORM, JSON = "application/x-www-form-urlencoded", "application/json"


def signed(
    body: str | bytes, content_type: str = FORM, *, secret: str = SECRET, age: int = 0
) -> dict[str, Any]:
    """The arguments of a test client's post()."""
    raw = body.encode() if isinstance(body, str) else body
    timestamp = str(int(time.time()) - age)
    mac = hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + raw, hashlib.sha256)
    headers = {
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": f"v0={mac.hexdigest()}",
    }
    return {"data": raw, "content_type": content_type, "headers": headers}


def interaction(payload: dict[str, Any]) -> str:
    return urlencode({"payload": json.dumps(payload)})


def click_payload(
    action_id: str,
    value: str,
    *,
    user_id: str = "U0ADA",
    team_id: str = "T0ACME",
    user_team_id: str | None = None,
    response_url: str = "",
) -> dict[str, Any]:
    """A pressed button, as slack.md 3.2 describes it."""
    return {
        "type": "block_actions",
        "api_app_id": "A0TOCSIN",
        "team": {"id": team_id, "domain": "acme"},
        "user": {"id": user_id, "username": "ada", "team_id": user_team_id or team_id},
        "container": {"type": "message", "message_ts": "1.1", "channel_id": "C0ALERTS"},
        "channel": {"id": "C0ALERTS", "name": "alerts"},
        "trigger_id": "1.2.3",
        "response_url": response_url,
        "actions": [{"type": "button", "block_id": "b", "action_id": action_id, "value": value}],
    }
