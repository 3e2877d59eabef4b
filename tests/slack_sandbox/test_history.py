"""Can the app read what was said, page by page, and only where it may?"""

from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from portal.slack_sandbox import Sandbox

from .conftest import manifest

METADATA = {"event_type": "alert", "event_payload": {"id": 7}}


@pytest.fixture
def reader(sandbox: Sandbox) -> WebClient:
    document = manifest("http://app.example")
    document["oauth_config"]["scopes"]["bot"] += ["channels:history", "groups:history"]
    sandbox.set_manifest(document)
    token = sandbox.install()["token"]
    sandbox.admin("invite", channel="C0OPS")
    sandbox.admin("switch", posting_burst=1_000)
    return WebClient(token, base_url=sandbox.api_url, retry_handlers=[], timeout=5)


def all_pages(client: WebClient, **arguments: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        answer = client.conversations_history(**arguments, cursor=cursor)
        found += answer["messages"]
        cursor = answer["response_metadata"]["next_cursor"]
        assert answer["has_more"] is bool(cursor)
        if not cursor:
            return found


def test_a_channel_is_read_newest_first_over_short_pages(reader: WebClient) -> None:
    for number in range(25):
        reader.chat_postMessage(channel="C0OPS", text=f"fire {number}")
    said = all_pages(reader, channel="C0OPS", limit=4)
    assert [each["text"] for each in said] == [f"fire {n}" for n in reversed(range(25))]


def test_metadata_comes_only_when_asked_for(reader: WebClient) -> None:
    reader.chat_postMessage(channel="C0OPS", text="fire", metadata=METADATA)
    [plain] = reader.conversations_history(channel="C0OPS")["messages"]
    assert "metadata" not in plain
    [full] = reader.conversations_history(channel="C0OPS", include_all_metadata=True)["messages"]
    assert full["metadata"] == METADATA


def test_a_window_of_time_is_read_with_or_without_its_edges(reader: WebClient) -> None:
    stamps = [reader.chat_postMessage(channel="C0OPS", text=str(n))["ts"] for n in range(4)]
    window = {"channel": "C0OPS", "oldest": stamps[0], "latest": stamps[2]}
    between = reader.conversations_history(**window)["messages"]
    assert [each["ts"] for each in between] == [stamps[1]]
    with_edges = reader.conversations_history(**window, inclusive=True)["messages"]
    assert [each["ts"] for each in with_edges] == [stamps[2], stamps[1], stamps[0]]


def test_a_thread_is_read_oldest_first_and_stays_out_of_the_channel(reader: WebClient) -> None:
    parent = reader.chat_postMessage(channel="C0OPS", text="fire")["ts"]
    reply = reader.chat_postMessage(channel="C0OPS", text="where?", thread_ts=parent)["ts"]
    [shown] = reader.conversations_history(channel="C0OPS")["messages"]
    assert (shown["ts"], shown["reply_count"], shown["latest_reply"]) == (parent, 1, reply)
    for ts in (parent, reply):
        thread = reader.conversations_replies(channel="C0OPS", ts=ts)["messages"]
        assert [each["ts"] for each in thread] == [parent, reply]
    with pytest.raises(SlackApiError, match="thread_not_found"):
        reader.conversations_replies(channel="C0OPS", ts="1.000000")


@pytest.mark.parametrize(
    ("channel", "error"), [("C0ALERTS", "not_in_channel"), ("C0WAR", "channel_not_found")]
)
def test_only_members_read(reader: WebClient, channel: str, error: str) -> None:
    with pytest.raises(SlackApiError, match=error):
        reader.conversations_history(channel=channel)


def test_reading_needs_the_scope(sandbox: Sandbox, reader: WebClient) -> None:
    sandbox.admin("take_scope", team_id="T0ACME", scope="channels:history")
    with pytest.raises(SlackApiError) as refused:
        reader.conversations_history(channel="C0OPS")
    assert refused.value.response["needed"] == "channels:history"
    assert "channels:history" not in refused.value.response.headers["x-oauth-scopes"]


def test_reading_can_be_as_rare_as_slack_makes_it_for_new_apps(
    sandbox: Sandbox, reader: WebClient
) -> None:
    sandbox.admin("switch", per_minute={"conversations.history": 1})
    reader.conversations_history(channel="C0OPS")
    with pytest.raises(SlackApiError, match="ratelimited"):
        reader.conversations_history(channel="C0OPS")


def test_a_bot_tells_its_app(reader: WebClient) -> None:
    bot = reader.auth_test()["bot_id"]
    told = reader.bots_info(bot=bot)["bot"]
    assert (told["id"], told["app_id"], told["deleted"]) == (bot, "A0TOCSIN", False)
    with pytest.raises(SlackApiError, match="bot_not_found"):
        reader.bots_info(bot="B0NOBODY")
