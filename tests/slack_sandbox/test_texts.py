"""What does Slack make of a text, and whose phone rings? What injection tests look at."""

from typing import Any

import pytest
from slack_sdk import WebClient

from portal.slack_sandbox import Sandbox

from .test_rules import QUIET
from .test_web_api import refusal

MEMBERS_OF_OPS = {"U0OLIVIA", "U0ADAM", "U0UMA", "U0ADA", "U0STAN", "U0WALTER"}


def posted(sandbox: Sandbox, slack: WebClient, **content: Any) -> dict[str, Any]:
    ts = slack.chat_postMessage(channel="C0OPS", **{"text": "x", **QUIET, **content})["ts"]
    return next(message for message in sandbox.messages("C0OPS") if message["ts"] == ts)


def mrkdwn(text: str, **more: Any) -> list[dict[str, Any]]:
    return [{"type": "section", "text": {"type": "mrkdwn", "text": text, **more}}]


def test_a_plain_text_rings_nobody(sandbox: Sandbox, slack: WebClient) -> None:
    message = posted(sandbox, slack, text="@here #ops https://example.com @channel")
    assert message["text"] == "@here #ops https://example.com @channel"
    assert message["notifies"] == []


def test_unparsed_mrkdwn_comes_alive(sandbox: Sandbox, slack: WebClient) -> None:
    message = posted(sandbox, slack, blocks=mrkdwn("@here see #db, https://example.com."))
    stored = message["blocks"][0]["text"]["text"]
    assert stored == "<!here> see <#C0DB|db>, <https://example.com>."
    assert set(message["notifies"]) == MEMBERS_OF_OPS


def test_verbatim_mrkdwn_stays_as_it_is(sandbox: Sandbox, slack: WebClient) -> None:
    message = posted(sandbox, slack, blocks=mrkdwn("@here #db", verbatim=True))
    assert message["blocks"][0]["text"]["text"] == "@here #db"
    assert message["notifies"] == []


@pytest.mark.parametrize("text", ["`@here`", "```\n@here\n```", "mail@here.example"])
def test_code_and_addresses_are_not_parsed(sandbox: Sandbox, slack: WebClient, text: str) -> None:
    assert posted(sandbox, slack, blocks=mrkdwn(text))["notifies"] == []


def test_a_mention_rings_the_person_named(sandbox: Sandbox, slack: WebClient) -> None:
    assert posted(sandbox, slack, text="over to <@U0ADA>")["notifies"] == ["U0ADA"]


def test_a_literal_text_mentions_nobody(sandbox: Sandbox, slack: WebClient) -> None:
    header = {"type": "header", "text": {"type": "plain_text", "text": "<@U0ADA> <!here>"}}
    assert posted(sandbox, slack, blocks=[header])["notifies"] == []


def test_a_direct_message_rings_its_person(sandbox: Sandbox, slack: WebClient) -> None:
    channel = slack.chat_postMessage(channel="U0ADA", text="x", **QUIET)["channel"]
    assert sandbox.messages(channel)[0]["notifies"] == ["U0ADA"]


def test_emoji_are_stored_by_name(sandbox: Sandbox, slack: WebClient) -> None:
    assert posted(sandbox, slack, text="🔥 hot ⚠️")["text"] == ":fire: hot :warning:"


def test_entities_are_kept(sandbox: Sandbox, slack: WebClient) -> None:
    assert posted(sandbox, slack, text="a &lt; b &amp; c")["text"] == "a &lt; b &amp; c"


@pytest.mark.parametrize(
    ("user", "error"),
    [
        ("U0OTHERBOT", "cannot_dm_bot"),
        ("U0DORA", "user_disabled"),
        ("U0NOBODY", "user_not_found"),
        ("U0BEA", "user_not_visible"),
        ("W0GRETA", "user_not_found"),
    ],
)
def test_people_who_cannot_be_written_to(slack: WebClient, user: str, error: str) -> None:
    assert refusal(slack.chat_postMessage, channel=user, text="x") == error


def test_direct_messages_need_the_messages_tab(sandbox: Sandbox, slack: WebClient) -> None:
    without_tab = dict(sandbox.platform.manifest.document)
    del without_tab["features"]
    sandbox.set_manifest(without_tab)
    assert refusal(slack.chat_postMessage, channel="U0ADA", text="x") == "messages_tab_disabled"


def test_a_direct_message_is_updated_by_its_channel_and_not_by_the_person(slack: WebClient) -> None:
    made = slack.chat_postMessage(channel="U0ADA", text="x", **QUIET)
    arguments = {"ts": made["ts"], "text": "y"}
    assert refusal(slack.chat_update, channel="U0ADA", **arguments) == "channel_not_found"
    assert slack.chat_update(channel=made["channel"], **arguments)["ok"]


def test_a_reply_goes_to_the_parent_and_a_reply_to_a_reply_is_noted(
    sandbox: Sandbox, slack: WebClient
) -> None:
    parent = slack.chat_postMessage(channel="C0OPS", text="x", **QUIET)["ts"]
    reply = slack.chat_postMessage(channel="C0OPS", text="y", thread_ts=parent, **QUIET)["ts"]
    assert sandbox.violations() == []
    slack.chat_postMessage(channel="C0OPS", text="z", thread_ts=reply, **QUIET)
    assert [m.get("thread_ts") for m in sandbox.messages("C0OPS")] == [None, parent, parent]
    assert [each.rule for each in sandbox.violations()] == ["reply_as_thread_ts"]


def test_a_deleted_parent_leaves_its_replies_under_a_placeholder(
    sandbox: Sandbox, slack: WebClient
) -> None:
    parent = slack.chat_postMessage(channel="C0OPS", text="x", **QUIET)["ts"]
    slack.chat_postMessage(channel="C0OPS", text="y", thread_ts=parent, **QUIET)
    slack.chat_delete(channel="C0OPS", ts=parent)
    assert [m["is_deleted"] for m in sandbox.messages("C0OPS")] == [True, False]
    assert refusal(slack.chat_update, channel="C0OPS", ts=parent, text="x") == "message_not_found"


def test_an_ephemeral_cannot_be_changed_afterwards(slack: WebClient) -> None:
    ts = slack.chat_postEphemeral(channel="C0OPS", user="U0ADA", text="x")["message_ts"]
    assert refusal(slack.chat_update, channel="C0OPS", ts=ts, text="y") == "message_not_found"


def test_only_text_updates_are_marked_as_edited(sandbox: Sandbox, slack: WebClient) -> None:
    ts = slack.chat_postMessage(channel="C0OPS", text="x", **QUIET)["ts"]
    slack.chat_update(channel="C0OPS", ts=ts, text="y", blocks=mrkdwn("y", verbatim=True))
    assert "edited" not in sandbox.messages("C0OPS")[0]
    slack.chat_update(channel="C0OPS", ts=ts, text="z")
    assert "edited" in sandbox.messages("C0OPS")[0]


def test_reusing_block_ids_in_an_update_is_noted(sandbox: Sandbox, slack: WebClient) -> None:
    block = {"type": "divider", "block_id": "same"}
    ts = slack.chat_postMessage(channel="C0OPS", text="x", blocks=[block], **QUIET)["ts"]
    slack.chat_update(channel="C0OPS", ts=ts, text="x", blocks=[{"type": "divider"}])
    assert sandbox.violations() == []
    slack.chat_update(channel="C0OPS", ts=ts, text="x", blocks=[block])
    slack.chat_update(channel="C0OPS", ts=ts, text="x", blocks=[block])
    assert [each.rule for each in sandbox.violations()] == ["block_id_reused"]


def test_archiving_takes_the_app_out_and_closes_the_channel(
    sandbox: Sandbox, slack: WebClient
) -> None:
    sandbox.admin("invite", channel="C0OPS")
    ts = slack.chat_postMessage(channel="C0OPS", text="x", **QUIET)["ts"]
    sandbox.admin("archive", channel="C0OPS")
    assert slack.conversations_info(channel="C0OPS")["channel"]["is_member"] is False
    assert refusal(slack.chat_postMessage, channel="C0OPS", text="x") == "is_archived"
    assert refusal(slack.chat_update, channel="C0OPS", ts=ts, text="y") == "is_inactive"
    sandbox.admin("unarchive", channel="C0OPS")
    assert slack.chat_update(channel="C0OPS", ts=ts, text="y")["ok"]


def test_a_private_channel_opens_once_the_app_is_invited(
    sandbox: Sandbox, slack: WebClient
) -> None:
    sandbox.admin("invite", channel="C0WAR")
    assert slack.chat_postMessage(channel="C0WAR", text="x", **QUIET)["ok"]
    assert "U0ADAM" in slack.conversations_members(channel="C0WAR")["members"]
    assert refusal(slack.conversations_members, channel="C0OPS") == "not_in_channel"


def test_posting_to_the_general_channel_is_noted(sandbox: Sandbox, slack: WebClient) -> None:
    slack.chat_postMessage(channel="C0GENERAL", text="x", **QUIET)
    assert [each.rule for each in sandbox.violations()] == ["posted_to_general"]


@pytest.mark.parametrize(
    ("metadata", "error"),
    [
        ({"event_type": "alert"}, "invalid_metadata_schema"),
        ({"event_type": "a", "event_payload": {"x": "y" * 10_000}}, "metadata_too_large"),
    ],
)
def test_metadata_has_a_form_and_a_size(
    slack: WebClient, metadata: dict[str, Any], error: str
) -> None:
    arguments = {"channel": "C0OPS", "text": "x", "metadata": metadata}
    assert refusal(slack.chat_postMessage, **arguments) == error


def test_attachments_are_counted_and_need_content(slack: WebClient) -> None:
    one = {"fallback": "x"}
    many = {"channel": "C0OPS", "text": "x", "attachments": [one] * 101}
    assert refusal(slack.chat_postMessage, **many) == "too_many_attachments"
    bare = {"channel": "C0OPS", "text": "x", "attachments": [{"color": "danger"}]}
    assert refusal(slack.chat_postMessage, **bare) == "invalid_attachments"
    hundred: dict[str, Any] = {"text": "x", "attachments": [one] * 100}
    assert slack.chat_postMessage(channel="C0OPS", **hundred, **QUIET)["ok"]


def test_markdown_goes_alone(slack: WebClient) -> None:
    arguments = {"channel": "C0OPS", "text": "x", "markdown_text": "**x**"}
    assert refusal(slack.chat_postMessage, **arguments) == "markdown_text_conflict"
    assert slack.chat_postMessage(channel="C0OPS", markdown_text="**x**", **QUIET)["ok"]
