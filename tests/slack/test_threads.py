"""Are an alert's updates told once in the thread under it, and do replies there become comments?"""

import random
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import select, update

from portal.db import db
from portal.domain.accounts.models import User
from portal.domain.alerts import operations as alerts
from portal.domain.alerts import queries, receive
from portal.domain.alerts.incoming import EventType, IncomingComment, IncomingEvent
from portal.domain.alerts.models import Alert, TimelineKind, Via
from portal.domain.escalation import operations as escalation
from portal.domain.routing.models import ActionChannel, AlertAction
from portal.domain.routing.triggers import Trigger
from portal.domain.sources.models import AlertSource
from portal.slack.posted import ThreadReply
from portal.slack_sandbox import acting
from tests.make import make_action, make_alert, make_source
from tests.slack.conftest import Story, pass_the_pace

CHANNEL, OTHER = "C0ALERTS", "C0OPS"
POST = "chat.postMessage"


@pytest.fixture
def people(story: Story) -> dict[str, User]:
    """Acme's people, with the workspace linked and the app in #alerts."""
    cast = story.people()
    story.link(cast["olivia"])
    story.sandbox.admin("invite", channel=CHANNEL)
    return cast


def an_action(
    story: Story,
    people: dict[str, User],
    *triggers: Trigger,
    channels: Sequence[str] = (CHANNEL,),
    **more: Any,
) -> int:
    """A source whose alerts appear in the channels; returns its id."""
    with story.app.app_context():
        source, _ = make_source(people["olivia"].account, name="Prometheus")
        chosen = {"trigger_names": [each.value for each in triggers]} if triggers else {}
        action = make_action(source, channel_id=channels[0], **chosen, **more)
        for channel_id in channels[1:]:
            place = {"channel_id": channel_id, "channel_name": channel_id.lower()}
            db.session.add(
                ActionChannel(action_id=action.id, account_id=action.account_id, **place)
            )
        db.session.commit()
        return source.id


def an_alert(story: Story, source_id: int, **more: Any) -> int:
    with story.app.app_context():
        alert_id = make_alert(db.session.get_one(AlertSource, source_id), **more).id
    story.work()
    return alert_id


def do(story: Story, person: User, deed: Any, *arguments: Any, **more: Any) -> None:
    with story.app.app_context():
        deed(*arguments, by=db.session.get_one(User, person.id), via=Via.WEB, **more)


def later(story: Story) -> None:
    """Until everything that has to be told is told."""
    story.work()
    for _ in range(4):
        story.sandbox.clock(advance=60)
        pass_the_pace(story)


def parent(story: Story, channel_id: str = CHANNEL) -> dict[str, Any]:
    (found,) = [m for m in story.sandbox.messages(channel_id) if not m.get("thread_ts")]
    return found


def thread(story: Story, channel_id: str = CHANNEL) -> list[str]:
    """What our app says in threads of the channel."""
    found = story.sandbox.messages(channel_id)
    return [m["text"] for m in found if m.get("thread_ts") and m.get("bot_id")]


def write(story: Story, user_id: str, text: str, channel_id: str = CHANNEL) -> dict[str, Any]:
    """Reply in the only thread of the channel; Slack's events stay with it until heard()."""
    story.sandbox.hold_events()
    ts = parent(story, channel_id)["ts"]
    return acting.reply(story.sandbox.platform, channel_id, ts, user_id, text)


def heard(story: Story) -> None:
    """Slack has delivered the events that it held, and what follows from them is done."""
    for delivery in story.sandbox.release_events():
        assert delivery.status == 200
    later(story)


def comments(story: Story, alert_id: int) -> list[tuple[str, str]]:
    with story.app.app_context():
        found = queries.comments(db.session.get_one(Alert, alert_id))
        return [(entry.actor_name, entry.data["content"]) for entry in found]


def test_each_published_update_is_told_once_and_says_who_did_what(
    story: Story, people: dict[str, User]
) -> None:
    alert_id = an_alert(story, an_action(story, people), priority="LOW")
    do(story, people["ada"], alerts.acknowledge, alert_id)
    later(story)
    do(story, people["uma"], alerts.comment, alert_id, "Looks like <!channel> & disk")
    later(story)
    do(story, people["uma"], alerts.raise_priority, alert_id)  # not published by default
    later(story)
    do(story, people["ada"], alerts.resolve, alert_id)
    later(story)
    assert thread(story) == [
        "*Ada* acknowledged",
        "*Uma* commented:\n> Looks like &lt;!channel&gt; &amp; disk",
        "*Ada* resolved",
    ]
    assert parent(story)["text"].startswith("[Resolved]")
    assert story.sandbox.violations() == []


def test_what_waits_is_joined_in_one_reply(story: Story, people: dict[str, User]) -> None:
    alert_id = an_alert(story, an_action(story, people))
    for text in ("one", "two", "three"):
        do(story, people["uma"], alerts.comment, alert_id, text)
    later(story)
    (told,) = thread(story)
    assert told.split("\n") == [
        line for text in ("one", "two", "three") for line in ("*Uma* commented:", f"> {text}")
    ]


def test_a_reply_never_comes_before_the_message(story: Story, people: dict[str, User]) -> None:
    source_id = an_action(story, people)
    story.sandbox.add_fault(effect="error", method=POST, error="internal_error", times=2)
    alert_id = an_alert(story, source_id)
    do(story, people["ada"], alerts.acknowledge, alert_id)
    later(story)
    later(story)
    assert thread(story) == ["*Ada* acknowledged"]
    assert parent(story)["text"].startswith("[Acknowledged]")


def test_the_first_chosen_update_posts_the_message(story: Story, people: dict[str, User]) -> None:
    source_id = an_action(story, people, Trigger.RESOLVED)
    alert_id = an_alert(story, source_id)
    do(story, people["ada"], alerts.acknowledge, alert_id)
    later(story)
    assert story.sandbox.messages(CHANNEL) == []
    do(story, people["ada"], alerts.resolve, alert_id)
    later(story)
    assert parent(story)["text"].startswith("[Resolved]")
    assert thread(story) == ["*Ada* resolved"]


def test_two_actions_for_one_channel_make_one_message_and_their_updates_add_up(
    story: Story, people: dict[str, User]
) -> None:
    source_id = an_action(story, people, Trigger.CREATED, Trigger.ACKNOWLEDGED)
    with story.app.app_context():
        source = db.session.get_one(AlertSource, source_id)
        both = [Trigger.CREATED.value, Trigger.RESOLVED.value]
        make_action(source, channel_id=CHANNEL, trigger_names=both)
    alert_id = an_alert(story, source_id)
    do(story, people["ada"], alerts.acknowledge, alert_id)
    later(story)
    do(story, people["ada"], alerts.comment, alert_id, "not published")
    do(story, people["ada"], alerts.resolve, alert_id)
    later(story)
    assert parent(story)
    assert thread(story) == ["*Ada* acknowledged", "*Ada* resolved"]


def test_several_channels_each_get_the_message_and_the_updates(
    story: Story, people: dict[str, User]
) -> None:
    alert_id = an_alert(story, an_action(story, people, channels=(CHANNEL, OTHER)))
    do(story, people["ada"], alerts.acknowledge, alert_id)
    later(story)
    assert thread(story, CHANNEL) == thread(story, OTHER) == ["*Ada* acknowledged"]


def test_conditions_decide_which_alerts_are_shown_and_told(
    story: Story, people: dict[str, User]
) -> None:
    only_disks = [{"field": "summary", "criterion": "matches", "value": "^disk"}]
    source_id = an_action(story, people, stored_conditions=only_disks)
    other_id = an_alert(story, source_id, summary="CPU hot")
    alert_id = an_alert(story, source_id, summary="Disk full")
    for each in (other_id, alert_id):
        do(story, people["ada"], alerts.acknowledge, each)
    later(story)
    assert "Disk full" in parent(story)["text"]
    assert thread(story) == ["*Ada* acknowledged"]


def test_an_alert_that_is_raised_appears_where_only_high_ones_do(
    story: Story, people: dict[str, User]
) -> None:
    only_high = [{"field": "priority", "criterion": "is", "value": "high"}]
    chosen = (Trigger.CREATED, Trigger.RAISED)
    source_id = an_action(story, people, *chosen, stored_conditions=only_high)
    alert_id = an_alert(story, source_id, priority="LOW")
    assert story.sandbox.messages(CHANNEL) == []
    do(story, people["uma"], alerts.raise_priority, alert_id)
    later(story)
    assert parent(story)
    assert thread(story) == ["*Uma* raised the priority"]


def test_a_reply_whose_answer_was_lost_is_found_again_and_not_repeated(
    story: Story, people: dict[str, User]
) -> None:
    alert_id = an_alert(story, an_action(story, people))
    story.sandbox.add_fault(effect="reset", method=POST, after_processing=True, times=1)
    do(story, people["ada"], alerts.acknowledge, alert_id)
    later(story)
    later(story)
    assert thread(story) == ["*Ada* acknowledged"]
    assert len(story.sandbox.requests(method="conversations.replies")) == 1
    with story.app.app_context():
        (reply,) = db.session.scalars(select(ThreadReply))
        assert not reply.is_behind


def test_a_reply_that_slack_never_got_is_posted_after_a_look(
    story: Story, people: dict[str, User]
) -> None:
    alert_id = an_alert(story, an_action(story, people))
    story.sandbox.add_fault(effect="reset", method=POST, times=1)
    do(story, people["ada"], alerts.acknowledge, alert_id)
    later(story)
    later(story)
    assert thread(story) == ["*Ada* acknowledged"]


def test_when_somebody_deletes_the_message_its_updates_follow_the_new_one(
    story: Story, people: dict[str, User]
) -> None:
    alert_id = an_alert(story, an_action(story, people))
    story.sandbox.admin("delete_message", channel=CHANNEL, ts=parent(story)["ts"])
    do(story, people["ada"], alerts.acknowledge, alert_id)
    later(story)
    later(story)
    message = parent(story)
    (told,) = [m for m in story.sandbox.messages(CHANNEL) if m.get("thread_ts")]
    assert told["thread_ts"] == message["ts"]


def test_a_closed_thread_holds_up_nothing_else(story: Story, people: dict[str, User]) -> None:
    source_id = an_action(story, people)
    alert_id = an_alert(story, source_id)
    error = "restricted_action_thread_locked"
    story.sandbox.add_fault(effect="error", method=POST, error=error, times=1)
    do(story, people["ada"], alerts.acknowledge, alert_id)
    later(story)
    an_alert(story, source_id, summary="Another one")
    later(story)
    assert thread(story) == []
    assert len([m for m in story.sandbox.messages(CHANNEL) if not m.get("thread_ts")]) == 2
    with story.app.app_context():
        kinds = [e.kind for e in queries.timeline(db.session.get_one(Alert, alert_id))]
        assert TimelineKind.SLACK_FAILED in kinds


def test_replies_of_mapped_people_become_comments_and_are_not_echoed(
    story: Story, people: dict[str, User]
) -> None:
    alert_id = an_alert(story, an_action(story, people, channels=(CHANNEL, OTHER)))
    write(story, "U0ADA", "On it <3 & more, see https://example.com/a")
    heard(story)
    assert comments(story, alert_id) == [("Ada", "On it <3 & more, see https://example.com/a")]
    assert thread(story, CHANNEL) == []
    (elsewhere,) = thread(story, OTHER)
    assert elsewhere.startswith("*Ada* commented:\n> On it &lt;3 &amp; more")
    with story.app.app_context():
        (entry,) = queries.comments(db.session.get_one(Alert, alert_id))
        assert entry.via is Via.SLACK


def test_comments_made_elsewhere_appear_in_the_thread_once_and_do_not_come_back(
    story: Story, people: dict[str, User]
) -> None:
    alert_id = an_alert(story, an_action(story, people))
    story.sandbox.hold_events()
    do(story, people["uma"], alerts.comment, alert_id, "Seen")
    later(story)
    heard(story)
    assert thread(story) == ["*Uma* commented:\n> Seen"]
    assert comments(story, alert_id) == [("Uma", "Seen")]


@pytest.mark.parametrize("user_id", ["U0WALTER", "U0STAN"])
def test_who_is_not_mapped_or_may_not_respond_only_talks_in_slack(
    story: Story, people: dict[str, User], user_id: str
) -> None:
    alert_id = an_alert(story, an_action(story, people))
    write(story, user_id, "Me too")
    heard(story)
    assert comments(story, alert_id) == []


def test_without_the_history_scopes_the_thread_stays_one_way(story: Story) -> None:
    people = story.people()
    story.link(people["olivia"])
    story.sandbox.admin("invite", channel=CHANNEL)
    for scope in ("channels:history", "groups:history"):
        story.sandbox.admin("take_scope", team_id="T0ACME", scope=scope)
    alert_id = an_alert(story, an_action(story, people))
    write(story, "U0ADA", "Nobody hears me")
    do(story, people["ada"], alerts.acknowledge, alert_id)
    heard(story)
    assert comments(story, alert_id) == []
    assert thread(story) == ["*Ada* acknowledged"]


def reply_event(story: Story, **changes: Any) -> dict[str, Any]:
    event = {
        "type": "message",
        "channel": CHANNEL,
        "channel_type": "channel",
        "user": "U0ADA",
        "team": "T0ACME",
        "text": "Hello",
        "ts": "1999999999.000100",
        "thread_ts": parent(story)["ts"],
        "event_ts": "1999999999.000100",
    }
    return {name: value for name, value in (event | changes).items() if value is not None}


@pytest.mark.parametrize("same_id", [True, False])
def test_one_reply_that_is_delivered_thrice_makes_one_comment(
    story: Story, people: dict[str, User], same_id: bool
) -> None:
    alert_id = an_alert(story, an_action(story, people))
    event = reply_event(story)
    if same_id:
        story.sandbox.send_event("T0ACME", event, event_id="Ev1", times=3, at_once=True)
    else:
        for number in range(3):
            story.sandbox.send_event("T0ACME", event, event_id=f"Ev{number}")
    later(story)
    assert comments(story, alert_id) == [("Ada", "Hello")]


@pytest.mark.parametrize(
    "changes",
    [
        {"thread_ts": None},
        {"thread_ts": "1.000001"},
        {"ts": "5.000000", "thread_ts": "5.000000"},
        {"subtype": "message_changed", "hidden": True, "message": {"text": "x"}},
        {"subtype": "message_deleted", "hidden": True, "deleted_ts": "1.0"},
        {"subtype": "bot_message", "bot_id": "B1"},
        {"subtype": "channel_join"},
        {"bot_id": "B0TOCSIN"},
        {"app_id": "A0OTHER"},
        {"user": None},
        {"user_team": "T0GLOBEX"},
        {"text": "   "},
        {"text": None},
        {"text": ["odd"]},
        {"channel": "C0OPS"},
        {"channel": {"id": CHANNEL}},
    ],
)
def test_whatever_is_no_reply_of_a_person_changes_nothing(
    story: Story, people: dict[str, User], changes: dict[str, Any]
) -> None:
    alert_id = an_alert(story, an_action(story, people))
    (delivery,) = story.sandbox.send_event("T0ACME", reply_event(story, **changes))
    assert delivery.status == 200
    later(story)
    assert comments(story, alert_id) == []
    assert thread(story) == []


def test_huge_and_odd_texts_are_kept_as_far_as_a_comment_can_be(
    story: Story, people: dict[str, User]
) -> None:
    alert_id = an_alert(story, an_action(story, people))
    odd = f"a\x00b <@U0ADA> <@U0WALTER> <#C1|ops> <!here> <https://e.example|e.example> &amp;lt; {'😀' * 20_000}"
    (delivery,) = story.sandbox.send_event("T0ACME", reply_event(story, text=odd))
    assert delivery.status == 200
    ((_, content),) = comments(story, alert_id)
    assert content.startswith("ab @Ada @somebody #ops @here https://e.example &lt; 😀")
    assert len(content) == alerts.LONGEST_COMMENT


def test_a_file_without_words_is_mentioned(story: Story, people: dict[str, User]) -> None:
    alert_id = an_alert(story, an_action(story, people))
    files = [{"id": "F1"}, {"id": "F2"}]
    event = reply_event(story, text="", subtype="file_share", files=files)
    story.sandbox.send_event("T0ACME", event)
    assert comments(story, alert_id) == [("Ada", "(2 files in Slack)")]


def test_alerts_in_a_summary_are_told_together_in_its_thread(
    story: Story, people: dict[str, User]
) -> None:
    source_id = an_action(story, people)
    with story.app.app_context():
        source = db.session.get_one(AlertSource, source_id)
        ids = [make_alert(source, summary=f"Low {n}", priority="LOW").id for n in range(15)]
    later(story)
    assert "15 new alerts" in parent(story)["text"]
    for alert_id in ids:
        do(story, people["ada"], alerts.acknowledge, alert_id)
    later(story)
    (told,) = thread(story)
    assert told.startswith("*Ada* acknowledged\n> ")
    assert told.endswith("and 5 more")


def test_rerouting_and_escalating_say_whom(story: Story, people: dict[str, User]) -> None:
    alert_id = an_alert(story, an_action(story, people, Trigger.CREATED, Trigger.ASSIGNED))
    from portal.domain.escalation.targets import Target, TargetKind

    to_ada = Target(TargetKind.PERSON, people["ada"].id)
    do(story, people["uma"], escalation.reroute, alert_id, to_ada)
    later(story)
    assert thread(story) == ["*Uma* rerouted to Ada"]


def test_nothing_is_lost_or_told_twice_whatever_slack_does(
    story: Story, people: dict[str, User]
) -> None:
    """Many updates of several alerts, while a third of the calls fail in one way or another."""
    chance = random.Random(7)
    source_id = an_action(story, people)
    ids = [an_alert(story, source_id, summary=f"Alert {number}") for number in range(3)]
    later(story)
    for effect, more in (
        ("reset", {"after_processing": True}),
        ("error", {"error": "internal_error"}),
        ("reset", {}),
    ):
        story.sandbox.add_fault(effect=effect, method="chat.*", times=3, **more)
        for number in range(4):
            text = f"{effect}-{len(more)}-{number}"
            do(story, people["uma"], alerts.comment, chance.choice(ids), text)
            pass_the_pace(story)
    for _ in range(4):
        later(story)
    said = "\n".join(thread(story))
    for effect, more in (("reset", 1), ("error", 1), ("reset", 0)):
        for number in range(4):
            assert said.count(f"> {effect}-{more}-{number}") == 1


def test_what_no_action_publishes_any_more_only_changes_the_message(
    story: Story, people: dict[str, User]
) -> None:
    alert_id = an_alert(story, an_action(story, people))
    with story.app.app_context():
        db.session.execute(update(AlertAction).values(trigger_names=["alert-created"]))
        db.session.commit()
    do(story, people["ada"], alerts.acknowledge, alert_id)
    later(story)
    assert thread(story) == []
    assert parent(story)["text"].startswith("[Acknowledged]")


def test_what_one_body_says_of_new_alerts_is_told_under_their_own_messages_in_its_order(
    story: Story, people: dict[str, User]
) -> None:
    source_id = an_action(
        story,
        people,
        *(Trigger.CREATED, Trigger.COMMENT_ADDED, Trigger.ACKNOWLEDGED, Trigger.RESOLVED),
    )
    said = [IncomingComment("Ann", "Looks bad")]
    body = [
        IncomingEvent(EventType.ALERT, "a", "Disk a"),
        IncomingEvent(EventType.ALERT, "b", "Disk b", comments=said),
        IncomingEvent(EventType.ACCEPT, "a"),
        IncomingEvent(EventType.ALERT, "c", "Disk c"),
        IncomingEvent(EventType.COMMENT, "a", comments=said),
        IncomingEvent(EventType.RESOLVE, "a"),
        IncomingEvent(EventType.ALERT, "a", "Disk a again"),
    ]
    with story.app.app_context():
        receive.receive_all(db.session.get_one(AlertSource, source_id), body)
    later(story)
    shown = story.sandbox.messages(CHANNEL)
    roots = {m["ts"]: m["text"] for m in shown if not m.get("thread_ts")}
    assert sorted(roots.values()) == [
        "[Pending] Disk a again – Prometheus",
        "[Pending] Disk b – Prometheus",
        "[Pending] Disk c – Prometheus",
        "[Resolved] Disk a – Prometheus",
    ]
    comment = "*Ann* commented:\n> Looks bad"
    assert {roots[m["thread_ts"]]: m["text"] for m in shown if m.get("thread_ts")} == {
        "[Pending] Disk b – Prometheus": comment,
        "[Resolved] Disk a – Prometheus": (
            f"*Prometheus* acknowledged\n{comment}\n*Prometheus* resolved"
        ),
    }
