"""Does a slash command reach the app as Slack sends it, and its answer the right people?"""

from typing import Any

import pytest
from slack_sdk import WebClient

from portal.slack_sandbox import Sandbox
from portal.slack_sandbox.payloads import NotThere

from .conftest import App
from .test_control import post

pytestmark = pytest.mark.usefixtures("slack")


def on_call(sandbox: Sandbox, text: str = "", user_id: str = "U0ADA", **more: str) -> Any:
    return sandbox.command("T0ACME", more.get("channel", "C0OPS"), user_id, "/on-call", text)


def test_all_fields_of_a_command_are_sent_signed(sandbox: Sandbox, app: App) -> None:
    delivery = on_call(sandbox, "database")
    assert (delivery.kind, delivery.verdict) == ("command", "ok")
    assert "x-slack-signature" in app.received[0][0]
    sent = app.sent()
    assert sent["response_url"].startswith(f"{sandbox.url}/commands/T0ACME/")
    assert sent["trigger_id"] in sandbox.platform.world.triggers
    fixed = {key: sent[key] for key in sent if key not in ("response_url", "trigger_id", "token")}
    assert fixed == {
        "team_id": "T0ACME",
        "team_domain": "acme",
        "channel_id": "C0OPS",
        "channel_name": "ops",
        "user_id": "U0ADA",
        "user_name": "ada.lovelace",
        "api_app_id": "A0TOCSIN",
        "is_enterprise_install": "false",
        "command": "/on-call",
        "text": "database",
    }


def test_an_organization_is_named(sandbox: Sandbox, app: App) -> None:
    sandbox.install("T0GAMMA", "W0GRETA")
    sandbox.command("T0GAMMA", "C0GAMMAALERTS", "W0GUS", "/on-call")
    assert app.sent()["enterprise_id"] == "E0GLOBEX"
    assert app.sent()["text"] == ""


def test_people_channels_and_links_are_escaped_where_the_manifest_asks(
    sandbox: Sandbox, app: App
) -> None:
    typed = "@uma.ueda in #db or #war-room & #nowhere <b> https://a.example/x?y=1&z=2 @nobody"
    on_call(sandbox, typed, "U0OLIVIA")
    assert app.sent()["text"] == (
        "<@U0UMA> in <#C0DB|db> or <#C0WAR|> &amp; #nowhere &lt;b&gt;"
        " <https://a.example/x?y=1&amp;z=2> @nobody"
    )
    sandbox.command("T0ACME", "C0OPS", "U0OLIVIA", "/raw", typed)
    assert app.sent()["text"] == typed


def test_a_private_channel_hides_its_name(sandbox: Sandbox, app: App) -> None:
    on_call(sandbox, "#war-room", "U0OLIVIA", channel="C0WAR")
    assert app.sent()["channel_name"] == "privategroup"
    on_call(sandbox, "#war-room", "U0UMA")
    assert app.sent()["text"] == "#war-room"


@pytest.mark.parametrize("answer", ["Ada is on call.", {"text": "Ada is on call."}])
def test_an_answer_is_for_the_asker_only(sandbox: Sandbox, app: App, answer: Any) -> None:
    app.answers["/commands"] = answer
    on_call(sandbox)
    assert [m["text"] for m in sandbox.ephemerals("U0ADA")] == ["Ada is on call."]
    assert sandbox.messages("C0OPS") == []


def test_an_answer_in_channel_shows_what_was_typed(sandbox: Sandbox, app: App) -> None:
    app.answers["/commands"] = {"response_type": "in_channel", "text": "Ada"}
    on_call(sandbox, "database")
    app.answers["/commands"] = {"response_type": "in_channel"}
    on_call(sandbox, "now")
    told = [(m["user"], m["text"]) for m in sandbox.messages("C0OPS")]
    assert told == [
        ("U0ADA", "/on-call database"),
        ("U0BOTT0ACME", "Ada"),
        ("U0ADA", "/on-call now"),
    ]


def test_nothing_is_shown_when_there_is_nothing_to_say(sandbox: Sandbox) -> None:
    on_call(sandbox)
    assert sandbox.messages("C0OPS", "U0ADA") == []


def test_a_command_without_an_answer_in_time_says_operation_timeout(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.slack_sandbox.delivery.PATIENCE", 0.000_001)
    assert on_call(sandbox).verdict == "operation_timeout"
    (told,) = sandbox.ephemerals("U0ADA")
    assert told["text"] == "/on-call failed with the error “operation_timeout”"


def test_a_failing_app_is_said_to_have_failed(sandbox: Sandbox, app: App) -> None:
    app.status = 500
    on_call(sandbox)
    assert "dispatch_failed" in sandbox.ephemerals("U0ADA")[0]["text"]


def test_an_answer_with_bad_blocks_is_refused_and_recorded(sandbox: Sandbox, app: App) -> None:
    app.answers["/commands"] = {"text": "x", "blocks": [{"type": "hologram"}]}
    on_call(sandbox)
    assert "dispatch_failed" in sandbox.ephemerals("U0ADA")[0]["text"]
    assert sandbox.violations("command_answer_refused")


def test_the_answer_address_works_five_times_in_half_an_hour(sandbox: Sandbox, app: App) -> None:
    on_call(sandbox)
    url = app.sent()["response_url"]
    assert [post(url, {"text": f"answer {n}"}) for n in range(6)] == [200] * 5 + [404]
    assert len(sandbox.ephemerals("U0ADA")) == 5
    on_call(sandbox)
    sandbox.clock(freeze=True, advance=1_800)
    assert post(app.sent()["response_url"], {"text": "late"}) == 404


def test_a_command_line_cannot_be_replaced(sandbox: Sandbox, app: App) -> None:
    app.answers["/commands"] = {"response_type": "in_channel"}
    on_call(sandbox)
    post(app.sent()["response_url"], {"text": "new", "replace_original": True})
    assert [m["text"] for m in sandbox.messages("C0OPS")] == ["/on-call"]
    assert [m["text"] for m in sandbox.ephemerals("U0ADA")] == ["new"]


@pytest.mark.parametrize("command", ["/nonsense", "/on-cal"])
def test_an_unknown_command_is_answered_by_slack_itself(
    sandbox: Sandbox, app: App, command: str
) -> None:
    with pytest.raises(NotThere, match=f"{command} is not a valid command"):
        sandbox.command("T0ACME", "C0OPS", "U0ADA", command)
    assert app.received == []


def test_commands_leave_with_the_app(sandbox: Sandbox) -> None:
    sandbox.admin("uninstall", team_id="T0ACME")
    with pytest.raises(NotThere, match="not a valid command"):
        on_call(sandbox)


def test_an_external_person_has_the_commands_of_their_own_workspace(sandbox: Sandbox) -> None:
    with pytest.raises(NotThere, match="not a valid command"):
        sandbox.command("T0BETA", "C0PARTNERS", "U0BEA", "/on-call")


def test_people_write_and_reply_as_themselves(sandbox: Sandbox, slack: WebClient) -> None:
    parent = sandbox.say("C0OPS", "U0ADA", "a < b & c @uma.ueda 🔥")
    assert parent["text"] == "a &lt; b &amp; c <@U0UMA> :fire:"
    assert "bot_id" not in parent
    reply = sandbox.reply("C0OPS", parent["ts"], "U0UMA", "looking")
    assert reply["thread_ts"] == parent["ts"]
    assert sandbox.reply("C0OPS", reply["ts"], "U0ADA", "thanks")["thread_ts"] == parent["ts"]
    assert sandbox.messages("C0OPS")[0]["notifies"] == ["U0UMA"]


@pytest.mark.parametrize(
    ("channel", "user", "words"),
    [
        ("C0OLD", "U0ADA", "archived"),
        ("C0DB", "U0STAN", "Join #db"),
        ("C0OPS", "U0ADA", "Only admins"),
    ],
)
def test_people_cannot_write_where_slack_would_not_let_them(
    sandbox: Sandbox, channel: str, user: str, words: str
) -> None:
    sandbox.admin("restrict_posting", channel="C0OPS", to="admins")
    with pytest.raises(NotThere, match=words):
        sandbox.say(channel, user, "hello")


def test_nobody_sends_nothing(sandbox: Sandbox) -> None:
    with pytest.raises(NotThere, match="Write something"):
        sandbox.say("C0OPS", "U0ADA", "  ")
