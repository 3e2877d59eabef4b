"""Does the app's Home show what is somebody's own, to them alone, and can they act there?"""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.alerts.models import Alert, AlertStatus
from portal.domain.escalation.models import EscalationPolicy
from portal.slack.home import HomeTab
from portal.slack.installations import LinkState, SlackInstallation
from portal.slack.messages import home as view
from tests.make import (
    make_alert,
    make_override,
    make_policy,
    make_source,
    make_static_schedule,
    make_user,
)
from tests.slack.conftest import Story, post
from tests.slack.test_connect import address, link_of
from tests.together import until

ADA = "U0ADA"


@pytest.fixture
def cast(story: Story) -> dict[str, User]:
    cast = story.people()
    story.link(cast["olivia"])
    return cast


def opened(story: Story, slack_user_id: str) -> dict[str, Any]:
    """The person opens their Home; what they see then."""
    before = tabs(story)
    story.sandbox.open_home(slack_user_id)
    until(lambda: tabs(story) != before, "the portal has heard of it")
    return seen(story, slack_user_id)


def tabs(story: Story) -> list[Any]:
    with story.app.app_context():
        return db.session.execute(select(HomeTab.slack_user_id, HomeTab.opened_at)).all()[:]


def seen(story: Story, slack_user_id: str) -> dict[str, Any]:
    story.work()
    home = story.sandbox.home_of(slack_user_id)
    assert home is not None
    assert story.sandbox.violations() == []
    return home


def text_of(home: dict[str, Any]) -> str:
    return str(home["blocks"])


def an_alert(story: Story, cast: dict[str, User], *names: str, **alert: Any) -> int:
    with story.app.app_context():
        source, _ = make_source(cast["olivia"].account, name="Prometheus")
        levels = [[cast[name]] for name in names]
        make_policy(cast["olivia"].account, *levels, source=source, name="Platform")
        return make_alert(source, **alert).id


def test_it_shows_my_alerts_my_shifts_and_who_is_on_call(
    story: Story, cast: dict[str, User]
) -> None:
    with story.app.app_context():
        rota = make_static_schedule(cast["olivia"].account, name="Nights")
        make_override(rota, cast["ada"], now(), now() + timedelta(hours=8))
    an_alert(story, cast, "ada", summary="Disk full")
    shown = text_of(opened(story, ADA))
    for part in ("[Pending] Disk full", "alert_acknowledge", "Nights", "*now*, until", "<@U0ADA>"):
        assert part in shown
    assert "Platform" in shown


def test_it_shows_nobody_elses_alerts(story: Story, cast: dict[str, User]) -> None:
    an_alert(story, cast, "uma", summary="Disk full")
    shown = text_of(opened(story, ADA))
    assert "Disk full" not in shown
    assert "Nothing waits for you. 1 of others are open." in shown


def test_a_press_there_is_done_and_seen_there(story: Story, cast: dict[str, User]) -> None:
    alert_id = an_alert(story, cast, "ada")
    opened(story, ADA)
    delivery = story.sandbox.act_in_view(ADA, "alert_acknowledge", home=True)
    assert delivery.status == 200
    assert "[Acknowledged]" in text_of(seen(story, ADA))
    with story.app.app_context():
        assert db.session.get_one(Alert, alert_id).status is AlertStatus.ACKNOWLEDGED
    story.sandbox.act_in_view(ADA, "alert_resolve", home=True)
    assert "Nothing waits for you." in text_of(seen(story, ADA))


def test_who_is_on_call_is_looked_up_there_and_gone_at_the_next_opening(
    story: Story, cast: dict[str, User]
) -> None:
    an_alert(story, cast, "uma", "ada")
    opened(story, ADA)
    with story.app.app_context():
        policy_id = db.session.scalars(select(EscalationPolicy.id)).one()
    story.sandbox.suggest(ADA, "oncall_choose", "", home=True)
    story.sandbox.act_in_view(ADA, "oncall_choose", f"policy:{policy_id}", home=True)
    shown = text_of(seen(story, ADA))
    assert "On call for" in shown
    assert "Level 2" in shown
    assert "Level 2" not in text_of(opened(story, ADA))


def test_an_alert_is_created_from_there(story: Story, cast: dict[str, User]) -> None:
    an_alert(story, cast, "ada")
    opened(story, ADA)
    story.sandbox.act_in_view(ADA, view.CREATE, home=True)
    story.work()
    modal = story.sandbox.open_view_of(ADA)
    assert modal is not None
    assert "Alert" in str(modal["title"])


def test_who_is_not_known_gets_started_there_and_sees_it_when_connected(
    story: Story, cast: dict[str, User]
) -> None:
    with story.app.app_context():
        wendy = make_user(cast["olivia"].account, name="Wendy", email="w@private.example")
    home = opened(story, "U0WALTER")
    assert "Welcome to Tocsin" in text_of(home)
    answer = post(story.browser(wendy), address(home))
    assert answer.location.endswith("/profile#slack")
    assert link_of(story, wendy) is not None
    assert "Your open alerts" in text_of(seen(story, "U0WALTER"))


def test_a_stakeholder_is_told_why_there_is_nothing(story: Story, cast: dict[str, User]) -> None:
    an_alert(story, cast, "ada", summary="Disk full")
    shown = text_of(opened(story, "U0STAN"))
    assert "Your role shows no alerts" in shown
    assert "Disk full" not in shown
    assert "Platform" not in shown


def test_a_hundred_alerts_fit(story: Story, cast: dict[str, User]) -> None:
    an_alert(story, cast, "ada")
    with story.app.app_context():
        source, _ = make_source(cast["olivia"].account)
        make_policy(cast["olivia"].account, [cast["ada"]], source=source)
        for number in range(30):
            make_alert(source, summary=f"*{number}* <!channel> " + "&" * 200)
        for number in range(20):
            make_policy(cast["olivia"].account, [cast["ada"]], name=f"Policy *{number}*" + "x" * 60)
    home = opened(story, ADA)
    assert len(home["blocks"]) <= 100
    assert "And 21 more." in text_of(home)
    assert "<!channel>" not in text_of(home)


def test_nothing_is_sent_while_the_link_is_broken(story: Story, cast: dict[str, User]) -> None:
    with story.app.app_context():
        row = db.session.scalars(select(SlackInstallation)).one()
        row.state = LinkState.BROKEN
        db.session.commit()
    story.sandbox.open_home(ADA)
    until(lambda: len(heard(story)) == 1, "the portal has heard of it")
    story.work()
    assert story.sandbox.requests(method="views.publish") == []


def heard(story: Story) -> list[Any]:
    return [each for each in story.sandbox.deliveries() if each.kind == "app_home_opened"]


def test_slack_asking_to_wait_only_delays_it(story: Story, cast: dict[str, User]) -> None:
    story.sandbox.add_fault(effect="rate_limited", method="views.publish", times=1, retry_after=1)
    story.sandbox.open_home(ADA)
    until(lambda: tabs(story) != [], "the portal has heard of it")
    story.work()

    def is_shown() -> bool:
        story.work()
        return story.sandbox.home_of(ADA) is not None

    until(is_shown, "it is published after all")


def test_the_messages_tab_publishes_nothing(story: Story, cast: dict[str, User]) -> None:
    story.sandbox.open_home(ADA, "messages")
    until(lambda: len(heard(story)) == 1, "the portal has heard of it")
    story.work()
    assert story.sandbox.requests(method="views.publish") == []
