"""Do people of the account find their Slack users, lose them when they should, and see why not?"""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from portal.db import db, now
from portal.domain.accounts import operations as accounts
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Role
from portal.domain.audit.actions import AuditAction
from portal.domain.audit.models import AuditEntry
from portal.domain.notifications.models import Notification
from portal.jobs import upkeep
from portal.slack import events, installations, mapping, people, unlinked
from portal.slack.installations import LinkState, SlackInstallation
from portal.slack.people import UserLink
from portal.slack.posted import PostedMessage
from portal.slack.profiles import SlackProfile
from portal.slack.unlinked import UnlinkedPerson, Why
from tests.make import make_account, make_alert, make_policy, make_source, make_user
from tests.slack.conftest import Story, post
from tests.together import until


@pytest.fixture
def cast(story: Story) -> dict[str, User]:
    """Acme's people, with the workspace linked."""
    cast = story.people()
    story.link(cast["olivia"])
    return cast


def link_of(story: Story, person: User) -> UserLink | None:
    with story.app.app_context():
        return people.link_of(person.id)


def why(story: Story, person: User) -> Why | None:
    with story.app.app_context():
        row = db.session.get(UnlinkedPerson, person.id)
        return row.why if row else None


def add(story: Story, cast: dict[str, User], name: str, email: str) -> User:
    with story.app.app_context():
        return make_user(cast["olivia"].account, name=name, email=email)


def by_hand(story: Story, person: User, slack_user_id: str) -> None:
    with story.app.app_context():
        people.link(db.session.get_one(User, person.id), slack_user_id, is_by_hand=True)
        db.session.commit()


def ends(story: Story, person: User, because: Why) -> None:
    until(lambda: why(story, person) is because, f"{person.name} is unlinked: {because}")
    assert link_of(story, person) is None


def test_linking_the_workspace_finds_everybody_by_address_ignoring_letter_case(
    story: Story, cast: dict[str, User]
) -> None:
    with story.app.app_context():
        rows = db.session.scalars(select(UserLink)).all()
        assert {row.user_id: row.slack_user_id for row in rows} == {
            person.id: f"U0{name.upper()}" for name, person in cast.items()
        }
        assert not any(row.is_by_hand for row in rows)


@pytest.mark.parametrize(
    ("email", "reason"),
    [
        ("nobody@acme.example", Why.NOT_FOUND),
        ("gustav@guest.example", Why.GUEST),
        ("dora@acme.example", Why.NOT_FOUND),  # Slack hides who is deactivated
        ("bea@beta.example", Why.NOT_A_MEMBER),
    ],
)
def test_who_is_not_found_is_seen_with_the_reason(
    story: Story, cast: dict[str, User], email: str, reason: Why
) -> None:
    person = add(story, cast, "Somebody", email)
    admin = story.browser(cast["adam"])
    assert post(admin, "/settings/users/slack").status_code == 303
    story.work()
    assert (link_of(story, person), why(story, person)) == (None, reason)
    assert unlinked.WORDS[reason] in admin.get("/settings/users").text
    assert unlinked.WORDS[reason] in story.browser(person).get("/profile").text


def test_the_pages_name_the_slack_user_of_whoever_is_connected(
    story: Story, cast: dict[str, User]
) -> None:
    page = story.browser(cast["adam"]).get("/settings/users").text
    assert "ada.lovelace" in page
    assert "U0ADA, by address" in page
    assert "ada.lovelace" in story.browser(cast["ada"]).get("/profile").text


def test_an_invited_person_is_looked_up_at_once(story: Story, cast: dict[str, User]) -> None:
    with story.app.app_context():
        walter, _ = accounts.invite(
            by=db.session.get_one(User, cast["adam"].id),
            email="Walter@acme.example",
            name="Walter",
            role=Role.RESPONDER,
        )
        db.session.refresh(walter)
    story.work()
    found = link_of(story, walter)
    assert found is not None
    assert found.slack_user_id == "U0WALTER"


def test_who_joins_slack_is_connected(story: Story, cast: dict[str, User]) -> None:
    nina = add(story, cast, "Nina", "nina@acme.example")
    made = story.sandbox.admin(
        "add_person", team_id="T0ACME", real_name="Nina New", email="NINA@acme.example"
    )
    until(lambda: link_of(story, nina) is not None, "Nina is connected")
    found = link_of(story, nina)
    assert found is not None
    assert found.slack_user_id == made["id"]


def test_a_changed_address_ends_a_link_and_makes_another(
    story: Story, cast: dict[str, User]
) -> None:
    walter = add(story, cast, "Walter", "walter.two@acme.example")
    story.sandbox.admin("change_email", user="U0ADA", email="walter.two@acme.example")
    ends(story, cast["ada"], Why.ADDRESS_CHANGED)
    until(lambda: link_of(story, walter) is not None, "the Slack user is Walter's")
    story.sandbox.admin("change_email", user="U0ADA", email="ada@acme.example")
    until(lambda: link_of(story, cast["ada"]) is not None, "Ada is back")
    ends(story, walter, Why.ADDRESS_CHANGED)


def test_a_link_made_by_hand_outlives_a_changed_address_and_is_not_taken_by_one(
    story: Story, cast: dict[str, User]
) -> None:
    walter = add(story, cast, "Walter", "private@walter.example")
    by_hand(story, walter, "U0WALTER")
    nina = add(story, cast, "Nina", "nina@acme.example")
    story.sandbox.admin("change_email", user="U0WALTER", email="nina@acme.example")
    until(lambda: why(story, nina) is Why.TAKEN, "Nina is told that it is taken")
    kept = link_of(story, walter)
    assert kept is not None
    assert kept.slack_user_id == "U0WALTER"
    assert link_of(story, nina) is None


def test_deactivated_in_slack_ends_every_link_and_comes_back_by_address_only(
    story: Story, cast: dict[str, User]
) -> None:
    walter = add(story, cast, "Walter", "private@walter.example")
    by_hand(story, walter, "U0WALTER")
    for person, slack_user_id in ((walter, "U0WALTER"), (cast["ada"], "U0ADA")):
        story.sandbox.admin("deactivate", user=slack_user_id)
        ends(story, person, Why.DEACTIVATED)
        story.sandbox.admin("reactivate", user=slack_user_id)
    until(lambda: link_of(story, cast["ada"]) is not None, "Ada is connected again")
    assert link_of(story, walter) is None


def test_who_becomes_a_guest_is_disconnected_unless_they_confirmed_it(
    story: Story, cast: dict[str, User]
) -> None:
    by_hand(story, cast["uma"], "U0UMA")
    story.sandbox.admin("make_guest", user="U0ADA")
    ends(story, cast["ada"], Why.GUEST)
    story.sandbox.admin("make_guest", user="U0UMA")
    with story.app.app_context():
        wanted = select(SlackProfile.kind).where(SlackProfile.slack_user_id == "U0UMA")
    until(lambda: kind(story, wanted) == "guest", "the portal has heard of it")
    assert link_of(story, cast["uma"]) is not None


def kind(story: Story, wanted: Any) -> str:
    with story.app.app_context():
        return str(db.session.scalar(wanted))


def test_a_new_name_in_slack_is_shown(story: Story, cast: dict[str, User]) -> None:
    hear(story, record("U0ADA", "ada@acme.example", 2_000_000_000, display_name="Countess"))
    assert "Countess" in story.browser(cast["ada"]).get("/profile").text


def test_an_event_that_was_overtaken_changes_nothing(story: Story, cast: dict[str, User]) -> None:
    hear(story, record("U0ADA", "ada@acme.example", 2_000_000_000))
    hear(story, record("U0ADA", "other@acme.example", 1_900_000_000))
    assert link_of(story, cast["ada"]) is not None


def test_an_address_that_slack_calls_unconfirmed_connects_nobody(
    story: Story, cast: dict[str, User]
) -> None:
    nina = add(story, cast, "Nina", "nina@acme.example")
    fresh = record("U0NINA", "nina@acme.example", 2_000_000_000)
    hear(story, {**fresh, "is_email_confirmed": False})
    assert (link_of(story, nina), why(story, nina)) == (None, Why.UNCONFIRMED)


@pytest.mark.parametrize(
    "odd",
    [
        None,
        [],
        {},
        {"id": 7, "profile": "x"},
        {"id": "U0ADA"},
        {"id": "U0NINA", "team_id": []},
        {"id": "U0NINA", "enterprise_user": "T0ACME"},
        {"id": "U0NINA", "enterprise_user": {"teams": 7}},
        {"id": "U0NINA", "updated": True},
    ],
)
def test_odd_events_change_nothing(story: Story, cast: dict[str, User], odd: Any) -> None:
    with story.app.app_context():
        before = set(db.session.scalars(select(UserLink.slack_user_id)))
    hear(story, odd)
    with story.app.app_context():
        assert set(db.session.scalars(select(UserLink.slack_user_id))) == before


def test_nobody_of_another_account_is_connected(story: Story, cast: dict[str, User]) -> None:
    with story.app.app_context():
        foreign = make_user(make_account(), email="walter@acme.example")
    hear(story, record("U0WALTER", "walter@acme.example", 2_000_000_000))
    assert (link_of(story, foreign), why(story, foreign)) == (None, None)


def test_one_removes_ones_own_link_and_stays_removed_until_one_wants_it(
    story: Story, cast: dict[str, User]
) -> None:
    browser = story.browser(cast["ada"])
    assert post(browser, "/profile/slack/remove").status_code == 303
    assert (link_of(story, cast["ada"]), why(story, cast["ada"])) == (None, Why.REMOVED)
    assert "The connection was removed" in browser.get("/profile").text
    hear(story, record("U0ADA", "ada@acme.example", 2_000_000_000))
    post(story.browser(cast["adam"]), "/settings/users/slack")
    story.work()
    assert link_of(story, cast["ada"]) is None
    assert post(browser, "/profile/slack").status_code == 303
    story.work()
    assert link_of(story, cast["ada"]) is not None
    assert post(browser, "/profile/slack/remove").status_code == 303
    assert post(browser, "/profile/slack/remove").status_code == 409


def test_what_was_in_the_direct_messages_changes_no_more_after_that(
    story: Story, cast: dict[str, User]
) -> None:
    with story.app.app_context():
        source, _ = make_source(cast["olivia"].account)
        make_policy(cast["olivia"].account, [cast["ada"]], source=source)
        make_alert(source)
    story.work()
    post(story.browser(cast["ada"]), "/profile/slack/remove")
    with story.app.app_context():
        (shown,) = db.session.scalars(select(PostedMessage)).all()
        assert shown.last_error == "person_disconnected"
        assert db.session.scalars(select(Notification)).all() != []


def test_every_link_and_its_end_stands_in_the_audit_log(
    story: Story, cast: dict[str, User]
) -> None:
    post(story.browser(cast["ada"]), "/profile/slack/remove")
    with story.app.app_context():
        wanted = select(AuditEntry).where(AuditEntry.subject == "person Ada")
        deeds = [entry.action for entry in db.session.scalars(wanted.order_by(AuditEntry.id))]
    assert deeds == [AuditAction.SLACK_USER_CONNECTED, AuditAction.SLACK_USER_DISCONNECTED]
    page = story.browser(cast["adam"]).get("/settings/audit-log").text
    assert "ended the connection of Ada to their Slack user" in page


def test_fourteen_days_after_an_uninstallation_nothing_of_people_is_left(
    story: Story, cast: dict[str, User]
) -> None:
    add(story, cast, "Nobody", "nobody@acme.example")
    with story.app.app_context():
        mapping.look_up(account_id=cast["olivia"].account_id or 0)
        row = db.session.scalars(select(SlackInstallation)).one()
        row.state, row.state_since = LinkState.BROKEN, now() - timedelta(days=13)
        db.session.commit()
        upkeep.prune()
        assert db.session.scalars(select(UserLink)).all() != []
        assert db.session.scalars(select(UnlinkedPerson)).all() != []
        row.state_since = now() - timedelta(days=15)
        db.session.commit()
        upkeep.prune()
        for kept in (UserLink, UnlinkedPerson, SlackProfile):
            assert db.session.scalars(select(kept)).all() == []


def record(slack_user_id: str, email: str, updated: int, **profile: str) -> dict[str, Any]:
    return {
        "id": slack_user_id,
        "team_id": "T0ACME",
        "real_name": "Somebody",
        "updated": updated,
        "profile": {"email": email, **profile},
    }


def hear(story: Story, user: Any) -> None:
    """Slack says of somebody that they changed."""
    with story.app.app_context():
        assert installations.of_team("T0ACME") is not None
        body = {"type": "user_change", "user": user}
        events.receive(events.Event("", "T0ACME", now(), body))
