"""Do workspaces of large organisations, shared channels and renamed workspaces work? (slack.md 1.9)"""

from datetime import timedelta

import pytest
from sqlalchemy import update

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Role
from portal.domain.alerts.models import Alert, AlertStatus
from portal.slack import upkeep
from portal.slack.installations import SlackInstallation
from portal.slack.places import places
from tests.make import make_account, make_user
from tests.slack.conftest import Story
from tests.slack.links import account_of, alert, last_call, methods, page, texts
from tests.slack.signed import click_payload, interaction, signed


def status(story: Story, alert_id: int) -> AlertStatus:
    with story.app.app_context():
        return db.session.get_one(Alert, alert_id).status


def change(story: Story, **values: object) -> None:
    with story.app.app_context():
        db.session.execute(update(SlackInstallation).values(**values))
        db.session.commit()


def press(
    story: Story, channel_id: str, user_id: str, action_id: str = "alert_acknowledge"
) -> None:
    (message,) = [m for m in story.sandbox.messages(channel_id) if not m["is_ephemeral"]]
    delivery = story.sandbox.click(
        user_id=user_id, channel_id=channel_id, ts=message["ts"], action_id=action_id
    )
    assert delivery.status == 200
    story.work()


@pytest.fixture
def cast(story: Story) -> dict[str, User]:
    made = story.people()
    story.link(made["olivia"])
    return made


def test_a_workspace_inside_an_organisation_links_posts_and_is_answered(story: Story) -> None:
    with story.app.app_context():
        gamma = make_account("Gamma")
        greta = make_user(gamma, role=Role.OWNER, name="Greta", email="greta@gamma.example")
        make_user(gamma, role=Role.RESPONDER, name="Gus", email="gus@gamma.example")
    story.link(greta, team_id="T0GAMMA", user_id="W0GRETA")
    installation = story.installation(account_of(greta))
    assert installation is not None
    assert (installation.team_id, installation.enterprise_id) == ("T0GAMMA", "E0GLOBEX")
    story.sandbox.admin("change_id", channel="C0GAMMAALERTS", new_id="G0GAMMAALERTS")
    alert_id = alert(story, greta, "G0GAMMAALERTS")
    story.work()
    assert len(texts(story, "G0GAMMAALERTS")) == 1
    press(story, "G0GAMMAALERTS", "W0GUS")
    assert status(story, alert_id) is AlertStatus.ACKNOWLEDGED
    story.sandbox.admin("uninstall", team_id="T0GAMMA")
    story.sandbox.deliveries("app_uninstalled", wait=10)
    story.work()
    assert "re-authorize" in page(story, greta)
    assert story.sandbox.violations() == []


def test_somebody_of_another_workspace_in_a_shared_channel_is_refused(
    story: Story, cast: dict[str, User]
) -> None:
    with story.app.app_context():  # the address alone does not make her one of Acme's
        make_user(cast["olivia"].account, name="Bea", email="bea@beta.example")
    alert_id = alert(story, cast["olivia"], "C0PARTNERS")
    story.work()
    press(story, "C0PARTNERS", "U0BEA")
    assert status(story, alert_id) is AlertStatus.PENDING
    (told,) = story.sandbox.ephemerals("U0BEA")
    assert "Only members of Acme can act here" in told["text"]
    press(story, "C0PARTNERS", "U0UMA")
    assert status(story, alert_id) is AlertStatus.ACKNOWLEDGED


def test_a_new_name_and_address_are_followed_by_the_clock(
    story: Story, cast: dict[str, User]
) -> None:
    alert_id = alert(story, cast["olivia"])
    story.work()
    change(story, team_url="https://acme-of-old.slack.com/")
    story.sandbox.admin("rename_workspace", team_id="T0ACME", name="Acme & Sons")
    with story.app.app_context():
        upkeep.look_after_links()
        db.session.commit()
    story.work()
    assert "Sons" not in page(story, cast["adam"])  # asked not long ago
    change(story, installed_at=now() - timedelta(hours=7))
    with story.app.app_context():
        upkeep.look_after_links()
        db.session.commit()
    story.work()
    shown = page(story, cast["adam"])
    assert "Acme &amp; Sons" in shown
    assert "acme-of-old" not in shown
    with story.app.app_context():
        (place,) = places(db.session.get_one(Alert, alert_id))
    assert str(place.permalink).startswith(f"{story.sandbox.url}/w/T0ACME/archives/C0ALERTS/p")


def test_a_click_from_a_new_address_has_slack_asked_but_not_for_each_click(
    story: Story, cast: dict[str, User]
) -> None:
    since = last_call(story)
    for domain, linked_ago, times in (
        ("acme-sons", timedelta(minutes=1), 0),  # asked a minute ago
        ("acme", timedelta(hours=1), 0),
        ("acme-sons", timedelta(hours=1), 1),
        ("acme-sons", timedelta(hours=1), 1),  # asked just now
    ):
        change(story, team_url="https://acme.slack.com/", installed_at=now() - linked_ago)
        click = click_payload("alert_resolve", "1")
        click["team"]["domain"] = domain
        answer = story.browser().post("/slack/interactions", **signed(interaction(click)))
        assert answer.status_code == 200
        story.work()
        assert methods(story, since).count("auth.test") == times, domain
