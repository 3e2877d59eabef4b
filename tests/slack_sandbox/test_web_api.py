"""Does Slack's own client, unmodified, get the answers that Slack gives?"""

from collections.abc import Callable
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from portal.slack_sandbox import Sandbox

from .conftest import Install


def refusal(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(SlackApiError) as refused:
        call(**arguments)
    return str(refused.value.response["error"])


def everything(call: Callable[..., Any], key: str, **arguments: Any) -> tuple[list[Any], list[int]]:
    """All items of a list and the size of each of its pages."""
    items: list[Any] = []
    sizes: list[int] = []
    cursor = ""
    while True:
        answer = call(cursor=cursor, **arguments)
        items += answer[key]
        sizes.append(len(answer[key]))
        cursor = answer["response_metadata"]["next_cursor"]
        if not cursor:
            return items, sizes


def test_the_token_knows_who_it_is_and_what_it_may(slack: WebClient) -> None:
    answer = slack.auth_test()
    assert (answer["team_id"], answer["team"]) == ("T0ACME", "Acme")
    assert answer["bot_id"].startswith("B")
    assert "chat:write" in answer.headers["x-oauth-scopes"].split(",")


def test_an_invented_token_and_no_token_are_told_apart(sandbox: Sandbox) -> None:
    assert refusal(WebClient(token="xoxb-x", base_url=sandbox.api_url).auth_test) == "invalid_auth"
    assert refusal(WebClient(base_url=sandbox.api_url).auth_test) == "not_authed"


def test_an_unknown_method_is_an_answer_and_not_a_missing_page(slack: WebClient) -> None:
    assert refusal(slack.api_call, api_method="chat.shout") == "unknown_method"


def test_public_channels_are_listed_and_private_ones_are_not(slack: WebClient) -> None:
    channels, _ = everything(
        slack.conversations_list, "channels", types="public_channel,private_channel", limit=3
    )
    ids = [channel["id"] for channel in channels]
    assert len(ids) == len(set(ids))
    assert {"C0GENERAL", "C0ALERTS", "C0OPS", "C0DB", "C0OLD", "C0PARTNERS"} <= set(ids)
    assert not {"C0WAR", "C0BETAGENERAL"} & set(ids)


def test_archived_channels_can_be_left_out(slack: WebClient) -> None:
    channels, _ = everything(slack.conversations_list, "channels", exclude_archived=True)
    assert "C0OLD" not in [channel["id"] for channel in channels]


def test_a_page_may_be_short_although_more_follow(slack: WebClient) -> None:
    _, sizes = everything(slack.conversations_list, "channels", limit=3)
    assert any(size < 3 for size in sizes[:-1])


def test_a_private_channel_does_not_exist_until_the_app_is_invited(
    sandbox: Sandbox, slack: WebClient
) -> None:
    assert refusal(slack.conversations_info, channel="C0WAR") == "channel_not_found"
    assert refusal(slack.chat_postMessage, channel="C0WAR", text="x") == "channel_not_found"


def test_an_invented_cursor_is_refused(slack: WebClient) -> None:
    assert refusal(slack.conversations_list, cursor="invented") == "invalid_cursor"


def test_a_message_is_posted_updated_and_deleted(sandbox: Sandbox, slack: WebClient) -> None:
    posted = slack.chat_postMessage(
        channel="C0ALERTS", text="Disk full", unfurl_links=False, unfurl_media=False
    )
    slack.chat_update(channel="C0ALERTS", ts=posted["ts"], text="Disk is fine")
    assert [m["text"] for m in sandbox.messages("C0ALERTS")] == ["Disk is fine"]
    assert (
        posted["ts"].replace(".", "")
        in slack.chat_getPermalink(channel="C0ALERTS", message_ts=posted["ts"])["permalink"]
    )
    slack.chat_delete(channel="C0ALERTS", ts=posted["ts"])
    assert sandbox.messages("C0ALERTS") == []


def test_timestamps_only_grow(slack: WebClient) -> None:
    seen = [slack.chat_postMessage(channel="C0OPS", text=str(n))["ts"] for n in range(4)]
    assert seen == sorted(set(seen), key=float)


def test_an_ephemeral_is_seen_by_one_person_only(sandbox: Sandbox, slack: WebClient) -> None:
    slack.chat_postEphemeral(channel="C0ALERTS", user="U0ADA", text="psst")
    assert [m["text"] for m in sandbox.messages("C0ALERTS", as_user="U0ADA")] == ["psst"]
    assert sandbox.messages("C0ALERTS", as_user="U0UMA") == []
    assert [m["text"] for m in sandbox.ephemerals("U0ADA")] == ["psst"]


def test_an_ephemeral_needs_a_person_of_the_channel(slack: WebClient) -> None:
    arguments = {"channel": "C0DB", "user": "U0STAN", "text": "x"}
    assert refusal(slack.chat_postEphemeral, **arguments) == "user_not_in_channel"


def test_posting_to_a_person_opens_the_direct_message(sandbox: Sandbox, slack: WebClient) -> None:
    posted = slack.chat_postMessage(channel="U0ADA", text="You are on call")
    assert posted["channel"].startswith("D")
    assert slack.chat_postMessage(channel="U0ADA", text="!")["channel"] == posted["channel"]
    texts = [m["text"] for m in sandbox.messages(posted["channel"])]
    assert texts == ["You are on call", "!"]


def test_people_are_found_by_email_whatever_its_letter_case(slack: WebClient) -> None:
    assert slack.users_lookupByEmail(email="OLIVIA@acme.example")["user"]["id"] == "U0OLIVIA"


@pytest.mark.parametrize("email", ["dora@acme.example", "bea@beta.example.org"])
def test_deactivated_people_and_strangers_are_not_found(slack: WebClient, email: str) -> None:
    assert refusal(slack.users_lookupByEmail, email=email) == "users_not_found"


def test_a_person_is_shown_with_their_flags(slack: WebClient) -> None:
    assert slack.users_info(user="U0DORA")["user"]["deleted"] is True
    assert slack.users_info(user="U0GUSTAV")["user"]["is_restricted"] is True
    assert slack.users_info(user="U0OTHERBOT")["user"]["is_bot"] is True
    ada = slack.users_info(user="U0ADA")["user"]
    assert ada["profile"]["email"] == "ada@acme.example"


def test_emails_need_their_own_scope(install: Install) -> None:
    slack = install(scope="commands,chat:write,channels:read,users:read")
    assert "email" not in slack.users_info(user="U0ADA")["user"]["profile"]
    with pytest.raises(SlackApiError) as refused:
        slack.users_lookupByEmail(email="ada@acme.example")
    assert refused.value.response["error"] == "missing_scope"
    assert refused.value.response["needed"] == "users:read.email"


def test_one_workspace_knows_nothing_of_the_other(install: Install) -> None:
    beta = install("T0BETA", "U0BEA")
    assert refusal(beta.chat_postMessage, channel="C0ALERTS", text="x") == "channel_not_found"
    assert refusal(beta.users_lookupByEmail, email="ada@acme.example") == "users_not_found"


def test_a_channel_shared_with_another_workspace_says_so(slack: WebClient) -> None:
    assert slack.conversations_info(channel="C0PARTNERS")["channel"]["is_ext_shared"] is True
    assert slack.conversations_info(channel="C0OPS")["channel"]["is_ext_shared"] is False
