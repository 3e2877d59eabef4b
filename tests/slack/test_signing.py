"""Is only what Slack signed let in?"""

import json
import os
from pathlib import Path

import pytest
import time_machine
from flask.testing import FlaskClient

from portal.slack.signing import _is_signed_with
from tests.slack.signed import FORM, JSON, signed

ENDPOINTS = ["/slack/interactions", "/slack/options", "/slack/commands", "/slack/events"]


@pytest.mark.parametrize("path", ENDPOINTS)
def test_a_signed_request_is_answered_and_an_unsigned_one_refused(
    client: FlaskClient, path: str
) -> None:
    assert client.post(path, **signed("a=b")).status_code == 200
    assert client.post(path, data="a=b", content_type=FORM).status_code == 401


@pytest.mark.parametrize("path", ENDPOINTS)
def test_a_wrong_secret_an_old_timestamp_and_a_changed_body_are_refused(
    client: FlaskClient, path: str
) -> None:
    assert client.post(path, **signed("a=b", secret="another")).status_code == 401
    assert client.post(path, **signed("a=b", age=301)).status_code == 401
    assert client.post(path, **signed("a=b", age=-302)).status_code == 401
    assert client.post(path, **{**signed("a=b"), "data": b"a=c"}).status_code == 401


@pytest.mark.parametrize(
    ("timestamp", "signature", "body"),
    [
        ("abc", "v0=00", b"a=b"),
        ("", "v0=00", b"a=b"),
        ("123.5", "v0=00", b"a=b"),
        ("1531420618", "v0=\u00fc", b"a=b"),
        ("1531420618", "", b"\xff\xfe"),
    ],
)
def test_garbage_is_refused_and_not_a_fault(
    client: FlaskClient, timestamp: str, signature: str, body: bytes
) -> None:
    headers = {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": signature}
    answer = client.post("/slack/interactions", data=body, content_type=FORM, headers=headers)
    assert answer.status_code == 401


def test_slacks_handshake_is_answered(client: FlaskClient) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "c1"})
    assert client.post("/slack/events", **signed(body, JSON)).json == {"challenge": "c1"}


def test_slacks_documented_signature_is_accepted_at_its_time(client: FlaskClient) -> None:
    folder = os.environ.get("TOCSIN_SLACK_SAMPLES")
    if not folder:
        pytest.skip("TOCSIN_SLACK_SAMPLES does not name a folder with Slack's samples")
    vector = json.loads((Path(folder) / "signature" / "documented_vector.json").read_text())
    headers = {name.upper(): value for name, value in vector["headers"].items()}
    context = client.application.test_request_context(
        "/slack/commands", method="POST", data=vector["body"], content_type=FORM, headers=headers
    )
    with context:
        moment = int(vector["headers"].get("X-Slack-Request-Timestamp") or 1531420618)
        with time_machine.travel(moment, tick=False):
            assert _is_signed_with(vector["signing_secret"])
            assert not _is_signed_with("another")
        with time_machine.travel(moment + 301, tick=False):
            assert not _is_signed_with(vector["signing_secret"])
