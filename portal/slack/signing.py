"""Did Slack send this request? Its signature over the raw body says so.

https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import abort, current_app, request
from slack_sdk.signature import SignatureVerifier

SIGNED = "signed by Slack"


def signed_by_slack(view: Callable[..., Any]) -> Callable[..., Any]:
    """Answer 401 to whatever Slack did not sign in the last five minutes."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if not any(_is_signed_with(s) for s in current_app.config["SLACK_SIGNING_SECRETS"]):
            abort(401)
        return view(*args, **kwargs)

    guarded.access = SIGNED  # type: ignore[attr-defined]
    return guarded


def _is_signed_with(secret: str) -> bool:
    try:
        return SignatureVerifier(secret).is_valid_request(request.get_data(), dict(request.headers))
    except (ValueError, TypeError):  # a timestamp, body or signature that Slack never sends
        return False
