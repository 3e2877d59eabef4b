"""Is a responder told in Slack, by the alert's own message, kept in step and answered there?"""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, text

from portal.db import db, now
from portal.domain.accounts import operations as accounts
from portal.domain.accounts.models import User
from portal.domain.alerts import operations as alerts
from portal.domain.alerts.models import (
    Alert,
    AlertStatus,
    Priority,
    TimelineEntry,
    TimelineKind,
    Via,
)
from portal.domain.escalation import operations as escalation
from portal.domain.notifications import operations
from portal.domain.notifications.models import Notification, Way
from portal.jobs import notifications
from portal.slack import direct_outcomes
from portal.slack.errors import words
from portal.slack.people import UserLink
from portal.slack.places import places
from portal.slack.posted import PostedMessage
from tests.make import make_action, make_alert, make_policy, make_source
from tests.slack.conftest import Story, pass_the_pace, post

ADA, UMA = "U0ADA", "U0UMA"
DEADLOCKS = text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")


@pytest.fixture
def people(story: Story) -> dict[str, User]:
    cast = story.people()
    story.link(cast["olivia"])
    return cast


def asked(story: Story, people: dict[str, User], *names: str, **alert: Any) -> int:
    """An alert whose policy asks these people, one after the other."""
    with story.app.app_context():
        source, _ = make_source(people["olivia"].account, name="Prometheus")
        levels = [[people[name]] for name in names]
        make_policy(people["olivia"].account, *levels, source=source, repeats=2)
        alert_id = make_alert(source, **alert).id
    story.work()
    return alert_id


def direct(story: Story, person: User) -> list[dict[str, Any]]:
    """What the person sees in the app's direct messages."""
    with story.app.app_context():
        wanted = select(PostedMessage.conversation_id).where(PostedMessage.user_id == person.id)
        channel = db.session.scalar(wanted.where(PostedMessage.conversation_id.is_not(None)))
    return story.sandbox.messages(channel) if channel else []


def said(story: Story, alert_id: int) -> list[str]:
    with story.app.app_context():
        kinds = (TimelineKind.NOTIFIED, TimelineKind.NOTIFICATION_FAILED)
        wanted = select(TimelineEntry).where(
            TimelineEntry.alert_id == alert_id, TimelineEntry.kind.in_(kinds)
        )
        return [
            f"{e.data['person']} {e.data['way']} {e.kind.value} {e.data.get('because', '')}".strip()
            for e in db.session.scalars(wanted.order_by(TimelineEntry.id))
        ]


def test_the_person_asked_gets_the_alert_and_answers_it_in_their_direct_messages(
    story: Story, people: dict[str, User]
) -> None:
    alert_id = asked(story, people, "ada", "uma")
    (message,) = direct(story, people["ada"])
    assert message["text"].startswith("[Pending] Disk full on db-1")
    assert said(story, alert_id) == ["Ada Slack notified"]
    delivery = story.sandbox.click(
        user_id=ADA,
        channel_id=message["channel"],
        ts=message["ts"],
        action_id="alert_acknowledge",
    )
    assert delivery.status == 200
    pass_the_pace(story)
    (message,) = direct(story, people["ada"])
    assert message["text"].startswith("[Acknowledged]")
    with story.app.app_context():
        assert db.session.get_one(Alert, alert_id).status is AlertStatus.ACKNOWLEDGED
        shown = db.session.scalars(select(PostedMessage)).one()
        assert shown.channel_id == ADA
        assert (shown.conversation_id or "").startswith("D")
    assert story.sandbox.violations() == []


def test_the_second_level_is_told_too_and_both_messages_follow(
    story: Story, people: dict[str, User]
) -> None:
    alert_id = asked(story, people, "ada", "uma")
    with story.app.app_context():
        escalation.escalate(alert_id, 2, by=people["adam"], via=Via.WEB)
    pass_the_pace(story)
    assert said(story, alert_id) == ["Ada Slack notified", "Uma Slack notified"]
    with story.app.app_context():
        alerts.resolve(alert_id, by=people["adam"], via=Via.WEB)
    pass_the_pace(story)
    for name in ("ada", "uma"):
        (message,) = direct(story, people[name])
        assert message["text"].startswith("[Resolved]")


def test_who_is_asked_again_is_rung_again_and_keeps_one_message(
    story: Story, people: dict[str, User]
) -> None:
    alert_id = asked(story, people, "ada")
    with story.app.app_context():
        escalation.escalate(alert_id, 1, by=people["adam"], via=Via.WEB)
    pass_the_pace(story)
    first, second = direct(story, people["ada"])
    assert first["text"].startswith("[Pending]")
    assert "You are asked again: “Disk full on db-1”." in second["text"]
    assert said(story, alert_id) == ["Ada Slack notified"] * 2


def test_a_person_who_is_not_in_slack_is_told_so_on_the_timeline_and_by_mail_at_once(
    story: Story, people: dict[str, User], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(story.app.config, "SMTP_URL", "smtp://127.0.0.1:9")
    monkeypatch.setitem(story.app.config, "MAIL_FROM", "tocsin@example.com")
    with story.app.app_context():
        db.session.execute(delete(UserLink).where(UserLink.user_id == people["ada"].id))
        db.session.commit()
    alert_id = asked(story, people, "ada")
    assert said(story, alert_id) == [
        "Ada Slack notification_failed They are not connected to Slack."
    ]
    with story.app.app_context():
        letter = db.session.scalars(select(Notification).where(Notification.way == Way.EMAIL)).one()
        assert letter.attempts == 1  # although its two minutes have not passed
        assert letter.last_error == "The mail server could not be reached."


@pytest.mark.parametrize("error", ["user_disabled", "messages_tab_disabled", "channel_not_found"])
def test_what_slack_refuses_is_given_up_and_said(
    story: Story, people: dict[str, User], error: str
) -> None:
    story.sandbox.add_fault(effect="error", error=error, method="chat.postMessage", channel=ADA)
    alert_id = asked(story, people, "ada")
    (only,) = said(story, alert_id)
    assert only.startswith("Ada Slack notification_failed")
    with story.app.app_context():
        (place,) = places(db.session.get_one(Alert, alert_id))
        assert (place.label, place.state) == ("direct messages to Ada", "gave up")
    story.sandbox.clear_faults()
    with story.app.app_context():  # asked once more, Slack takes it
        escalation.escalate(alert_id, 1, by=people["adam"], via=Via.WEB)
    pass_the_pace(story)
    assert said(story, alert_id)[1:] == ["Ada Slack notified"]


def test_a_slow_slack_delays_the_message_and_nothing_is_said_before_it_is_there(
    story: Story, people: dict[str, User]
) -> None:
    story.sandbox.add_fault(effect="error", error="service_unavailable")
    alert_id = asked(story, people, "ada")
    assert said(story, alert_id) == []
    with story.app.app_context():
        (place,) = places(db.session.get_one(Alert, alert_id))
        assert place.state == "Slack not reachable"
    story.sandbox.clear_faults()
    pass_the_pace(story)
    assert said(story, alert_id) == ["Ada Slack notified"]


def answered_at_once(story: Story, people: dict[str, User]) -> int:
    """An alert that Ada was to be asked about, and that Adam had before anything was sent."""
    with story.app.app_context():
        source, _ = make_source(people["olivia"].account)
        make_policy(people["olivia"].account, [people["ada"]], source=source)
        alert_id = make_alert(source).id
        alerts.acknowledge(alert_id, by=people["adam"], via=Via.WEB)
    return alert_id


def test_an_answer_before_the_message_was_tried_keeps_it_from_ringing(
    story: Story, people: dict[str, User]
) -> None:
    alert_id = answered_at_once(story, people)
    story.work()
    assert direct(story, people["ada"]) == []
    assert said(story, alert_id) == []


def test_answers_that_meet_the_delivery_do_not_stand_in_each_others_way(
    story: Story, people: dict[str, User]
) -> None:
    """Whoever answers and whoever delivers lock the same rows, in the same order."""
    with story.app.app_context():
        source, _ = make_source(people["olivia"].account)
        make_action(source, channel_id="C0ALERTS", channel_name="alerts")
        make_policy(people["olivia"].account, [people["ada"], people["uma"]], source=source)
        ids = [make_alert(source, summary=f"Disk {n}").id for n in range(9)]
        before = db.session.scalar(DEADLOCKS)

    def answer(alert_id: int) -> None:
        with story.app.app_context():
            alerts.acknowledge(alert_id, by=people["adam"], via=Via.WEB)

    with ThreadPoolExecutor(4) as pool:
        delivering = pool.submit(story.work)
        for each in [pool.submit(answer, alert_id) for alert_id in ids]:
            each.result()
        delivering.result()
    with story.app.app_context():
        assert db.session.scalar(DEADLOCKS) == before
        statuses = set(db.session.scalars(select(Alert.status)))
        assert statuses == {AlertStatus.ACKNOWLEDGED}


def test_without_a_link_the_person_is_not_told_and_the_reason_is_said(story: Story) -> None:
    cast = story.people()
    alert_id = asked(story, cast, "ada")
    assert said(story, alert_id) == ["Ada Slack notification_failed No workspace is linked."]


def test_unlinking_says_that_what_was_under_way_will_not_arrive(
    story: Story, people: dict[str, User]
) -> None:
    story.sandbox.add_fault(effect="rate_limited", method="chat.postMessage")
    alert_id = asked(story, people, "ada")
    post(story.browser(people["olivia"]), "/settings/connectors/slack/unlink")
    story.work()
    assert said(story, alert_id) == ["Ada Slack notification_failed No workspace is linked."]


def test_a_link_that_breaks_says_so_and_a_new_authorization_delivers_all_the_same(
    story: Story, people: dict[str, User]
) -> None:
    story.sandbox.add_fault(effect="token_revoked", method="chat.postMessage", times=1)
    alert_id = asked(story, people, "ada")
    (only,) = said(story, alert_id)
    assert only.startswith("Ada Slack notification_failed The link to Slack is broken")
    story.link(people["olivia"])
    pass_the_pace(story)
    (message,) = direct(story, people["ada"])
    assert message["text"].startswith("[Pending]")


def test_a_deactivated_person_sees_no_further_change(story: Story, people: dict[str, User]) -> None:
    alert_id = asked(story, people, "ada")
    with story.app.app_context():
        accounts.deactivate(people["ada"].id, by=people["olivia"])
        alerts.resolve(alert_id, by=people["adam"], via=Via.WEB)
    pass_the_pace(story)
    (message,) = direct(story, people["ada"])
    assert message["text"].startswith("[Pending]")
    with story.app.app_context():
        (place,) = places(db.session.get_one(Alert, alert_id))
        assert place.detail == "The person may not see alerts any more."


def test_a_storm_rings_with_one_summary_and_every_alert_says_who_was_told(
    story: Story, people: dict[str, User]
) -> None:
    with story.app.app_context():
        source, _ = make_source(people["olivia"].account)
        make_policy(people["olivia"].account, [people["ada"]], source=source)
        ids = [make_alert(source, summary=f"Disk {n} is full").id for n in range(40)]
    story.work()
    for _ in range(12):
        pass_the_pace(story)
    messages = direct(story, people["ada"])
    assert len(messages) < 20
    assert any("40 new alerts in direct messages to Ada" in m["text"] for m in messages)
    assert {tuple(said(story, alert_id)) for alert_id in ids} == {("Ada Slack notified",)}


def messages_of(alert_id: int) -> dict[str, PostedMessage]:
    wanted = select(PostedMessage).where(PostedMessage.alert_id == alert_id)
    return {row.channel_id: row for row in db.session.scalars(wanted)}


def test_one_look_at_many_messages_tells_each_persons_own_outcome_once(
    story: Story, people: dict[str, User]
) -> None:
    with story.app.app_context():
        source, _ = make_source(people["olivia"].account)
        make_policy(people["olivia"].account, [people["ada"], people["uma"]], source=source)
        first, second = (make_alert(source, summary=f"Disk {n}").id for n in range(2))
        one, other = messages_of(first), messages_of(second)
        one[ADA].shown_at = now()
        one[UMA].gave_up_at, one[UMA].last_error = now(), "user_disabled"
        other[UMA].gave_up_at, other[UMA].last_error = now(), "channel_not_found"
        gone = 10**9  # somebody answered before it was tried
        ids = ",".join(str(each) for each in [one[UMA].id, gone, other[ADA].id, other[UMA].id])
        ids += f",{one[ADA].id}"
        db.session.commit()
        for _ in range(2):  # a job may be run again
            direct_outcomes.note_outcomes(ids=ids)
    assert sorted(said(story, first)) == [
        "Ada Slack notified",
        f"Uma Slack notification_failed {words('user_disabled')}",
    ]
    assert said(story, second) == [
        f"Uma Slack notification_failed {words('channel_not_found')}"
    ]  # and Ada's is still under way


def test_a_look_at_a_message_after_it_was_said_does_not_say_it_of_what_was_called_off_before(
    story: Story, people: dict[str, User]
) -> None:
    alert_id = answered_at_once(story, people)
    with story.app.app_context():
        escalation.escalate(alert_id, 1, by=people["adam"], via=Via.WEB)
    story.work()
    assert said(story, alert_id) == ["Ada Slack notified"]
    with story.app.app_context():
        direct_outcomes.note_outcomes(ids=str(messages_of(alert_id)[ADA].id))
    assert said(story, alert_id) == ["Ada Slack notified"]


def test_a_test_notification_arrives_and_its_outcome_is_known(
    story: Story, people: dict[str, User]
) -> None:
    with story.app.app_context():
        operations.send_test([Way.SLACK], by=people["ada"])
    story.work()
    with story.app.app_context():
        test = db.session.scalars(select(Notification)).one()
        assert (test.state.value, test.alert_id) == ("sent", None)
    story.sandbox.add_fault(effect="error", error="user_disabled", method="chat.postMessage")
    with story.app.app_context():
        operations.send_test([Way.SLACK], by=people["uma"])
    story.work()
    with story.app.app_context():
        test = db.session.scalars(select(Notification).order_by(Notification.id)).all()[-1]
        assert test.last_error == "The person is deactivated in Slack."


def test_a_later_way_in_slack_waits_for_its_time(story: Story, people: dict[str, User]) -> None:
    with story.app.app_context():
        operations.choose({Priority.HIGH: {Way.SLACK: 5, Way.EMAIL: None}}, by=people["ada"])
    alert_id = asked(story, people, "ada")
    with story.app.app_context():
        assert notifications.due(now() + timedelta(minutes=4)) == 0
        assert notifications.due(now() + timedelta(minutes=5)) == 1
    story.work()
    assert said(story, alert_id) == ["Ada Slack notified"]


def test_the_channel_shows_it_besides_and_each_place_has_its_name(
    story: Story, people: dict[str, User]
) -> None:
    with story.app.app_context():
        source, _ = make_source(people["olivia"].account)
        make_action(source, channel_id="C0ALERTS", channel_name="alerts")
        make_policy(people["olivia"].account, [people["ada"]], source=source)
        alert_id = make_alert(source).id
    story.work()
    with story.app.app_context():
        found = places(db.session.get_one(Alert, alert_id))
        assert [(p.label, p.state, p.permalink is None) for p in found] == [
            ("#alerts", "shown", False),
            ("direct messages to Ada", "shown", True),
        ]
    page = story.browser(people["uma"]).get(f"/alerts/{alert_id}").text
    assert "Told Ada by Slack" in page


def test_who_wants_status_updates_hears_what_others_did_with_their_alerts(
    story: Story, people: dict[str, User]
) -> None:
    with story.app.app_context():
        operations.choose({}, status_updates=True, by=people["ada"])
    alert_id = asked(story, people, "ada")
    with story.app.app_context():
        alerts.acknowledge(alert_id, by=people["uma"], via=Via.WEB)
    pass_the_pace(story)
    assert notes(story, people["ada"]) == ["Uma has “Disk full on db-1” now."]
    with story.app.app_context():
        alerts.resolve(alert_id, by=people["ada"], via=Via.WEB)  # what they do they know
    pass_the_pace(story)
    assert len(notes(story, people["ada"])) == 1


def test_status_updates_are_off_by_default_and_while_muted(
    story: Story, people: dict[str, User]
) -> None:
    alert_id = asked(story, people, "ada", "uma")
    with story.app.app_context():
        escalation.escalate(alert_id, 2, by=people["adam"], via=Via.WEB)
    pass_the_pace(story)
    with story.app.app_context():
        operations.choose({}, status_updates=True, by=people["uma"])
        operations.mute(1, by=people["uma"])
        alerts.resolve(alert_id, by=people["adam"], via=Via.WEB)
    pass_the_pace(story)
    assert notes(story, people["ada"]) == notes(story, people["uma"]) == []


def notes(story: Story, person: User) -> list[str]:
    """The notes in the person's direct messages, without their links."""
    texts = [message["text"] for message in direct(story, person)]
    return [text.partition(" <")[0] for text in texts if "See what to do" in text]
