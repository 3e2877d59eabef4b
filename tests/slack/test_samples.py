"""Does everything that Slack may send get a calm answer? Its own sample payloads, all of them."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient

from tests.slack.signed import FORM, JSON, signed


def payloads() -> Iterator[tuple[str, Any]]:
    folder = os.environ.get("TOCSIN_SLACK_SAMPLES")
    if not folder:
        return
    path = Path(folder) / "bolt-python" / "bolt_python_payloads.json"
    for key, payload in json.loads(path.read_text())["payloads"].items():
        if key.endswith("invalid_payloads"):
            yield from ((f"{key}:{number}", each) for number, each in enumerate(payload))
        else:
            yield key, payload


SAMPLES = list(payloads())
needs_samples = pytest.mark.skipif(
    not SAMPLES, reason="TOCSIN_SLACK_SAMPLES does not name a folder with Slack's samples"
)


def request_of(payload: Any) -> tuple[str, str, str]:
    if isinstance(payload, str):
        return "/slack/commands", FORM, payload
    if isinstance(payload, dict) and "command" in payload:
        return "/slack/commands", FORM, urlencode(payload)
    if isinstance(payload, dict) and payload.get("type") == "event_callback":
        return "/slack/events", JSON, json.dumps(payload)
    loads_options = isinstance(payload, dict) and payload.get("type") in (
        "block_suggestion",
        "dialog_suggestion",
    )
    path = "/slack/options" if loads_options else "/slack/interactions"
    return path, FORM, urlencode({"payload": json.dumps(payload)})


@needs_samples
def test_every_sample_is_answered_when_signed_and_refused_when_not(client: FlaskClient) -> None:
    assert len(SAMPLES) > 100
    for key, payload in SAMPLES:
        path, content_type, body = request_of(payload)
        answer = client.post(path, **signed(body, content_type))
        assert answer.status_code == 200, key
        assert client.post(path, data=body, content_type=content_type).status_code == 401, key


@needs_samples
def test_every_sample_goes_to_every_endpoint_without_a_fault(client: FlaskClient) -> None:
    for key, payload in SAMPLES:
        _, content_type, body = request_of(payload)
        for path in ("interactions", "options", "commands", "events"):
            answer = client.post(f"/slack/{path}", **signed(body, content_type))
            assert answer.status_code < 500, (key, path)


@needs_samples
def test_samples_with_a_key_missing_or_null_are_answered(client: FlaskClient) -> None:
    for key, payload in SAMPLES:
        if not isinstance(payload, dict) or payload.get("type") != "block_actions":
            continue
        for name in payload:
            for broken in (
                {**payload, name: None},
                {k: v for k, v in payload.items() if k != name},
            ):
                path, content_type, body = request_of(broken)
                answer = client.post(path, **signed(body, content_type))
                assert answer.status_code == 200, (key, name)
