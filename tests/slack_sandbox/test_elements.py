"""Does every element of a message send what Slack sends, and remember what a person set?"""

from typing import Any

import pytest
from slack_sdk import WebClient

from portal.slack_sandbox import Sandbox
from portal.slack_sandbox.payloads import NotThere

from .conftest import App
from .test_interactions import place
from .test_rules import actions, section


def text(words: str) -> dict[str, str]:
    return {"type": "plain_text", "text": words}


def option(word: str) -> dict[str, Any]:
    return {"text": text(word.title()), "value": word}


OPTIONS = {"options": [option("one"), option("two")]}
SETTING: list[tuple[str, dict[str, Any], Any, str, Any]] = [
    ("static_select", OPTIONS, "two", "selected_option", "two"),
    ("radio_buttons", OPTIONS, "one", "selected_option", "one"),
    ("checkboxes", OPTIONS, ["one", "two"], "selected_options", ["one", "two"]),
    ("checkboxes", OPTIONS, [], "selected_options", []),
    ("multi_static_select", OPTIONS, ["two"], "selected_options", ["two"]),
    ("users_select", {}, "U0UMA", "selected_user", "U0UMA"),
    ("conversations_select", {}, "C0DB", "selected_conversation", "C0DB"),
    ("channels_select", {}, "C0DB", "selected_channel", "C0DB"),
    ("multi_users_select", {}, ["U0UMA", "U0ADA"], "selected_users", ["U0UMA", "U0ADA"]),
    ("datepicker", {}, "2026-12-24", "selected_date", "2026-12-24"),
    ("timepicker", {}, "18:30", "selected_time", "18:30"),
    ("datetimepicker", {}, "2026-07-01T12:00", "selected_date_time", 1_782_903_600),
    ("datetimepicker", {}, "1782903600", "selected_date_time", 1_782_903_600),
]


def bare(value: Any) -> Any:
    """Options by their value."""
    if isinstance(value, list):
        return [bare(each) for each in value]
    return value["value"] if isinstance(value, dict) else value


@pytest.mark.parametrize(("kind", "more", "given", "key", "expected"), SETTING)
def test_setting_an_element_sends_it_and_keeps_it(
    sandbox: Sandbox,
    slack: WebClient,
    kind: str,
    more: dict[str, Any],
    given: Any,
    key: str,
    expected: Any,
) -> None:
    element = {"type": kind, "action_id": "it", **more}
    carrier = section(accessory=element) if kind.startswith("multi") else actions(element)
    ts = place(slack, blocks=[carrier | {"block_id": "b"}])
    payload = sandbox.choose("C0OPS", ts, "it", "U0ADA", given).payload
    (action,) = payload["actions"]
    assert (action["type"], bare(action[key])) == (kind, expected)
    kept = payload["state"]["values"]["b"]["it"]
    assert (kept["type"], bare(kept[key])) == (kind, expected)


def test_state_has_every_element_and_is_each_persons_own(
    sandbox: Sandbox, slack: WebClient
) -> None:
    first = {"type": "static_select", "action_id": "first", **OPTIONS}
    second = {"type": "datepicker", "action_id": "second", "initial_date": "2026-01-01"}
    press = {"type": "button", "action_id": "go", "text": text("Go")}
    ts = place(slack, blocks=[actions(first, second, press) | {"block_id": "b"}])
    sandbox.choose("C0OPS", ts, "first", "U0ADA", "one")
    of_ada = sandbox.click("C0OPS", ts, "Go", "U0ADA").payload["state"]["values"]["b"]
    assert set(of_ada) == {"first", "second"}
    assert of_ada["first"]["selected_option"]["value"] == "one"
    assert of_ada["second"]["selected_date"] == "2026-01-01"
    of_uma = sandbox.click("C0OPS", ts, "Go", "U0UMA").payload["state"]["values"]["b"]
    assert of_uma["first"]["selected_option"] is None


def test_an_option_that_is_not_there_cannot_be_chosen(sandbox: Sandbox, slack: WebClient) -> None:
    element = {"type": "checkboxes", "action_id": "it", **OPTIONS}
    ts = place(slack, blocks=[actions(element)])
    with pytest.raises(NotThere, match="no option"):
        sandbox.choose("C0OPS", ts, "it", "U0ADA", "three")


SEARCH = {"type": "external_select", "action_id": "policy", "min_query_length": 1}


def searching(slack: WebClient, **more: Any) -> str:
    return place(slack, blocks=[actions({**SEARCH, **more}) | {"block_id": "b"}])


def test_typing_asks_the_app_for_options_and_one_can_be_chosen(
    sandbox: Sandbox, slack: WebClient, app: App
) -> None:
    app.answers["/options"] = {"options": [option("database"), option("network")]}
    ts = searching(slack)
    offered = sandbox.suggest("U0ADA", "policy", "da", "C0OPS", ts)
    assert [each["value"] for each in offered] == ["database", "network"]
    sent = app.sent()
    assert (sent["type"], sent["value"]) == ("block_suggestion", "da")
    assert (sent["block_id"], sent["action_id"]) == ("b", "policy")
    assert (sent["container"]["message_ts"], sent["message"]["ts"]) == (ts, ts)
    assert sent["channel"]["id"] == "C0OPS"
    assert "trigger_id" not in sent
    (action,) = sandbox.choose("C0OPS", ts, "policy", "U0ADA", "network").payload["actions"]
    assert action["selected_option"] == option("network")
    with pytest.raises(NotThere, match="no option"):
        sandbox.choose("C0OPS", ts, "policy", "U0UMA", "network")


def test_groups_of_options_are_taken(sandbox: Sandbox, slack: WebClient, app: App) -> None:
    group = {"label": text("Policies"), "options": [option("database")]}
    app.answers["/options"] = {"option_groups": [group]}
    offered = sandbox.suggest("U0ADA", "policy", "da", "C0OPS", searching(slack))
    assert offered == [option("database")]


def test_nothing_is_asked_before_enough_was_typed(
    sandbox: Sandbox, slack: WebClient, app: App
) -> None:
    ts = place(slack, blocks=[actions({"type": "external_select", "action_id": "policy"})])
    assert sandbox.suggest("U0ADA", "policy", "da", "C0OPS", ts) == []
    assert app.received == []


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "[]",
        {"nothing": 1},
        {"options": [option(str(n)) for n in range(101)]},
        {"options": [{"text": text("x" * 76), "value": "x"}]},
        {"options": [{"text": text(""), "value": "x"}]},
        {"options": [{"text": text("x")}]},
        {"options": ["x"]},
    ],
)
def test_bad_options_are_refused_and_recorded(
    sandbox: Sandbox, slack: WebClient, app: App, answer: Any
) -> None:
    app.answers["/options"] = answer
    with pytest.raises(NotThere):
        sandbox.suggest("U0ADA", "policy", "da", "C0OPS", searching(slack))
    assert sandbox.deliveries("block_suggestion")[0].verdict == "bad_answer"
    assert sandbox.violations("bad_options")


def test_a_hundred_options_are_the_most(sandbox: Sandbox, slack: WebClient, app: App) -> None:
    app.answers["/options"] = {"options": [option(str(n)) for n in range(100)]}
    assert len(sandbox.suggest("U0ADA", "policy", "da", "C0OPS", searching(slack))) == 100


def test_options_that_do_not_come_are_said(sandbox: Sandbox, slack: WebClient, app: App) -> None:
    app.status = 500
    with pytest.raises(NotThere, match="could not be loaded"):
        sandbox.suggest("U0ADA", "policy", "da", "C0OPS", searching(slack))
    assert sandbox.violations("bad_options") == []
