"""Does a channel that is far behind speak in summaries, lose nothing, and calm down again?"""

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.alerts import operations as alerts
from portal.domain.alerts import queries
from portal.domain.alerts.models import Alert, AlertStatus, Priority, TimelineKind, Via
from portal.domain.routing.models import AfterStorm, AlertAction
from portal.slack.places import places
from portal.slack.posted import Lane, PostedMessage, Summary
from tests.make import make_action, make_alert, make_source
from tests.slack.conftest import Story, pass_the_pace

CHANNEL = "C0ALERTS"


@pytest.fixture
def people(story: Story) -> dict[str, User]:
    cast = story.people()
    story.link(cast["olivia"])
    return cast


def shown(story: Story) -> list[dict[str, Any]]:
    return [
        m
        for m in story.sandbox.messages(CHANNEL)
        if not m["is_ephemeral"] and not m.get("thread_ts")
    ]


def summary(story: Story) -> dict[str, Any]:
    (found,) = [m for m in shown(story) if "new alerts in" in m["text"]]
    return found


def a_storm(
    story: Story,
    people: dict[str, User],
    number: int = 40,
    *,
    priority: Priority = Priority.HIGH,
    after_storm: AfterStorm = AfterStorm.SUMMARY,
) -> list[int]:
    """So many alerts, all there before the lane has its next turn."""
    with story.app.app_context():
        source, _ = make_source(people["olivia"].account, name="Prometheus")
        action = make_action(source, channel_id=CHANNEL, channel_name="alerts")
        chosen = update(AlertAction).where(AlertAction.id == action.id)
        db.session.execute(chosen.values(after_storm=after_storm))
        db.session.commit()
        ids = [make_alert(source, summary=f"Disk {n} is full").id for n in range(number)]
        db.session.execute(update(Alert).values(priority=priority))
        db.session.commit()
    story.work()
    return ids


def press(story: Story, user_id: str, action_id: str) -> list[str]:
    """Press a button of the summary; returns what only that person is told."""
    delivery = story.sandbox.click(
        user_id=user_id, channel_id=CHANNEL, ts=summary(story)["ts"], action_id=action_id
    )
    assert delivery.status == 200
    story.work()
    seen = story.sandbox.messages(CHANNEL, as_user=user_id)
    return [message["text"] for message in seen if message["is_ephemeral"]]


def statuses(story: Story) -> dict[str, int]:
    with story.app.app_context():
        rows = db.session.execute(select(Alert.status, func.count()).group_by(Alert.status))
        return {str(status): number for status, number in rows}


def test_forty_alerts_at_once_are_all_named_by_one_message(
    story: Story, people: dict[str, User]
) -> None:
    ids = a_storm(story, people)
    assert summary(story)["text"].startswith("40 new alerts in #alerts: 40 pending")
    with story.app.app_context():
        for alert_id in ids:
            (place,) = places(db.session.get_one(Alert, alert_id))
            assert place.is_up_to_date, place
            assert place.state in ("shown", "in a summary")
            assert place.permalink
    assert len(shown(story)) <= 5
    assert story.sandbox.violations() == []
    assert all(request.status == 200 for request in story.sandbox.requests())


def test_a_message_is_short_enough_to_be_read_at_a_glance(
    story: Story, people: dict[str, User]
) -> None:
    with story.app.app_context():
        for number in range(12):
            source, _ = make_source(people["olivia"].account, name=f"{number} " + "long " * 30)
            make_action(source, channel_id=CHANNEL, channel_name="alerts")
            for each in range(2):
                make_alert(source, summary=f"{each} <!channel> " + "&" * 200)
    story.work()
    texts = re.findall(r"'text': '([^']*)'", str(summary(story)))
    assert sum(map(len, texts)) <= 3000
    assert "<!channel>" not in str(summary(story))


def test_ten_waiting_alerts_are_no_storm(story: Story, people: dict[str, User]) -> None:
    a_storm(story, people, 10)
    assert [m for m in shown(story) if "new alerts in" in m["text"]] == []


def test_low_priority_alerts_stay_in_the_summary_and_high_ones_get_their_own_messages_first(
    story: Story, people: dict[str, User]
) -> None:
    a_storm(story, people, 30, priority=Priority.LOW)
    with story.app.app_context():
        own = select(func.count()).where(PostedMessage.is_own, PostedMessage.ts.is_(None))
        assert db.session.execute(own).scalar_one() == 0
        source = db.session.scalars(select(Alert)).first().source  # type: ignore[union-attr]
        urgent = make_alert(source, summary="Data centre on fire").id
    for _ in range(2):
        pass_the_pace(story)
    with story.app.app_context():
        posted = select(PostedMessage).where(PostedMessage.alert_id == urgent)
        assert db.session.execute(posted).scalar_one().ts is not None
    assert summary(story)["text"].startswith("31 new alerts")


def test_the_numbers_follow_what_happens(story: Story, people: dict[str, User]) -> None:
    a_storm(story, people, 20)
    assert press(story, "U0ADA", "summary_acknowledge") == ["20 acknowledged."]
    pass_the_pace(story)
    assert statuses(story) == {"acknowledged": 20}
    assert summary(story)["text"] == "20 new alerts in #alerts: 20 acknowledged"
    assert "summary_acknowledge" not in str(summary(story))
    assert "summary_resolve" in str(summary(story))


def test_each_alert_asks_for_the_clickers_own_permission(
    story: Story, people: dict[str, User]
) -> None:
    a_storm(story, people, 12)
    assert press(story, "U0STAN", "summary_resolve") == ["12 not allowed."]
    assert statuses(story) == {"pending": 12}


def test_what_others_did_before_is_counted_as_such(story: Story, people: dict[str, User]) -> None:
    ids = a_storm(story, people, 15)
    with story.app.app_context():
        from portal.domain.alerts import operations
        from portal.domain.alerts.models import Via

        uma = db.session.merge(people["uma"], load=False)
        for alert_id in ids[:4]:
            operations.resolve(alert_id, by=uma, via=Via.WEB)
    assert press(story, "U0ADA", "summary_resolve") == ["11 resolved, 4 already were."]
    assert statuses(story) == {"resolved": 15}


def test_a_stranger_is_told_so_and_changes_nothing(story: Story, people: dict[str, User]) -> None:
    a_storm(story, people, 12)
    (said,) = press(story, "U0WALTER", "summary_acknowledge")
    assert "not connected" in said
    assert statuses(story) == {"pending": 12}


def the_list(story: Story, user_id: str = "U0ADA") -> dict[str, Any]:
    story.work()
    view = story.sandbox.open_view_of(user_id)
    assert view is not None
    return view


def test_the_list_shows_every_alert_in_pages(story: Story, people: dict[str, User]) -> None:
    ids = a_storm(story, people, 25)
    press(story, "U0ADA", "summary_list")
    seen = []
    for page in (1, 2, 3):
        view = the_list(story)
        assert f"Page {page} of 3 · 25 alerts" in str(view)
        seen += [alert_id for alert_id in ids if f"/alerts/{alert_id}|" in str(view)]
        if page < 3:
            story.sandbox.act_in_view("U0ADA", "Next ›")
    assert sorted(seen) == ids
    assert story.sandbox.violations() == []


def test_an_alert_answered_in_the_list_changes_there_and_keeps_its_place(
    story: Story, people: dict[str, User]
) -> None:
    ids = a_storm(story, people, 25)
    press(story, "U0ADA", "summary_list")
    before = the_list(story)
    (first, *_) = [block for block in before["blocks"] if block["type"] == "actions"]
    assert first["elements"][0]["value"] == str(ids[-1])  # the newest is on top
    story.sandbox.act_in_view("U0ADA", "summary_one_acknowledge")
    assert statuses(story) == {"pending": 24, "acknowledged": 1}
    after = the_list(story)
    assert "*Ada* has it" in str(after["blocks"][0])
    story.sandbox.act_in_view("U0ADA", "summary_one_resolve")
    assert statuses(story) == {"pending": 24, "resolved": 1}
    assert "Resolved by *Ada*" in str(the_list(story)["blocks"][0])


def test_the_list_says_who_was_faster(story: Story, people: dict[str, User]) -> None:
    ids = a_storm(story, people, 12)
    press(story, "U0ADA", "summary_list")
    the_list(story)
    with story.app.app_context():
        alerts.resolve(ids[-1], by=db.session.merge(people["uma"], load=False), via=Via.WEB)
    story.sandbox.act_in_view("U0ADA", "summary_one_acknowledge")
    assert "by Uma. Your acknowledgement came too late" in str(the_list(story))


def test_the_list_does_not_tell_those_who_may_see_no_alert_that_none_is_open(
    story: Story, people: dict[str, User]
) -> None:
    a_storm(story, people, 12)
    assert press(story, "U0STAN", "summary_list") == ["These alerts are not available here."]


def test_after_the_storm_new_alerts_get_their_own_messages_again(
    story: Story, people: dict[str, User]
) -> None:
    a_storm(story, people, 20, priority=Priority.LOW)
    the_storm_is_over(story)
    with story.app.app_context():
        assert db.session.execute(select(Lane.summary_id)).scalar_one() is None
        source = db.session.scalars(select(Alert)).first().source  # type: ignore[union-attr]
        make_alert(source, summary="A new day")
    pass_the_pace(story)
    assert any(m["text"].startswith("[Pending] A new day") for m in shown(story))
    assert summary(story)["text"].startswith("20 new alerts")
    own = [m for m in shown(story) if m["text"].startswith("[Pending]")]
    assert len(own) == 1


def test_open_alerts_get_their_own_messages_afterwards_where_the_action_says_so(
    story: Story, people: dict[str, User]
) -> None:
    a_storm(story, people, 16, priority=Priority.LOW, after_storm=AfterStorm.OWN)
    the_storm_is_over(story)
    for _ in range(20):
        pass_the_pace(story)
        story.sandbox.clock(advance=5)
    own = [m for m in shown(story) if m["text"].startswith("[Pending]")]
    assert len(own) == 16


def the_storm_is_over(story: Story) -> None:
    with story.app.app_context():
        db.session.execute(update(Lane).values(gathered_at=now() - timedelta(seconds=11)))
        db.session.commit()
    story.sandbox.clock(advance=30)
    pass_the_pace(story)


def test_what_came_and_went_while_nothing_could_be_sent_stands_in_one_message(
    story: Story, people: dict[str, User]
) -> None:
    story.sandbox.add_fault(effect="error", error="service_unavailable")
    a_storm(story, people, 5)
    with story.app.app_context():
        long_ago = now() - timedelta(minutes=5)
        db.session.execute(update(PostedMessage).values(created_at=long_ago))
        db.session.execute(update(Alert).values(status=AlertStatus.RESOLVED, resolved_at=now()))
        db.session.commit()
    story.sandbox.clear_faults()
    story.sandbox.clock(advance=60)
    for _ in range(3):
        pass_the_pace(story)
    (message,) = shown(story)
    assert message["text"] == "5 new alerts in #alerts: 5 resolved"


def test_the_timeline_says_that_an_alert_is_named_together_with_others(
    story: Story, people: dict[str, User]
) -> None:
    ids = a_storm(story, people, 25, priority=Priority.LOW)
    with story.app.app_context():
        entry = queries.timeline(db.session.get_one(Alert, ids[-1]))[-1]
        assert entry.kind is TimelineKind.SLACK_POSTED
        assert entry.data["with"] > 1
        assert db.session.execute(select(func.count()).select_from(Summary)).scalar_one() == 1
