"""Does every piece of news move the link to its true state, and is nothing sent while it is broken?

product.md 2.2 and 11.2.
"""

from html import unescape
from typing import Any

import pytest
from sqlalchemy import func, select

from portal.db import db
from portal.domain.accounts.models import User
from portal.domain.alerts import operations as alerts
from portal.domain.alerts.models import Via
from portal.domain.audit.actions import AuditAction
from portal.domain.audit.models import AuditEntry
from portal.domain.notices.models import Notice
from portal.domain.routing.models import ActionChannel
from portal.slack import (
    conversations,
    gateway,
    link_state,
    mapping,
    probes,
    rotation,
    scopes,
    workspace,
)
from portal.slack.errors import SlackError
from portal.slack.installations import LinkState, SlackInstallation
from portal.slack.people import UserLink
from portal.slack.posted import PostedMessage
from tests.slack.conftest import Story, post
from tests.slack.links import (
    account_of,
    alert,
    catch_up,
    credentials,
    last_call,
    methods,
    page,
    shown_state,
    state,
    texts,
)
from tests.slack.signed import click_payload, interaction, signed

PAGES = ("/alerts", "/alert-sources", "/settings/connectors", "/settings/connectors/slack")
# What Slack, a proxy or the network may answer without the link being at fault.
PASSING: tuple[dict[str, Any], ...] = (
    {"effect": "error", "error": "org_login_required"},
    {"effect": "error", "error": "team_added_to_org"},
    {"effect": "error", "error": "internal_error"},
    {"effect": "error", "error": "no_such_code_yet"},
    {"effect": "server_error", "status": 503, "variant": "html"},
    {"effect": "server_error", "status": 500, "variant": "json"},
    {"effect": "not_json", "variant": "html"},
    {"effect": "not_json", "variant": "empty"},
    {"effect": "not_json", "variant": "array"},
    {"effect": "reset"},
    {"effect": "redirect", "location": "http://127.0.0.1:9/"},
    {"effect": "rate_limited", "retry_after": 7},
    {"effect": "rate_limited", "variant": "not_a_number"},
    {"effect": "hang", "seconds": 0.5},
)
DEAD = ("invalid_auth", "account_inactive", "token_revoked", "not_authed", "token_expired")


@pytest.fixture
def cast(story: Story) -> dict[str, User]:
    """Acme's people, with the workspace linked."""
    made = story.people()
    story.link(made["olivia"])
    return made


def call_slack(story: Story, person: User, method: str = "users.info", **given: Any) -> str:
    """Call Slack for the account; returns the code of the failure, or nothing."""
    known = credentials(story, person)
    with story.app.app_context():
        try:
            workspace.call(known, method, **(given or {"user": "U0ADA"}))
        except SlackError as problem:
            return problem.code
    return ""


def probe(story: Story, person: User) -> None:
    with story.app.app_context():
        probes.probe(account_id=account_of(person))


def mend(story: Story) -> None:
    """As if it had been authorized again, for the next round of a table of cases."""
    with story.app.app_context():
        for installation in db.session.scalars(select(SlackInstallation)):
            installation.state, installation.state_reason = LinkState.LINKED, None
        db.session.commit()


def test_what_passes_breaks_no_link(
    story: Story, cast: dict[str, User], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "TIMEOUT", 0.2)
    story.sandbox.admin("switch", rate_limits=False)
    for fault in PASSING:
        story.sandbox.add_fault(**fault)
        assert call_slack(story, cast["adam"]) != "", fault
        probe(story, cast["adam"])
        story.sandbox.clear_faults()
        assert state(story, cast["adam"]) == ("linked", None), fault
        assert call_slack(story, cast["adam"]) == ""


def test_a_dead_token_breaks_the_link_only_if_slack_confirms_it(
    story: Story, cast: dict[str, User]
) -> None:
    for code in DEAD:
        story.sandbox.add_fault(effect="error", method="users.info", error=code)
        assert call_slack(story, cast["adam"]) == "dead_token_not_confirmed"
        assert state(story, cast["adam"]) == ("linked", None), code
        story.sandbox.add_fault(effect="server_error", method="auth.test", times=1)
        assert call_slack(story, cast["adam"]) == "dead_token_not_confirmed"
        assert state(story, cast["adam"]) == ("linked", None), code
        story.sandbox.add_fault(effect="error", method="auth.test", error=code)
        assert call_slack(story, cast["adam"]) == code
        assert state(story, cast["adam"]) == ("broken", code)
        story.sandbox.clear_faults()
        mend(story)


def test_a_call_that_began_before_a_new_authorization_does_not_break_it(
    story: Story, cast: dict[str, User]
) -> None:
    story.sandbox.admin("switch", fresh_token_on_reinstall=True)
    old = credentials(story, cast["adam"])
    story.link(cast["adam"])
    assert credentials(story, cast["adam"]).token != old.token
    with story.app.app_context():
        assert workspace.call(old, "auth.test")["team_id"] == "T0ACME"  # with the newest token
    story.sandbox.add_fault(effect="error", error="token_revoked")
    with story.app.app_context():
        assert not link_state.is_dead(old, "token_revoked")
    assert state(story, cast["adam"]) == ("linked", None)


def test_the_break_is_told_to_each_admin_once_and_stands_on_every_page(
    story: Story, cast: dict[str, User]
) -> None:
    story.sandbox.hold_events()
    story.sandbox.admin("uninstall", team_id="T0ACME")
    alert(story, cast["olivia"])
    story.work()
    assert state(story, cast["adam"]) == ("broken", "account_inactive")
    story.sandbox.release_events()
    probe(story, cast["adam"])
    with story.app.app_context():
        told = select(Notice.user_id).order_by(Notice.user_id)
        admins = sorted(cast[name].id for name in ("olivia", "adam"))
        assert list(db.session.scalars(told)) == admins
        notice_id = db.session.scalar(select(Notice.id).where(Notice.user_id == cast["adam"].id))
    for path in PAGES:
        assert "Nothing is sent to Acme any more" in page(story, cast["adam"], path), path
    post(story.browser(cast["adam"]), f"/notices/{notice_id}/dismiss")
    for path in PAGES:
        text = page(story, cast["adam"], path)
        assert "any more" not in text
        assert "Nothing is sent to Slack since" in text, path
    for name in ("uma", "ada", "stan"):
        assert 'class="banner"' not in page(story, cast[name], "/settings/connectors")
    assert "Re-authorize Slack" in page(story, cast["adam"])
    assert "The app was removed from the workspace" in page(story, cast["ada"])


def test_nothing_is_sent_while_it_is_broken_and_then_the_newest_state_arrives(
    story: Story, cast: dict[str, User]
) -> None:
    account_id = account_of(cast["olivia"])
    alert(story, cast["olivia"], summary="Before")
    story.work()
    story.sandbox.admin("revoke", team_id="T0ACME")
    probe(story, cast["olivia"])
    # The answer's code, or the event's if that was faster.
    assert state(story, cast["olivia"])[1] in ("token_revoked", "tokens_revoked")
    since = last_call(story)
    waiting = alert(story, cast["olivia"], "C0OPS", summary="During")
    gone = alert(story, cast["olivia"], "C0DB", summary="Over")
    with story.app.app_context():
        alerts.acknowledge(waiting, by=cast["ada"], via=Via.WEB)
        alerts.resolve(gone, by=cast["ada"], via=Via.WEB)
        conversations.ask_refresh(account_id)
    stranger = click_payload("alert_acknowledge", str(waiting), user_id="U0WALTER")
    answer = story.browser().post("/slack/interactions", **signed(interaction(stranger)))
    assert answer.status_code == 200
    catch_up(story)
    with story.app.app_context():
        mapping.look_up(account_id=account_id)
        probes.probe(account_id=account_id)
        rotation.refresh_ahead(account_id=account_id)
    assert methods(story, since) == []
    assert shown_state(story, cast["olivia"]) == "broken"
    assert "2 deliveries wait" in page(story, cast["olivia"])
    story.link(cast["adam"])
    assert shown_state(story, cast["olivia"]) == "linked"
    assert [text.partition("]")[0] for text in texts(story, "C0OPS")] == ["[Acknowledged"]
    assert [text.partition("]")[0] for text in texts(story, "C0DB")] == ["[Resolved"]
    assert texts(story)[0].startswith("[Pending] Before")
    with story.app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Notice)) == 0
    assert 'class="banner"' not in page(story, cast["adam"])


def test_a_dead_token_ends_a_job_that_would_call_for_each_person(
    story: Story, cast: dict[str, User]
) -> None:
    account_id = account_of(cast["olivia"])
    with story.app.app_context():
        for link in db.session.scalars(select(UserLink)):
            db.session.delete(link)
        db.session.commit()
    story.sandbox.hold_events()
    story.sandbox.admin("revoke", team_id="T0ACME")
    since = last_call(story)
    with story.app.app_context():
        mapping.look_up(account_id=account_id)
    assert methods(story, since) == ["users.lookupByEmail", "auth.test"]


def test_authorizing_again_keeps_everything(story: Story, cast: dict[str, User]) -> None:
    alert(story, cast["olivia"])
    story.work()

    def kept() -> list[Any]:
        with story.app.app_context():
            return [
                db.session.execute(select(ActionChannel.action_id, ActionChannel.channel_id)).all(),
                db.session.execute(select(UserLink.id, UserLink.slack_user_id)).all(),
                db.session.execute(select(PostedMessage.id, PostedMessage.ts)).all(),
                db.session.scalar(select(SlackInstallation.id)),
            ]

    before = kept()
    assert all(before)
    story.sandbox.admin("revoke", team_id="T0ACME")
    story.link(cast["adam"])
    assert kept() == before
    assert state(story, cast["olivia"]) == ("linked", None)
    (message,) = story.sandbox.messages("C0ALERTS")  # from before
    story.sandbox.click("C0ALERTS", message["ts"], "alert_acknowledge", "U0ADA")
    story.work()
    catch_up(story)
    (shown,) = texts(story)
    assert shown.startswith("[Acknowledged]")


def test_a_scope_that_was_taken_limits_the_link_and_each_feature_says_so(
    story: Story, cast: dict[str, User]
) -> None:
    taken: set[str] = set()
    found = 0
    for feature in scopes.FEATURES[:-1]:  # a token is never without any
        for scope in set(feature.scopes) - taken:
            story.sandbox.admin("take_scope", team_id="T0ACME", scope=scope)
        found += not set(feature.scopes) <= taken
        taken |= set(feature.scopes)
        probe(story, cast["adam"])
        assert shown_state(story, cast["adam"]) == "limited"
        text = unescape(page(story, cast["adam"]))
        assert feature.without in text
        assert f'aria-label="Re-authorize Slack for: {feature.name}"' in text
        assert all(f"<code>{scope}</code>" in text for scope in feature.scopes)
        reader = unescape(page(story, cast["ada"]))
        assert feature.without in reader
        assert "Re-authorize Slack for" not in reader
    story.link(cast["adam"])
    assert shown_state(story, cast["adam"]) == "linked"
    with story.app.app_context():
        wanted = select(AuditEntry).order_by(AuditEntry.id)
        entries = [e for e in db.session.scalars(wanted) if e.action.startswith("workspace")]
        losses = [e for e in entries if e.action is AuditAction.WORKSPACE_LIMITED]
        assert len(losses) == found  # one entry for each that was found
        assert losses[-1].details["missing"].split(", ") == sorted(taken)
        others = [entry.action for entry in entries if entry not in losses]
    assert others == [AuditAction.WORKSPACE_LINKED, AuditAction.WORKSPACE_REAUTHORIZED]


def test_any_answer_tells_of_a_missing_scope_also_a_refusal(
    story: Story, cast: dict[str, User]
) -> None:
    story.sandbox.admin("take_scope", team_id="T0ACME", scope="users:read.email")
    refused = call_slack(story, cast["adam"], "users.lookupByEmail", email="ada@acme.example")
    assert refused == "missing_scope"
    assert state(story, cast["adam"]) == ("limited", "missing_scope")


def test_declined_optional_scopes_switch_off_just_what_needs_them(story: Story) -> None:
    cast = story.people()
    browser = story.browser(cast["adam"])
    without = ",".join(scopes.OPTIONAL)
    callback = story.sandbox.consent(story.authorize(browser), without=without)
    assert story.come_back(browser, callback).status_code == 303
    story.work()
    assert shown_state(story, cast["adam"]) == "limited"
    text = unescape(page(story, cast["adam"]))
    for feature in scopes.FEATURES:
        is_off = bool(set(feature.scopes) & set(scopes.OPTIONAL))
        assert (feature.without in text) == is_off, feature.name
    assert 'class="banner"' not in text  # nothing is broken
    story.sandbox.admin("invite", channel="C0OPS", user="U0BOTT0ACME")
    alert(story, cast["olivia"], "C0OPS", summary="Goes on")
    with story.app.app_context():
        conversations.ask_refresh(account_of(cast["olivia"]))
    story.work()
    assert len(texts(story, "C0OPS")) == 1
    (listed,) = story.sandbox.requests(method="conversations.list")
    assert "private_channel" not in str(listed)
    assert story.sandbox.violations() == []


def test_after_another_workspace_was_refused_the_old_link_goes_on(
    story: Story, cast: dict[str, User]
) -> None:
    browser = story.browser(cast["adam"])
    callback = story.sandbox.consent(story.authorize(browser), team_id="T0BETA", user_id="U0BEA")
    refused = story.come_back(browser, callback)
    assert refused.status_code == 409
    assert "You chose Beta, but this account is linked to Acme" in refused.text
    alert(story, cast["olivia"])
    story.work()
    assert len(texts(story)) == 1
    assert state(story, cast["adam"]) == ("linked", None)
