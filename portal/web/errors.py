"""What does a person read when something went wrong? Words, and a reference for the log."""

import structlog
from flask import Flask, Response, current_app, g, jsonify, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError
from werkzeug.exceptions import HTTPException, SecurityError

from portal.db import db
from portal.errors import NOTHING_HERE, PortalError, TooMany
from portal.web.render import wants_fragment

log = structlog.get_logger()

FOR_PROGRAMS = ("/api/", "/v2/", "/slack/")

TITLES = {
    400: "This request did not fit",
    403: "This is not yours to open",
    404: "There is nothing here",
    405: "This address is not for that",
    409: "That is no longer possible",
    413: "That was too large",
    422: "Something does not fit",
    429: "Too many attempts",
    500: "Something broke on our side",
}
WORDS = {
    400: "The portal could not read what your browser sent. Go back, load the page again, retry.",
    401: "This request is not signed with this Slack app's signing secret, or it is too old.",
    403: "You may not do this. Ask an admin of your account.",
    404: NOTHING_HERE,
    405: "Open the page first, then use its buttons.",
    413: "Please send less than 1 MB at once.",
    429: "Please wait a minute, then try again.",
    500: "You did nothing wrong. Try again; if it stays, give your operator the reference below.",
}
EXPIRED = (
    "This form is no longer valid, often because you signed in or out meanwhile. "
    "Load the page again."
)


def init_app(app: Flask) -> None:
    """Answer every refusal and every fault in the form that the caller can use."""
    app.register_error_handler(PortalError, _refused)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(DataError, _unstorable)


def _refused(problem: PortalError) -> Response:
    response = _answer(problem.status, str(problem))
    if isinstance(problem, TooMany):
        response.headers["Retry-After"] = str(problem.retry_after)
    return response


def _http(problem: HTTPException) -> Response:
    """Also faults: Flask has logged them, with their trace, and gives them as a 500."""
    if problem.response is not None or problem.code is None or problem.code < 400:
        return make_response(problem.get_response())
    words = EXPIRED if isinstance(problem, CSRFError) else WORDS.get(problem.code, "")
    if isinstance(problem, SecurityError) or not words:
        words = problem.description or ""
    response = _answer(problem.code, words)
    for name, value in problem.get_headers():
        if name in ("Allow", "Retry-After"):
            response.headers[name] = value
    return response


def _unstorable(problem: DataError) -> Response:
    """A NUL in a text, a number beyond bigint: no browser sends what PostgreSQL cannot keep."""
    log.warning("input_not_storable", problem=str(problem.orig))
    return _answer(400, WORDS[400])


def _answer(status: int, words: str) -> Response:
    db.session.rollback()
    if request.path.startswith(FOR_PROGRAMS):
        response = jsonify(message=words, reference=g.get("request_id"))
    else:
        response = make_response(_html(status, words))
        response.vary.add("HX-Request")
    response.headers["Cache-Control"] = "no-store"
    response.status_code = status
    if wants_fragment():
        # An error never replaces what the person was reading; portal.js lets this one in.
        response.headers.update({"HX-Retarget": "#toasts", "HX-Reswap": "beforeend"})
    return response


def _html(status: int, words: str) -> str:
    said = {"title": TITLES.get(status, TITLES[400]), "words": words, "status": status}
    if wants_fragment():
        return render_template("errors/_toast.html", **said)
    if status < 500:
        return render_template("errors/show.html", **said)
    # Without context processors: they would ask a database that may be what broke.
    return current_app.jinja_env.get_template("errors/500.html").render(**said)
