"""What does a person see and do in the pretend Slack, with a browser and without JavaScript?"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from portal.slack_sandbox import Sandbox
from portal.slack_sandbox.state import Message

from .conftest import App, authorize_url

CONFIRM = {
    "title": {"type": "plain_text", "text": "Are you sure?"},
    "text": {"type": "plain_text", "text": "Nobody can undo this."},
    "confirm": {"type": "plain_text", "text": "Do it"},
    "deny": {"type": "plain_text", "text": "Leave it"},
}


@pytest.fixture
def tab(chromium: Browser) -> Iterator[Page]:
    """A tab whose page policy is in force: a refused script or style fails the test."""
    context = chromium.new_context()
    tab = context.new_page()
    complaints: list[str] = []
    tab.on("console", lambda each: complaints.append(each.text) if each.type == "error" else None)
    yield tab
    context.close()
    assert [each for each in complaints if "Content Security Policy" in each] == []


def button(text: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "button",
        "action_id": text,
        "text": {"type": "plain_text", "text": text},
        **more,
    }


def post(sandbox: Sandbox, **more: Any) -> Message:
    """A message of the app in #alerts, as the Web API stores it."""
    platform = sandbox.platform
    with platform.changing() as world:
        own = world.installation_for("T0ACME")
        bot = (own.bot_user_id, own.bot_id) if own else ("U0OTHERBOT", "B0OTHERBOT")
        message = Message("C0ALERTS", platform.next_ts(), "T0ACME", bot[0], bot_id=bot[1], **more)
        return platform.keep(message)


def actions(*buttons: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "actions", "block_id": "the-block", "elements": list(buttons)}]


def alerts(sandbox: Sandbox, user_id: str = "U0OLIVIA") -> str:
    return f"{sandbox.url}/w/T0ACME/{user_id}/C0ALERTS"


def test_the_first_page_leads_to_every_workspace_as_every_person(sandbox: Sandbox) -> None:
    page = requests.get(f"{sandbox.url}/", timeout=5)
    assert "Sandbox - this is not Slack" in page.text
    assert 'href="/w/T0ACME/U0OLIVIA"' in page.text
    assert 'href="/w/T0GAMMA/W0GRETA"' in page.text
    assert "Dora Departed" not in page.text
    opened = requests.get(f"{sandbox.url}/w/T0ACME/U0OLIVIA", timeout=5)
    assert opened.url == alerts(sandbox)


def test_nothing_in_a_message_becomes_markup(sandbox: Sandbox) -> None:
    evil = '"><script>alert(1)</script>'
    section = {"type": "section", "block_id": "s", "text": {"type": "plain_text", "text": evil}}
    unknown = {"type": evil}
    attachment = {"color": evil, "title": evil, "title_link": "javascript:alert(1)", "footer": evil}
    post(
        sandbox,
        text=evil,
        blocks=[section, unknown, *actions(button(evil, url="javascript:alert(1)", style=evil))],
        attachments=[attachment],
    )
    page = requests.get(alerts(sandbox), timeout=5)
    assert "alert(1)&lt;/script&gt;" in page.text
    assert "<script>" not in page.text
    assert 'href="javascript:' not in page.text
    assert "cannot draw" in page.text


def test_a_private_channel_is_shown_to_its_members_only(sandbox: Sandbox) -> None:
    assert "war-room" in requests.get(alerts(sandbox), timeout=5).text
    assert "war-room" not in requests.get(alerts(sandbox, "U0UMA"), timeout=5).text
    refused = requests.get(f"{sandbox.url}/w/T0ACME/U0UMA/C0WAR", timeout=5)
    assert refused.status_code == 404


def test_an_ephemeral_is_shown_to_one_person_until_the_reload(sandbox: Sandbox) -> None:
    post(sandbox, text="Please link your account", ephemeral_for="U0UMA")
    assert "Please link" not in requests.get(alerts(sandbox), timeout=5).text
    first = requests.get(alerts(sandbox, "U0UMA"), timeout=5).text
    assert "Please link" in first
    assert "Only visible to you" in first
    assert "Please link" not in requests.get(alerts(sandbox, "U0UMA"), timeout=5).text


def test_the_fragment_is_sent_again_only_when_something_changed(sandbox: Sandbox) -> None:
    first = requests.get(f"{alerts(sandbox)}/live", timeout=5)
    known = {"If-None-Match": first.headers["ETag"]}
    assert requests.get(f"{alerts(sandbox)}/live", headers=known, timeout=5).status_code == 304
    post(sandbox, text="Disk full")
    assert "Disk full" in requests.get(f"{alerts(sandbox)}/live", headers=known, timeout=5).text


@pytest.mark.usefixtures("slack")
def test_a_click_without_javascript_reaches_the_app(sandbox: Sandbox, app: App) -> None:
    message = post(sandbox, text="x", blocks=actions(button("ack", value="7")))
    form = {"ts": message.ts, "block_id": "the-block", "action_id": "ack"}
    answer = requests.post(f"{alerts(sandbox)}/click", data=form, timeout=5)
    assert answer.url == f"{alerts(sandbox)}#m-{message.ts}"
    assert len(app.received) == 1
    assert "x-slack-signature" in app.received[0][0]


@pytest.mark.usefixtures("slack")
def test_a_message_appears_and_its_button_delivers_without_a_reload(
    sandbox: Sandbox, app: App, tab: Page
) -> None:
    tab.goto(alerts(sandbox))
    tab.evaluate("window.isSamePage = true")
    message = post(sandbox, text="x", blocks=actions(button("Acknowledge")))
    article = tab.locator(f'article.message[data-channel="C0ALERTS"][data-ts="{message.ts}"]')
    with tab.expect_response("**/click") as delivered:
        article.get_by_role("button", name="Acknowledge").click()
    assert delivered.value.status == 204
    assert len(app.received) == 1
    assert tab.evaluate("window.isSamePage") is True


@pytest.mark.usefixtures("slack")
def test_a_click_that_the_app_did_not_take_is_marked(sandbox: Sandbox, app: App, tab: Page) -> None:
    app.status = 500
    post(sandbox, text="x", blocks=actions(button("Acknowledge")))
    tab.goto(alerts(sandbox))
    tab.get_by_role("button", name="Acknowledge").click()
    expect(tab.locator(".warn")).to_be_visible()
    expect(tab.get_by_role("button", name="Acknowledge")).to_be_focused()


@pytest.mark.usefixtures("slack")
def test_a_button_with_a_confirmation_asks_first(sandbox: Sandbox, app: App, tab: Page) -> None:
    post(sandbox, text="x", blocks=actions(button("Delete", confirm=CONFIRM, style="danger")))
    tab.goto(alerts(sandbox))
    tab.get_by_role("button", name="Delete").click()
    tab.get_by_role("button", name="Leave it").click()
    assert app.received == []
    tab.get_by_role("button", name="Delete").click()
    with tab.expect_response("**/click"):
        tab.get_by_role("button", name="Do it").click()
    assert len(app.received) == 1


def test_allow_leads_back_to_the_app_with_a_code_and_deny_with_an_error(
    sandbox: Sandbox, tab: Page
) -> None:
    tab.route("http://app.example/**", lambda route: route.fulfill(body="back at the app"))
    for decision, key in (("Deny", "error"), ("Allow", "code")):
        tab.goto(authorize_url(sandbox))
        tab.get_by_label("without being a member").uncheck()
        tab.get_by_role("button", name=decision).click()
        tab.wait_for_url("http://app.example/**")
        answer = parse_qs(urlsplit(tab.url).query)
        assert answer["state"] == ["a state/with=signs&more"]
        assert key in answer
    [code] = sandbox.platform.world.codes.values()
    assert code.user == "U0OLIVIA"
    assert "groups:read" in code.scopes
    assert "chat:write.public" not in code.scopes


def test_consent_works_without_javascript_and_keeps_to_the_chosen_person(sandbox: Sandbox) -> None:
    url = authorize_url(sandbox)
    wrong = {"team": "T0BETA", "user": "U0OLIVIA", "decision": "allow"}
    refused = requests.post(url, data=wrong, allow_redirects=False, timeout=5)
    assert refused.status_code == 422
    assert "not in that workspace" in refused.text
    right = {"team": "T0BETA", "user": "U0BEA", "decision": "allow"}
    allowed = requests.post(url, data=right, allow_redirects=False, timeout=5)
    assert allowed.status_code == 302
    assert "code=" in allowed.headers["Location"]


def test_a_wrong_address_is_refused_on_a_page_and_never_calls_back(sandbox: Sandbox) -> None:
    page = requests.get(
        authorize_url(sandbox, redirect_uri="http://evil.example/"),
        allow_redirects=False,
        timeout=5,
    )
    assert page.status_code == 400
    assert "bad_redirect_uri" in page.text
    assert "evil.example" not in page.headers["Content-Security-Policy"]


def test_the_developer_page_masks_secrets_and_sets_faults(sandbox: Sandbox) -> None:
    asked = {"client_id": sandbox.client_id, "client_secret": sandbox.client_secret, "code": "x"}
    requests.post(f"{sandbox.url}/api/oauth.v2.access", data=asked, timeout=5)
    page = requests.get(f"{sandbox.url}/dev", timeout=5).text
    assert "oauth.v2.access" in page
    assert sandbox.client_secret not in page
    form = {"effect": "error", "method": "chat.*", "times": "2", "error": "is_archived"}
    assert "2 more" in requests.post(f"{sandbox.url}/dev/faults", data=form, timeout=5).text
    refused = requests.post(f"{sandbox.url}/dev/faults", data={"effect": "magic"}, timeout=5)
    assert refused.status_code == 422
    cleared = requests.post(f"{sandbox.url}/dev/faults/clear", timeout=5)
    assert "Nothing is set to fail" in cleared.text


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_pages_have_no_accessibility_findings(
    sandbox: Sandbox, chromium: Browser, scheme: Any, width: int
) -> None:
    kept = {
        "type": "section",
        "block_id": "s",
        "text": {"type": "mrkdwn", "text": "*a* <@U0ADA> `b`"},
    }
    post(
        sandbox,
        text="x",
        blocks=[kept, {"type": "odd"}, *actions(button("Resolve", style="primary"), button("No"))],
        attachments=[{"color": "good", "text": "```fenced```", "footer": "small words"}],
        failures={"U0OLIVIA/the-block/No": "We had some trouble connecting. Try again?"},
    )
    post(sandbox, text="psst", ephemeral_for="U0OLIVIA")
    context = chromium.new_context(
        color_scheme=scheme, viewport={"width": width, "height": 800}, bypass_csp=True
    )
    page = context.new_page()
    for url in (alerts(sandbox), authorize_url(sandbox), f"{sandbox.url}/", f"{sandbox.url}/dev"):
        page.goto(url)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_the_app_is_invited_by_typing_it_as_slack_would(sandbox: Sandbox) -> None:
    sandbox.install("T0ACME", "U0OLIVIA")
    say = f"{alerts(sandbox)}/say"
    nobody = requests.post(say, data={"text": "/invite @nobody-here"}, timeout=5)
    assert (nobody.status_code, "Name somebody" in nobody.text) == (409, True)
    bot = sandbox.platform.world.installation_for("T0ACME")
    assert bot is not None
    name = sandbox.platform.world.people[bot.bot_user_id].name
    assert requests.post(say, data={"text": f"/invite @{name.title()}"}, timeout=5).ok
    assert bot.bot_user_id in sandbox.platform.world.channels["C0ALERTS"].members


def test_a_topic_is_read_as_it_was_meant(sandbox: Sandbox) -> None:
    sandbox.platform.world.channels["C0ALERTS"].topic = "Disk &lt;full&gt; &amp; :fire:"
    page = requests.get(alerts(sandbox), timeout=5).text
    assert "Disk &lt;full&gt; &amp; 🔥" in page
    assert "&amp;lt;" not in page
