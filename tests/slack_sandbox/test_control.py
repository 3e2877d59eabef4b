"""Can a test do what people do, make Slack fail, and see everything that went over the wire?"""

import hashlib
import hmac
import json
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from portal.slack_sandbox import Sandbox

from .conftest import CALLBACK, App, authorize_url, code_in, manifest
from .test_rules import QUIET, actions, button

BUTTONS = [actions(button(1, value="alert-7"))]


def post(url: str, document: dict[str, Any]) -> int:
    body = json.dumps(document).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code


def clicked(sandbox: Sandbox, slack: WebClient, app: App) -> dict[str, Any]:
    ts = slack.chat_postMessage(channel="C0OPS", text="Fire", blocks=BUTTONS, **QUIET)["ts"]
    sandbox.click("C0OPS", ts, "go-1", "U0ADA")
    payload = json.loads(parse_qs(app.received[-1][1].decode())["payload"][0])
    assert isinstance(payload, dict)
    return payload


def test_a_click_arrives_signed_over_its_raw_bytes(
    sandbox: Sandbox, slack: WebClient, app: App
) -> None:
    clicked(sandbox, slack, app)
    headers, body = app.received[-1]
    timestamp = headers["x-slack-request-timestamp"]
    base = b"v0:" + timestamp.encode() + b":" + body
    expected = hmac.new(sandbox.signing_secret.encode(), base, hashlib.sha256).hexdigest()
    assert headers["x-slack-signature"] == f"v0={expected}"
    assert abs(time.time() - int(timestamp)) < 60


def test_a_click_says_who_clicked_what_and_where(
    sandbox: Sandbox, slack: WebClient, app: App
) -> None:
    payload = clicked(sandbox, slack, app)
    assert payload["type"] == "block_actions"
    assert payload["api_app_id"] == sandbox.app_id
    assert payload["team"]["id"] == "T0ACME"
    assert payload["user"]["id"] == "U0ADA"
    assert payload["user"]["team_id"] == "T0ACME"
    assert payload["channel"]["id"] == "C0OPS"
    assert payload["container"]["message_ts"] == payload["message"]["ts"]
    assert payload["container"]["is_ephemeral"] is False
    (action,) = payload["actions"]
    assert (action["action_id"], action["value"]) == ("go-1", "alert-7")
    assert action["block_id"] == payload["message"]["blocks"][0]["block_id"]


def test_the_answer_to_a_click_is_handed_back(sandbox: Sandbox, slack: WebClient, app: App) -> None:
    app.status = 500
    ts = slack.chat_postMessage(channel="C0OPS", text="Fire", blocks=BUTTONS, **QUIET)["ts"]
    assert sandbox.click("C0OPS", ts, "go-1", "U0ADA").status == 500


def test_a_response_url_works_five_times(sandbox: Sandbox, slack: WebClient, app: App) -> None:
    url = clicked(sandbox, slack, app)["response_url"]
    assert url.startswith(f"http://{sandbox.response_host}/actions/T0ACME/")
    answers = [post(url, {"text": f"answer {n}"}) for n in range(6)]
    assert answers == [200] * 5 + [404]
    assert len(sandbox.ephemerals("U0ADA")) == 5
    assert sandbox.ephemerals("U0UMA") == []


def test_a_response_url_can_replace_the_message(
    sandbox: Sandbox, slack: WebClient, app: App
) -> None:
    url = clicked(sandbox, slack, app)["response_url"]
    assert post(url, {"text": "Done", "replace_original": True}) == 200
    assert [m["text"] for m in sandbox.messages("C0OPS")] == ["Done"]
    assert post(url, {"delete_original": True}) == 200
    assert sandbox.messages("C0OPS") == []


def test_a_response_url_can_tell_the_channel(sandbox: Sandbox, slack: WebClient, app: App) -> None:
    url = clicked(sandbox, slack, app)["response_url"]
    post(url, {"text": "Hear ye", "response_type": "in_channel"})
    assert [m["text"] for m in sandbox.messages("C0OPS")] == ["Fire", "Hear ye"]


def test_a_rate_limit_fault_says_how_long(sandbox: Sandbox, slack: WebClient) -> None:
    sandbox.add_fault(method="chat.postMessage", effect="rate_limited", retry_after=7)
    with pytest.raises(SlackApiError) as refused:
        slack.chat_postMessage(channel="C0OPS", text="x", **QUIET)
    assert refused.value.response.status_code == 429
    assert refused.value.response.headers["Retry-After"] == "7"


def test_an_error_fault_happens_as_often_as_asked(sandbox: Sandbox, slack: WebClient) -> None:
    sandbox.add_fault(method="users.*", effect="error", error="fatal_error", times=1)
    with pytest.raises(SlackApiError) as refused:
        slack.users_info(user="U0ADA")
    assert refused.value.response["error"] == "fatal_error"
    assert slack.users_info(user="U0ADA")["ok"]


def test_a_message_may_exist_although_the_caller_never_heard(
    sandbox: Sandbox, slack: WebClient
) -> None:
    sandbox.add_fault(method="chat.postMessage", effect="reset", after_processing=True)
    with pytest.raises(OSError, match=r".*"):
        slack.chat_postMessage(channel="C0OPS", text="ghost", **QUIET)
    sandbox.wait_for_message("C0OPS", "ghost")


def test_cleared_faults_are_gone(sandbox: Sandbox, slack: WebClient) -> None:
    sandbox.add_fault(method="*", effect="error", error="fatal_error", times=None)
    sandbox.clear_faults()
    assert slack.auth_test()["ok"]


def test_every_call_is_in_the_journal(sandbox: Sandbox, slack: WebClient) -> None:
    slack.users_info(user="U0ADA")
    assert len(sandbox.requests("users.info")) == 1
    assert len(sandbox.requests()) > 1


def test_a_reset_forgets_everything(sandbox: Sandbox, slack: WebClient) -> None:
    slack.chat_postMessage(channel="C0OPS", text="x")
    sandbox.reset()
    assert sandbox.messages("C0OPS") == []
    assert sandbox.violations() == []
    with pytest.raises(SlackApiError):
        slack.auth_test()


def test_the_state_survives_a_restart(tmp_path: Path, app: App) -> None:
    file = tmp_path / "state.json"
    with Sandbox(manifest(app.url), state_file=file) as first:
        callback = first.consent(authorize_url(first), "T0ACME", "U0OLIVIA")
        token = WebClient(base_url=first.api_url).oauth_v2_access(
            client_id=first.client_id,
            client_secret=first.client_secret,
            code=code_in(callback),
            redirect_uri=CALLBACK,
        )["access_token"]
        WebClient(token, base_url=first.api_url).chat_postMessage(channel="C0OPS", text="kept")
    with Sandbox(manifest(app.url), state_file=file) as second:
        assert [m["text"] for m in second.messages("C0OPS")] == ["kept"]
        assert WebClient(token, base_url=second.api_url).auth_test()["ok"]


def test_an_unreadable_state_is_kept_aside(
    tmp_path: Path, app: App, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "state.json"
    file.write_text("{ not json")
    with Sandbox(manifest(app.url), state_file=file) as fresh:
        assert fresh.messages("C0OPS") == []
    spoken = capsys.readouterr()
    assert "state.json" in spoken.out + spoken.err
    assert "{ not json" in [p.read_text() for p in tmp_path.iterdir()]
