"""Can a person write, use commands, choose, and fill in modals on the screen, with and without JavaScript?"""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from slack_sdk import WebClient

from portal.slack_sandbox import Sandbox

from .conftest import App
from .test_elements import OPTIONS, SEARCH, option, text
from .test_interactions import place
from .test_modals import MORE, modal, question, trigger
from .test_rules import actions, section
from .test_screen import CONFIRM
from .test_shortcuts import home


@pytest.fixture
def ops(chromium: Browser, sandbox: Sandbox) -> Iterator[Page]:
    """A tab whose page policy is in force: a refused script or style fails the test."""
    context = chromium.new_context()
    tab = context.new_page()
    wrong: list[str] = []
    tab.on("console", lambda each: wrong.append(each.text) if each.type == "error" else None)
    tab.on("pageerror", lambda each: wrong.append(str(each)))
    yield tab
    context.close()
    assert [each for each in wrong if "409" not in each] == []


def address(sandbox: Sandbox, channel: str = "C0OPS", user_id: str = "U0ADA") -> str:
    return f"{sandbox.url}/w/T0ACME/{user_id}/{channel}"


def go(tab: Page, sandbox: Sandbox, **where: str) -> None:
    tab.goto(address(sandbox, **where))


@pytest.mark.usefixtures("slack")
def test_a_message_is_written_and_appears_without_a_reload(sandbox: Sandbox, ops: Page) -> None:
    go(ops, sandbox)
    ops.evaluate("window.isSamePage = true")
    box = ops.get_by_label("Message #ops")
    box.fill("It burns, @uma.ueda")
    box.press("Enter")
    expect(ops.locator(".message .mention")).to_have_text("@Uma Ueda")
    expect(box).to_have_value("")
    expect(box).to_be_focused()
    assert ops.evaluate("window.isSamePage") is True
    assert sandbox.messages("C0OPS")[0]["text"] == "It burns, <@U0UMA>"


@pytest.mark.usefixtures("slack")
def test_a_reply_goes_into_the_thread(sandbox: Sandbox, ops: Page) -> None:
    said = sandbox.say("C0OPS", "U0UMA", "It burns")
    go(ops, sandbox)
    ops.get_by_label("More for the message by Uma Ueda").click()
    ops.get_by_role("link", name="Reply in thread").click()
    expect(ops.get_by_text("Replying to Uma Ueda")).to_be_visible()
    ops.get_by_label("Message #ops").fill("On it")
    ops.get_by_role("button", name="Send").click()
    expect(ops.locator(".replies .message")).to_contain_text("On it")
    assert sandbox.messages("C0OPS")[1]["thread_ts"] == said["ts"]
    ops.get_by_label("Message #ops").fill("Done")
    ops.get_by_role("link", name="Cancel").click()
    ops.get_by_role("button", name="Send").click()
    expect(ops.locator(".message")).to_have_count(3)
    assert "thread_ts" not in sandbox.messages("C0OPS")[2]


@pytest.mark.usefixtures("slack")
def test_a_command_is_offered_completed_and_answered(sandbox: Sandbox, app: App, ops: Page) -> None:
    app.answers["/commands"] = {"text": "Ada is on call."}
    go(ops, sandbox)
    box = ops.get_by_label("Message #ops")
    box.fill("/on")
    expect(ops.locator("[data-hints]")).to_contain_text("[policy or source]")
    box.press("Tab")
    expect(box).to_have_value("/on-call ")
    box.press_sequentially("database")
    box.press("Enter")
    expect(ops.locator(".message.ephemeral")).to_contain_text("Ada is on call.")
    assert app.sent()["text"] == "database"


@pytest.mark.usefixtures("slack")
def test_a_wrong_command_is_said_and_stays_in_the_composer(sandbox: Sandbox, ops: Page) -> None:
    go(ops, sandbox)
    box = ops.get_by_label("Message #ops")
    box.fill("/nonsense now")
    box.press("Enter")
    expect(ops.locator("#notice")).to_contain_text("/nonsense is not a valid command")
    expect(box).to_have_value("/nonsense now")


@pytest.mark.usefixtures("slack")
def test_writing_works_without_javascript(sandbox: Sandbox) -> None:
    sent = requests.post(f"{address(sandbox)}/say", data={"text": "It burns"}, timeout=5)
    assert sent.url == address(sandbox)
    assert "It burns" in sent.text
    refused = requests.post(f"{address(sandbox)}/say", data={"text": "/no <b>"}, timeout=5)
    assert refused.status_code == 409
    assert "not a valid command" in refused.text
    assert "/no &lt;b&gt;</textarea>" in refused.text


def test_a_person_joins_before_they_write(sandbox: Sandbox, ops: Page) -> None:
    go(ops, sandbox, channel="C0DB", user_id="U0STAN")
    ops.get_by_role("button", name="Join #db").click()
    expect(ops.get_by_label("Message #db")).to_be_visible()
    go(ops, sandbox, channel="C0OLD")
    expect(ops.get_by_text("This channel is archived")).to_be_visible()


def test_elements_of_a_message_are_set_and_stay_set(
    sandbox: Sandbox, slack: WebClient, app: App, ops: Page
) -> None:
    app.answers["/options"] = {"options": [option("database"), option("network")]}
    menu = {"type": "static_select", "action_id": "level", "placeholder": text("Level"), **OPTIONS}
    boxes = {"type": "checkboxes", "action_id": "boxes", **OPTIONS}
    day = {"type": "datepicker", "action_id": "day", "placeholder": text("Day")}
    search = {**SEARCH, "placeholder": text("Policy")}
    place(slack, blocks=[section(accessory=boxes), actions(menu, day, search)])
    go(ops, sandbox)
    with ops.expect_response("**/click"):
        ops.get_by_label("Level").select_option("two")
    with ops.expect_response("**/click"):
        ops.get_by_label("One").check()
    with ops.expect_response("**/click"):
        ops.get_by_label("Day").fill("2026-12-24")
    ops.get_by_label("Policy").press_sequentially("net")
    ops.get_by_role("option", name="Network").wait_for()
    ops.get_by_label("Policy").press("ArrowDown")
    ops.get_by_label("Policy").press("ArrowDown")
    with ops.expect_response("**/click"):
        ops.get_by_label("Policy").press("Enter")
    (values,) = [v for v in app.sent()["state"]["values"].values() if "policy" in v]
    assert values["policy"]["selected_option"]["value"] == "network"
    assert values["level"]["selected_option"]["value"] == "two"
    assert values["day"]["selected_date"] == "2026-12-24"
    ops.reload()
    expect(ops.get_by_label("Level")).to_have_value("two")
    expect(ops.get_by_label("One")).to_be_checked()
    expect(ops.get_by_label("Policy")).to_have_value("Network")


def test_what_is_being_typed_into_a_search_outlives_a_new_message(
    sandbox: Sandbox, slack: WebClient, ops: Page
) -> None:
    search = {**SEARCH, "placeholder": text("Policy"), "min_query_length": 3}
    place(slack, blocks=[actions(search)])
    go(ops, sandbox)
    box = ops.get_by_label("Policy")
    box.press_sequentially("ne")
    slack.chat_postMessage(channel="C0OPS", text="And another one")
    ops.evaluate("refresh()")
    assert box.input_value() == "ne"
    box.blur()
    expect(ops.get_by_text("And another one")).to_be_visible()


def test_a_select_with_a_confirmation_asks_first(
    sandbox: Sandbox, slack: WebClient, app: App, ops: Page
) -> None:
    menu = {"type": "static_select", "action_id": "level", "placeholder": text("Level"), **OPTIONS}
    place(slack, blocks=[actions({**menu, "confirm": CONFIRM})])
    go(ops, sandbox)
    ops.get_by_label("Level").select_option("two")
    ops.get_by_role("button", name="Leave it").click()
    expect(ops.get_by_label("Level")).to_have_value("")
    assert app.received == []
    ops.get_by_label("Level").select_option("two")
    with ops.expect_response("**/click"):
        ops.get_by_role("button", name="Do it").click()
    assert app.sent()["actions"][0]["selected_option"]["value"] == "two"


def opening(app: App, slack: WebClient, view: dict[str, Any]) -> None:
    """The app opens this view when a shortcut is used."""

    def react(_path: str, sent: dict[str, Any]) -> None:
        if sent.get("type") in ("shortcut", "message_action"):
            slack.views_open(trigger_id=sent["trigger_id"], view=view)

    app.react = react


def test_a_modal_is_opened_by_a_shortcut_filled_in_and_submitted_by_keyboard(
    sandbox: Sandbox, slack: WebClient, app: App, ops: Page
) -> None:
    app.answers["/options"] = {"options": [option("database"), option("network")]}
    opening(app, slack, modal(question("summary"), question("policy", SEARCH)))
    go(ops, sandbox)
    ops.get_by_text("Shortcuts", exact=True).click()
    ops.get_by_role("button", name="Create alert", exact=True).click()
    dialog = ops.get_by_role("dialog", name="Create alert")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_label("Summary")).to_be_focused()
    ops.keyboard.type("Disk full")
    ops.keyboard.press("Enter")
    expect(dialog.get_by_text("Please complete this required field.")).to_have_count(1)
    expect(dialog.get_by_label("Summary")).to_have_value("Disk full")
    expect(dialog.get_by_label("Policy")).to_be_focused()
    ops.keyboard.type("da")
    dialog.get_by_role("option", name="Database").wait_for()
    ops.keyboard.press("ArrowDown")
    with ops.expect_response("**/fill"):
        ops.keyboard.press("Enter")
    dialog.get_by_role("button", name="Create", exact=True).click()
    expect(dialog).to_have_count(0)
    values = app.sent()["view"]["state"]["values"]
    assert values["summary"]["typed"]["value"] == "Disk full"
    assert values["policy"]["policy"]["selected_option"]["value"] == "database"


def test_errors_and_trouble_are_shown_and_nothing_typed_is_lost(
    sandbox: Sandbox, slack: WebClient, app: App, ops: Page
) -> None:
    go(ops, sandbox)
    slack.views_open(trigger_id=trigger(sandbox), view=modal())
    dialog = ops.get_by_role("dialog")
    dialog.get_by_label("Summary").fill("Disk full")
    app.answers["/interactions"] = {
        "response_action": "errors",
        "errors": {"summary": "That policy was deleted."},
    }
    dialog.get_by_role("button", name="Create").click()
    expect(dialog.get_by_text("That policy was deleted.")).to_be_visible()
    expect(dialog.get_by_label("Summary")).to_have_value("Disk full")
    app.answers["/interactions"] = {"ok": True}
    dialog.get_by_role("button", name="Create").click()
    expect(dialog.get_by_role("alert")).to_contain_text("We had some trouble connecting")
    expect(dialog.get_by_label("Summary")).to_have_value("Disk full")


def test_an_update_from_the_app_keeps_what_is_being_typed(
    sandbox: Sandbox, slack: WebClient, ops: Page
) -> None:
    go(ops, sandbox)
    view = slack.views_open(trigger_id=trigger(sandbox), view=modal())["view"]
    dialog = ops.get_by_role("dialog")
    dialog.get_by_label("Summary").press_sequentially("Disk")
    changed = modal(section("Loaded."), question("summary"), question("detail"))
    slack.views_update(view_id=view["id"], view=changed)
    expect(dialog.get_by_text("Loaded.")).to_be_visible()
    expect(dialog.get_by_label("Summary")).to_have_value("Disk")
    expect(dialog.get_by_label("Summary")).to_be_focused()


def test_escape_and_the_cross_close_and_the_app_hears_of_it(
    sandbox: Sandbox, slack: WebClient, ops: Page
) -> None:
    go(ops, sandbox)
    slack.views_open(trigger_id=trigger(sandbox), view=modal(MORE, notify_on_close=True))
    ops.get_by_role("dialog").wait_for()
    more = sandbox.act_in_view("U0ADA", "more").payload["trigger_id"]
    slack.views_push(trigger_id=more, view=modal(title=text("On top"), notify_on_close=True))
    ops.get_by_role("dialog", name="On top").wait_for()
    ops.keyboard.press("Escape")
    ops.get_by_role("dialog", name="Create alert").wait_for()
    ops.get_by_role("button", name="Close", exact=True).first.click()
    expect(ops.get_by_role("dialog")).to_have_count(0)
    told = [each.payload["is_cleared"] for each in sandbox.deliveries("view_closed")]
    assert told == [False, True]


def test_a_message_shortcut_is_in_the_menu_of_the_message(
    sandbox: Sandbox, slack: WebClient, app: App, ops: Page
) -> None:
    said = sandbox.say("C0OPS", "U0UMA", "It burns")
    opening(app, slack, modal())
    go(ops, sandbox)
    ops.get_by_label("More for the message by Uma Ueda").click()
    ops.get_by_role("button", name="Create alert from it").click()
    expect(ops.get_by_role("dialog", name="Create alert")).to_be_visible()
    assert sandbox.deliveries("message_action")[0].payload["message_ts"] == said["ts"]


@pytest.mark.usefixtures("slack")
def test_a_shortcut_that_the_app_does_not_take_is_said(
    sandbox: Sandbox, app: App, ops: Page
) -> None:
    app.status = 500
    go(ops, sandbox)
    ops.get_by_text("Shortcuts", exact=True).click()
    ops.get_by_role("button", name="Create alert", exact=True).click()
    expect(ops.locator("#notice")).to_contain_text("trouble connecting")


def test_the_home_appears_when_it_is_published_and_its_buttons_work(
    sandbox: Sandbox, slack: WebClient, app: App, ops: Page
) -> None:
    go(ops, sandbox)
    ops.get_by_role("link", name="Tocsin Home").click()
    expect(ops.get_by_text("has published nothing here yet")).to_be_visible()
    slack.views_publish(user_id="U0ADA", view=home(MORE))
    with ops.expect_response("**/act"):
        ops.get_by_role("button", name="More", exact=True).click()
    assert app.sent()["actions"][0]["action_id"] == "more"
    ops.get_by_role("link", name="Messages").click()
    ops.get_by_label("Message Tocsin").fill("Hello")
    ops.get_by_label("Message Tocsin").press("Enter")
    expect(ops.locator(".message")).to_contain_text("Hello")


def test_a_modal_is_submitted_without_javascript(
    sandbox: Sandbox, slack: WebClient, app: App
) -> None:
    view = slack.views_open(trigger_id=trigger(sandbox), view=modal())["view"]
    assert "Create alert" in requests.get(address(sandbox), timeout=5).text
    url = f"{sandbox.url}/w/T0ACME/U0ADA/views/{view['id']}"
    form = {"at": "C0OPS", "has:summary|typed": "", "summary|typed": ""}
    refused = requests.post(f"{url}/submit", data=form, timeout=5)
    assert refused.url == address(sandbox)
    assert "Please complete this required field." in refused.text
    requests.post(f"{url}/submit", data={**form, "summary|typed": "Disk full"}, timeout=5)
    values = app.sent()["view"]["state"]["values"]
    assert values["summary"]["typed"]["value"] == "Disk full"
    gone = requests.post(f"{url}/close", data=form, timeout=5)
    assert gone.status_code == 409
    assert "closed already" in gone.text


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_modals_menus_and_the_home_have_no_accessibility_findings(
    sandbox: Sandbox, slack: WebClient, app: App, chromium: Browser, scheme: Any, width: int
) -> None:
    app.answers["/options"] = {"options": [{**option("database"), "description": text("Two")}]}
    kinds: list[dict[str, Any]] = [
        {"type": "radio_buttons", "action_id": "a", **OPTIONS},
        {"type": "checkboxes", "action_id": "a", **OPTIONS},
        {"type": "multi_users_select", "action_id": "a"},
        {"type": "datetimepicker", "action_id": "a"},
        {"type": "plain_text_input", "action_id": "a", "multiline": True},
        {"type": "multi_external_select", "action_id": "a", "min_query_length": 1},
    ]
    inputs = [question(f"b{n}", each, hint=text("Why")) for n, each in enumerate(kinds)]
    rich = {"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]}
    table = {"type": "table", "rows": [[{"type": "raw_text", "text": "cell"}]]}
    blocks = [{"type": "rich_text", "elements": [rich]}, table, *inputs]
    slack.views_publish(user_id="U0ADA", view=home(MORE, *inputs))
    place(slack, blocks=[*blocks, actions({"type": "timepicker", "action_id": "t"})])
    context = chromium.new_context(
        color_scheme=scheme, viewport={"width": width, "height": 800}, bypass_csp=True
    )
    page = context.new_page()

    def check() -> None:
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width

    page.goto(address(sandbox))
    page.get_by_label("Message #ops").fill("/")
    page.get_by_label("More for the message by Tocsin").click()
    check()
    page.goto(f"{sandbox.url}/w/T0ACME/U0ADA/app")
    check()
    page.goto(address(sandbox))
    slack.views_open(trigger_id=trigger(sandbox), view=modal(question("first"), *inputs))
    page.get_by_role("dialog").get_by_role("button", name="Create").click()
    page.get_by_text("Please complete this required field.").first.wait_for()
    page.get_by_role("dialog").get_by_label("B5").press_sequentially("da")
    page.get_by_role("option", name="Database").wait_for()
    check()
    context.close()
