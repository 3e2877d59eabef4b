"""What does a fault do to one exchange?"""

from collections.abc import Callable
from typing import Any

from flask import Response, jsonify, request

from .. import installations
from ..faults import Fault
from ..platform import Platform
from ..state import Token

HTML = "<!DOCTYPE html><html><head><title>Slack</title></head><body>Something went wrong.</body></html>"
NOT_JSON = {"html": HTML, "empty": "", "truncated": '{"ok":true,"channel":"C0', "array": "[]"}
CUT = "sandbox.cut"  # in the WSGI environment: the server resets the connection
CHANGES = {"token_revoked", "token_expired", "app_uninstalled", "scope_lost"}


def change(platform: Platform, fault: Fault, token: Token | None) -> None:
    """The faults that last: something happens to the installation, then the call goes on."""
    if token is None:
        return
    with platform.changing() as world:
        own = world.installations[token.installation_id]
        if fault.effect == "app_uninstalled":
            installations.end(platform, own, "account_inactive")
        elif fault.effect == "scope_lost":
            own.scopes = [scope for scope in own.scopes if scope != fault.scope]
        else:
            token.error = fault.effect


def around(platform: Platform, fault: Fault, process: Callable[[], Response]) -> Response:
    """The answer of a call that a fault applies to; `process` is what Slack would have done."""
    if fault.effect in CHANGES:
        return process()
    answer = process() if fault.after_processing else None
    if fault.effect == "hang":
        platform.stopping.wait(fault.seconds)
        return answer or process()
    if fault.effect == "reset":
        request.environ[CUT] = True
        return Response(status=500)
    return _answer(fault)


def _answer(fault: Fault) -> Response:
    if fault.effect == "error":
        return _json({"ok": False, "error": fault.error, **fault.extra})
    if fault.effect == "rate_limited":
        return _rate_limited(fault)
    if fault.effect == "redirect":
        return Response(status=302, headers={"Location": fault.location or "http://localhost:1/"})
    if fault.effect == "not_json":
        kind = "text/html" if fault.variant == "html" else "application/json"
        return Response(NOT_JSON[fault.variant], content_type=kind)
    if fault.variant == "json":
        return _json({"ok": False, "error": "internal_error"}, fault.status)
    return Response(HTML, fault.status, content_type="text/html")


def _rate_limited(fault: Fault) -> Response:
    if fault.variant.startswith("ok_"):
        return _json({"ok": False, "error": fault.variant.removeprefix("ok_")})
    response = _json({"ok": False, "error": "ratelimited"}, 429)
    header = {
        "status": str(fault.retry_after),
        "not_a_number": "a while",
        "fraction": f"{fault.retry_after - 0.5}",
    }.get(fault.variant)
    if header:
        response.headers["Retry-After"] = header
    return response


def _json(body: dict[str, Any], status: int = 200) -> Response:
    response = jsonify(body)
    response.status_code = status
    return response
