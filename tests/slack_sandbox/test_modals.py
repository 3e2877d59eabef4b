"""Do modals open, stack, submit and close by Slack's rules?"""

from collections.abc import Callable
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from portal.slack_sandbox import Sandbox
from portal.slack_sandbox.modals import Unfinished
from portal.slack_sandbox.payloads import TROUBLE_CONNECTING, NotThere

from .conftest import App
from .test_elements import SEARCH, option, text
from .test_interactions import place
from .test_web_api import refusal

Open = Callable[..., dict[str, Any]]


def question(block_id: str, element: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    typed = {"type": "plain_text_input", "action_id": "typed"}
    label = text(block_id.title())
    return {
        "type": "input",
        "block_id": block_id,
        "label": label,
        "element": element or typed,
        **more,
    }


def modal(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    shown = list(blocks) or [question("summary")]
    words = {"title": text("Create alert"), "submit": text("Create")}
    return {"type": "modal", "callback_id": "create", "blocks": shown, **words, **more}


def trigger(sandbox: Sandbox, user_id: str = "U0ADA") -> str:
    return str(sandbox.shortcut(user_id, "create").payload["trigger_id"])


@pytest.fixture
def open_(sandbox: Sandbox, slack: WebClient) -> Open:
    """Open this modal at Ada; the view as the app gets it."""

    def run(*blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
        answer = slack.views_open(trigger_id=trigger(sandbox), view=modal(*blocks, **more))
        view: dict[str, Any] = answer["view"]
        return view

    return run


def top(sandbox: Sandbox) -> dict[str, Any]:
    view = sandbox.open_view_of("U0ADA")
    assert view is not None
    return view


def test_a_modal_opens_at_whoever_the_trigger_came_from(sandbox: Sandbox, open_: Open) -> None:
    view = open_(private_metadata="for me")
    assert top(sandbox)["id"] == view["id"] == view["root_view_id"]
    assert view["private_metadata"] == "for me"
    assert view["state"]["values"] == {
        "summary": {"typed": {"type": "plain_text_input", "value": None}}
    }
    assert sandbox.open_view_of("U0UMA") is None


def test_a_trigger_opens_once(sandbox: Sandbox, slack: WebClient) -> None:
    one = trigger(sandbox)
    slack.views_open(trigger_id=one, view=modal())
    assert refusal(slack.views_open, trigger_id=one, view=modal()) == "exchanged_trigger_id"


def test_a_trigger_lives_three_seconds(sandbox: Sandbox, slack: WebClient) -> None:
    sandbox.clock(freeze=True)
    early, late = trigger(sandbox), trigger(sandbox)
    sandbox.clock(advance=2.9)
    slack.views_open(trigger_id=early, view=modal())
    sandbox.clock(advance=0.2)
    assert refusal(slack.views_open, trigger_id=late, view=modal()) == "expired_trigger_id"


def test_an_invented_trigger_and_one_of_another_workspace_open_nothing(
    sandbox: Sandbox, slack: WebClient
) -> None:
    assert refusal(slack.views_open, trigger_id="1.2.3", view=modal()) == "invalid_trigger_id"
    sandbox.install("T0BETA", "U0BEA")
    other = trigger(sandbox, "U0BEA")
    assert refusal(slack.views_open, trigger_id=other, view=modal()) == "invalid_trigger_id"


def test_a_click_and_a_command_carry_a_trigger_too(sandbox: Sandbox, slack: WebClient) -> None:
    clicked = sandbox.click("C0OPS", place(slack), "Go", "U0ADA").payload["trigger_id"]
    typed = sandbox.command("T0ACME", "C0OPS", "U0UMA", "/raw").payload["trigger_id"]
    for each in (clicked, typed):
        slack.views_open(trigger_id=each, view=modal())
    assert sandbox.open_view_of("U0ADA")
    assert sandbox.open_view_of("U0UMA")


BAD_VIEWS = {
    "title of 25": {"title": text("x" * 25)},
    "submit of 25": {"submit": text("x" * 25)},
    "close of 25": {"close": text("x" * 25)},
    "no title": {"title": None},
    "an input without submit": {"submit": None},
    "private_metadata of 3,001": {"private_metadata": "x" * 3_001},
    "callback_id of 256": {"callback_id": "x" * 256},
    "external_id of 256": {"external_id": "x" * 256},
    "101 blocks": {"blocks": [{"type": "divider"}] * 101},
    "no list of blocks": {"blocks": {}},
    "an unknown key": {"colour": "red"},
    "a home": {"type": "home"},
    "min_length of 3,001": {
        "blocks": [
            question("a", {"type": "plain_text_input", "action_id": "a", "min_length": 3001})
        ]
    },
    "a select without options": {
        "blocks": [question("a", {"type": "static_select", "action_id": "a"})]
    },
}


@pytest.mark.parametrize("more", BAD_VIEWS.values(), ids=BAD_VIEWS)
def test_a_view_that_breaks_a_limit_is_refused_with_the_place(
    sandbox: Sandbox, slack: WebClient, more: dict[str, Any]
) -> None:
    one = trigger(sandbox)
    with pytest.raises(SlackApiError) as refused:
        slack.views_open(trigger_id=one, view=modal(**more))
    assert refused.value.response["error"] == "invalid_arguments"
    assert "[json-pointer:/view" in refused.value.response["response_metadata"]["messages"][0]
    kept = {"title": text("x" * 24), "private_metadata": "x" * 3_000, "callback_id": "x" * 255}
    slack.views_open(trigger_id=one, view=modal(**kept))


def test_a_view_of_more_than_250_kilobytes_is_too_large(sandbox: Sandbox, slack: WebClient) -> None:
    blocks = [{"type": "section", "text": text("x" * 3_000)} for _ in range(90)]
    one = trigger(sandbox)
    assert refusal(slack.views_open, trigger_id=one, view=modal(*blocks)) == "view_too_large"


def test_an_external_id_names_one_view(sandbox: Sandbox, slack: WebClient, open_: Open) -> None:
    open_(external_id="alert-7")
    other = trigger(sandbox, "U0UMA")
    view = modal(external_id="alert-7")
    assert refusal(slack.views_open, trigger_id=other, view=view) == "duplicate_external_id"
    slack.views_update(external_id="alert-7", view=modal(title=text("New"), external_id="alert-7"))
    assert top(sandbox)["title"]["text"] == "New"


def test_an_update_needs_the_current_hash_and_keeps_what_was_typed(
    sandbox: Sandbox, slack: WebClient, open_: Open
) -> None:
    view = open_(question("summary"), question("detail"))
    sandbox.fill_view("U0ADA", {"summary": "Fire", "detail": "Smoke"})
    loaded = modal(question("summary"), question("elsewhere"))
    slack.views_update(view_id=view["id"], hash=view["hash"], view=loaded)
    values = top(sandbox)["state"]["values"]
    assert values["summary"]["typed"]["value"] == "Fire"
    assert values["elsewhere"]["typed"]["value"] is None
    stale = {"view_id": view["id"], "hash": view["hash"], "view": loaded}
    nameless = {"api_method": "views.update", "json": {"view": loaded}}
    assert refusal(slack.views_update, **stale) == "hash_conflict"
    assert refusal(slack.views_update, view_id="V0", view=loaded) == "not_found"
    assert refusal(slack.api_call, **nameless) == "invalid_arguments"


def act(sandbox: Sandbox) -> str:
    return str(sandbox.act_in_view("U0ADA", "more").payload["trigger_id"])


MORE = {
    "type": "actions",
    "elements": [{"type": "button", "action_id": "more", "text": text("More")}],
}


def test_three_views_stack(sandbox: Sandbox, slack: WebClient, open_: Open) -> None:
    first = open_(MORE)
    second = slack.views_push(trigger_id=act(sandbox), view=modal(MORE))["view"]
    assert second["previous_view_id"] == second["root_view_id"] == first["id"]
    third = slack.views_push(trigger_id=act(sandbox), view=modal(MORE))["view"]
    assert (third["previous_view_id"], third["root_view_id"]) == (second["id"], first["id"])
    fourth = {"trigger_id": act(sandbox), "view": modal(MORE)}
    assert refusal(slack.views_push, **fourth) == "push_limit_reached"
    sandbox.close_view("U0ADA")
    assert top(sandbox)["id"] == second["id"]


def test_only_a_modal_can_be_pushed_onto(sandbox: Sandbox, slack: WebClient) -> None:
    one = trigger(sandbox)
    assert refusal(slack.views_push, trigger_id=one, view=modal()) == "not_found"


def test_acting_in_a_modal_carries_the_view_and_its_values(
    sandbox: Sandbox, app: App, open_: Open
) -> None:
    view = open_(question("summary"), MORE)
    sandbox.fill_view("U0ADA", {"summary": "Fire"})
    sandbox.act_in_view("U0ADA", "More")
    sent = app.sent()
    assert sent["container"] == {"type": "view", "view_id": view["id"]}
    assert sent["view"]["hash"] == view["hash"]
    assert sent["view"]["state"]["values"]["summary"]["typed"]["value"] == "Fire"
    assert not {"message", "channel", "response_url"} & set(sent)
    assert sent["actions"][0]["action_id"] == "more"


def test_a_submission_carries_everything_and_an_empty_answer_closes(
    sandbox: Sandbox, app: App, open_: Open
) -> None:
    kinds = {"type": "static_select", "action_id": "kind", "options": [option("high")]}
    view = open_(question("summary"), question("kind", kinds), private_metadata="m")
    delivery = sandbox.submit_view("U0ADA", {"summary": "Fire", "kind": "high"})
    assert delivery.verdict == "ok"
    sent = app.sent()
    assert (sent["type"], sent["user"]["id"]) == ("view_submission", "U0ADA")
    assert (sent["view"]["id"], sent["view"]["private_metadata"]) == (view["id"], "m")
    values = sent["view"]["state"]["values"]
    assert values["summary"]["typed"] == {"type": "plain_text_input", "value": "Fire"}
    assert values["kind"]["kind"]["selected_option"]["value"] == "high"
    assert sent["response_urls"] == []
    assert sent["trigger_id"]
    assert sandbox.open_view_of("U0ADA") is None


def test_slack_does_not_submit_what_is_unfinished(sandbox: Sandbox, app: App, open_: Open) -> None:
    short = {"type": "plain_text_input", "action_id": "typed", "max_length": 5}
    mail = {"type": "email_text_input", "action_id": "mail"}
    optional = question("optional", optional=True)
    open_(question("summary"), question("short", short), question("mail", mail), optional)
    asked = len(app.received)
    with pytest.raises(Unfinished) as refused:
        sandbox.submit_view("U0ADA", {"short": "too long", "mail": "nonsense"})
    assert set(refused.value.errors) == {"summary", "short", "mail"}
    assert set(top(sandbox)["errors"]) == {"summary", "short", "mail"}
    assert len(app.received) == asked
    sandbox.submit_view("U0ADA", {"summary": "x", "short": "short", "mail": "a@b.example"})
    assert sandbox.open_view_of("U0ADA") is None


def answering(app: App, answer: Any) -> None:
    app.answers["/interactions"] = answer


def test_errors_are_shown_at_the_field_and_the_text_is_kept(
    sandbox: Sandbox, app: App, open_: Open
) -> None:
    open_()
    answering(app, {"response_action": "errors", "errors": {"summary": "No such policy."}})
    assert sandbox.submit_view("U0ADA", {"summary": "Fire"}).verdict == "ok"
    assert top(sandbox)["errors"] == {"summary": "No such policy."}
    assert top(sandbox)["state"]["values"]["summary"]["typed"]["value"] == "Fire"


def test_an_answer_can_update_push_and_clear(sandbox: Sandbox, app: App, open_: Open) -> None:
    first = open_()
    answering(app, {"response_action": "update", "view": modal(title=text("Changed"))})
    sandbox.submit_view("U0ADA", {"summary": "Fire"})
    assert (top(sandbox)["id"], top(sandbox)["title"]["text"]) == (first["id"], "Changed")
    answering(app, {"response_action": "push", "view": modal(title=text("Pushed"))})
    sandbox.submit_view("U0ADA")
    assert top(sandbox)["previous_view_id"] == first["id"]
    answering(app, {"response_action": "clear"})
    sandbox.submit_view("U0ADA", {"summary": "Fire"})
    assert sandbox.open_view_of("U0ADA") is None


@pytest.mark.parametrize(
    "answer",
    [
        "ok",
        {"ok": True},
        "[]",
        {"response_action": "dance"},
        {"response_action": "errors", "errors": {"nowhere": "x"}},
        {"response_action": "errors", "errors": {}},
        {"response_action": "errors", "errors": {"summary": ""}},
        {"response_action": "update"},
        {"response_action": "update", "view": {"type": "modal"}},
    ],
)
def test_any_other_answer_is_trouble_and_keeps_what_was_typed(
    sandbox: Sandbox, app: App, open_: Open, answer: Any
) -> None:
    open_()
    answering(app, answer)
    assert sandbox.submit_view("U0ADA", {"summary": "Fire"}).verdict == "bad_answer"
    assert top(sandbox)["trouble"] == TROUBLE_CONNECTING
    assert top(sandbox)["state"]["values"]["summary"]["typed"]["value"] == "Fire"
    assert sandbox.violations("bad_view_answer")
    answering(app, "")
    sandbox.submit_view("U0ADA")
    assert sandbox.open_view_of("U0ADA") is None


def test_an_app_that_fails_or_is_late_is_trouble(
    sandbox: Sandbox, app: App, open_: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_()
    app.status = 500
    sandbox.submit_view("U0ADA", {"summary": "Fire"})
    assert top(sandbox)["trouble"] == TROUBLE_CONNECTING
    app.status = 200
    monkeypatch.setattr("portal.slack_sandbox.delivery.PATIENCE", 0.000_001)
    assert sandbox.submit_view("U0ADA").verdict == "operation_timeout"
    assert top(sandbox)["trouble"] == TROUBLE_CONNECTING


def test_closing_is_told_to_those_who_asked(sandbox: Sandbox, app: App, open_: Open) -> None:
    open_()
    asked = len(app.received)
    assert sandbox.close_view("U0ADA") == []
    assert len(app.received) == asked
    view = open_(notify_on_close=True)
    (delivery,) = sandbox.close_view("U0ADA")
    assert (delivery.kind, delivery.payload["is_cleared"]) == ("view_closed", False)
    assert delivery.payload["view"]["id"] == view["id"]
    assert "trigger_id" not in delivery.payload


def test_closing_the_whole_stack_tells_of_each_view(
    sandbox: Sandbox, slack: WebClient, open_: Open
) -> None:
    open_(MORE, notify_on_close=True)
    pushed = modal(MORE, notify_on_close=True, clear_on_close=True)
    slack.views_push(trigger_id=act(sandbox), view=pushed)
    told = sandbox.close_view("U0ADA")
    assert [each.payload["is_cleared"] for each in told] == [True, True]
    assert sandbox.open_view_of("U0ADA") is None


def test_a_closed_modal_is_gone_for_everybody(
    sandbox: Sandbox, slack: WebClient, open_: Open
) -> None:
    view = open_()
    sandbox.close_view("U0ADA")
    assert refusal(slack.views_update, view_id=view["id"], view=modal()) == "not_found"
    with pytest.raises(NotThere, match="no modal open"):
        sandbox.submit_view("U0ADA")


def test_options_are_suggested_in_a_modal(sandbox: Sandbox, app: App, open_: Open) -> None:
    view = open_(question("policy", SEARCH))
    app.answers["/options"] = {"options": [option("database")]}
    assert sandbox.suggest("U0ADA", "policy", "d") == [option("database")]
    assert app.sent()["container"] == {"type": "view", "view_id": view["id"]}
    assert app.sent()["view"]["id"] == view["id"]
    sandbox.submit_view("U0ADA", {"policy": "database"})
    chosen = app.sent()["view"]["state"]["values"]["policy"]["policy"]["selected_option"]
    assert chosen == option("database")


def test_a_conversation_select_can_ask_for_an_answer_address(
    sandbox: Sandbox, app: App, open_: Open
) -> None:
    where = {"type": "conversations_select", "action_id": "c", "response_url_enabled": True}
    open_(question("where", where))
    sandbox.submit_view("U0ADA", {"where": "C0DB"})
    (made,) = app.sent()["response_urls"]
    assert (made["block_id"], made["channel_id"]) == ("where", "C0DB")


def test_a_modal_can_be_opened_while_the_app_is_answering(
    sandbox: Sandbox, slack: WebClient, app: App
) -> None:
    def react(_path: str, sent: dict[str, Any]) -> None:
        slack.views_open(trigger_id=sent["trigger_id"], view=modal())

    app.react = react
    sandbox.shortcut("U0ADA", "create")
    assert sandbox.wait_for_view("U0ADA", "Create alert", timeout=1)


def test_the_windows_of_a_removed_app_close(
    sandbox: Sandbox, slack: WebClient, open_: Open
) -> None:
    open_()
    slack.views_publish(user_id="U0UMA", view={"type": "home", "blocks": [MORE]})
    sandbox.admin("uninstall", team_id="T0ACME")
    assert sandbox.open_view_of("U0ADA") is None
    assert sandbox.home_of("U0UMA") is None
