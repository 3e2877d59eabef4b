"""Can Slack be made to fail in every way that a client has to survive?"""

import http.client
import time
import urllib.error
from typing import Any

import pytest
import requests
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from portal.slack_sandbox import Sandbox, platform
from portal.slack_sandbox.faults import BadFault

from .conftest import CALLBACK, authorize_url, code_in
from .test_rules import QUIET
from .test_web_api import refusal


def failure(slack: WebClient) -> Any:
    with pytest.raises(SlackApiError) as refused:
        slack.users_info(user="U0ADA")
    return refused.value.response


@pytest.mark.parametrize(
    ("variant", "status", "error"),
    [
        ("status", 429, "ratelimited"),
        ("no_header", 429, "ratelimited"),
        ("not_a_number", 429, "ratelimited"),
        ("fraction", 429, "ratelimited"),
        ("ok_ratelimited", 200, "ratelimited"),
        ("ok_rate_limited", 200, "rate_limited"),
        ("ok_message_limit_exceeded", 200, "message_limit_exceeded"),
    ],
)
def test_a_rate_limit_comes_in_all_of_slacks_forms(
    sandbox: Sandbox, slack: WebClient, variant: str, status: int, error: str
) -> None:
    sandbox.add_fault(effect="rate_limited", variant=variant, retry_after=9, times=1)
    response = failure(slack)
    assert (response.status_code, response["error"]) == (status, error)
    expected = {"status": "9", "not_a_number": "a while", "fraction": "8.5"}.get(variant)
    assert response.headers.get("Retry-After") == expected


@pytest.mark.parametrize("status", [500, 502, 503])
@pytest.mark.parametrize("variant", ["html", "json"])
def test_slack_may_be_down_in_html_or_json(
    sandbox: Sandbox, slack: WebClient, status: int, variant: str
) -> None:
    sandbox.add_fault(effect="server_error", status=status, variant=variant, times=1)
    assert failure(slack).status_code == status
    assert slack.users_info(user="U0ADA")["ok"]


@pytest.mark.parametrize(
    ("variant", "body"),
    [("html", "<!DOCTYPE html>"), ("empty", ""), ("truncated", '{"ok":true,'), ("array", "[]")],
)
def test_an_answer_may_be_no_json(
    sandbox: Sandbox, slack: WebClient, variant: str, body: str
) -> None:
    sandbox.add_fault(effect="not_json", variant=variant, times=1)
    with pytest.raises((SlackApiError, ValueError)):
        slack.users_info(user="U0ADA")
    (request,) = sandbox.requests("users.info")
    assert (request.status, request.decision) == (200, "fault not_json")
    assert request.answer.startswith(body)


def test_a_reset_before_processing_leaves_no_message(sandbox: Sandbox, slack: WebClient) -> None:
    sandbox.add_fault(effect="reset", method="chat.postMessage", times=1)
    with pytest.raises((OSError, http.client.HTTPException)):
        slack.chat_postMessage(channel="C0OPS", text="x", **QUIET)
    assert sandbox.messages("C0OPS") == []


def test_a_reset_after_processing_leaves_the_message_there(
    sandbox: Sandbox, slack: WebClient
) -> None:
    sandbox.add_fault(effect="reset", method="chat.postMessage", after_processing=True, times=1)
    with pytest.raises((OSError, http.client.HTTPException)):
        slack.chat_postMessage(channel="C0OPS", text="x", **QUIET)
    assert [each["text"] for each in sandbox.messages("C0OPS")] == ["x"]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("effect", ["server_error", "reset", "not_json", "rate_limited"])
def test_an_exchange_that_fails_uses_its_code_up_or_not_yet(
    sandbox: Sandbox, effect: str, after: bool
) -> None:
    sandbox.add_fault(effect=effect, method="oauth.v2.access", after_processing=after, times=1)
    client = WebClient(base_url=sandbox.api_url, retry_handlers=[])
    grant = {
        "client_id": sandbox.client_id,
        "client_secret": sandbox.client_secret,
        "code": code_in(sandbox.consent(authorize_url(sandbox))),
        "redirect_uri": CALLBACK,
    }
    with pytest.raises((SlackApiError, OSError, http.client.HTTPException)):
        client.oauth_v2_access(**grant)
    sandbox.clock(advance=60)
    if after:
        with pytest.raises(SlackApiError, match="invalid_code"):
            client.oauth_v2_access(**grant)
    else:
        assert client.oauth_v2_access(**grant)["ok"]


@pytest.mark.parametrize("after", [False, True])
def test_a_hanging_call_times_out_and_did_its_work_or_not_yet(
    sandbox: Sandbox, slack: WebClient, after: bool
) -> None:
    sandbox.add_fault(effect="hang", seconds=30, after_processing=after, times=1)
    slack.timeout = 1
    with pytest.raises(TimeoutError):
        slack.chat_postMessage(channel="C0OPS", text="x", **QUIET)
    assert bool(sandbox.messages("C0OPS")) is after


def test_a_redirect_leads_elsewhere(sandbox: Sandbox, slack: WebClient) -> None:
    sandbox.add_fault(effect="redirect", location=f"{sandbox.api_url}api.test", times=1)
    slack.users_info(user="U0ADA")
    assert len(sandbox.requests("api.test", wait=5)) == 1


@pytest.mark.parametrize(
    ("effect", "error"),
    [
        ("token_revoked", "token_revoked"),
        ("token_expired", "token_expired"),
        ("app_uninstalled", "account_inactive"),
    ],
)
def test_an_installation_may_end_at_any_call(
    sandbox: Sandbox, slack: WebClient, effect: str, error: str
) -> None:
    sandbox.add_fault(effect=effect, times=1)
    assert failure(slack)["error"] == error
    assert refusal(slack.auth_test) == error


def test_a_lost_scope_shows_in_the_answer_and_in_its_header(
    sandbox: Sandbox, slack: WebClient
) -> None:
    sandbox.add_fault(effect="scope_lost", scope="users:read", times=1)
    response = failure(slack)
    assert (response["error"], response["needed"]) == ("missing_scope", "users:read")
    assert "users:read" not in response["provided"].split(",")
    assert "users:read" not in response.headers["x-oauth-scopes"].split(",")


def test_a_fault_waits_for_its_turn(sandbox: Sandbox, slack: WebClient) -> None:
    sandbox.add_fault(effect="error", method="users.info", every=2, times=1)
    assert slack.users_info(user="U0ADA")["ok"]
    assert failure(slack)["error"] == "internal_error"
    assert slack.users_info(user="U0ADA")["ok"]


def test_a_fault_sleeps_until_another_call_wakes_it(sandbox: Sandbox, slack: WebClient) -> None:
    sandbox.add_fault(effect="error", method="users.info", after_call="auth.test")
    assert slack.users_info(user="U0ADA")["ok"]
    slack.auth_test()
    assert failure(slack)["error"] == "internal_error"


def test_a_fault_ends_with_its_time(sandbox: Sandbox, slack: WebClient) -> None:
    sandbox.add_fault(effect="error", error="team_added_to_org", for_seconds=120)
    assert failure(slack)["error"] == "team_added_to_org"
    sandbox.clock(advance=121)
    assert slack.users_info(user="U0ADA")["ok"]


def test_a_fault_keeps_to_its_place(sandbox: Sandbox, slack: WebClient) -> None:
    sandbox.add_fault(effect="error", error="is_archived", channel="C0DB")
    sandbox.add_fault(effect="error", team_id="T0BETA")
    assert slack.chat_postMessage(channel="C0OPS", text="x", **QUIET)["ok"]
    assert refusal(slack.chat_postMessage, channel="C0DB", text="x") == "is_archived"


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"effect": "explode"}, "effect must be one of error"),
        ({"effect": "scope_lost"}, "needs the scope"),
        ({"effect": "not_json", "variant": "xml"}, "must be one of html"),
        ({"effect": "error", "chanel": "C0OPS"}, "Unknown: chanel"),
        ({"effect": "error", "every": 0}, "1 or more"),
    ],
)
def test_a_senseless_fault_is_refused_with_what_makes_sense(
    sandbox: Sandbox, rule: dict[str, Any], words: str
) -> None:
    with pytest.raises(BadFault, match=words):
        sandbox.add_fault(**rule)


def test_slack_can_refuse_every_connection_until_it_comes_back(
    sandbox: Sandbox, slack: WebClient
) -> None:
    sandbox.go_away()
    with pytest.raises(urllib.error.URLError, match="refused"):
        slack.auth_test()
    sandbox.come_back()
    assert slack.auth_test()["ok"]


def test_slack_comes_back_by_itself_after_some_seconds(sandbox: Sandbox, slack: WebClient) -> None:
    reply = requests.post(f"{sandbox.url}/_sandbox/away", json={"seconds": 1.5}, timeout=5)
    assert reply.status_code == 200
    until, refused = time.monotonic() + 5, 0
    while time.monotonic() < until:
        try:
            assert slack.auth_test()["ok"]
            break
        except urllib.error.URLError:
            refused += 1
    assert refused
    assert slack.auth_test()["ok"]


def test_a_limit_told_for_one_channel_holds_that_channel_only(
    sandbox: Sandbox, slack: WebClient
) -> None:
    sandbox.add_fault(
        effect="rate_limited", method="chat.postMessage", channel="C0OPS", retry_after=30, times=1
    )
    for _ in range(2):
        with pytest.raises(SlackApiError, match="ratelimited"):
            slack.chat_postMessage(channel="C0OPS", text="held", **QUIET)
    assert slack.chat_postMessage(channel="C0DB", text="goes on", **QUIET)["ok"]


def test_a_channel_takes_its_burst_and_then_one_message_a_second(
    sandbox: Sandbox, slack: WebClient
) -> None:
    sandbox.clock(freeze=True)
    sandbox.admin("switch", posting_burst=10)
    for number in range(10):
        slack.chat_postMessage(channel="C0OPS", text=f"fire {number}", **QUIET)
    with pytest.raises(SlackApiError) as refused:
        slack.chat_postMessage(channel="C0OPS", text="too much", **QUIET)
    assert refused.value.response.headers["Retry-After"] == "1"
    sandbox.clock(advance=1)
    slack.chat_postMessage(channel="C0OPS", text="fire 10", **QUIET)


def test_a_channel_keeps_its_newest_messages_only(
    sandbox: Sandbox, slack: WebClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "MOST_MESSAGES", 3)
    for number in range(5):
        slack.chat_postMessage(channel="C0OPS", text=f"fire {number}", **QUIET)
    assert [each["text"] for each in sandbox.messages("C0OPS")] == ["fire 2", "fire 3", "fire 4"]
