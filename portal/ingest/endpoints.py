"""Where do monitoring tools send their events, and what are they answered? (product.md section 9)

Every answer but 202 is JSON `{status, message, code, details}`; 202 means that it is committed.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import structlog
from flask import Blueprint, Response, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from portal.db import db
from portal.domain import rate_limits
from portal.domain.alerts import receive
from portal.domain.alerts.incoming import IncomingEvent
from portal.domain.sources import queries as sources
from portal.domain.sources.models import AlertSource
from portal.errors import Invalid, NotFound, TooMany
from portal.ingest.formats import alertmanager, native

WINDOW = timedelta(minutes=1)
STEPS = 200  # so often in a minute, at most, a process asks the database for a source's count
RETRY_AFTER_AN_OUTAGE = 5  # seconds

log = structlog.get_logger()
bp = Blueprint("ingest", __name__)


@bp.post("/api/events")
def events() -> ResponseReturnValue:
    """Store one event and open, join or change its alert, then answer 202."""
    key, event = native.parse(request.get_data())
    source = sources.by_integration_key(key)
    _limit(source)
    received = receive.receive(source, event)
    response = Response(status=202, headers={"correlation-id": str(received.id)})
    del response.headers["Content-Type"]  # there is no content
    return response


@bp.post("/api/ingest/alertmanager/<token>")
def from_alertmanager(token: str) -> ResponseReturnValue:
    """Alertmanager's own notifications; `token` is the source's integration key."""
    return _store_all(token, alertmanager.parse)


@bp.route("/api/ingest/alertmanager/<token>", methods=["GET", "PUT", "PATCH", "DELETE"])
def only_post_notifications(token: str) -> ResponseReturnValue:
    return only_post()


def _store_all(token: str, parse: Callable[[bytes], list[IncomingEvent]]) -> ResponseReturnValue:
    """Store all that a tool says in its own format, or nothing of it, then answer 202.

    The answer names the first event; the source's event log has them all.
    """
    source = sources.by_integration_key(token)
    found = parse(request.get_data())
    response = Response(status=202)
    if found:
        _limit(source, len(found))
        response.headers["correlation-id"] = str(receive.receive_all(source, found)[0].id)
    del response.headers["Content-Type"]  # there is no content
    return response


@bp.route("/api/events", methods=["GET", "PUT", "PATCH", "DELETE"])
def only_post() -> ResponseReturnValue:
    answer = _answer(405, "METHOD_NOT_ALLOWED", "Please send events with POST.")
    answer.headers["Allow"] = "POST"
    return answer


def _limit(source: AlertSource, number: int = 1) -> None:
    limit = current_app.config["EVENTS_PER_MINUTE"]
    step = max(1, limit // STEPS)
    key = f"events:{source.id}"
    verdict = rate_limits.hit(key, limit=limit, window=WINDOW, step=step, number=number)
    if not verdict.is_allowed:
        raise TooMany(
            f"This alert source may send {limit} events per minute. Please send it again later.",
            retry_after=verdict.retry_after,
        )


@bp.errorhandler(Invalid)
def invalid(problem: Invalid) -> ResponseReturnValue:
    details = [{"field": problem.field, "message": str(problem)}] if problem.field else None
    return _answer(400, "INVALID_EVENT", str(problem), details=details)


@bp.errorhandler(NotFound)
def unknown_key(problem: NotFound) -> ResponseReturnValue:
    return _answer(404, "UNKNOWN_INTEGRATION_KEY", str(problem))


@bp.errorhandler(TooMany)
def too_many(problem: TooMany) -> ResponseReturnValue:
    return _answer(429, "TOO_MANY_EVENTS", str(problem), retry_after=problem.retry_after)


@bp.errorhandler(RequestEntityTooLarge)
def too_large(problem: RequestEntityTooLarge) -> ResponseReturnValue:
    return _answer(413, "EVENT_TOO_LARGE", "An event may have up to 1 MiB.")


@bp.errorhandler(HTTPException)
def other(problem: HTTPException) -> ResponseReturnValue:
    status = problem.code or 500
    return _answer(status, problem.name.upper().replace(" ", "_"), problem.description or "")


@bp.errorhandler(OperationalError)
@bp.errorhandler(InterfaceError)
@bp.errorhandler(PoolTimeout)
def database_away(problem: Exception) -> ResponseReturnValue:
    log.error("event_not_stored", problem=type(problem).__name__)
    message = (
        "The event was not stored, because the database does not answer. Please send it again."
    )
    return _answer(503, "NOT_STORED", message, retry_after=RETRY_AFTER_AN_OUTAGE)


@bp.errorhandler(Exception)
def fault(problem: Exception) -> ResponseReturnValue:
    log.exception("event_failed", exc_info=problem)
    message = "The event was not stored, because of a fault on our side. Please send it again."
    return _answer(500, "NOT_STORED", message, retry_after=RETRY_AFTER_AN_OUTAGE)


def _answer(
    status: int, code: str, message: str, *, details: Any = None, retry_after: int | None = None
) -> Response:
    db.session.rollback()
    body = {"status": status, "message": message, "code": code}
    answer = jsonify(body | ({"details": details} if details else {}))
    answer.status_code = status
    if retry_after is not None:
        answer.headers["Retry-After"] = str(retry_after)
    return answer
