"""Can people manage channels, people and the app on the screen, and are they asked before harm?"""

from typing import Any

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from slack_sdk import WebClient

from portal.slack_sandbox import Sandbox

from .test_screen import tab

__all__ = ["tab"]  # the browser of the screen's tests


def settings(sandbox: Sandbox, channel: str = "C0OPS", user: str = "U0OLIVIA") -> str:
    return f"{sandbox.url}/w/T0ACME/{user}/{channel}/settings"


def administration(sandbox: Sandbox, user: str = "U0OLIVIA") -> str:
    return f"{sandbox.url}/w/T0ACME/{user}/administration"


def send(address: str, **form: str) -> requests.Response:
    return requests.post(address, data=form, timeout=5)


def channel(sandbox: Sandbox, channel_id: str = "C0OPS") -> Any:
    return sandbox.platform.world.channels[channel_id]


def test_a_channel_is_renamed_archived_and_brought_back(sandbox: Sandbox) -> None:
    page = send(settings(sandbox), do="rename", name="operations")
    assert "The channel has its new name." in page.text
    assert "Settings of #operations" in page.text
    send(settings(sandbox), do="archive")
    assert channel(sandbox).is_archived
    send(settings(sandbox), do="unarchive")
    assert not channel(sandbox).is_archived


def test_people_and_the_app_come_and_go(sandbox: Sandbox, slack: WebClient) -> None:
    bot = slack.auth_test()["user_id"]
    for user in (bot, "U0GUSTAV"):
        send(settings(sandbox), do="invite", user=user)
        assert user in channel(sandbox).members
        send(settings(sandbox), do="remove", user=user)
        assert user not in channel(sandbox).members


def test_a_channel_becomes_private_and_leaves_the_sight_of_others(sandbox: Sandbox) -> None:
    send(settings(sandbox, "C0DB", "U0ADA"), do="convert_to_private")
    assert channel(sandbox, "C0DB").is_private
    assert requests.get(settings(sandbox, "C0DB"), timeout=5).status_code == 404


def test_a_channel_with_another_id_keeps_its_messages(sandbox: Sandbox, slack: WebClient) -> None:
    slack.chat_postMessage(channel="C0OPS", text="fire")
    page = send(settings(sandbox), do="change_id")
    moved = page.url.split("/")[-2]
    assert moved != "C0OPS"
    assert [each["text"] for each in sandbox.messages(moved)] == ["fire"]


def test_who_deletes_a_channel_lands_in_the_workspace(sandbox: Sandbox) -> None:
    page = send(settings(sandbox), do="delete")
    assert page.url.endswith("/w/T0ACME/U0OLIVIA/C0ALERTS")
    assert "C0OPS" not in sandbox.platform.world.channels


@pytest.mark.parametrize("name", ["Not Allowed", "alerts", ""])
def test_a_refused_name_stays_in_the_form(sandbox: Sandbox, name: str) -> None:
    page = send(settings(sandbox), do="rename", name=name)
    assert page.status_code == 422
    assert f'name="name" value="{name}"' in page.text
    assert channel(sandbox).name == "ops"


def test_a_member_may_create_a_channel_and_nothing_more(sandbox: Sandbox) -> None:
    page = send(administration(sandbox, "U0ADA"), do="create", name="new-one", private="on")
    made = page.url.rsplit("/", 1)[1]
    assert channel(sandbox, made).members == ["U0ADA"]
    assert channel(sandbox, made).is_private
    shown = requests.get(administration(sandbox, "U0ADA"), timeout=5).text
    assert "Uninstall" not in shown
    assert send(administration(sandbox, "U0ADA"), do="uninstall").status_code == 403


def test_a_guest_manages_nothing(sandbox: Sandbox) -> None:
    assert requests.get(administration(sandbox, "U0GUSTAV"), timeout=5).status_code == 403
    answer = send(settings(sandbox, "C0ALERTS", "U0GUSTAV"), do="archive")
    assert answer.status_code == 403
    assert not channel(sandbox, "C0ALERTS").is_archived


def test_a_workspace_gets_another_name_and_domain(sandbox: Sandbox) -> None:
    send(administration(sandbox), do="rename_workspace", name="Acme Ltd")
    send(administration(sandbox), do="change_domain", domain="acme-ltd")
    workspace = sandbox.platform.world.workspaces["T0ACME"]
    assert (workspace.name, workspace.domain) == ("Acme Ltd", "acme-ltd")
    taken = send(administration(sandbox), do="change_domain", domain="beta")
    assert (taken.status_code, 'value="beta"' in taken.text) == (422, True)


def test_people_change_leave_and_join(sandbox: Sandbox) -> None:
    people = sandbox.platform.world.people
    page = administration(sandbox)
    send(page, do="rename_person", user="U0ADA", real_name="Ada King")
    send(page, do="change_email", user="U0ADA", email="ada@king.example")
    assert (people["U0ADA"].real_name, people["U0ADA"].email) == ("Ada King", "ada@king.example")
    send(page, do="deactivate", user="U0ADA")
    assert people["U0ADA"].deleted
    send(page, do="reactivate", user="U0ADA")
    assert not people["U0ADA"].deleted
    send(page, do="add_person", real_name="New Hand", email="new@acme.example")
    assert "new@acme.example" in [each.email for each in people.values()]


def test_people_of_another_workspace_are_out_of_reach(sandbox: Sandbox) -> None:
    assert send(administration(sandbox), do="deactivate", user="U0BEA").status_code == 404
    assert not sandbox.platform.world.people["U0BEA"].deleted


@pytest.mark.parametrize(
    ("operation", "error"), [("uninstall", "account_inactive"), ("revoke", "token_revoked")]
)
def test_an_admin_ends_the_app_after_a_question(
    sandbox: Sandbox, slack: WebClient, tab: Page, operation: str, error: str
) -> None:
    words = {"uninstall": "Uninstall", "revoke": "Revoke the token"}[operation]
    tab.goto(administration(sandbox))
    tab.get_by_role("button", name=words).press("Enter")
    dialog = tab.get_by_role("dialog")
    dialog.get_by_role("button", name="Cancel").press("Enter")
    expect(dialog).to_be_hidden()
    assert slack.auth_test()["ok"]
    tab.get_by_role("button", name=words).press("Enter")
    dialog.get_by_role("button", name=words).press("Enter")
    expect(tab.get_by_text("is not installed here.")).to_be_visible()
    token = sandbox.platform.world.tokens[str(slack.token)]
    assert token.error == error


def test_an_admin_takes_a_scope_away(sandbox: Sandbox, slack: WebClient, tab: Page) -> None:
    tab.goto(administration(sandbox))
    tab.get_by_role("button", name="Take away: users:read", exact=True).click()
    tab.get_by_role("dialog").get_by_role("button", name="Take away").click()
    expect(tab.get_by_text("The app may not do that any more.")).to_be_visible()
    assert "users:read," not in slack.auth_test().headers["x-oauth-scopes"] + ","


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_pages_can_be_used_by_everybody(
    sandbox: Sandbox, slack: WebClient, chromium: Browser, scheme: Any, width: int
) -> None:
    context = chromium.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
    page = context.new_page()
    for address in (settings(sandbox), administration(sandbox), administration(sandbox, "U0ADA")):
        page.goto(address)
        for summary in page.locator("summary").all()[:1]:
            summary.click()
        results = Axe().run(page)
        assert results.violations_count == 0, results.generate_report()
        assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    context.close()


def test_the_screen_leads_to_both_pages(sandbox: Sandbox, tab: Page) -> None:
    tab.goto(f"{sandbox.url}/w/T0ACME/U0OLIVIA/C0OPS")
    tab.get_by_role("link", name="Settings").click()
    expect(tab.get_by_role("heading", name="Settings of #ops")).to_be_visible()
    tab.get_by_role("link", name="Back to #ops").click()
    tab.get_by_role("link", name="Administration").click()
    expect(tab.get_by_role("heading", name="Administration of Acme")).to_be_visible()
