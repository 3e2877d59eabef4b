"""Can the app make and manage channels, pins, bookmarks and user groups only as Slack lets it?"""

from typing import Any

import pytest
import requests
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from portal.slack_sandbox import Sandbox

from .conftest import App, manifest
from .test_rules import QUIET
from .test_web_api import everything, refusal

SCOPES = (
    "chat:write channels:read groups:read channels:manage groups:write bookmarks:write"
    " bookmarks:read pins:write pins:read usergroups:read usergroups:write im:write"
)


@pytest.fixture
def bot(sandbox: Sandbox) -> WebClient:
    """The app with every scope that these methods ask for."""
    token = sandbox.install(scopes=",".join(SCOPES.split()))["token"]
    return WebClient(token, base_url=sandbox.api_url, retry_handlers=[])


def without(sandbox: Sandbox, scope: str) -> None:
    (own,) = sandbox.platform.world.installations.values()
    own.scopes.remove(scope)


def made(bot: WebClient, name: str = "db_alert_7", **more: Any) -> str:
    return str(bot.conversations_create(name=name, **more)["channel"]["id"])


def test_a_new_channel_has_the_bot_as_its_only_member(bot: WebClient) -> None:
    channel = bot.conversations_create(name="db_alert_7")["channel"]
    assert (channel["name"], channel["is_member"], channel["is_private"]) == (
        "db_alert_7",
        True,
        False,
    )
    assert bot.conversations_members(channel=channel["id"])["members"] == [channel["creator"]]
    private = bot.conversations_create(name="secret", is_private=True)["channel"]
    assert private["is_private"]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "invalid_name_required"),
        ("x" * 81, "invalid_name_maxlength"),
        ("Upper", "invalid_name_specials"),
        ("with space", "invalid_name_specials"),
        ("ümlaut", "invalid_name_specials"),
        ("--", "invalid_name_punctuation"),
        ("ops", "name_taken"),
        ("old-alerts", "name_taken"),
    ],
)
def test_a_bad_or_taken_name_is_refused(bot: WebClient, name: str, code: str) -> None:
    assert refusal(bot.conversations_create, name=name) == code
    assert made(bot, "x" * 80)


def test_two_creations_at_one_moment_may_both_succeed(sandbox: Sandbox, bot: WebClient) -> None:
    sandbox.admin("switch", twin_names_permitted=True)
    assert made(bot) != made(bot)


def test_each_kind_of_channel_needs_its_own_scope(sandbox: Sandbox, bot: WebClient) -> None:
    without(sandbox, "channels:manage")
    with pytest.raises(SlackApiError) as refused:
        bot.conversations_create(name="a")
    assert refused.value.response["error"] == "missing_scope"
    assert refused.value.response["needed"] == "channels:manage"
    assert made(bot, "a", is_private=True)


def test_a_workspace_can_forbid_new_channels(sandbox: Sandbox, bot: WebClient) -> None:
    sandbox.admin("switch", channel_creation_permitted=False)
    assert refusal(bot.conversations_create, name="a") == "restricted_action"


@pytest.mark.parametrize(
    ("user", "code"),
    [
        ("U0NOBODY", "user_not_found"),
        ("U0DORA", "user_not_found"),
        ("U0GUSTAV", "user_is_restricted"),
        ("U0SINA", "ura_max_channels"),
        ("U0OTHERBOT", "cant_invite"),
        ("U0BORIS", "no_external_invite_permission"),
        ("U0BOTT0ACME", "cant_invite_self"),
    ],
)
def test_those_who_cannot_come_are_named_and_with_force_the_others_come(
    bot: WebClient, user: str, code: str
) -> None:
    channel = made(bot)
    with pytest.raises(SlackApiError) as refused:
        bot.conversations_invite(channel=channel, users=["U0ADA", user])
    assert refused.value.response["error"] == code
    assert refused.value.response["errors"] == [{"user": user, "ok": False, "error": code}]
    answer = bot.conversations_invite(channel=channel, users=["U0ADA", user], force=True)
    assert [each["error"] for each in answer["errors"]] == [code]
    assert "U0ADA" in bot.conversations_members(channel=channel)["members"]
    again = {"channel": channel, "users": "U0ADA"}
    assert refusal(bot.conversations_invite, **again) == "already_in_channel"


def test_at_most_a_hundred_are_invited_at_once(bot: WebClient) -> None:
    users = [f"U{n}" for n in range(101)]
    channel = made(bot)
    assert refusal(bot.conversations_invite, channel=channel, users=users) == "too_many_users"
    assert refusal(bot.conversations_invite, channel=channel, users=[]) == "no_user"


def test_the_app_manages_only_channels_it_is_in(bot: WebClient) -> None:
    for call, more in (
        (bot.conversations_invite, {"users": "U0STAN"}),
        (bot.conversations_setTopic, {"topic": "x"}),
        (bot.conversations_rename, {"name": "x"}),
        (bot.conversations_archive, {}),
        (bot.conversations_kick, {"user": "U0ADA"}),
    ):
        assert refusal(call, channel="C0OPS", **more) == "not_in_channel"


def test_archiving_removes_the_bot_which_cannot_undo_it(sandbox: Sandbox, bot: WebClient) -> None:
    channel = made(bot)
    ts = bot.chat_postMessage(channel=channel, text="x", **QUIET)["ts"]
    bot.conversations_archive(channel=channel)
    assert bot.conversations_info(channel=channel)["channel"]["is_member"] is False
    assert refusal(bot.conversations_archive, channel=channel) == "already_archived"
    assert refusal(bot.conversations_unarchive, channel=channel) == "not_in_channel"
    assert refusal(bot.chat_postMessage, channel=channel, text="x") == "is_archived"
    assert refusal(bot.chat_update, channel=channel, ts=ts, text="y") == "is_inactive"
    assert refusal(bot.conversations_invite, channel=channel, users="U0ADA") == "is_archived"
    sandbox.admin("unarchive", channel=channel)
    assert refusal(bot.conversations_archive, channel=channel) == "not_in_channel"


def test_a_private_channel_is_unknown_to_an_app_outside_of_it(
    sandbox: Sandbox, bot: WebClient
) -> None:
    channel = made(bot, is_private=True)
    sandbox.admin("remove", channel=channel)
    assert refusal(bot.conversations_info, channel=channel) == "channel_not_found"


def test_topic_and_purpose_have_250_characters(sandbox: Sandbox, bot: WebClient) -> None:
    channel = made(bot)
    bot.conversations_setTopic(channel=channel, topic="x" * 250)
    bot.conversations_setPurpose(channel=channel, purpose="why")
    shown = bot.conversations_info(channel=channel)["channel"]
    assert (shown["topic"]["value"], shown["purpose"]["value"]) == ("x" * 250, "why")
    assert refusal(bot.conversations_setTopic, channel=channel, topic="x" * 251) == "too_long"
    assert refusal(bot.conversations_setPurpose, channel=channel, purpose="x" * 251) == "too_long"


def test_rename_kick_and_leave(bot: WebClient) -> None:
    channel = made(bot)
    assert bot.conversations_rename(channel=channel, name="new")["channel"]["name"] == "new"
    assert refusal(bot.conversations_rename, channel=channel, name="ops") == "name_taken"
    bot.conversations_invite(channel=channel, users="U0ADA")
    bot.conversations_kick(channel=channel, user="U0ADA")
    gone = {"channel": channel, "user": "U0ADA"}
    assert refusal(bot.conversations_kick, **gone) == "not_in_channel"
    bot.conversations_leave(channel=channel)
    assert bot.conversations_leave(channel=channel)["not_in_channel"] is True


def test_the_app_hears_of_what_it_does_to_channels(
    sandbox: Sandbox, bot: WebClient, app: App
) -> None:
    document = manifest(app.url)
    kinds = ["channel_created", "channel_rename", "member_joined_channel", "channel_archive"]
    events = {"request_url": f"{app.url}/events", "bot_events": kinds}
    document["settings"]["event_subscriptions"] = events
    sandbox.set_manifest(document)
    sandbox.platform.events.verified_url = f"{app.url}/events"
    channel = made(bot)
    bot.conversations_invite(channel=channel, users="U0ADA")
    bot.conversations_rename(channel=channel, name="new")
    bot.conversations_archive(channel=channel)
    for kind in kinds:
        assert len(sandbox.deliveries(kind, wait=5)) == 1


def test_the_channels_of_a_person_are_listed(bot: WebClient) -> None:
    channel = made(bot, is_private=True)
    types = "public_channel,private_channel"
    own, _ = everything(bot.users_conversations, "channels", types=types)
    assert [each["id"] for each in own] == [channel]
    hers, _ = everything(bot.users_conversations, "channels", user="U0STAN")
    assert "C0OPS" in [each["id"] for each in hers]
    assert "C0DB" not in [each["id"] for each in hers]


def test_direct_messages_open_with_the_scope_for_it(sandbox: Sandbox, bot: WebClient) -> None:
    opened = bot.conversations_open(users="U0ADA")["channel"]["id"]
    assert opened.startswith("D")
    assert bot.chat_postMessage(channel="U0ADA", text="x", **QUIET)["channel"] == opened
    shown = bot.conversations_open(users="U0ADA", return_im=True)["channel"]
    assert (shown["id"], shown["user"]) == (opened, "U0ADA")
    assert refusal(bot.conversations_open, users="U0DORA") == "user_disabled"
    assert refusal(bot.conversations_open, users="") == "not_enough_users"
    without(sandbox, "im:write")
    assert refusal(bot.conversations_open, users="U0ADA") == "missing_scope"


def test_no_direct_messages_while_the_messages_tab_is_off(
    sandbox: Sandbox, bot: WebClient, app: App
) -> None:
    document = manifest(app.url)
    document["features"]["app_home"]["messages_tab_enabled"] = False
    sandbox.set_manifest(document)
    sent = {"channel": "U0ADA", "text": "x"}
    assert refusal(bot.chat_postMessage, **sent) == "messages_tab_disabled"


def test_a_bookmark_is_a_link_in_a_channel_the_app_is_in(bot: WebClient) -> None:
    channel = made(bot)
    link = {"title": "Alert", "type": "link", "link": "https://alerts.example/7"}
    added = bot.bookmarks_add(channel_id=channel, **link)["bookmark"]
    assert (added["title"], added["link"]) == ("Alert", "https://alerts.example/7")
    bot.bookmarks_edit(channel_id=channel, bookmark_id=added["id"], title="Alert 7")
    listed = bot.bookmarks_list(channel_id=channel)["bookmarks"]
    assert [(each["title"], each["link"]) for each in listed] == [("Alert 7", link["link"])]
    for bad in ("javascript:alert(1)", "ftp://x.example", "alerts.example", "https://"):
        wrong = {**link, "link": bad}
        assert refusal(bot.bookmarks_add, channel_id=channel, **wrong) == "invalid_link"
    assert refusal(bot.bookmarks_add, channel_id="C0OPS", **link) == "not_in_channel"
    bot.bookmarks_remove(channel_id=channel, bookmark_id=added["id"])
    gone = {"channel_id": channel, "bookmark_id": added["id"]}
    assert refusal(bot.bookmarks_remove, **gone) == "not_found"


def test_a_message_is_pinned_once(sandbox: Sandbox, bot: WebClient) -> None:
    channel = made(bot)
    ts = bot.chat_postMessage(channel=channel, text="x", **QUIET)["ts"]
    bot.pins_add(channel=channel, timestamp=ts)
    assert refusal(bot.pins_add, channel=channel, timestamp=ts) == "already_pinned"
    assert bot.pins_list(channel=channel)["items"][0]["message"]["ts"] == ts
    bot.pins_remove(channel=channel, timestamp=ts)
    assert refusal(bot.pins_remove, channel=channel, timestamp=ts) == "no_pin"
    assert refusal(bot.pins_add, channel=channel, timestamp="1.2") == "message_not_found"
    said = sandbox.say("C0OPS", "U0ADA", "x")["ts"]
    assert refusal(bot.pins_add, channel="C0OPS", timestamp=said) == "not_in_channel"


def group(bot: WebClient) -> str:
    return str(bot.usergroups_create(name="On call", handle="on-call")["usergroup"]["id"])


def test_a_user_group_is_replaced_as_a_whole_and_never_empty(bot: WebClient) -> None:
    oncall = group(bot)
    bot.usergroups_users_update(usergroup=oncall, users=["U0ADA", "U0UMA"])
    bot.usergroups_users_update(usergroup=oncall, users="U0STAN")
    assert bot.usergroups_users_list(usergroup=oncall)["users"] == ["U0STAN"]
    empty = {"usergroup": oncall, "users": ""}
    assert refusal(bot.usergroups_users_update, **empty) == "no_users_provided"
    for wrong in ("U0GUSTAV", "U0OTHERBOT", "U0DORA", "U0BEA", "U0NOBODY"):
        users = {"usergroup": oncall, "users": ["U0ADA", wrong]}
        assert refusal(bot.usergroups_users_update, **users) == "invalid_users"
    unknown = {"usergroup": "S0", "users": "U0ADA"}
    assert refusal(bot.usergroups_users_update, **unknown) == "no_such_subteam"
    (listed,) = bot.usergroups_list(include_users=True)["usergroups"]
    assert (listed["handle"], listed["users"]) == ("on-call", ["U0STAN"])


def test_a_user_group_can_be_disabled_and_enabled(bot: WebClient) -> None:
    oncall = group(bot)
    bot.usergroups_disable(usergroup=oncall)
    assert bot.usergroups_list()["usergroups"] == []
    assert refusal(bot.usergroups_disable, usergroup=oncall) == "already_disabled"
    bot.usergroups_enable(usergroup=oncall)
    bot.usergroups_update(usergroup=oncall, name="Duty")
    assert bot.usergroups_list()["usergroups"][0]["name"] == "Duty"
    taken = {"name": "Duty", "handle": "else"}
    assert refusal(bot.usergroups_create, **taken) == "name_already_exists"


def test_user_groups_depend_on_the_plan_and_on_what_admins_let_everyone_do(
    sandbox: Sandbox, bot: WebClient
) -> None:
    oncall = group(bot)
    sandbox.admin("switch", usergroups_permitted=False)
    change = {"usergroup": oncall, "users": "U0ADA"}
    assert refusal(bot.usergroups_users_update, **change) == "permission_denied"
    assert bot.usergroups_list()["usergroups"]
    sandbox.admin("switch", usergroups_plan=False)
    assert refusal(bot.usergroups_users_update, **change) == "plan_upgrade_required"
    assert refusal(bot.usergroups_list) == "plan_upgrade_required"


def test_a_user_group_is_mentioned_by_its_handle(sandbox: Sandbox, bot: WebClient) -> None:
    sandbox.admin("invite", channel="C0OPS")
    bot.chat_postMessage(channel="C0OPS", text=f"<!subteam^{group(bot)}> look", **QUIET)
    page = requests.get(f"{sandbox.url}/w/T0ACME/U0ADA/C0OPS", timeout=5)
    assert "@on-call</span> look" in page.text


@pytest.mark.parametrize("method", ["reactions.add", "files.getUploadURLExternal"])
def test_what_the_app_has_no_scope_for_is_refused(bot: WebClient, method: str) -> None:
    assert refusal(bot.api_call, api_method=method, params={"x": "1"}) == "missing_scope"
