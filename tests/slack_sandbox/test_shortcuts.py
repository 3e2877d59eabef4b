"""Do shortcuts and the app's Home reach the app as Slack sends them?"""

from typing import Any

import pytest
from slack_sdk import WebClient

from portal.slack_sandbox import Sandbox, store
from portal.slack_sandbox.payloads import NotThere

from .conftest import App, manifest
from .test_elements import text
from .test_modals import MORE
from .test_web_api import refusal


@pytest.mark.usefixtures("slack")
def test_a_global_shortcut_has_no_channel_and_no_answer_address(sandbox: Sandbox, app: App) -> None:
    assert sandbox.shortcut("U0ADA", "create").verdict == "ok"
    sent = app.sent()
    assert (sent["type"], sent["callback_id"]) == ("shortcut", "create")
    assert sent["user"]["id"] == "U0ADA"
    assert sent["trigger_id"]
    assert not {"channel", "response_url", "message"} & set(sent)


def test_a_message_shortcut_carries_the_complete_message(
    sandbox: Sandbox, slack: WebClient, app: App
) -> None:
    said = sandbox.say("C0OPS", "U0UMA", "<b> it burns & smokes")
    sandbox.message_shortcut("C0OPS", said["ts"], "U0ADA", "create_from")
    sent = app.sent()
    assert (sent["type"], sent["callback_id"]) == ("message_action", "create_from")
    assert sent["message"]["text"] == "&lt;b&gt; it burns &amp; smokes"
    assert sent["message"]["user"] == "U0UMA"
    assert sent["message_ts"] == said["ts"]
    assert sent["channel"] == {"id": "C0OPS", "name": "ops"}
    assert sent["response_url"]


def test_shortcuts_are_not_offered_on_ephemerals_or_when_they_are_not_declared(
    sandbox: Sandbox, slack: WebClient
) -> None:
    slack.chat_postEphemeral(channel="C0OPS", user="U0ADA", text="psst")
    (seen,) = sandbox.ephemerals("U0ADA")
    with pytest.raises(NotThere, match="only you"):
        sandbox.message_shortcut("C0OPS", seen["ts"], "U0ADA", "create_from")
    with pytest.raises(NotThere, match="no global shortcut"):
        sandbox.shortcut("U0ADA", "create_from")
    sandbox.admin("uninstall", team_id="T0ACME")
    with pytest.raises(NotThere, match="no global shortcut"):
        sandbox.shortcut("U0ADA", "create")


def home(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    section = {"type": "section", "text": text("Nothing is burning.")}
    return {"type": "home", "blocks": [section, *blocks], **more}


def test_a_home_is_published_to_one_person_and_acted_in(
    sandbox: Sandbox, slack: WebClient, app: App
) -> None:
    assert sandbox.home_of("U0ADA") is None
    first = slack.views_publish(user_id="U0ADA", view=home(MORE))["view"]
    again = slack.views_publish(user_id="U0ADA", hash=first["hash"], view=home(MORE))["view"]
    assert again["id"] == first["id"]
    stale = {"user_id": "U0ADA", "hash": first["hash"], "view": home()}
    assert refusal(slack.views_publish, **stale) == "hash_conflict"
    shown = sandbox.home_of("U0ADA")
    assert shown is not None
    assert (shown["type"], shown["callback_id"], shown["submit"]) == ("home", "", None)
    assert sandbox.home_of("U0UMA") is None
    sandbox.act_in_view("U0ADA", "More", home=True)
    sent = app.sent()
    assert sent["container"] == {"type": "view", "view_id": first["id"]}
    assert "response_url" not in sent
    slack.views_open(
        trigger_id=sent["trigger_id"],
        view={"type": "modal", "title": text("x"), "blocks": home()["blocks"]},
    )
    assert sandbox.open_view_of("U0ADA")


def test_a_home_takes_no_submit_and_no_stranger(sandbox: Sandbox, slack: WebClient) -> None:
    wrong = {"user_id": "U0ADA", "view": {**home(), "type": "modal"}}
    assert refusal(slack.views_publish, **wrong) == "invalid_arguments"
    assert refusal(slack.views_publish, user_id="U0BEA0", view=home()) == "user_not_found"


def test_opening_the_home_tells_the_app_with_the_view_it_published(
    sandbox: Sandbox, slack: WebClient, app: App
) -> None:
    document = manifest(app.url)
    events = {"request_url": f"{app.url}/events", "bot_events": ["app_home_opened"]}
    document["settings"]["event_subscriptions"] = events
    sandbox.set_manifest(document)
    sandbox.platform.events.verified_url = f"{app.url}/events"
    sandbox.open_home("U0ADA")
    (first,) = sandbox.deliveries("app_home_opened", wait=5)
    event = first.payload["event"]
    assert (event["user"], event["tab"]) == ("U0ADA", "home")
    assert event["channel"].startswith("D")
    assert "view" not in event
    view = slack.views_publish(user_id="U0ADA", view=home())["view"]
    sandbox.open_home("U0ADA")
    _, second = sandbox.deliveries("app_home_opened", wait=5, count=2)
    assert second.payload["event"]["view"]["id"] == view["id"]


def test_the_home_of_an_app_that_is_not_installed_cannot_be_opened(sandbox: Sandbox) -> None:
    with pytest.raises(NotThere, match="not installed"):
        sandbox.open_home("U0ADA")


def test_no_home_can_be_published_while_its_tab_is_off(
    sandbox: Sandbox, slack: WebClient, app: App
) -> None:
    document = manifest(app.url)
    document["features"]["app_home"]["home_tab_enabled"] = False
    sandbox.set_manifest(document)
    assert refusal(slack.views_publish, user_id="U0ADA", view=home()) == "not_enabled"


def test_what_is_open_survives_a_restart_of_the_sandbox(sandbox: Sandbox, slack: WebClient) -> None:
    slack.views_publish(user_id="U0ADA", view=home(MORE))
    world = store.decode(store.encode(sandbox.platform.reading))
    assert world.home_of("U0ADA") == sandbox.platform.world.home_of("U0ADA")
