"""Does an alert get one channel of its own, does it follow the alert, and is every refusal said?"""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select, update

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.alerts import operations as alerts
from portal.domain.alerts import queries as alert_queries
from portal.domain.alerts.models import Alert, TimelineKind, Via
from portal.domain.dedicated_channels import operations, queries
from portal.domain.dedicated_channels.models import ChannelState, DedicatedChannel
from portal.domain.escalation import operations as escalation
from portal.domain.routing import operations as routing
from portal.errors import Conflict
from portal.jobs import upkeep as clock
from portal.slack import dedicated, dedicated_view
from portal.slack.dedicated_view import Shown
from portal.slack.posted import PostedMessage
from tests.make import make_action, make_alert, make_source, make_user
from tests.slack.conftest import Story, pass_the_pace, post
from tests.slack.links import methods
from tests.together import collide

CREATE = "conversations.create"


@pytest.fixture
def cast(story: Story) -> dict[str, User]:
    """The people of Acme, whose workspace is linked."""
    people = story.people()
    story.link(people["adam"])
    return people


def an_alert(story: Story, person: User, source: str = "Grafana", **more: Any) -> int:
    with story.app.app_context():
        source, _ = make_source(person.account, name=source)
        return make_alert(source, **more).id


def do(story: Story, person: User, deed: Any, *args: Any, **more: Any) -> Any:
    with story.app.app_context():
        return deed(*args, by=db.session.get_one(User, person.id), **more)


def ask(story: Story, person: User, alert_id: int, **more: Any) -> None:
    do(story, person, operations.create, alert_id, via=Via.WEB, **more)


def settle(story: Story) -> None:
    """As if minutes had gone by: what waits, for its pace or for another try, is done."""
    for _ in range(12):
        story.work()
        with story.app.app_context():
            db.session.execute(update(DedicatedChannel).values(next_try_at=now()))
            db.session.commit()
        pass_the_pace(story)
        with story.app.app_context():
            behind = db.session.scalars(select(PostedMessage)).all()
            if not dedicated.unfinished() and not any(each.is_behind for each in behind):
                return


def created(story: Story, person: User, alert_id: int, **more: Any) -> Shown:
    ask(story, person, alert_id, **more)
    settle(story)
    return shown(story, alert_id)


def shown(story: Story, alert_id: int) -> Shown:
    with story.app.app_context():
        found = dedicated_view.shown(db.session.get_one(Alert, alert_id))
        assert found is not None
        return found


def ours(story: Story) -> list[dict[str, Any]]:
    """The channels in Slack that the app has made, the oldest first."""
    installation = next(iter(story.sandbox.state()["installations"].values()))
    channels = story.sandbox.state()["channels"].values()
    return [each for each in channels if each["creator"] == installation["bot_user_id"]]


def texts(story: Story, channel_id: str) -> list[str]:
    """What is said in the channel, beside its threads."""
    return [m["text"] for m in story.sandbox.messages(channel_id) if not m.get("thread_ts")]


def told(story: Story, alert_id: int, kind: TimelineKind) -> list[dict[str, Any]]:
    with story.app.app_context():
        entries = alert_queries.timeline(db.session.get_one(Alert, alert_id))
        return [{"by": e.actor_name, **e.data} for e in entries if e.kind is kind]


def test_a_channel_is_made_furnished_and_shown(story: Story, cast: dict[str, User]) -> None:
    alert_id = an_alert(story, cast["ada"])
    do(story, cast["ada"], alerts.acknowledge, alert_id, via=Via.WEB)
    found = created(story, cast["uma"], alert_id)
    assert (found.state, found.name) == (ChannelState.ATTACHED, f"grafana_alert_{alert_id}")
    (made,) = ours(story)
    assert found.url == f"{story.sandbox.url}/w/T0ACME/archives/{made['id']}"
    assert sorted(made["members"][1:]) == ["U0ADA", "U0UMA"]
    link = f"{story.app.config['PUBLIC_URL']}/alerts/{alert_id}"
    assert made["topic"] == f"[Acknowledged] Disk full on db-1 · {link}"
    assert [(each["title"], each["link"]) for each in made["bookmarks"]] == [
        (f"Alert {alert_id}", link)
    ]
    (message,) = story.sandbox.messages(made["id"])
    assert message["text"].startswith("[Acknowledged] Disk full")
    assert made["pins"] == [message["ts"]]
    assert told(story, alert_id, TimelineKind.CHANNEL_ATTACHED) == [
        {"by": "Uma", "name": found.name}
    ]
    assert story.sandbox.violations() == []


def test_ten_people_at_once_make_one_channel(story: Story, cast: dict[str, User]) -> None:
    alert_id = an_alert(story, cast["ada"])
    with story.app.app_context():
        people = [make_user(cast["ada"].account).id for _ in range(10)]

    def press(user_id: int) -> int:
        by = db.session.get_one(User, user_id)
        return operations.create(alert_id, by=by, via=Via.WEB).id

    lock = "SELECT 1 FROM alerts WHERE id = :id FOR UPDATE"
    asked = [lambda user_id=user_id: press(user_id) for user_id in people]
    answers = collide(story.app, lock, asked, id=alert_id)
    assert len(set(answers)) == 1
    settle(story)
    assert len(ours(story)) == 1
    assert len(told(story, alert_id, TimelineKind.CHANNEL_ATTACHED)) == 1


@pytest.mark.parametrize("twins", [False, True])
def test_a_lost_answer_of_the_creation_leaves_one_channel(
    story: Story, cast: dict[str, User], twins: bool
) -> None:
    alert_id = an_alert(story, cast["ada"])
    story.sandbox.admin("switch", twin_names_permitted=twins)
    story.sandbox.add_fault(effect="reset", method=CREATE, after_processing=True, times=1)
    found = created(story, cast["ada"], alert_id)
    (made,) = ours(story)
    assert found.state is ChannelState.ATTACHED
    assert made["name"] == found.name == f"grafana_alert_{alert_id}"
    assert methods(story).count(CREATE) == 1


def test_a_creation_that_never_reached_slack_is_made_again(
    story: Story, cast: dict[str, User]
) -> None:
    alert_id = an_alert(story, cast["ada"])
    story.sandbox.add_fault(effect="reset", method=CREATE, times=2)
    assert created(story, cast["ada"], alert_id).state is ChannelState.ATTACHED
    assert len(ours(story)) == 1


@pytest.mark.parametrize("maker", ["a person", "the app, for another alert"])
def test_a_channel_is_never_taken_over_by_its_name(
    story: Story, cast: dict[str, User], maker: str
) -> None:
    """Not even when an answer was lost and the name fits."""
    alert_id = an_alert(story, cast["ada"])
    name = f"grafana_alert_{alert_id}"
    if maker == "a person":
        story.sandbox.admin("create", team_id="T0ACME", name=name)
    else:
        other = an_alert(story, cast["ada"], source="Other")
        created(story, cast["ada"], other, name=name)
    story.sandbox.add_fault(effect="reset", method=CREATE, times=1, arguments={"name": name})
    found = created(story, cast["ada"], alert_id)
    assert (found.state, found.name) == (ChannelState.ATTACHED, f"{name}_2")


def test_a_default_name_is_numbered_five_times_and_then_asked(
    story: Story, cast: dict[str, User]
) -> None:
    alert_id = an_alert(story, cast["ada"])
    name = f"grafana_alert_{alert_id}"
    for taken in (name, *(f"{name}_{number}" for number in range(2, 6))):
        story.sandbox.admin("create", team_id="T0ACME", name=taken)
    found = created(story, cast["ada"], alert_id)
    assert (found.state, found.suggestion) == (ChannelState.NOT_CREATED, f"{name}_6")
    assert found.said == f"#{name}_5 exists already."
    assert created(story, cast["ada"], alert_id, name=f"{name}_6").state is ChannelState.ATTACHED


def test_a_typed_name_is_not_changed_behind_ones_back(story: Story, cast: dict[str, User]) -> None:
    alert_id = an_alert(story, cast["ada"])
    found = created(story, cast["ada"], alert_id, name="#War-Room")
    assert (found.said, found.suggestion) == ("#war-room exists already.", "war-room_2")
    page = story.browser(cast["ada"]).get(f"/alerts/{alert_id}").text
    assert "Suggestion: #war-room_2" in page
    assert 'value="war-room_2"' in page
    assert created(story, cast["ada"], alert_id, name="war-room_2").name == "war-room_2"


def test_a_private_channel_is_found_again_too(story: Story, cast: dict[str, User]) -> None:
    alert_id = an_alert(story, cast["ada"])
    story.sandbox.add_fault(effect="hang", method=CREATE, after_processing=True, times=1, seconds=0)
    story.sandbox.add_fault(effect="not_json", method=CREATE, after_processing=True, times=1)
    found = created(story, cast["ada"], alert_id, is_private=True)
    assert (found.state, found.is_private) == (ChannelState.ATTACHED, True)
    assert [each["is_private"] for each in ours(story)] == [True]


@pytest.mark.parametrize("scope", ["channels:manage", "bookmarks:write", "pins:write"])
def test_what_the_workspace_did_not_grant_is_said_and_not_tried(story: Story, scope: str) -> None:
    people = story.people()
    browser = story.browser(people["adam"])
    callback = story.sandbox.consent(story.authorize(browser), without=f"{scope},groups:write")
    story.come_back(browser, callback)
    story.work()
    alert_id = an_alert(story, people["ada"])
    page = story.browser(people["ada"]).get(f"/alerts/{alert_id}").text
    if scope == "channels:manage":
        assert "Creating channels is not allowed yet (channels:manage)." in page
        assert 'data-dialog="channel-dialog"' not in page
        found = created(story, people["ada"], alert_id)
        assert found.state is ChannelState.NOT_CREATED
        assert "re-authorize" in found.said
        assert CREATE not in methods(story)
        return
    found = created(story, people["ada"], alert_id)
    assert found.state is ChannelState.ATTACHED
    assert [extra for extra, _ in found.missing] == [scope.partition("s:")[0]]
    assert f"{scope.partition(':')[0]}.add" not in methods(story)
    story.link(people["adam"])
    settle(story)
    assert shown(story, alert_id).missing == []
    assert f"{scope.partition(':')[0]}.add" in methods(story)


def test_a_workspace_that_lets_no_app_create_channels(story: Story, cast: dict[str, User]) -> None:
    story.sandbox.admin("switch", channel_creation_permitted=False)
    alert_id = an_alert(story, cast["ada"])
    found = created(story, cast["ada"], alert_id)
    assert found.said == "Acme does not let apps create channels. Ask a Slack admin."
    assert methods(story).count(CREATE) == 1
    story.sandbox.admin("switch", channel_creation_permitted=True)
    assert created(story, cast["ada"], alert_id).state is ChannelState.ATTACHED


def test_while_slack_is_down_the_page_says_when_it_is_tried_again(
    story: Story, cast: dict[str, User]
) -> None:
    alert_id = an_alert(story, cast["ada"])
    story.sandbox.add_fault(effect="server_error", method="conversations.*", status=503)
    story.sandbox.add_fault(effect="server_error", method="users.*", status=503)
    ask(story, cast["ada"], alert_id)
    story.work()
    found = shown(story, alert_id)
    assert (found.state, found.said) == (
        ChannelState.CREATING,
        "Waiting for Slack. Slack has trouble (HTTP 503).",
    )
    assert found.next_try_at is not None
    page = story.browser(cast["ada"]).get(f"/alerts/{alert_id}/channel").text
    assert "Creating…" in page
    assert "Next try" in page
    do(story, cast["ada"], alerts.acknowledge, alert_id, via=Via.WEB)  # the alert is not affected
    story.sandbox.clear_faults()
    settle(story)
    assert shown(story, alert_id).state is ChannelState.ATTACHED


def test_slack_is_left_alone_for_as_long_as_it_asks(story: Story, cast: dict[str, User]) -> None:
    alert_id = an_alert(story, cast["ada"])
    story.sandbox.add_fault(effect="rate_limited", method=CREATE, retry_after=40, times=1)
    ask(story, cast["ada"], alert_id)
    story.work()
    at = shown(story, alert_id).next_try_at
    assert at is not None
    assert timedelta(seconds=30) < at - now() <= timedelta(seconds=40)
    assert methods(story).count(CREATE) == 1


def test_who_is_unknown_in_slack_or_a_guest_is_named(story: Story, cast: dict[str, User]) -> None:
    alert_id = an_alert(story, cast["ada"])
    story.sandbox.hold_events()  # of the change: it ends the connection
    story.sandbox.admin("make_guest", user="U0UMA")
    with story.app.app_context():
        stranger = make_user(cast["ada"].account, name="Nora")
    for user_id in (stranger.id, cast["uma"].id):
        do(story, cast["ada"], escalation.add_responder, alert_id, user_id, via=Via.WEB)
    page = story.browser(cast["ada"]).get(f"/alerts/{alert_id}").text
    assert "no Slack user is connected to them: Nora." in page
    found = created(story, cast["ada"], alert_id)
    assert sorted(found.not_invited) == [
        ("Nora", "no Slack user is connected to this person"),
        ("Uma", "is a guest in Slack"),
    ]
    (entry,) = told(story, alert_id, TimelineKind.CHANNEL_ATTACHED)
    assert sorted(entry["not_invited"]) == ["Nora", "Uma"]
    timeline = story.browser(cast["ada"]).get(f"/alerts/{alert_id}/timeline").text
    assert "not invited: " in timeline
    story.sandbox.admin("rename_person", user="U0UMA", real_name="Uma Ueda")
    with story.sandbox.platform.changing() as world:
        world.people["U0UMA"].is_restricted = False
    answer = post(story.browser(cast["ada"]), f"/alerts/{alert_id}/channel/invite")
    assert answer.status_code == 302
    settle(story)
    assert [name for name, _ in shown(story, alert_id).not_invited] == ["Nora"]


def test_more_than_a_hundred_people_are_invited_in_several_calls(
    story: Story, cast: dict[str, User]
) -> None:
    alert_id = an_alert(story, cast["ada"])
    with story.app.app_context():
        many = [make_user(cast["ada"].account, email=f"p{n}@acme.example") for n in range(120)]
    for number, person in enumerate(many):
        story.sandbox.admin(
            "add_person", team_id="T0ACME", real_name=f"P {number}", email=person.email
        )
    known = {p["email"]: p["id"] for p in story.sandbox.state()["people"].values()}
    with story.app.app_context():
        from portal.domain.escalation.climbing import ask as make_responders
        from portal.slack.people import link

        for person in many:
            link(db.session.get_one(User, person.id), known[person.email])
        make_responders([(alert_id, person.id) for person in many])
        db.session.commit()
    created(story, cast["ada"], alert_id)
    (made,) = ours(story)
    assert len(made["members"]) == 122
    assert methods(story).count("conversations.invite") == 2


def test_later_responders_are_invited_and_the_topic_follows(
    story: Story, cast: dict[str, User]
) -> None:
    alert_id = an_alert(story, cast["ada"])
    created(story, cast["ada"], alert_id)
    do(story, cast["ada"], escalation.add_responder, alert_id, cast["uma"].id, via=Via.WEB)
    do(story, cast["adam"], alerts.acknowledge, alert_id, via=Via.SLACK)
    do(story, cast["ada"], alerts.resolve, alert_id, via=Via.WEB)
    settle(story)
    (made,) = ours(story)
    assert sorted(made["members"][1:]) == ["U0ADA", "U0ADAM", "U0UMA"]
    assert made["topic"].startswith("[Resolved] ")
    assert methods(story).count("conversations.setTopic") == 2  # three changes at once, one topic
    (text,) = texts(story, made["id"])
    assert text.startswith("[Resolved] ")
    replies = [m["text"] for m in story.sandbox.messages(made["id"]) if m.get("thread_ts")]
    assert "\n".join(replies).split("\n") == [  # whatever alert actions publish
        "*Ada* asked Uma too",
        "*Adam* acknowledged",
        "*Ada* resolved",
    ]
    assert shown(story, alert_id).state is ChannelState.ATTACHED  # resolving archives nothing


def test_detaching_says_farewell_and_another_one_may_be_made(
    story: Story, cast: dict[str, User]
) -> None:
    alert_id = an_alert(story, cast["ada"])
    first = created(story, cast["ada"], alert_id)
    browser = story.browser(cast["uma"])
    assert post(browser, f"/alerts/{alert_id}/channel/detach").status_code == 302
    settle(story)
    do(story, cast["ada"], alerts.acknowledge, alert_id, via=Via.WEB)
    settle(story)
    (made,) = ours(story)
    message, farewell = story.sandbox.messages(made["id"])
    assert message["text"].startswith("[Pending]")
    assert message.get("blocks", []) == message.get("attachments", []) == []  # no stale button
    assert farewell["text"].startswith("This channel no longer follows the alert.")
    assert not made["is_archived"]
    assert told(story, alert_id, TimelineKind.CHANNEL_DETACHED) == [
        {"by": "Uma", "name": first.name}
    ]
    second = created(story, cast["ada"], alert_id)
    assert (second.state, second.name) == (ChannelState.ATTACHED, f"{first.name}_2")
    assert len(ours(story)) == 2


@pytest.mark.parametrize("by_event", [True, False], ids=["by Slack's event", "by an error"])
@pytest.mark.parametrize("deed", ["archive", "delete"])
def test_an_archived_or_deleted_channel_is_noticed(
    story: Story, cast: dict[str, User], deed: str, by_event: bool
) -> None:
    alert_id = an_alert(story, cast["ada"])
    first = created(story, cast["ada"], alert_id)
    (made,) = ours(story)
    story.sandbox.hold_events()
    story.sandbox.admin(deed, channel=made["id"])
    if by_event:
        story.sandbox.release_events()
    else:
        do(story, cast["ada"], alerts.acknowledge, alert_id, via=Via.WEB)
    settle(story)
    found = shown(story, alert_id)
    assert found.state is ChannelState.CLOSED
    assert {"archive": "rchived", "delete": "eleted"}[deed] in found.said
    (entry,) = told(story, alert_id, TimelineKind.CHANNEL_DETACHED)
    assert entry["name"] == first.name
    since = len(methods(story))
    settle(story)
    assert len(methods(story)) == since  # no more posts
    story.sandbox.release_events()
    assert created(story, cast["ada"], alert_id).state is ChannelState.ATTACHED


def test_an_action_makes_channels_for_high_priority_and_archives_them_later(
    story: Story, cast: dict[str, User]
) -> None:
    with story.app.app_context():
        source, _ = make_source(cast["ada"].account, name="Grafana")
        action = make_action(source, channel_id="C0ALERTS", channel_name="alerts")
    do(
        story,
        cast["uma"],
        routing.choose_channels,
        action.id,
        creates_channel=True,
        archive_days="2",
    )
    with story.app.app_context():
        high, low = make_alert(source).id, make_alert(source, priority="LOW").id
    settle(story)
    (made,) = ours(story)
    assert made["name"] == f"grafana_alert_{high}"
    assert told(story, high, TimelineKind.CHANNEL_ATTACHED)[0]["by"] == "An alert action"
    do(story, cast["ada"], alerts.raise_priority, low, via=Via.WEB)
    settle(story)
    assert [each["name"] for each in ours(story)][1:] == [f"grafana_alert_{low}"]
    do(story, cast["ada"], alerts.resolve, high, via=Via.WEB)
    settle(story)
    for days, is_archived in ((1, False), (3, True)):
        with (
            time_machine.travel(now() + timedelta(days=days), tick=True),
            story.app.app_context(),
        ):
            clock.archive_channels()
        settle(story)
        assert [each["is_archived"] for each in ours(story)] == [is_archived, False], days
    assert shown(story, high).said == "Archived after the alert was resolved."


def test_a_storm_that_is_over_makes_no_channels(story: Story, cast: dict[str, User]) -> None:
    alert_id = an_alert(story, cast["ada"])
    ask(story, cast["ada"], alert_id)
    do(story, cast["ada"], alerts.resolve, alert_id, via=Via.WEB)
    settle(story)
    assert shown(story, alert_id).said == "The alert was resolved first."
    assert ours(story) == []


def test_unlinking_detaches_all(story: Story, cast: dict[str, User]) -> None:
    alert_id = an_alert(story, cast["ada"])
    name = created(story, cast["ada"], alert_id).name
    assert (
        "detaches 1 dedicated channel"
        in story.browser(cast["adam"]).get("/settings/connectors/slack").text
    )
    post(story.browser(cast["adam"]), "/settings/connectors/slack/unlink")
    assert told(story, alert_id, TimelineKind.CHANNEL_DETACHED) == [
        {"by": "Adam", "name": name, "cause": "unlinked"}
    ]
    with story.app.app_context():
        assert queries.current(db.session.get_one(Alert, alert_id)) is None


def test_a_channel_that_waits_for_a_broken_link_is_made_after_it_is_mended(
    story: Story, cast: dict[str, User]
) -> None:
    alert_id = an_alert(story, cast["ada"])
    story.sandbox.add_fault(effect="token_revoked", method=CREATE, times=1)
    ask(story, cast["ada"], alert_id)
    settle(story)
    assert shown(story, alert_id).state is ChannelState.CREATING
    story.link(cast["adam"])
    settle(story)
    assert shown(story, alert_id).state is ChannelState.ATTACHED
    assert len(ours(story)) == 1


def test_a_resolved_alert_gets_none_but_can_be_detached(
    story: Story, cast: dict[str, User]
) -> None:
    alert_id, other = an_alert(story, cast["ada"]), an_alert(story, cast["ada"], source="Other")
    created(story, cast["ada"], alert_id)
    for each in (alert_id, other):
        do(story, cast["ada"], alerts.resolve, each, via=Via.WEB)
    with pytest.raises(Conflict, match="resolved"):
        ask(story, cast["ada"], other)
    do(story, cast["ada"], operations.detach, alert_id, via=Via.WEB)
    with pytest.raises(Conflict, match="no channel"):
        do(story, cast["ada"], operations.detach, alert_id, via=Via.WEB)
