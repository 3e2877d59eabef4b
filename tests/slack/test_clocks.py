"""Does everything go on when a clock was wrong? Nothing waits for an hour, nothing happens twice."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select, update

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.alerts.models import Alert, TimelineEntry, TimelineKind, Via
from portal.domain.dedicated_channels import operations as dedicated_channels
from portal.domain.dedicated_channels.models import ChannelState, DedicatedChannel
from portal.domain.escalation.models import AlertEscalation
from portal.domain.notifications.models import Notification, NotificationState, Way
from portal.domain.routing import timers
from portal.domain.routing.models import ActionTimer, AlertAction
from portal.domain.routing.triggers import Trigger
from portal.domain.sources.models import AlertSource
from portal.jobs import clocks, escalations, loops
from portal.slack import channel_health, pacing, revocations, upkeep
from portal.slack.installations import Revocation
from portal.slack.places import places
from portal.slack.posted import Lane, PostedMessage
from tests.make import make_action, make_alert, make_policy, make_source
from tests.slack.conftest import Story
from tests.together import until

CHANNEL = "C0ALERTS"
POST = "chat.postMessage"
AN_HOUR = timedelta(hours=1)


@pytest.fixture
def source(story: Story) -> AlertSource:
    """A source whose alerts appear in #alerts."""
    people = story.people()
    story.link(people["olivia"])
    with story.app.app_context():
        made, _ = make_source(people["olivia"].account)
        make_action(made, channel_id=CHANNEL, channel_name="alerts")
        return made


def an_alert(story: Story, source: AlertSource, summary: str = "Disk full") -> int:
    with story.app.app_context():
        return make_alert(source, summary=summary).id


def shown(story: Story) -> list[str]:
    return [message["text"] for message in story.sandbox.messages(CHANNEL)]


def is_shown(story: Story, summary: str) -> bool:
    story.work()
    return any(summary in text for text in shown(story))


def shown_by_itself(story: Story, summary: str) -> None:
    """Within the patience of a test, and that is far less than the hour."""
    until(lambda: is_shown(story, summary), f"“{summary}” is shown")


def test_a_channel_does_not_wait_for_a_clock_that_was_an_hour_ahead(
    story: Story, source: AlertSource
) -> None:
    with time_machine.travel(now() + AN_HOUR):
        for number in range(4):  # the burst is spent
            an_alert(story, source, f"Ahead {number}")
        story.work()
    an_alert(story, source, "Afterwards")
    shown_by_itself(story, "Afterwards")
    assert len(shown(story)) == 5


def test_what_waits_since_the_clock_was_ahead_needs_no_new_alert_to_go_on(
    story: Story, source: AlertSource
) -> None:
    with time_machine.travel(now() + AN_HOUR):
        for number in range(6):
            an_alert(story, source, f"Ahead {number}")
        story.work()
    assert len(shown(story)) < 6
    with story.app.app_context():
        clocks.bring_near(now())
    shown_by_itself(story, "Ahead 5")
    assert len(shown(story)) == 6


def test_the_minutely_net_wakes_such_a_channel_as_well(story: Story, source: AlertSource) -> None:
    with time_machine.travel(now() + AN_HOUR):
        for number in range(6):
            an_alert(story, source, f"Ahead {number}")
        story.work()
    with story.app.app_context():
        upkeep.wake_behind()
        db.session.commit()
    shown_by_itself(story, "Ahead 5")


def test_an_outage_noted_by_a_clock_that_was_ahead_is_asked_about_at_once(
    story: Story, source: AlertSource
) -> None:
    fault = story.sandbox.add_fault(effect="server_error")
    with time_machine.travel(now() + AN_HOUR):
        an_alert(story, source)
        story.work()
    assert fault
    story.sandbox.clear_faults()
    with story.app.app_context():
        clocks.bring_near(now())
    shown_by_itself(story, "Disk full")


def test_a_hold_noted_by_a_clock_that_was_ahead_keeps_its_length(
    story: Story, source: AlertSource
) -> None:
    account_id = source.account_id
    with story.app.app_context():
        ahead = now() + AN_HOUR
        pacing.hold(account_id, POST, ahead + timedelta(seconds=30), ahead)
        db.session.commit()
        left = pacing.holds(account_id, now())[POST] - now()
        assert timedelta(seconds=25) < left < timedelta(seconds=31)
        assert pacing.take(account_id, POST, now()) - now() < timedelta(seconds=31)
        left = pacing.holds(account_id, now())[POST] - now()
        assert timedelta(seconds=25) < left < timedelta(seconds=31)


def test_the_databases_own_moments_from_the_future_hold_nothing(
    story: Story, source: AlertSource
) -> None:
    """As if the database, or another worker, had written with a clock of its own."""
    an_alert(story, source, "First")
    story.work()
    ahead = now() + AN_HOUR
    with story.app.app_context():
        moments = dict.fromkeys(("paced_at", "next_at", "post_at", "returns_at", "seen_at"), ahead)
        db.session.execute(update(Lane).values(moments))
        db.session.execute(update(pacing.Pace).values(paced_at=ahead, noted_at=ahead))
        db.session.commit()
        alert_id = make_alert(source, summary="Second").id
        late = {"not_before": ahead, "attempted_at": ahead, "created_at": ahead}
        db.session.execute(
            update(PostedMessage).where(PostedMessage.alert_id == alert_id).values(late)
        )
        channel_health.try_now(source.account_id, CHANNEL)
        db.session.commit()
    shown_by_itself(story, "Second")
    with story.app.app_context():
        assert [p.state for p in places(db.session.get_one(Alert, alert_id))] == ["shown"]


def test_a_clock_that_jumps_forward_delays_nothing(story: Story, source: AlertSource) -> None:
    for number in range(4):
        an_alert(story, source, f"Before {number}")
    story.work()
    with time_machine.travel(now() + AN_HOUR):
        an_alert(story, source, "After the jump")
        story.work()
    assert any("After the jump" in text for text in shown(story))


@pytest.fixture
def climbing(story: Story) -> int:
    """An alert whose first level has five minutes; returns its id."""
    people = story.people()
    with story.app.app_context():
        made, _ = make_source(people["olivia"].account)
        make_policy(people["olivia"].account, [people["ada"]], [people["uma"]], source=made)
        return make_alert(made).id


def timer(alert_id: int) -> AlertEscalation:
    wanted = select(AlertEscalation).where(AlertEscalation.alert_id == alert_id)
    return db.session.scalars(wanted.execution_options(populate_existing=True)).one()


def levels_asked(alert_id: int) -> list[int]:
    wanted = select(TimelineEntry.data).where(
        TimelineEntry.alert_id == alert_id, TimelineEntry.kind == TimelineKind.ESCALATED
    )
    return [data["level"] for data in db.session.scalars(wanted.order_by(TimelineEntry.id))]


def test_a_jump_forward_and_back_escalates_once(story: Story, climbing: int) -> None:
    with story.app.app_context():
        with time_machine.travel(now() + AN_HOUR):
            assert escalations.due(now()) == 1
            assert escalations.due(now()) == 0
        assert escalations.due(now()) == 0
        clocks.bring_near(now())
        assert escalations.due(now()) == 0
        assert levels_asked(climbing) == [1, 2]


def test_a_timer_set_by_a_clock_that_was_ahead_rings_after_its_own_time(
    story: Story, climbing: int
) -> None:
    with story.app.app_context():
        right = timer(climbing).next_step_at
        clocks.bring_near(now())
        assert timer(climbing).next_step_at == right  # nothing is wrong yet
        ahead = now() + AN_HOUR
        db.session.execute(
            update(AlertEscalation).values(next_step_at=ahead + timedelta(minutes=5))
        )
        db.session.commit()
        clocks.bring_near(now())
        left = (timer(climbing).next_step_at or ahead) - now()
        assert timedelta(minutes=4) < left <= timedelta(minutes=5)
        with time_machine.travel(now() + timedelta(minutes=6)):
            assert escalations.due(now()) == 1
        assert levels_asked(climbing) == [1, 2]


def test_a_notification_planned_by_a_clock_that_was_ahead_keeps_its_wait(
    story: Story, climbing: int
) -> None:
    with story.app.app_context():
        ada = db.session.scalars(select(User).where(User.name == "Ada")).one()
        ahead = now() + AN_HOUR
        db.session.add(
            Notification(
                user_id=ada.id,
                alert_id=climbing,
                way=Way.EMAIL,
                state=NotificationState.PLANNED,
                created_at=ahead,
                due_at=ahead + timedelta(minutes=2),
            )
        )
        db.session.commit()
        for _ in range(2):  # the second time finds nothing to move
            clocks.bring_near(now())
        soonest = select(Notification.due_at).order_by(Notification.id.desc()).limit(1)
        left = db.session.execute(soonest).scalar_one() - now()
        assert timedelta(minutes=1) < left <= timedelta(minutes=2)


@pytest.mark.parametrize("trigger", [Trigger.NOT_RESOLVED, Trigger.ESCALATION_ENDED])
def test_an_alert_actions_timer_set_by_a_clock_that_was_ahead_rings_after_its_own_time(
    story: Story, source: AlertSource, trigger: Trigger
) -> None:
    alert_id = an_alert(story, source)
    with story.app.app_context():
        action = db.session.scalars(select(AlertAction)).one()
        action.not_resolved_after, action.ended_after = 600, 300
        with time_machine.travel(now() + AN_HOUR):
            timers.start([alert_id], action, trigger)
        db.session.commit()
        own = {Trigger.NOT_RESOLVED: 10, Trigger.ESCALATION_ENDED: 5}[trigger]
        clocks.bring_near(now())
        due_at = db.session.scalars(select(ActionTimer.due_at)).one()
        assert timedelta(minutes=own - 1) < due_at - now() <= timedelta(minutes=own)
        with time_machine.travel(now() + timedelta(minutes=1)):
            clocks.bring_near(now())
        unchanged = db.session.scalars(select(ActionTimer.due_at)).one()
        assert unchanged == due_at  # nothing is wrong now


def test_a_channel_of_an_alerts_own_does_not_wait_for_a_clock_that_was_ahead(
    story: Story, source: AlertSource
) -> None:
    alert_id = an_alert(story, source)
    with story.app.app_context():
        story.sandbox.add_fault(method=pacing.CREATE, times=1, effect="server_error")
        with time_machine.travel(now() + AN_HOUR):
            ask_for_a_channel(alert_id)
            story.work()
    with story.app.app_context():
        assert own_channel().state is ChannelState.CREATING
        clocks.bring_near(now())
        clocks.bring_near(now())  # finds nothing more to mend
        assert own_channel().next_try_at < now() + timedelta(minutes=1)
    until(lambda: is_made(story), "the channel is made")


def ask_for_a_channel(alert_id: int) -> None:
    ada = db.session.scalars(select(User).where(User.name == "Ada")).one()
    dedicated_channels.create(alert_id, by=ada, via=Via.WEB)


def own_channel() -> DedicatedChannel:
    fresh = select(DedicatedChannel).execution_options(populate_existing=True)
    return db.session.scalars(fresh).one()


def is_made(story: Story) -> bool:
    story.work()
    with story.app.app_context():
        return own_channel().state is ChannelState.ATTACHED


def test_a_step_begun_by_a_clock_that_was_ahead_is_not_waited_for_an_hour(
    story: Story, source: AlertSource
) -> None:
    """As a worker leaves it that was killed in its call."""
    alert_id = an_alert(story, source)
    with story.app.app_context():
        ask_for_a_channel(alert_id)
        begun = {"step": pacing.CREATE, "step_begun_at": now() + AN_HOUR}
        db.session.execute(update(DedicatedChannel).values(**begun))
        db.session.commit()
        clocks.bring_near(now())
        assert (own_channel().step_begun_at or now() + AN_HOUR) <= now()


def test_a_long_queue_for_slacks_budget_is_no_wrong_clock(
    story: Story, source: AlertSource
) -> None:
    """A storm of channels: the last one has its place in half an hour, and keeps it."""
    alert_id = an_alert(story, source)
    with story.app.app_context():
        ask_for_a_channel(alert_id)
        place = now()
        while place < now() + AN_HOUR / 2:
            place = pacing.take(source.account_id, pacing.CREATE, now())
        waiting = {"next_try_at": place, "place_for": pacing.CREATE}
        db.session.execute(update(DedicatedChannel).values(**waiting))
        db.session.commit()
        clocks.bring_near(now())
        assert own_channel().next_try_at == place


def test_a_revocation_planned_by_a_clock_that_was_ahead_is_tried_now(
    story: Story, source: AlertSource
) -> None:
    with story.app.app_context():
        moment = now()
        soon = Revocation(next_try_at=moment + timedelta(minutes=30))
        wrong = Revocation(next_try_at=moment + timedelta(hours=25))
        assert revocations.planned(soon, moment) == soon.next_try_at
        assert revocations.planned(wrong, moment) is None


def test_the_workers_begin_anew_when_the_clock_is_set_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loops, "LOOK_AT_THE_CLOCK", 0.01)

    async def is_noticed() -> bool:
        noticed = asyncio.create_task(loops.clock_set_back())
        await asyncio.sleep(0)
        with time_machine.travel(now() - AN_HOUR):
            done, _ = await asyncio.wait({noticed}, timeout=10)
        return noticed in done

    with ThreadPoolExecutor(1) as thread:  # Playwright's event loop may be running in this one
        assert thread.submit(lambda: asyncio.run(is_noticed())).result()
