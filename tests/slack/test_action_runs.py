"""Do alert actions by hand, tests of alert actions and their timers reach Slack, and say what it said?"""

from datetime import timedelta
from http import HTTPStatus
from typing import Any

import pytest
from sqlalchemy import select, update

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Role
from portal.domain.alerts import operations as alerts
from portal.domain.alerts import queries
from portal.domain.alerts.models import Alert, TimelineKind, Via
from portal.domain.routing import queries as routing
from portal.domain.routing import runs
from portal.domain.routing.models import ActionTest, ActionTimer
from portal.domain.routing.triggers import Trigger, TriggerMode
from portal.domain.sources.models import AlertSource
from portal.errors import Conflict, Denied, NotFound
from portal.jobs import alert_actions, escalations
from portal.slack import action_tests
from portal.slack.posted import Lane
from tests.make import make_action, make_alert, make_policy, make_source, make_user
from tests.slack.conftest import Story, pass_the_pace, post
from tests.slack.test_threads import CHANNEL, do, later, parent, thread

POST = "chat.postMessage"
MANUAL = {"mode": TriggerMode.MANUAL, "name": "Tell managers"}


@pytest.fixture
def people(story: Story) -> dict[str, User]:
    cast = story.people()
    story.link(cast["olivia"])
    return cast


def an_action(story: Story, people: dict[str, User], **more: Any) -> tuple[int, int]:
    """The ids of the action and of its source."""
    with story.app.app_context():
        source, _ = make_source(people["olivia"].account)
        return make_action(source, channel_id=CHANNEL, channel_name="alerts", **more).id, source.id


def an_alert(story: Story, source_id: int, **more: Any) -> int:
    with story.app.app_context():
        alert_id = make_alert(db.session.get_one(AlertSource, source_id), **more).id
    story.work()
    return alert_id


def run(story: Story, person: User, alert_id: int, action_id: int) -> None:
    with story.app.app_context():
        by = db.session.get_one(User, person.id)
        runs.run(alert_id, action_id, by=by, via=Via.SLACK)
    story.work()


def kinds(story: Story, alert_id: int) -> list[TimelineKind]:
    with story.app.app_context():
        found = queries.timeline(db.session.get_one(Alert, alert_id))
        return [entry.kind for entry in found]


def page(story: Story, person: User, alert_id: int) -> str:
    return " ".join(story.browser(person).get(f"/alerts/{alert_id}/slack").text.split())


# By hand


def test_an_action_by_hand_posts_only_when_a_person_says_so_and_once(
    story: Story, people: dict[str, User]
) -> None:
    action_id, source_id = an_action(story, people, **MANUAL)
    alert_id = an_alert(story, source_id)
    assert story.sandbox.messages(CHANNEL) == []
    assert "It is carried out by hand" in page(story, people["ada"], alert_id)
    answer = post(story.browser(people["ada"]), f"/alerts/{alert_id}/actions/{action_id}/run")
    assert answer.status_code == HTTPStatus.FOUND
    story.work()
    assert "Disk full" in parent(story)["text"]
    assert "(by Ada)" in page(story, people["ada"], alert_id)
    assert " disabled" in page(story, people["ada"], alert_id)
    assert TimelineKind.ACTION_SUCCEEDED in kinds(story, alert_id)
    with pytest.raises(Conflict, match="Ada has done this already"):
        run(story, people["uma"], alert_id, action_id)
    do(story, people["ada"], alerts.acknowledge, alert_id)
    later(story)
    assert parent(story)["text"].startswith("[Acknowledged]")
    assert thread(story) == []


def test_a_failure_shows_slacks_own_error_and_may_be_tried_again(
    story: Story, people: dict[str, User]
) -> None:
    action_id, source_id = an_action(story, people, **MANUAL)
    alert_id = an_alert(story, source_id)
    story.sandbox.admin("archive", channel=CHANNEL)
    run(story, people["ada"], alert_id, action_id)
    assert "(is_archived)" in page(story, people["ada"], alert_id)
    assert "Try again" in page(story, people["ada"], alert_id)
    assert kinds(story, alert_id).count(TimelineKind.ACTION_FAILED) == 1
    story.sandbox.admin("unarchive", channel=CHANNEL)
    run(story, people["uma"], alert_id, action_id)
    later(story)
    assert "(by Uma)" in page(story, people["ada"], alert_id)
    assert parent(story)


def test_where_the_alert_is_shown_already_that_is_the_success(
    story: Story, people: dict[str, User]
) -> None:
    action_id, source_id = an_action(story, people, **MANUAL)
    with story.app.app_context():
        make_action(db.session.get_one(AlertSource, source_id), channel_id=CHANNEL)
    alert_id = an_alert(story, source_id)
    run(story, people["ada"], alert_id, action_id)
    assert len(story.sandbox.messages(CHANNEL)) == 1
    assert "(by Ada)" in page(story, people["ada"], alert_id)


def test_nobody_runs_what_is_not_offered_or_not_theirs(
    story: Story, people: dict[str, User]
) -> None:
    never = [{"field": "summary", "criterion": "is", "value": "something else"}]
    other_id, source_id = an_action(story, people, **MANUAL, stored_conditions=never)
    automatic_id, _ = an_action(story, people)
    alert_id = an_alert(story, source_id)
    with story.app.app_context():
        stranger = make_user(role=Role.ADMIN)
    for action_id in (other_id, automatic_id, 999_999):
        with pytest.raises(NotFound):
            run(story, people["ada"], alert_id, action_id)
    with pytest.raises(NotFound):
        run(story, stranger, alert_id, other_id)
    with pytest.raises(Denied):
        run(story, people["stan"], alert_id, other_id)


# Tests


def test_a_test_posts_a_marked_message_and_shows_slacks_answer(
    story: Story, people: dict[str, User]
) -> None:
    action_id, _ = an_action(story, people, name="Ops <!channel>")
    browser, path = story.browser(people["uma"]), f"/alert-actions/{action_id}"
    assert post(browser, f"{path}/test").status_code == HTTPStatus.FOUND
    assert "asking Slack" in browser.get(f"{path}/test").text
    story.work()
    (message,) = story.sandbox.messages(CHANNEL)
    assert "[Test]" in message["text"]
    assert message["notifies"] == []
    assert "Slack shows the test message." in browser.get(f"{path}/test").text
    assert story.sandbox.violations() == []


def test_a_test_that_fails_says_so_in_slacks_word_and_ours(
    story: Story, people: dict[str, User]
) -> None:
    action_id, _ = an_action(story, people)
    story.sandbox.admin("archive", channel=CHANNEL)
    browser, path = story.browser(people["uma"]), f"/alert-actions/{action_id}"
    post(browser, f"{path}/test")
    story.work()
    assert "is_archived" in browser.get(f"{path}/test").text
    with story.app.app_context():
        (test,) = db.session.scalars(select(ActionTest))
        assert test.problem == "is_archived"
    story.sandbox.admin("unarchive", channel=CHANNEL)
    post(browser, f"{path}/test")
    story.work()
    assert "Slack shows the test message." in browser.get(f"{path}/test").text


def test_a_test_that_waits_for_its_turn_leaves_the_channel_to_alerts(
    story: Story, people: dict[str, User]
) -> None:
    action_id, source_id = an_action(story, people)
    an_alert(story, source_id)
    busy_until = now() + timedelta(seconds=30)
    with story.app.app_context():
        db.session.execute(update(Lane).values(paced_at=busy_until))
        db.session.commit()
    browser, path = story.browser(people["uma"]), f"/alert-actions/{action_id}"
    post(browser, f"{path}/test")
    for _ in range(3):
        with story.app.app_context():
            action_tests.post(action_id=action_id)
    with story.app.app_context():
        assert db.session.scalars(select(Lane.paced_at)).one() == busy_until
        (test,) = db.session.scalars(select(ActionTest))
        assert test.answered_at is None
    pass_the_pace(story)
    with story.app.app_context():
        action_tests.post(action_id=action_id)
    assert "Slack shows the test message." in browser.get(f"{path}/test").text


# Times


def at(story: Story, seconds: float) -> None:
    """So much later the clock looks."""
    with story.app.app_context():
        alert_actions.due(now() + timedelta(seconds=seconds))
    later(story)


def test_what_is_not_resolved_in_time_is_told_once(story: Story, people: dict[str, User]) -> None:
    wanted = [Trigger.NOT_RESOLVED.value]
    _, source_id = an_action(story, people, trigger_names=wanted, not_resolved_after=600)
    alert_id = an_alert(story, source_id)
    resolved_id = an_alert(story, source_id, summary="Soon over")
    do(story, people["ada"], alerts.acknowledge, alert_id)
    do(story, people["ada"], alerts.resolve, resolved_id)
    at(story, 599)
    assert story.sandbox.messages(CHANNEL) == []
    at(story, 601)
    at(story, 700)
    assert parent(story)["text"].startswith("[Acknowledged] Disk full")
    assert thread(story) == ["Not resolved within 10 min"]
    with story.app.app_context():
        assert db.session.scalars(select(ActionTimer)).all() == []


@pytest.mark.parametrize("seconds", [0, 120])
def test_the_end_of_the_policy_is_told_at_once_or_later_if_it_is_still_pending(
    story: Story, people: dict[str, User], seconds: int
) -> None:
    wanted = [Trigger.CREATED.value, Trigger.ESCALATION_ENDED.value]
    _, source_id = an_action(story, people, trigger_names=wanted, ended_after=seconds)
    with story.app.app_context():
        source = db.session.get_one(AlertSource, source_id)
        make_policy(source.account, [people["ada"]], name="Platform", source=source)
    alert_id = an_alert(story, source_id)
    answered_id = an_alert(story, source_id, summary="Answered in time")
    with story.app.app_context():
        escalations.due(now() + timedelta(minutes=6))
    pass_the_pace(story)
    if seconds:
        assert thread(story) == []
        do(story, people["ada"], alerts.acknowledge, answered_id)
        at(story, seconds + 1)
    said = thread(story)
    told = 1 if seconds else 2
    assert said == ["*Platform* is at its end: nobody else will be asked"] * told
    assert kinds(story, alert_id).count(TimelineKind.ESCALATION_ENDED) == 1


def test_the_actions_of_an_alert_say_why_they_do_not_show_it(
    story: Story, people: dict[str, User]
) -> None:
    only_low = [{"field": "priority", "criterion": "is", "value": "low"}]
    _, source_id = an_action(story, people, stored_conditions=only_low)
    with story.app.app_context():
        source = db.session.get_one(AlertSource, source_id)
        make_action(source, trigger_names=[Trigger.RESOLVED.value], name="Ends")
    alert_id = an_alert(story, source_id)
    shown = page(story, people["ada"], alert_id)
    assert "Its conditions are not met: Priority is “low”." in shown
    assert "New alerts do not have it post, only: alert resolved." in shown
    with story.app.app_context():
        make_action(db.session.get_one(AlertSource, source_id), name="Late")
        found = routing.why_not(db.session.get_one(Alert, alert_id))
        assert "after this alert was opened" in {a.name: why for a, why in found}["Late"]
