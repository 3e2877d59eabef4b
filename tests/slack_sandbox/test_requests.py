"""Is every request read and refused as Slack does, before any method looks at it?"""

import json
import urllib.request
from typing import Any

import pytest
from slack_sdk import WebClient

from portal.slack_sandbox import Sandbox

FORM, JSON = "application/x-www-form-urlencoded", "application/json"


def raw_call(
    sandbox: Sandbox, method: str, body: bytes | None, token: str = "", content_type: str = ""
) -> tuple[dict[str, Any], dict[str, str]]:
    """One call without the SDK: the answer, and its headers in lower case."""
    headers = {"Content-Type": content_type} if content_type else {}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(f"{sandbox.api_url}{method}", body, headers)
    if body is not None and not content_type:
        request.add_unredirected_header("Content-Type", "")
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer), {key.lower(): value for key, value in answer.headers.items()}


def error(sandbox: Sandbox, method: str, body: bytes, token: str, content_type: str) -> str:
    return str(raw_call(sandbox, method, body, token, content_type)[0].get("error", "ok"))


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        (JSON, b'{"channel":', "invalid_json"),
        (JSON, b"[1]", "json_not_object"),
        ("text/plain", b"channel=C0OPS", "invalid_post_type"),
        ("", b"channel=C0OPS", "missing_post_type"),
        (FORM, b"channel=%ff%fe", "invalid_form_data"),
        (FORM, b"channel=C0OPS&text=x&blocks=%5Bnonsense", "invalid_blocks_format"),
        (FORM, b"channel=C0OPS&text=x&blocks=%7B%7D", "invalid_blocks_format"),
        (FORM, b"channel=C0OPS&text=x&attachments=1", "invalid_attachments"),
        (FORM, b"text=x", "invalid_arguments"),
        (FORM, b"channel=C0OPS&text=form", "ok"),
        (JSON, b'{"channel":"C0OPS","text":"json","thread_ts":null}', "ok"),
    ],
)
def test_a_body_is_read_or_refused_with_the_reason(
    sandbox: Sandbox, slack: WebClient, content_type: str, body: bytes, expected: str
) -> None:
    assert error(sandbox, "chat.postMessage", body, str(slack.token), content_type) == expected


def test_a_multipart_form_is_read(sandbox: Sandbox, slack: WebClient) -> None:
    fields = {"channel": "C0OPS", "text": "multipart"}
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'
        for key, value in fields.items()
    ]
    body = ("".join(parts) + "--b--\r\n").encode()
    kind = "multipart/form-data; boundary=b"
    assert error(sandbox, "chat.postMessage", body, str(slack.token), kind) == "ok"


def test_reading_methods_ignore_a_json_body(sandbox: Sandbox, slack: WebClient) -> None:
    body = b'{"user":"U0ADA"}'
    assert error(sandbox, "users.info", body, str(slack.token), JSON) == "invalid_arguments"
    assert error(sandbox, "users.info", b"user=U0ADA", str(slack.token), FORM) == "ok"


def test_reading_methods_may_be_asked_with_get(sandbox: Sandbox, slack: WebClient) -> None:
    answer, _ = raw_call(sandbox, "users.info?user=U0ADA", None, str(slack.token))
    assert answer["user"]["id"] == "U0ADA"


def test_a_missing_argument_is_named(sandbox: Sandbox, slack: WebClient) -> None:
    answer, _ = raw_call(sandbox, "chat.postMessage", b"text=x", str(slack.token), FORM)
    assert answer["response_metadata"]["messages"] == ["[ERROR] missing required field: channel"]


def test_a_token_counts_in_the_form_and_not_in_json(sandbox: Sandbox, slack: WebClient) -> None:
    form = f"token={slack.token}&channel=C0OPS&text=x".encode()
    assert error(sandbox, "chat.postMessage", form, "", FORM) == "ok"
    body = json.dumps({"token": slack.token, "channel": "C0OPS", "text": "x"}).encode()
    assert error(sandbox, "chat.postMessage", body, "", JSON) == "not_authed"


def test_errors_name_the_scopes_of_the_token_as_well(sandbox: Sandbox, slack: WebClient) -> None:
    _, headers = raw_call(sandbox, "users.info", b"user=U0X", str(slack.token), FORM)
    assert "users:read" in headers["x-oauth-scopes"].split(",")
    assert headers["x-accepted-oauth-scopes"] == "users:read"


def test_an_unknown_argument_is_a_violation(sandbox: Sandbox, slack: WebClient) -> None:
    raw_call(sandbox, "users.info", b"user=U0ADA&usr=1", str(slack.token), FORM)
    assert [each.rule for each in sandbox.violations()] == ["unknown_argument"]


def test_the_client_secret_in_a_query_is_a_violation(sandbox: Sandbox) -> None:
    raw_call(sandbox, "oauth.v2.access?client_secret=x", b"code=1", "", FORM)
    assert [each.rule for each in sandbox.violations()] == ["secret_in_query"]


def test_credentials_of_the_exchange_may_be_a_form(sandbox: Sandbox) -> None:
    body = f"client_id={sandbox.client_id}&client_secret={sandbox.client_secret}&code=x".encode()
    assert error(sandbox, "oauth.v2.access", body, "", FORM) == "invalid_code"


def test_a_dead_token_may_be_confirmed_but_not_used_again(
    sandbox: Sandbox, slack: WebClient
) -> None:
    sandbox.admin("uninstall", team_id="T0ACME")
    token = str(slack.token)
    for method in ("users.list", "auth.test"):
        assert error(sandbox, method, b"", token, FORM) == "account_inactive"
    assert sandbox.violations() == []
    error(sandbox, "users.list", b"", token, FORM)
    assert [each.rule for each in sandbox.violations()] == ["called_with_dead_token"]


def test_the_api_can_be_tried_without_a_token(sandbox: Sandbox) -> None:
    assert raw_call(sandbox, "api.test", b"foo=bar", "", FORM)[0]["args"] == {"foo": "bar"}
    assert error(sandbox, "api.test", b"error=my_error", "", FORM) == "my_error"
