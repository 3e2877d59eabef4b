"""How is one Web API call answered? Read, recognise, limit, run, and write down what happened."""

import json
import time
from typing import Any

from flask import Blueprint, Request, Response, jsonify, request

from .. import response_urls, rotation
from ..here import here
from ..journal import Request as Entry
from ..platform import Platform
from ..state import Token
from . import misbehaviour, reading
from .call import Call, RateLimited, SlackError
from .method import Method
from .methods import METHODS

bp = Blueprint("web_api", __name__)

MAY_ASK_WHEN_DEAD = {"auth.test", "auth.revoke", "apps.uninstall"}  # to confirm, or to unlink


@bp.route("/api/<path:name>", methods=["GET", "POST"])
def api(name: str) -> Response:
    """Serve one method. Unknown ones answer HTTP 200 and `unknown_method`, as Slack does."""
    platform, raw = here(), request.get_data()
    entry, started = _entry(platform, "api", name, raw), time.monotonic()
    method = METHODS.get(name)
    _note_secrets_in_query(platform, name)
    if method is None:
        response = _refusal("unknown_method")
    else:
        response = _serve(platform, name, method, raw, entry)
    return _finish(platform, entry, response, started)


@bp.post("/actions/<team_id>/<url_id>")
@bp.post("/commands/<team_id>/<url_id>")
def response_url(team_id: str, url_id: str) -> Response:
    """The answer of a used-up address is unknown; 404 here."""
    platform, raw = here(), request.get_data()
    entry, started = _entry(platform, "response_url", "response_url", raw), time.monotonic()
    entry.team_id = team_id

    def process() -> Response:
        try:
            entry.arguments = reading.arguments_of(request, raw, takes_json=True)
            with platform.changing():
                response_urls.use(platform, url_id, entry.arguments)
        except response_urls.Gone:
            return Response("used_url", 404, content_type="text/plain")
        except SlackError as problem:
            return Response(problem.code, 400, content_type="text/plain")
        except RateLimited as limit:
            return _too_early(limit)
        return Response("ok", content_type="text/plain")

    fault = platform.faults.for_call("response_url", team_id, "", {})
    response = misbehaviour.around(platform, fault, process) if fault else process()
    entry.decision = f"fault {fault.effect}" if fault else response.get_data(as_text=True)
    return _finish(platform, entry, response, started)


def _serve(platform: Platform, name: str, method: Method, raw: bytes, entry: Entry) -> Response:
    token: Token | None = None
    try:
        entry.arguments = reading.arguments_of(request, raw, method.takes_json)
    except SlackError as problem:
        entry.decision = problem.code
        return _refusal(problem.code)
    with platform.reading() as world:
        token = world.tokens.get(reading.bearer_of(request, entry.arguments))
        caller = world.installations[token.installation_id] if token else None
    entry.team_id = caller.team_id if caller else _team_of_grant(platform, entry)
    call = Call(platform, name, entry.arguments, token, caller, reading.basic_of(request))

    def process() -> Response:
        return _process(call, method, entry)

    fault = platform.faults.for_call(name, entry.team_id, call.text("channel"), entry.arguments)
    if fault is None:
        return process()
    if fault.effect in misbehaviour.CHANGES:
        misbehaviour.change(platform, fault, token)
    response = misbehaviour.around(platform, fault, process)
    if fault.effect in ("error", "rate_limited"):
        _name_scopes(call, method, response)
    if response.status_code == 429:
        key = ("posting", entry.team_id, fault.channel) if fault.channel else _limited_as(call)
        platform.limiter.block(key, platform.clock.now(), fault.retry_after)
    entry.decision = f"fault {fault.effect}"
    return response


def _team_of_grant(platform: Platform, entry: Entry) -> str:
    """The workspace of a code or refresh token, so that a fault can be meant for it."""
    with platform.reading() as world:
        code = world.codes.get(str(entry.arguments.get("code")))
        refresh = world.refresh_tokens.get(str(entry.arguments.get("refresh_token")))
        if refresh is not None:
            return world.installations[refresh.installation_id].team_id
        return code.team_id if code is not None else ""


def _process(call: Call, method: Method, entry: Entry) -> Response:
    """Slack's own rules, in Slack's order; the state changes here and nowhere else."""
    with call.platform.changing():
        try:
            body = {"ok": True, **_run(call, method)}
            entry.decision = "ok"
            response = jsonify(body)
        except SlackError as problem:
            entry.decision = problem.code
            response = _refusal(problem.code, **problem.extra)
        except RateLimited as limit:
            entry.decision = "ratelimited"
            response = _too_early(limit)
        _name_scopes(call, method, response)
    return response


def _name_scopes(call: Call, method: Method, response: Response) -> None:
    """Every authenticated answer says what the token may do now, errors too."""
    if call.caller is not None:
        response.headers["x-oauth-scopes"] = ",".join(call.caller.scopes)
        response.headers["x-accepted-oauth-scopes"] = method.scope


def _run(call: Call, method: Method) -> dict[str, Any]:
    if method.takes_token:
        _check_token(call)
    _check_rate(call, method)
    if method.scope:
        call.needs(method.scope)
    if unknown := method.unknown(call.arguments):
        call.violation("unknown_argument", ", ".join(unknown))
    missing = [
        name for name in method.needed.split() if not call.has(name) or call.text(name) == ""
    ]
    if missing:
        details = [f"[ERROR] missing required field: {name}" for name in missing]
        raise SlackError("invalid_arguments", response_metadata={"messages": details})
    return method.run(call)


def _check_token(call: Call) -> None:
    if call.token is None:
        raise SlackError("invalid_auth" if _sent_a_token(call) else "not_authed")
    error = rotation.error_of(call.platform, call.token)
    if not error:
        return
    is_known = call.token.was_refused and call.method not in MAY_ASK_WHEN_DEAD
    if is_known and error != "token_expired":  # other workers may still be on their way with it
        call.violation("called_with_dead_token", f"it had been answered {error}")
    call.token.was_refused = True
    raise SlackError(error)


def _sent_a_token(call: Call) -> bool:
    return bool(reading.bearer_of(request, call.arguments))


def _check_rate(call: Call, method: Method) -> None:
    platform = call.platform
    verdict = platform.limiter.admit(
        _limited_as(call),
        call.world.switches.per_minute.get(call.method, method.per_minute),
        platform.clock.now(),
        call.world.switches,
    )
    for rule, detail in verdict.violations:
        call.violation(rule, detail)
    if verdict.retry_after:
        raise RateLimited(verdict.retry_after)


def _limited_as(call: Call) -> tuple[str, str]:
    own = call.caller
    return call.method, (own.team_id or own.enterprise_id) if own else ""


def _note_secrets_in_query(platform: Platform, name: str) -> None:
    for secret in ("token", "client_secret", "refresh_token"):
        if secret in request.args:
            platform.violation("secret_in_query", f"{secret} in the address of the call", name)


def _refusal(code: str, **extra: Any) -> Response:
    return jsonify({"ok": False, "error": code, **extra})


def _too_early(limit: RateLimited) -> Response:
    response = _refusal("ratelimited")
    response.status_code = 429
    response.headers["Retry-After"] = str(limit.seconds)
    return response


def _entry(platform: Platform, kind: str, method: str, raw: bytes) -> Entry:
    asked: Request = request
    return Entry(
        seq=platform.journal.next_seq(),
        at=platform.clock.now(),
        kind=kind,
        method=method,
        verb=asked.method,
        path=asked.path,
        query=asked.query_string.decode(errors="replace"),
        headers=dict(asked.headers.items()),
        body=raw.decode(errors="replace"),
    )


def _finish(platform: Platform, entry: Entry, response: Response, started: float) -> Response:
    entry.status, entry.answer = response.status_code, response.get_data(as_text=True)
    entry.answer_headers = dict(response.headers.items())
    entry.duration = time.monotonic() - started
    if not entry.decision:
        entry.decision = _error_of(entry.answer)
    platform.journal.add(entry)
    return response


def _error_of(answer: str) -> str:
    try:
        return str(json.loads(answer)["error"])
    except (ValueError, KeyError, TypeError):
        return ""
