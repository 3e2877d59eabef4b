"""What is written to the log? One JSON line per event: a constant name, ids, never a secret."""

import logging
import re
import sys
import uuid
from collections.abc import MutableMapping
from typing import Any

import structlog
from flask import Flask, Response, g, request

SECRET_NAMES = re.compile(
    r"password|secret|token|authorization|cookie|response_url|integration_?key|routing_key|\bcode\b",
    re.IGNORECASE,
)
SECRET_VALUES = re.compile(
    r"xox[a-z]-[\w.-]+|xoxe\.[\w.-]+|https?://[^\s\"']*/(?:actions|commands|app|app-actions|services)/[^\s\"']+"
    r"|(?<=Bearer )[\w.~+/=-]+|(?<=[?&]code=)[^&\s\"']+|(?<=[?&]state=)[^&\s\"']+|(?<=/api/ingest/)[\w-]+/[\w-]+"
    r"|(?<=/invitations/)[\w-]+|(?<=/connect/)[\w-]+|(?<=/calendar/)[\w-]+|\$argon2\w*\$[\w$=,+/.-]*"
)
HIDDEN = "[hidden]"
REQUEST_ID = re.compile(r"[\w-]{8,64}")


def configure(level: str) -> None:
    """Send our log and every library's to standard error, as JSON."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        hide_secrets,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                hide_secrets,
                structlog.processors.JSONRenderer(default=repr),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    quiet = max(logging.INFO, root.level)
    # At DEBUG these write whole requests and answers, tokens included.
    for name in ("urllib3", "requests_oauthlib", "authlib"):
        logging.getLogger(name).setLevel(quiet)
    # It writes whole answers also as errors; every one of its errors is logged by its code.
    logging.getLogger("slack_sdk").setLevel(logging.CRITICAL)
    logging.getLogger("procrastinate").setLevel(max(logging.WARNING, root.level))


def hide_secrets(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace what looks like a secret, whatever a library put into its message."""
    for name, value in event.items():
        if name.startswith("_"):
            continue
        if SECRET_NAMES.search(name):
            event[name] = HIDDEN
        elif isinstance(value, str):
            event[name] = SECRET_VALUES.sub(HIDDEN, value)
    return event


def init_app(app: Flask) -> None:
    """Give every request an id, which its log lines and its answer carry."""
    log = structlog.get_logger()

    @app.before_request
    def begin() -> None:
        given = request.headers.get("X-Request-ID", "")
        g.request_id = given if REQUEST_ID.fullmatch(given) else str(uuid.uuid4())
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    @app.after_request
    def finish(response: Response) -> Response:
        response.headers.setdefault("X-Request-ID", g.request_id)
        endpoint = request.endpoint or "unknown"
        if not endpoint.startswith("health."):
            log.info(
                "request_answered",
                method=request.method,
                endpoint=endpoint,
                status=response.status_code,
            )
        return response
