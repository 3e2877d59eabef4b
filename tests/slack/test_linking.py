"""Does linking work, and does every failure leave everything as it was? (product.md 2.4, 2.5)"""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select, text

from portal.db import db
from portal.slack.installations import Revocation
from portal.slack.people import UserLink
from tests.make import make_action
from tests.slack.conftest import Story, post


def test_linking_stores_the_workspace_and_says_so(story: Story) -> None:
    people = story.people()
    browser = story.browser(people["adam"])
    callback = story.sandbox.consent(story.authorize(browser))
    page = browser.get("/settings/connectors/slack")
    assert "Authorize" in page.text
    answer = story.come_back(browser, callback)
    page = browser.get(answer.location)
    assert "Slack workspace Acme is linked" in page.text
    assert "Re-authorize" in page.text
    installation = story.installation(people["adam"].account_id or 0)
    assert installation is not None
    assert installation.team_url in page.text
    assert installation.team_id == "T0ACME"
    assert "chat:write" in installation.scopes


def test_the_token_is_encrypted_at_rest_and_on_no_page(story: Story) -> None:
    people = story.people()
    story.link(people["olivia"])
    installation = story.installation(people["olivia"].account_id or 0)
    assert installation is not None
    with story.app.app_context():
        stored = db.session.scalar(text("SELECT bot_token FROM slack_installations"))
    assert installation.bot_token.encode() not in stored
    for path in ("/settings/connectors", "/settings/connectors/slack", "/alert-actions/new"):
        assert installation.bot_token not in story.browser(people["olivia"]).get(path).text


def test_people_are_linked_by_email_whatever_its_letter_case(story: Story) -> None:
    people = story.people()
    story.link(people["olivia"])
    with story.app.app_context():
        linked = dict(db.session.execute(select(UserLink.user_id, UserLink.slack_user_id)).all())
    assert linked[people["ada"].id] == "U0ADA"
    assert linked[people["olivia"].id] == "U0OLIVIA"  # Olivia@Acme.example at Slack


def test_cancelling_at_slack_changes_nothing(story: Story) -> None:
    people = story.people()
    browser = story.browser(people["adam"])
    answer = story.come_back(browser, story.sandbox.consent(story.authorize(browser), allow=False))
    assert answer.status_code == 409
    assert "You cancelled at Slack. Nothing was changed." in answer.text
    assert "<h1>Slack is not linked</h1>" in answer.text
    assert 'href="/settings/connectors/slack">Back to the Slack page</a>' in answer.text
    assert "no longer possible" not in answer.text
    assert story.installation(people["adam"].account_id or 0) is None


def test_a_state_works_once(story: Story) -> None:
    people = story.people()
    browser = story.browser(people["adam"])
    callback = story.sandbox.consent(story.authorize(browser))
    assert story.come_back(browser, callback).status_code == 303
    calls = len(story.sandbox.requests(method="oauth.v2.access"))
    again = story.come_back(browser, callback)
    assert again.status_code == 400
    assert "no longer valid" in again.text
    assert len(story.sandbox.requests(method="oauth.v2.access")) == calls


@pytest.mark.parametrize("state", ["", "forged", "\x00", "é"])
def test_a_wrong_state_calls_nobody(story: Story, state: str) -> None:
    people = story.people()
    browser = story.browser(people["adam"])
    story.authorize(browser)
    answer = browser.get(
        "/settings/connectors/slack/callback", query_string={"code": "1", "state": state}
    )
    assert answer.status_code == 400
    assert story.sandbox.requests(method="oauth.v2.access") == []


def test_a_state_of_another_person_or_browser_is_refused(story: Story) -> None:
    people = story.people()
    started = story.browser(people["adam"])
    callback = story.sandbox.consent(story.authorize(started))
    assert story.come_back(story.browser(people["olivia"]), callback).status_code == 400
    assert story.come_back(story.browser(people["adam"]), callback).status_code == 400
    assert story.come_back(story.browser(), callback).status_code == 400
    assert story.installation(people["adam"].account_id or 0) is None


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (
            {"effect": "error", "error": "invalid_code"},
            "did not confirm the authorization (invalid_code)",
        ),
        ({"effect": "error", "error": "bad_client_secret"}, "tocsin doctor"),
        ({"effect": "rate_limited", "retry_after": 5}, "could not be reached"),
        ({"effect": "not_json"}, "could not be reached"),
        ({"effect": "not_json", "variant": "array"}, "could not be reached"),
        ({"effect": "reset"}, "could not be reached"),
        ({"effect": "server_error"}, "could not be reached"),
        ({"effect": "server_error", "variant": "json"}, "could not be reached"),
    ],
)
def test_every_failed_exchange_is_a_readable_page_and_an_unchanged_link(
    story: Story, fault: dict[str, Any], said: str
) -> None:
    people = story.people()
    story.link(people["olivia"])
    before = story.installation(people["olivia"].account_id or 0)
    browser = story.browser(people["adam"])
    callback = story.sandbox.consent(story.authorize(browser))
    story.sandbox.add_fault(method="oauth.v2.access", **fault)
    answer = story.come_back(browser, callback)
    assert answer.status_code == 409
    assert said in answer.text
    after = story.installation(people["olivia"].account_id or 0)
    assert before is not None
    assert after is not None
    assert after.bot_token == before.bot_token
    assert after.installed_at == before.installed_at


def test_an_organisation_wide_installation_is_refused(story: Story) -> None:
    people = story.people()
    browser = story.browser(people["adam"])
    callback = story.sandbox.consent(
        story.authorize(browser), team_id="T0GAMMA", user_id="W0GRETA", whole_organization=True
    )
    answer = story.come_back(browser, callback)
    assert "Organisation-wide installations are not supported" in answer.text
    assert "The app is still installed in Globex" in answer.text
    assert "An owner of the organisation can remove it" in answer.text
    assert story.installation(people["adam"].account_id or 0) is None


def test_a_workspace_belongs_to_one_account_and_the_second_is_told_so(story: Story) -> None:
    first, second = story.people("Acme"), story.people("Beta")
    story.link(first["olivia"])
    browser = story.browser(second["adam"])
    callback = story.sandbox.consent(story.authorize(browser))
    answer = story.come_back(browser, callback)
    assert answer.status_code == 409
    assert "Acme is already linked to another account" in answer.text
    assert story.installation(second["adam"].account_id or 0) is None
    assert story.installation(first["adam"].account_id or 0) is not None
    revoked = ("auth.revoke", "apps.uninstall")
    assert [r for r in story.sandbox.requests() if r.method in revoked] == []


def test_another_workspace_is_refused_with_both_names(story: Story) -> None:
    people = story.people()
    story.link(people["olivia"])
    browser = story.browser(people["olivia"])
    callback = story.sandbox.consent(story.authorize(browser), team_id="T0BETA", user_id="U0BEA")
    answer = story.come_back(browser, callback)
    assert "You chose Beta, but this account is linked to Acme" in answer.text
    assert "<h1>The link to Slack is as it was</h1>" in answer.text
    assert "The app is still installed in Beta" in answer.text
    assert "Remove app" in answer.text
    installation = story.installation(people["olivia"].account_id or 0)
    assert installation is not None
    assert installation.team_id == "T0ACME"


def test_nobody_is_asked_to_remove_the_app_where_another_account_needs_it(story: Story) -> None:
    first, second = story.people("Acme"), story.people("Beta")
    story.link(first["olivia"])
    story.link(second["olivia"], team_id="T0BETA", user_id="U0BEA")
    browser = story.browser(first["olivia"])
    callback = story.sandbox.consent(story.authorize(browser), team_id="T0BETA", user_id="U0BEA")
    answer = story.come_back(browser, callback)
    assert "You chose Beta, but this account is linked to Acme" in answer.text
    assert "still installed" not in answer.text


def test_the_next_step_is_only_told_if_it_is_one(story: Story) -> None:
    olivia = story.people()["olivia"]

    def told() -> str:
        browser = story.browser(olivia)
        callback = story.sandbox.consent(story.authorize(browser))
        answer = story.come_back(browser, callback)
        return str(browser.get(answer.location).text)

    assert "Next, create an alert action" in told()
    assert "is linked again. Everything that was set up is kept." in told()
    post(story.browser(olivia), "/settings/connectors/slack/unlink")
    story.work()
    with story.app.app_context():
        make_action(account=olivia.account)
    page = told()
    assert "Slack workspace Acme is linked." in page
    assert "Next, create" not in page


def test_whoever_was_signed_out_meanwhile_finds_the_way_back(story: Story) -> None:
    browser = story.browser(story.people()["adam"])
    callback = story.sandbox.consent(story.authorize(browser))
    answer = story.come_back(story.browser(), callback)
    assert answer.status_code == 400
    assert "<h1>Slack is not linked</h1>" in answer.text
    assert "Sign in and start again with Authorize." in answer.text
    assert 'href="/settings/connectors/slack"' in answer.text


def test_twenty_callbacks_with_one_state_link_once(story: Story) -> None:
    people = story.people()
    browser = story.browser(people["adam"])
    callback = story.sandbox.consent(story.authorize(browser))
    cookie = browser.get_cookie("tocsin")
    assert cookie is not None

    def come_back(_: int) -> int:
        other = story.app.test_client()
        other.set_cookie("tocsin", cookie.value)
        return int(story.come_back(other, callback).status_code)

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(come_back, range(20)))
    assert sorted(answers) == [303] + [400] * 19


def test_only_admins_may_link_and_unlink(story: Story) -> None:
    people = story.people()
    story.link(people["olivia"])
    for name in ("uma", "ada", "stan"):
        browser = story.browser(people[name])
        page = browser.get("/settings/connectors/slack")
        assert page.status_code == 200
        assert "Olivia" in page.text  # whom to ask
        for path in ("authorize", "unlink"):
            assert post(browser, f"/settings/connectors/slack/{path}").status_code == 403
    assert story.installation(people["olivia"].account_id or 0) is not None


def test_unlinking_revokes_at_slack_and_erases_the_token(story: Story) -> None:
    people = story.people()
    story.link(people["olivia"])
    browser = story.browser(people["olivia"])
    assert post(browser, "/settings/connectors/slack/unlink").status_code == 303
    assert story.installation(people["olivia"].account_id or 0) is None
    story.work()
    methods = [request.method for request in story.sandbox.requests()]
    assert "apps.uninstall" in methods
    with story.app.app_context():
        assert db.session.scalar(select(Revocation.id)) is None
    story.link(people["olivia"])  # and it can be linked again


def test_unlinking_works_while_slack_is_down_and_is_tried_again(story: Story) -> None:
    people = story.people()
    story.link(people["olivia"])
    story.sandbox.add_fault(effect="server_error", method="*")
    assert (
        post(story.browser(people["adam"]), "/settings/connectors/slack/unlink").status_code == 303
    )
    story.work()
    assert story.installation(people["adam"].account_id or 0) is None
    with story.app.app_context():
        waiting = db.session.scalar(select(Revocation))
        assert waiting is not None
        assert waiting.attempts == 1
