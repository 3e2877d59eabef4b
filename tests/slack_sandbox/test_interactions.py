"""Does a click reach the app as Slack sends it, and does the person learn how it went?"""

import json
import urllib.request
from typing import Any

import pytest
from slack_sdk import WebClient

from portal.slack_sandbox import Sandbox
from portal.slack_sandbox.payloads import NotThere

from .conftest import App
from .test_control import BUTTONS, post
from .test_rules import QUIET, actions, button


def place(slack: WebClient, channel: str = "C0OPS", **content: Any) -> str:
    given = {"text": "Fire", "blocks": BUTTONS, **QUIET, **content}
    return str(slack.chat_postMessage(channel=channel, **given)["ts"])


def test_a_failing_app_leaves_a_warning_that_the_next_success_clears(
    sandbox: Sandbox, slack: WebClient, app: App
) -> None:
    ts = place(slack)
    app.status = 500
    sandbox.click("C0OPS", ts, "Go", "U0ADA")
    assert list(sandbox.messages("C0OPS")[0]["failures"].values()) == [
        "The app answered with an error."
    ]
    app.status = 200
    sandbox.click("C0OPS", ts, "Go", "U0ADA")
    assert sandbox.messages("C0OPS")[0]["failures"] == {}


def test_a_late_answer_is_a_timeout(
    sandbox: Sandbox, slack: WebClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.slack_sandbox.delivery.PATIENCE", 0.000_001)
    delivery = sandbox.click("C0OPS", place(slack), "Go", "U0ADA")
    assert delivery.verdict == "operation_timeout"
    assert "operation_timeout" in str(sandbox.messages("C0OPS")[0]["failures"])


def test_an_app_that_is_down_is_said_to_be_unreachable(sandbox: Sandbox, slack: WebClient) -> None:
    document = dict(sandbox.platform.manifest.document)
    document["settings"] = {"interactivity": {"request_url": "http://127.0.0.1:1/x"}}
    sandbox.set_manifest(document)
    assert sandbox.click("C0OPS", place(slack), "Go", "U0ADA").verdict == "connection_failed"


def test_a_click_on_an_ephemeral_carries_no_message(sandbox: Sandbox, slack: WebClient) -> None:
    slack.chat_postEphemeral(channel="C0OPS", user="U0ADA", text="x", blocks=BUTTONS)
    (seen,) = sandbox.ephemerals("U0ADA")
    payload = sandbox.click("C0OPS", seen["ts"], "Go", "U0ADA").payload
    assert payload["container"]["is_ephemeral"] is True
    assert "message" not in payload
    with pytest.raises(NotThere):
        sandbox.click("C0OPS", seen["ts"], "Go", "U0UMA")


def test_a_button_in_an_attachment_says_so(sandbox: Sandbox, slack: WebClient) -> None:
    bar = [{"color": "#e01e5a", "fallback": "x", "blocks": BUTTONS}]
    ts = place(slack, blocks=None, attachments=bar)
    payload = sandbox.click("C0OPS", ts, "Go", "U0ADA").payload
    assert payload["container"]["type"] == "message_attachment"
    assert payload["container"]["attachment_id"] == 1
    assert payload["message"]["attachments"][0]["color"] == "e01e5a"


def test_an_external_person_clicks_as_one_of_their_own_workspace(
    sandbox: Sandbox, slack: WebClient
) -> None:
    ts = place(slack, channel="C0PARTNERS")
    payload = sandbox.click("C0PARTNERS", ts, "Go", "U0BORIS").payload
    assert payload["user"]["team_id"] == "T0BETA"
    assert payload["team"]["id"] == "T0ACME"


def test_choosing_from_a_menu_sends_the_option(sandbox: Sandbox, slack: WebClient) -> None:
    options = [
        {"text": {"type": "plain_text", "text": word}, "value": word} for word in ("one", "two")
    ]
    menu = {"type": "overflow", "action_id": "more", "options": options}
    ts = place(slack, blocks=[actions(menu)])
    (action,) = sandbox.select("C0OPS", ts, "more", "U0ADA", "two").payload["actions"]
    assert action["type"] == "overflow"
    assert action["selected_option"]["value"] == "two"
    with pytest.raises(NotThere, match="no option"):
        sandbox.select("C0OPS", ts, "more", "U0ADA", "three")


def test_a_declined_confirmation_delivers_nothing(
    sandbox: Sandbox, slack: WebClient, app: App
) -> None:
    ts = place(slack)
    with pytest.raises(NotThere, match="declined"):
        sandbox.click("C0OPS", ts, "Go", "U0ADA", confirm=False)
    assert app.received == []


def test_the_buttons_of_a_removed_app_are_dead(
    sandbox: Sandbox, slack: WebClient, app: App
) -> None:
    ts = place(slack)
    sandbox.admin("uninstall", team_id="T0ACME")
    with pytest.raises(NotThere, match="not installed"):
        sandbox.click("C0OPS", ts, "Go", "U0ADA")
    assert app.received == []


def test_the_buttons_of_an_app_that_was_installed_again_work(
    sandbox: Sandbox, slack: WebClient, app: App
) -> None:
    ts = place(slack)
    sandbox.admin("uninstall", team_id="T0ACME")
    sandbox.install()
    assert sandbox.click("C0OPS", ts, "Go", "U0ADA").payload["message"]["ts"] == ts
    assert len(app.received) == 1


def test_a_double_click_sends_two_requests(sandbox: Sandbox, slack: WebClient, app: App) -> None:
    ts = place(slack)
    first, second = (sandbox.click("C0OPS", ts, "Go", "U0ADA") for _ in range(2))
    assert len(app.received) == 2
    assert first.payload["trigger_id"] != second.payload["trigger_id"]
    assert first.payload["response_url"] != second.payload["response_url"]


def test_an_answer_can_delete_an_ephemeral_and_refuses_bad_blocks(
    sandbox: Sandbox, slack: WebClient
) -> None:
    url = sandbox.click("C0OPS", place(slack), "Go", "U0ADA").payload["response_url"]
    assert post(url, {"text": "Only for you", "blocks": BUTTONS}) == 200
    (answer,) = sandbox.ephemerals("U0ADA")
    again = sandbox.click("C0OPS", answer["ts"], "Go", "U0ADA").payload["response_url"]
    assert post(again, {"delete_original": True}) == 200
    assert sandbox.ephemerals("U0ADA") == []
    assert post(url, {"text": "x", "blocks": [actions(button(1), button(1))]}) == 400


def test_an_answer_to_the_channel_counts_against_its_pace(
    sandbox: Sandbox, slack: WebClient
) -> None:
    url = sandbox.click("C0OPS", place(slack), "Go", "U0ADA").payload["response_url"]
    sandbox.clock(freeze=True)
    told = [post(url, {"text": str(n), "response_type": "in_channel"}) for n in range(5)]
    assert 429 in told
    assert sandbox.requests("response_url")[0].decision == "ok"


def test_a_link_to_a_message_leads_to_somebody_who_sees_it(
    sandbox: Sandbox, slack: WebClient
) -> None:
    ts = place(slack)
    link = slack.chat_getPermalink(channel="C0OPS", message_ts=ts)["permalink"]
    with urllib.request.urlopen(link) as answer:
        assert answer.url == f"{sandbox.url}/w/T0ACME/U0OLIVIA/C0OPS#m-{ts}"
    with urllib.request.urlopen(slack.auth_test()["url"]) as answer:
        assert answer.url.startswith(f"{sandbox.url}/w/T0ACME/U0OLIVIA")


def test_requests_are_signed_with_unusual_bytes_too(sandbox: Sandbox, app: App) -> None:
    sandbox.deliver(body='payload={"type" : "x",  "é":1}', kind="odd")
    assert app.received[0][1] == 'payload={"type" : "x",  "é":1}'.encode()
    assert json.dumps(sandbox.deliveries("odd")[0].status) == "200"
