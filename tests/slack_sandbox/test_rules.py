"""Are Slack's rules for messages kept to the last allowed step, and broken by the next?"""

import json
import urllib.request
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from portal.slack_sandbox import Sandbox

from .conftest import Install
from .test_web_api import refusal

QUIET: dict[str, Any] = {"unfurl_links": False, "unfurl_media": False}


def section(text: str = "x", **more: Any) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}, **more}


def button(number: int, **more: Any) -> dict[str, Any]:
    label = {"type": "plain_text", "text": "Go"}
    return {"type": "button", "action_id": f"go-{number}", "text": label, **more}


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


KEPT = {
    "fifty blocks": [section() for _ in range(50)],
    "a section of 3,000 characters": [section("x" * 3000)],
    "a header of 150": [{"type": "header", "text": {"type": "plain_text", "text": "x" * 150}}],
    "25 buttons": [actions(*(button(n) for n in range(25)))],
    "a label of 75": [actions(button(1, text={"type": "plain_text", "text": "x" * 75}))],
    "a value of 2,000": [actions(button(1, value="x" * 2000))],
    "an action_id of 255": [actions(button(1, action_id="x" * 255))],
    "a block_id of 255": [section(block_id="x" * 255)],
    "one action_id in two blocks": [actions(button(1)), actions(button(1))],
}
BROKEN = {
    "51 blocks": [section() for _ in range(51)],
    "a section of 3,001 characters": [section("x" * 3001)],
    "an empty section": [section("")],
    "a header of 151": [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}],
    "a header in mrkdwn": [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}],
    "26 buttons": [actions(*(button(n) for n in range(26)))],
    "a label of 76": [actions(button(1, text={"type": "plain_text", "text": "x" * 76}))],
    "a value of 2,001": [actions(button(1, value="x" * 2001))],
    "an action_id of 256": [actions(button(1, action_id="x" * 256))],
    "a block_id of 256": [section(block_id="x" * 256)],
    "one action_id twice in a block": [actions(button(1), button(1))],
    "one block_id twice": [section(block_id="a"), section(block_id="a")],
    "an unknown block": [{"type": "hologram"}],
    "the alert block of modals": [
        {"type": "alert", "text": {"type": "plain_text", "text": "x"}, "level": "info"}
    ],
}


@pytest.mark.parametrize("blocks", KEPT.values(), ids=KEPT)
def test_blocks_within_the_limits_are_posted(slack: WebClient, blocks: list[Any]) -> None:
    assert slack.chat_postMessage(channel="C0OPS", text="x", blocks=blocks, **QUIET)["ok"]


@pytest.mark.parametrize("blocks", BROKEN.values(), ids=BROKEN)
def test_blocks_beyond_the_limits_are_refused(slack: WebClient, blocks: list[Any]) -> None:
    arguments = {"channel": "C0OPS", "text": "x", "blocks": blocks}
    assert refusal(slack.chat_postMessage, **arguments) == "invalid_blocks"


def test_the_refusal_points_at_the_block(slack: WebClient) -> None:
    blocks = [section(), actions(*(button(n) for n in range(26)))]
    with pytest.raises(SlackApiError) as refused:
        slack.chat_postMessage(channel="C0OPS", text="x", blocks=blocks)
    line = "no more than 25 items allowed [json-pointer:/blocks/1/elements]"
    assert refused.value.response["errors"] == [line]
    assert refused.value.response["response_metadata"]["messages"] == [f"[ERROR] {line}"]


def test_the_texts_of_all_blocks_together_have_a_limit(slack: WebClient) -> None:
    kept = [section("x" * 3000) for _ in range(4)]
    assert slack.chat_postMessage(channel="C0OPS", text="x", blocks=kept, **QUIET)["ok"]
    arguments = {"channel": "C0OPS", "text": "x", "blocks": [*kept, section()]}
    assert refusal(slack.chat_postMessage, **arguments) == "msg_blocks_too_long"


def test_a_message_needs_a_text(slack: WebClient) -> None:
    assert (
        refusal(slack.api_call, api_method="chat.postMessage", params={"channel": "C0OPS"})
        == "no_text"
    )


def test_a_long_text_is_cut_on_posting_and_refused_on_updating(
    sandbox: Sandbox, slack: WebClient
) -> None:
    ts = slack.chat_postMessage(channel="C0OPS", text="x" * 40_001, **QUIET)["ts"]
    assert len(sandbox.messages("C0OPS")[0]["text"]) == 40_000
    slack.chat_update(channel="C0OPS", ts=ts, text="x" * 4_000)
    arguments = {"channel": "C0OPS", "ts": ts, "text": "x" * 4_001}
    assert refusal(slack.chat_update, **arguments) == "msg_too_long"


def test_without_membership_posting_needs_its_own_scope(install: Install) -> None:
    slack = install(scope="commands,chat:write,channels:read,users:read,users:read.email")
    assert refusal(slack.chat_postMessage, channel="C0OPS", text="x") == "not_in_channel"
    assert install().chat_postMessage(channel="C0OPS", text="x", **QUIET)["ok"]


@pytest.mark.parametrize(
    ("channel", "error"),
    [("C0OLD", "is_archived"), ("C0NOWHERE", "channel_not_found"), ("C0WAR", "channel_not_found")],
)
def test_places_where_nobody_can_post(slack: WebClient, channel: str, error: str) -> None:
    assert refusal(slack.chat_postMessage, channel=channel, text="x") == error


def test_a_text_without_blocks_removes_the_blocks(sandbox: Sandbox, slack: WebClient) -> None:
    ts = slack.chat_postMessage(channel="C0OPS", text="x", blocks=[section()], **QUIET)["ts"]
    slack.chat_update(channel="C0OPS", ts=ts, text="y")
    assert not sandbox.messages("C0OPS")[0].get("blocks")


def test_attachments_stay_until_they_are_emptied(sandbox: Sandbox, slack: WebClient) -> None:
    bar = [{"color": "danger", "fallback": "x", "text": "x"}]
    ts = slack.chat_postMessage(channel="C0OPS", text="x", attachments=bar, **QUIET)["ts"]
    slack.chat_update(channel="C0OPS", ts=ts, text="y")
    assert sandbox.messages("C0OPS")[0]["attachments"]
    slack.chat_update(channel="C0OPS", ts=ts, text="y", attachments=[])
    assert not sandbox.messages("C0OPS")[0].get("attachments")


def test_only_a_message_that_exists_can_be_changed(slack: WebClient) -> None:
    arguments = {"channel": "C0OPS", "ts": "1.000001"}
    assert refusal(slack.chat_update, text="x", **arguments) == "message_not_found"
    assert refusal(slack.chat_delete, **arguments) == "message_not_found"


def test_a_channel_takes_a_burst_and_then_one_message_a_second(
    sandbox: Sandbox, slack: WebClient
) -> None:
    for number in range(5):
        slack.chat_postMessage(channel="C0OPS", text=str(number), **QUIET)
    with pytest.raises(SlackApiError) as refused:
        slack.chat_postMessage(channel="C0OPS", text="too much", **QUIET)
    assert refused.value.response.status_code == 429
    assert refused.value.response["error"] == "ratelimited"
    assert int(refused.value.response.headers["Retry-After"]) >= 1
    assert slack.chat_postMessage(channel="C0DB", text="elsewhere", **QUIET)["ok"]
    assert not sandbox.violations()


def test_calling_before_retry_after_is_over_is_a_violation(
    sandbox: Sandbox, slack: WebClient
) -> None:
    sandbox.add_fault(method="users.info", effect="rate_limited", retry_after=30, times=1)
    assert refusal(slack.users_info, user="U0ADA") == "ratelimited"
    assert not sandbox.violations()
    assert refusal(slack.users_info, user="U0ADA") == "ratelimited"
    assert len(sandbox.violations()) == 1


def test_a_method_has_its_own_limit_per_minute(slack: WebClient) -> None:
    for _ in range(20):
        slack.conversations_list()
    assert refusal(slack.conversations_list) == "ratelimited"
    assert slack.auth_test()["ok"]


@pytest.mark.parametrize(
    "careless",
    [
        {"text": "", "blocks": [section()], **QUIET},
        {"text": "x"},
        {"text": "x", "link_names": True, **QUIET},
        {"text": "<!here> fire", **QUIET},
        {"text": "x", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x"}}]},
    ],
    ids=["blocks without text", "unfurling", "link_names", "mention of all", "not verbatim"],
)
def test_what_slack_tolerates_is_noted(
    sandbox: Sandbox, slack: WebClient, careless: dict[str, Any]
) -> None:
    slack.api_call("chat.postMessage", json={"channel": "C0OPS", **careless})
    assert sandbox.violations()


def test_a_careful_message_is_no_violation(sandbox: Sandbox, slack: WebClient) -> None:
    slack.chat_postMessage(channel="C0OPS", text="x", blocks=[section()], **QUIET)
    assert not sandbox.violations()


def test_a_token_in_the_address_is_refused_and_noted(sandbox: Sandbox, slack: WebClient) -> None:
    request = urllib.request.Request(f"{sandbox.api_url}auth.test?token={slack.token}", b"")
    with urllib.request.urlopen(request) as answer:
        assert json.load(answer)["error"] == "not_authed"
    assert sandbox.violations()
