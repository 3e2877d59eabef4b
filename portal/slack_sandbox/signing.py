"""How does Slack sign a request? HMAC-SHA256 over version, timestamp and the raw body."""

import hashlib
import hmac


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """The value of `X-Slack-Signature` (Slack docs: Verifying requests from Slack)."""
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
