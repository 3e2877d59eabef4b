"""Is nothing lost and nothing shown twice, does Slack hold only what it means to, and who is told?"""

from collections import Counter
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import func, select, update

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.alerts import operations as alerts
from portal.domain.alerts import queries
from portal.domain.alerts.models import Alert, Priority, TimelineKind, Via
from portal.domain.notices.models import Notice
from portal.domain.routing.models import ActionChannel, AlertAction
from portal.slack import channel_health, pacing, tries
from portal.slack.places import Place, places
from portal.slack.posted import Lane, PostedMessage
from tests.make import make_action, make_alert, make_source
from tests.slack.conftest import Story, pass_the_pace

CHANNEL, OTHER, THIRD = "C0ALERTS", "C0OPS", "C0DB"
POST, UPDATE = "chat.postMessage", "chat.update"


@pytest.fixture
def people(story: Story) -> dict[str, User]:
    cast = story.people()
    story.link(cast["olivia"])
    return cast


@pytest.fixture
def reader(story: Story, people: dict[str, User]) -> None:
    """The app may read #alerts: it was invited there."""
    story.sandbox.admin("invite", channel=CHANNEL)


def shown(story: Story, channel_id: str = CHANNEL) -> list[str]:
    found = story.sandbox.messages(channel_id)
    said = [m for m in found if not m["is_ephemeral"] and not m.get("thread_ts")]
    return [message["text"] for message in said]


def an_action(
    story: Story, people: dict[str, User], channel_id: str = CHANNEL, by: str | None = None
) -> int:
    """A source and its action; returns the source's id."""
    with story.app.app_context():
        source, _ = make_source(people["olivia"].account)
        action = make_action(source, channel_id=channel_id, channel_name=channel_id.lower())
        if by is not None:
            creator = update(AlertAction).where(AlertAction.id == action.id)
            db.session.execute(creator.values(created_by_id=people[by].id))
            db.session.commit()
        return source.id


def an_alert(story: Story, source_id: int, summary: str = "Disk full", **more: Any) -> int:
    with story.app.app_context():
        from portal.domain.sources.models import AlertSource

        return make_alert(db.session.get_one(AlertSource, source_id), summary=summary, **more).id


def place(story: Story, alert_id: int) -> Place:
    with story.app.app_context():
        return places(db.session.get_one(Alert, alert_id))[0]


def calls(story: Story, method: str) -> list[dict[str, Any]]:
    return [request.arguments for request in story.sandbox.requests(method=method)]


def later(story: Story, seconds: float = 60) -> None:
    story.sandbox.clock(advance=seconds)
    pass_the_pace(story)


# Exactly once


def test_a_message_whose_answer_was_lost_is_found_again_and_not_repeated(
    story: Story, people: dict[str, User], reader: None
) -> None:
    source_id = an_action(story, people)
    story.sandbox.add_fault(effect="reset", method=POST, after_processing=True, times=1)
    alert_id = an_alert(story, source_id)
    story.work()
    assert not place(story, alert_id).is_up_to_date
    later(story)
    assert len(shown(story)) == 1
    assert len(calls(story, POST)) == 1
    assert place(story, alert_id).state == "shown"
    with story.app.app_context():
        entry = queries.timeline(db.session.get_one(Alert, alert_id))[-1]
        assert entry.kind is TimelineKind.SLACK_POSTED
        assert "perhaps_twice" not in entry.data


def test_what_slack_never_got_is_posted_after_a_look(
    story: Story, people: dict[str, User], reader: None
) -> None:
    source_id = an_action(story, people)
    story.sandbox.add_fault(effect="reset", method=POST, times=1)
    an_alert(story, source_id)
    story.work()
    later(story)
    assert len(shown(story)) == 1
    assert len(calls(story, "conversations.history")) == 1


def test_what_changed_while_the_answer_was_lost_is_shown_on_the_message_that_is_there(
    story: Story, people: dict[str, User], reader: None
) -> None:
    source_id = an_action(story, people)
    story.sandbox.add_fault(effect="reset", method=POST, after_processing=True, times=1)
    alert_id = an_alert(story, source_id)
    story.work()
    with story.app.app_context():
        uma = db.session.merge(people["uma"], load=False)
        alerts.acknowledge(alert_id, by=uma, via=Via.WEB)
    later(story)
    (text,) = shown(story)
    assert text.startswith("[Acknowledged]")


def test_where_we_may_not_look_a_second_message_is_preferred_to_none_and_is_said(
    story: Story, people: dict[str, User]
) -> None:
    for scope in ("channels:history", "groups:history"):
        story.sandbox.admin("take_scope", team_id="T0ACME", scope=scope)
    source_id = an_action(story, people)
    an_alert(story, source_id, "So that we hear of the scopes")
    story.work()
    story.sandbox.add_fault(effect="reset", method=POST, after_processing=True, times=1)
    alert_id = an_alert(story, source_id)
    story.work()
    later(story)
    assert len([text for text in shown(story) if "Disk full" in text]) == 2
    assert calls(story, "conversations.history") == []
    with story.app.app_context():
        entry = queries.timeline(db.session.get_one(Alert, alert_id))[-1]
        assert entry.data["perhaps_twice"] is True


def test_an_attempt_is_written_down_before_the_call(
    story: Story, people: dict[str, User], reader: None
) -> None:
    """What a worker that dies leaves behind: an attempt of which nobody knows the outcome."""
    source_id = an_action(story, people)
    alert_id = an_alert(story, source_id)
    story.work()
    with story.app.app_context():  # as if the commit after Slack's answer had never been
        died = {"ts": None, "shown_version": 0, "shown_at": None, "uncertain_since": now()}
        db.session.execute(update(PostedMessage).values(**died))
        db.session.commit()
    later(story)
    assert len(shown(story)) == 1
    assert place(story, alert_id).is_up_to_date


# What Slack holds, and what it does not


def test_a_429_without_hurry_holds_the_method_in_the_workspace(
    story: Story, people: dict[str, User]
) -> None:
    one, two = an_action(story, people), an_action(story, people, OTHER)
    story.sandbox.add_fault(effect="rate_limited", method=POST, retry_after=20, times=1)
    first = an_alert(story, one)
    story.work()
    second = an_alert(story, two)
    story.work()
    assert len(calls(story, POST)) == 1
    for alert_id in (first, second):
        assert place(story, alert_id).state == "asked to wait"
        assert "chat.postMessage" in place(story, alert_id).detail
    assert story.sandbox.violations() == []


def test_a_hold_of_posting_does_not_hold_changes(story: Story, people: dict[str, User]) -> None:
    source_id = an_action(story, people)
    alert_id = an_alert(story, source_id)
    story.work()
    story.sandbox.add_fault(effect="rate_limited", method=POST, retry_after=20, times=1)
    an_alert(story, source_id, "Another")
    story.work()
    with story.app.app_context():
        uma = db.session.merge(people["uma"], load=False)
        alerts.acknowledge(alert_id, by=uma, via=Via.WEB)
    story.work()
    assert any(text.startswith("[Acknowledged]") for text in shown(story))


def test_a_channel_that_is_too_fast_for_slack_holds_only_itself(
    story: Story, people: dict[str, User]
) -> None:
    one, two = an_action(story, people), an_action(story, people, OTHER)
    story.sandbox.admin("switch", posting_burst=1)
    for number in range(3):
        an_alert(story, one, f"Disk {number} full")
    story.work()
    refused = [r for r in story.sandbox.requests(method=POST) if r.status == 429]
    assert len(refused) == 1
    elsewhere = an_alert(story, two)
    story.work()
    assert place(story, elsewhere).state == "shown"
    assert story.sandbox.violations() == []


@pytest.mark.parametrize(
    "variant", ["no_header", "not_a_number", "ok_ratelimited", "ok_rate_limited"]
)
def test_an_odd_wish_to_wait_is_granted_half_a_minute(
    story: Story, people: dict[str, User], variant: str
) -> None:
    source_id = an_action(story, people)
    story.sandbox.add_fault(effect="rate_limited", method=POST, variant=variant, times=1)
    alert_id = an_alert(story, source_id)
    story.work()
    next_try_at = place(story, alert_id).next_try_at
    assert next_try_at is not None
    assert timedelta(seconds=20) < next_try_at - now() <= timedelta(seconds=30)
    assert len(calls(story, POST)) == 1


def test_a_plan_without_messages_left_is_asked_again_later(
    story: Story, people: dict[str, User]
) -> None:
    source_id = an_action(story, people)
    story.sandbox.add_fault(effect="error", error="message_limit_exceeded", method=POST, times=1)
    alert_id = an_alert(story, source_id)
    story.work()
    assert place(story, alert_id).state == "asked to wait"
    later(story)
    assert len(shown(story)) == 1


def test_the_workspaces_budget_is_shared_in_the_order_of_asking(
    story: Story, people: dict[str, User]
) -> None:
    with story.app.app_context():
        account_id, moment = people["olivia"].account_id or 0, now()
        given = [pacing.take(account_id, UPDATE, moment) for _ in range(7)]
        db.session.commit()
    assert [at <= moment for at in given] == [True, True, True, True, False, False, False]
    steps = [(b - a).total_seconds() for a, b in pairwise(given)]
    assert steps == pytest.approx([1.3] * 6)


# Outages


def test_during_an_outage_one_lane_asks_for_all_and_everything_comes_back(
    story: Story, people: dict[str, User]
) -> None:
    sources = [an_action(story, people, channel) for channel in (CHANNEL, OTHER, THIRD)]
    story.sandbox.add_fault(effect="server_error")
    ids = [an_alert(story, source_id) for source_id in sources]
    story.work()
    later(story, 1)
    later(story, 1)
    asked = Counter(request.method for request in story.sandbox.requests())
    assert asked[POST] <= 3  # each lane found out once, at most
    assert asked["auth.test"] <= 3 + 2
    assert place(story, ids[0]).state == "Slack not reachable"
    assert "HTTP 503" in place(story, ids[0]).detail
    story.sandbox.clear_faults()
    for _ in range(3):
        later(story)
    assert [len(shown(story, channel)) for channel in (CHANNEL, OTHER, THIRD)] == [1, 1, 1]
    with story.app.app_context():
        assert db.session.scalars(select(pacing.Outage)).all() == []


def test_a_code_that_only_one_message_meets_holds_only_that_one(
    story: Story, people: dict[str, User]
) -> None:
    source_id = an_action(story, people)
    story.sandbox.add_fault(effect="error", error="never_seen_before", method=POST, times=1)
    poisonous = an_alert(story, source_id, "Poison")
    story.work()
    an_alert(story, source_id, "Harmless")
    story.work()
    assert [text for text in shown(story) if "Harmless" in text]
    assert "never_seen_before" in place(story, poisonous).detail
    later(story)
    assert len(shown(story)) == 2


# Messages that Slack does not take


def test_a_message_that_is_too_long_loses_its_details_and_keeps_its_buttons(
    story: Story, people: dict[str, User]
) -> None:
    source_id = an_action(story, people)
    story.sandbox.add_fault(effect="error", error="msg_blocks_too_long", method=POST, times=1)
    an_alert(story, source_id, details="long " * 400)
    story.work()
    (message,) = story.sandbox.messages(CHANNEL)
    assert "alert_acknowledge" in str(message)
    assert "long long" not in str(message)


def test_a_deleted_message_is_posted_anew_once_and_not_for_ever(
    story: Story, people: dict[str, User]
) -> None:
    source_id = an_action(story, people)
    alert_id = an_alert(story, source_id)
    story.work()
    for operation in (alerts.acknowledge, alerts.resolve):
        (message,) = [m for m in story.sandbox.messages(CHANNEL) if not m.get("thread_ts")]
        story.sandbox.admin("delete_message", channel=CHANNEL, ts=message["ts"])
        with story.app.app_context():
            uma = db.session.merge(people["uma"], load=False)
            operation(alert_id, by=uma, via=Via.WEB)
        story.work()
        later(story)
    assert len([call for call in calls(story, POST) if not call.get("thread_ts")]) == 2
    assert place(story, alert_id).state == "gave up"


def test_what_matters_most_goes_first(story: Story, people: dict[str, User]) -> None:
    source_id = an_action(story, people)
    low = an_alert(story, source_id, "Low")
    an_alert(story, source_id, "High")
    taken = an_alert(story, source_id, "Taken")
    with story.app.app_context():
        db.session.execute(update(Alert).where(Alert.id == low).values(priority=Priority.LOW))
        db.session.commit()
        uma = db.session.merge(people["uma"], load=False)
        alerts.acknowledge(taken, by=uma, via=Via.WEB)
    assert place(story, low).detail == "2 ahead of it in this channel."
    story.work()
    order = [text.partition("] ")[2].split()[0] for text in shown(story)]
    assert order == ["Taken", "High", "Low"]


# Channels


def test_who_made_the_action_and_the_admins_are_told_once_with_what_to_do(
    story: Story, people: dict[str, User]
) -> None:
    source_id = an_action(story, people, by="uma")
    story.sandbox.admin("archive", channel=CHANNEL)
    an_alert(story, source_id)
    story.work()
    an_alert(story, source_id, "Another")
    later(story)
    with story.app.app_context():
        told = db.session.scalars(select(Notice)).all()
        assert {notice.user_id for notice in told} == {
            people[name].id for name in ("olivia", "adam", "uma")
        }
        assert all("archived. Unarchive it" in notice.text for notice in told)
    direct = Counter(each["channel"] for each in calls(story, POST) if each["channel"][0] == "U")
    assert direct == {"U0OLIVIA": 1, "U0ADAM": 1, "U0UMA": 1}


def test_a_channel_that_is_mended_gets_what_waited_and_the_notice_goes(
    story: Story, people: dict[str, User]
) -> None:
    source_id = an_action(story, people)
    story.sandbox.admin("archive", channel=CHANNEL)
    alert_id = an_alert(story, source_id)
    story.work()
    assert place(story, alert_id).state == "held"
    assert place(story, alert_id).can_try_now
    story.sandbox.admin("unarchive", channel=CHANNEL)
    with story.app.app_context():
        ada = db.session.merge(people["ada"], load=False)
        tries.try_now(alert_id, CHANNEL, by=ada)
    story.work()
    assert len(shown(story)) == 1
    with story.app.app_context():
        assert db.session.scalars(select(Notice)).all() == []


def test_alerts_of_a_closed_channel_appear_in_the_other_one_that_the_action_names(
    story: Story, people: dict[str, User]
) -> None:
    source_id = an_action(story, people)
    with story.app.app_context():
        other = {"fallback_channel_id": OTHER, "fallback_channel_name": "ops"}
        db.session.execute(update(AlertAction).values(**other))
        db.session.commit()
    an_alert(story, source_id, "Before")
    story.work()
    assert shown(story, OTHER) == []
    story.sandbox.admin("archive", channel=CHANNEL)
    an_alert(story, source_id, "First")
    story.work()
    an_alert(story, source_id, "Second")
    story.work()
    assert len(shown(story, OTHER)) == 2
    story.sandbox.admin("unarchive", channel=CHANNEL)
    later(story)
    assert len(shown(story, CHANNEL)) == 3
    an_alert(story, source_id, "Third")
    later(story)
    assert len(shown(story, OTHER)) == 2


def test_a_storm_into_a_closed_channel_appears_as_a_whole_in_the_other_one(
    story: Story, people: dict[str, User]
) -> None:
    source_id = an_action(story, people)
    with story.app.app_context():
        other = {"fallback_channel_id": OTHER, "fallback_channel_name": "ops"}
        db.session.execute(update(AlertAction).values(**other))
        db.session.commit()
    story.sandbox.admin("archive", channel=CHANNEL)
    assert story.sandbox.deliveries("channel_archive", wait=10, count=1)  # not in the middle of it
    for number in range(30):
        an_alert(story, source_id, f"Disk {number} is full")
    story.work()
    with story.app.app_context():
        there = (PostedMessage.channel_id == OTHER) & PostedMessage.shown_at.is_not(None)
        assert db.session.scalar(select(func.count()).where(there)) == 30
    assert any(" new alerts in #ops: " in said for said in shown(story, OTHER))


def follow(story: Story, people: dict[str, User], **event: Any) -> None:
    with story.app.app_context():
        channel_health.follow(people["olivia"].account_id or 0, event)
        db.session.commit()
    story.work()


def test_a_renamed_channel_is_called_by_its_new_name(story: Story, people: dict[str, User]) -> None:
    alert_id = an_alert(story, an_action(story, people))
    channel = {"id": CHANNEL, "name": "incidents"}
    follow(story, people, type="channel_rename", channel=channel)
    assert place(story, alert_id).label == "#incidents"
    with story.app.app_context():
        assert db.session.scalars(select(ActionChannel.channel_name)).all() == ["incidents"]


def test_a_channel_with_a_new_id_keeps_its_messages_and_gets_the_next_ones(
    story: Story, people: dict[str, User]
) -> None:
    source_id = an_action(story, people)
    alert_id = an_alert(story, source_id)
    story.work()
    story.sandbox.admin("change_id", channel=CHANNEL, new_id="C0MOVED")
    ids = {"old_channel_id": CHANNEL, "new_channel_id": "C0MOVED"}
    follow(story, people, type="channel_id_changed", **ids)
    with story.app.app_context():
        uma = db.session.merge(people["uma"], load=False)
        alerts.acknowledge(alert_id, by=uma, via=Via.WEB)
    an_alert(story, source_id, "Next")
    story.work()
    texts = shown(story, "C0MOVED")
    assert [text.partition("]")[0] for text in texts] == ["[Acknowledged", "[Pending"]
    with story.app.app_context():
        assert db.session.scalars(select(Lane.channel_id)).all() == ["C0MOVED"]


def test_slacks_news_of_an_archived_channel_warns_before_any_alert_is_lost_there(
    story: Story, people: dict[str, User]
) -> None:
    an_action(story, people)
    story.sandbox.admin("archive", channel=CHANNEL)
    follow(story, people, type="channel_archive", channel=CHANNEL, user="U0ADAM")
    with story.app.app_context():
        assert len(db.session.scalars(select(Notice)).all()) == 2  # owner and admin
    follow(story, people, type="channel_archive", channel="C0GENERAL", user="U0ADAM")
    with story.app.app_context():
        assert len(db.session.scalars(select(Notice)).all()) == 2  # no alert goes there
