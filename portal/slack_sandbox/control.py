"""How does a test steer the sandbox over HTTP? JSON under /_sandbox/, from this machine only."""

import inspect
from collections.abc import Callable
from dataclasses import asdict, is_dataclass
from ipaddress import ip_address
from typing import Any

from flask import Blueprint, Response, abort, jsonify, request

from . import acting, admin, event_sending, operations
from .faults import SCENES, BadFault, parse
from .here import here
from .lookups import Impossible
from .oauth import Refused
from .payloads import NotThere
from .platform import Platform

bp = Blueprint("control", __name__, url_prefix="/_sandbox")

READS: dict[str, Callable[..., Any]] = {
    "state": operations.state,
    "requests": operations.requests,
    "deliveries": operations.deliveries,
    "violations": operations.violations,
}
CHANGES: dict[str, Callable[..., Any]] = {
    "reset": operations.seed,
    "seed": operations.seed,
    "install": operations.install,
    "consent": operations.consent,
    "act/click": operations.click,
    "act/select": operations.select,
    "act/choose": acting.choose,
    "act/suggest": acting.suggest,
    "act/command": acting.command,
    "act/message": acting.say,
    "act/reply": acting.reply,
    "act/shortcut": acting.shortcut,
    "act/message_shortcut": acting.message_shortcut,
    "act/view": acting.act_in_view,
    "act/fill": acting.fill_view,
    "act/submit": acting.submit_view,
    "act/close": acting.close_view,
    "act/open_home": acting.open_home,
    "deliver": operations.deliver,
    "clock": operations.clock,
    "away": operations.away,
    "events/send": event_sending.send_event,
    "events/hold": event_sending.hold,
    "events/release": event_sending.release,
    "events/verify": event_sending.verify_url,
}
NUMBERS = {"since": int, "count": int, "wait": float}


@bp.before_request
def _only_from_here() -> None:
    """Whoever can reach this can do everything."""
    if not ip_address(request.remote_addr or "0.0.0.0").is_loopback:  # noqa: S104 - means "unknown"
        abort(403, "The control API answers this machine only.")


@bp.errorhandler(BadFault)
@bp.errorhandler(NotThere)
@bp.errorhandler(operations.Unknown)
@bp.errorhandler(Impossible)
def _refuse(problem: Exception) -> tuple[Response, int]:
    return jsonify({"error": str(problem)}), 400


@bp.errorhandler(Refused)
def _refused(problem: Refused) -> tuple[Response, int]:
    return jsonify({"error": problem.code}), 400


@bp.get("/<any(state, requests, deliveries, violations):what>")
def read(what: str) -> Response:
    arguments = {key: NUMBERS.get(key, str)(value) for key, value in request.args.items()}
    return _answer(_call(READS[what], arguments))


@bp.get("/messages")
def messages() -> Response:
    found = operations.messages(here(), request.args["channel"], request.args.get("as"))
    return _answer(found)


@bp.get("/views")
def views() -> Response:
    """What a person has open: {"modal": …, "home": …}, null where there is none."""
    user_id = request.args["user"]
    modal = acting.open_view_of(here(), user_id)
    return _answer({"modal": modal, "home": acting.home_of(here(), user_id)})


@bp.post("/admin/<name>")
def administer(name: str) -> Response:
    if name not in admin.OPERATIONS:
        abort(404, f"There is no operation {name}; there are {', '.join(admin.OPERATIONS)}.")
    return _answer(_call(admin.OPERATIONS[name], _sent()))


@bp.post("/faults")
def add_fault() -> Response:
    """A rule, or a ready-made one as {"scene": name}."""
    sent = _sent()
    rule = SCENES[sent["scene"]][1] if sent.get("scene") in SCENES else sent
    return _answer(here().faults.add(parse(rule)))


@bp.get("/faults")
def faults() -> Response:
    return _answer(here().faults.describe())


@bp.delete("/faults")
def clear_faults() -> Response:
    here().faults.clear()
    return _answer(None)


@bp.post("/<path:what>")
def change(what: str) -> Response:
    if what not in CHANGES:
        abort(404, f"There is no {what}; there are {', '.join(CHANGES)}.")
    return _answer(_call(CHANGES[what], _sent()))


def _sent() -> dict[str, Any]:
    sent = request.get_json(silent=True) if request.get_data() else {}
    if not isinstance(sent, dict):
        abort(400, "Send a JSON object.")
    return sent


def _call(run: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    platform: Platform = here()
    try:
        inspect.signature(run).bind(platform, **arguments)
    except TypeError as problem:
        abort(400, f"{str(problem).capitalize()}.")
    return run(platform, **arguments)


def _answer(result: Any) -> Response:
    if isinstance(result, list):
        return jsonify([asdict(each) if is_dataclass(each) else each for each in result])  # type: ignore[arg-type]
    if is_dataclass(result) and not isinstance(result, type):
        return jsonify(asdict(result))
    return jsonify(result if isinstance(result, dict) else {"answer": result})
