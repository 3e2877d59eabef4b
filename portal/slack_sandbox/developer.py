"""What went over the wire, what was wrong with it, and what shall fail next?"""

from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from .faults import EFFECTS, SCENES, VARIANTS, BadFault, parse
from .here import here
from .journal import Delivery, Request
from .platform import Platform

bp = Blueprint("developer", __name__, url_prefix="/dev")

DETAILS = ("error", "scope", "variant")  # what some effects need beside the rest
SHOWN = 60  # entries; the control API has the rest
HIDDEN_HEADERS = {"authorization", "cookie", "x-slack-signature"}
MASK = "•••"


@bp.get("")
def panel(problem: str = "") -> str:
    platform = here()
    journal = platform.journal
    entries: list[Request | Delivery] = [*journal.requests, *journal.deliveries]
    entries.sort(key=lambda each: each.seq, reverse=True)
    return render_template(
        "developer.html",
        entries=[shown(each, platform) for each in entries[:SHOWN]],
        violations=list(reversed(journal.violations)),
        faults=platform.faults.describe(),
        effects=EFFECTS,
        variants=VARIANTS,
        scenes={name: words for name, (words, _) in SCENES.items()},
        problem=problem,
    )


@bp.post("/faults")
def add_fault() -> Response | tuple[str, int]:
    """Make matching calls fail from now on, as often as the form says; empty means always."""
    form, platform = request.form, here()
    rule: dict[str, Any] = {
        "effect": form.get("effect"),
        "method": form.get("method", "").strip() or "*",
        "times": form.get("times", type=int),
        **{each: value for each in DETAILS if (value := form.get(each, "").strip())},
    }
    for name in ("seconds", "for_seconds"):
        if seconds := form.get(name, type=float):
            rule[name] = seconds
    rule["after_processing"] = "after_processing" in form
    try:
        platform.faults.add(parse(rule))
    except BadFault as problem:
        return panel(str(problem)), 422
    return redirect(url_for(".panel"), 303)


@bp.post("/scenes/<name>")
def start_scene(name: str) -> Response:
    """Start one of the ready-made rules. 404 for a name that is none of them."""
    if name not in SCENES:
        abort(404)
    here().faults.add(parse(SCENES[name][1]))
    return redirect(url_for(".panel"), 303)


@bp.post("/faults/clear")
def clear_faults() -> Response:
    here().faults.clear()
    return redirect(url_for(".panel"), 303)


def shown(entry: Request | Delivery, platform: Platform) -> dict[str, Any]:
    """One line of the journal with its details; every secret in it is masked."""
    secrets = _secrets(platform)
    verdict = entry.verdict if isinstance(entry, Delivery) else entry.decision
    headers = "\n".join(
        f"{key}: {MASK if key.lower() in HIDDEN_HEADERS else value}"
        for key, value in entry.headers.items()
    )
    return {
        "at": entry.at,
        "direction": "to the app" if isinstance(entry, Delivery) else "from the app",
        "what": entry.kind if isinstance(entry, Delivery) else entry.method,
        "verdict": verdict,
        "is_bad": verdict != "ok" if isinstance(entry, Delivery) else _is_bad(entry),
        "status": entry.status or "no answer",
        "milliseconds": round(entry.duration * 1000),
        "request": _masked(f"{headers}\n\n{entry.body}", secrets),
        "answer": _masked(entry.answer, secrets),
    }


def _is_bad(entry: Request) -> bool:
    return entry.decision not in ("", "ok") or entry.status != 200


def _secrets(platform: Platform) -> list[str]:
    with platform.reading() as world:
        known = [*world.tokens, *world.refresh_tokens, *world.codes, *world.response_urls]
    return [*known, platform.app.client_secret, platform.app.signing_secret]


def _masked(text: str, secrets: list[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, MASK)
    return text
