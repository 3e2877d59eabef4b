"""What did the caller send? Arguments and credentials out of query, form or JSON."""

import base64
import binascii
import json
from typing import Any
from urllib.parse import parse_qsl

from flask import Request

from .call import SlackError

FORM, MULTIPART, JSON = (
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "application/json",
)


def arguments_of(request: Request, raw: bytes, takes_json: bool) -> dict[str, Any]:
    """The arguments, wherever Slack reads them. Raises SlackError for a body it does not take.

    Source: Slack docs, Using the Slack Web API. Query parameters count on GET only.
    """
    if request.method == "GET":
        return dict(request.args.items())
    if not raw and not request.form:
        return {}
    if not request.content_type:
        raise SlackError("missing_post_type")
    if request.mimetype == FORM:
        return _form(raw)
    if request.mimetype == MULTIPART:
        return dict(request.form.items())
    if request.mimetype == JSON:
        sent = _json(raw)
        return (
            {key: value for key, value in sent.items() if value is not None} if takes_json else {}
        )
    raise SlackError("invalid_post_type")


def _form(raw: bytes) -> dict[str, Any]:
    try:
        return dict(parse_qsl(raw.decode(), keep_blank_values=True, errors="strict"))
    except ValueError:
        raise SlackError("invalid_form_data") from None


def _json(raw: bytes) -> dict[str, Any]:
    try:
        sent = json.loads(raw)
    except ValueError:
        raise SlackError("invalid_json") from None
    if not isinstance(sent, dict):
        raise SlackError("json_not_object")
    return sent


def bearer_of(request: Request, arguments: dict[str, Any]) -> str:
    """The token of the header, else of a form field; never of the query or of a JSON body."""
    header = request.headers.get("Authorization", "")
    if header.startswith("Bearer "):
        return header.removeprefix("Bearer ").strip()
    if request.method == "POST" and request.mimetype in (FORM, MULTIPART):
        return str(arguments.get("token") or "")
    return ""


def basic_of(request: Request) -> tuple[str, str] | None:
    header = request.headers.get("Authorization", "")
    if not header.startswith("Basic "):
        return None
    try:
        user, _, password = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return user, password
