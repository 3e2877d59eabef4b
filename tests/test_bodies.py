"""Is a body taken whole or refused, and never cut, whether it says its length or not?"""

import io
import json
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse, create_environ, run_wsgi_app
from werkzeug.wrappers import Request

from portal.bodies import LARGEST
from portal.db import db
from portal.domain.alerts.models import Alert
from tests.make import make_source
from tests.slack.signed import signed

SLACK = ["/slack/interactions", "/slack/options", "/slack/commands", "/slack/events"]


def send(
    app: Flask, path: str, body: bytes, *, is_chunked: bool, headers: dict[str, str] | None = None
) -> TestResponse:
    """With a Content-Length, or as gunicorn hands over a chunked body: with an end only."""
    form = "application/x-www-form-urlencoded"
    environ = create_environ(path, method="POST", headers=headers, content_type=form, data=body)
    if is_chunked:
        del environ["CONTENT_LENGTH"]
        environ |= {"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True}
    return TestResponse(*run_wsgi_app(app, environ, buffered=True), request=Request(environ))


def event(key: str, size: int) -> bytes:
    """An event that is so many bytes long."""
    body: dict[str, Any] = {"integrationKey": key, "eventType": "ALERT", "summary": "Disk full"}
    bare = len(json.dumps(body | {"details": ""}).encode())
    return json.dumps(body | {"details": "x" * (size - bare)}).encode()


@pytest.mark.parametrize("is_chunked", [False, True])
def test_an_event_may_have_a_mebibyte_and_not_a_byte_more(app: Flask, is_chunked: bool) -> None:
    with app.app_context():
        _, key = make_source()
    taken = send(app, "/api/events", event(key, LARGEST), is_chunked=is_chunked)
    assert taken.status_code == 202
    refused = send(app, "/api/events", event(key, LARGEST + 1), is_chunked=is_chunked)
    assert refused.status_code == 413
    assert (refused.get_json() or {})["code"] == "EVENT_TOO_LARGE"
    with app.app_context():
        assert db.session.query(Alert).count() == 1


@pytest.mark.parametrize("is_chunked", [False, True])
@pytest.mark.parametrize("path", SLACK)
def test_what_slack_signed_is_not_cut_either(app: Flask, path: str, is_chunked: bool) -> None:
    whole, cut = b"a=b&c=" + b"x" * LARGEST, slice(0, LARGEST)
    headers = signed(whole[cut])["headers"]  # so that the part alone would be believed
    assert send(app, path, whole, is_chunked=is_chunked, headers=headers).status_code == 413
    small = signed(b"a=b")["headers"]
    assert send(app, path, b"a=b", is_chunked=is_chunked, headers=small).status_code == 200
