"""Is it said what may appear twice, how long Slack holds what, and who stands before whom?"""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.alerts import queries
from portal.domain.alerts.models import Alert, Priority
from portal.domain.sources.models import AlertSource
from portal.slack import channel_health, deliveries, link_health, pacing, queue, summary_clicks
from portal.slack.clicks import SlackClick
from portal.slack.messages.summary import ACKNOWLEDGE_ALL
from portal.slack.messages.text import code, cut, escape
from portal.slack.people import UserLink
from portal.slack.places import places
from portal.slack.posted import Lane, PostedMessage, Summary
from tests.make import make_action, make_alert, make_source
from tests.slack.conftest import Story, pass_the_pace

CHANNEL, OTHER = "C0ALERTS", "C0OPS"
POST, HISTORY = "chat.postMessage", "conversations.history"
SECOND = timedelta(seconds=1)


@pytest.fixture
def people(story: Story) -> dict[str, User]:
    cast = story.people()
    story.link(cast["olivia"])
    return cast


@pytest.fixture
def source(story: Story, people: dict[str, User]) -> AlertSource:
    """A source whose alerts appear in #alerts, where the app is not a member."""
    with story.app.app_context():
        made, _ = make_source(people["olivia"].account)
        make_action(made, channel_id=CHANNEL, channel_name="alerts")
        return made


def open_alerts(story: Story, source: AlertSource, number: int, **more: Any) -> list[int]:
    with story.app.app_context():
        return [make_alert(source, summary=f"Disk {n}", **more).id for n in range(number)]


def lane(channel_id: str = CHANNEL) -> Lane:
    wanted = select(Lane).where(Lane.channel_id == channel_id)
    return db.session.scalars(wanted.execution_options(populate_existing=True)).one()


def looks(story: Story) -> int:
    return len(story.sandbox.requests(method=HISTORY))


# What may appear twice


def test_where_the_app_may_not_look_that_is_known_before_it_matters_and_said_where_people_look(
    story: Story, people: dict[str, User], source: AlertSource
) -> None:
    open_alerts(story, source, 1)
    story.work()
    assert looks(story) == 1
    for path in ("/alert-actions", "/settings/connectors/slack", "/settings/deliveries"):
        page = " ".join(story.browser(people["olivia"]).get(path).text.split())
        assert "The app is not a member here. Type /invite @Tocsin there, so that" in page, path
    open_alerts(story, source, 1)
    pass_the_pace(story)
    assert looks(story) == 1  # known once is enough


def test_an_invitation_ends_the_warning(
    story: Story, people: dict[str, User], source: AlertSource
) -> None:
    open_alerts(story, source, 1)
    story.work()
    story.sandbox.admin("invite", channel=CHANNEL)
    with story.app.app_context():
        bot = story.installation(people["olivia"].account_id or 0)
        joined = {"type": "member_joined_channel", "channel": CHANNEL}
        assert bot is not None
        channel_health.follow(bot.account_id, joined | {"user": bot.bot_user_id})
        db.session.commit()
    story.work()
    with story.app.app_context():
        assert lane().look_outcome == "ok"
    assert "not a member here" not in story.browser(people["olivia"]).get("/alert-actions").text


def test_a_summary_that_may_be_there_twice_is_noted_on_its_alerts(
    story: Story, people: dict[str, User], source: AlertSource
) -> None:
    ids = open_alerts(story, source, 20, priority="LOW")
    story.sandbox.add_fault(effect="reset", method=POST, after_processing=True, times=1)
    story.work()
    story.sandbox.clock(advance=60)
    pass_the_pace(story)
    texts = [message["text"] for message in story.sandbox.messages(CHANNEL)]
    assert len([text for text in texts if "20 new alerts" in text]) == 2
    with story.app.app_context():
        entry = queries.timeline(db.session.get_one(Alert, ids[0]))[-1]
        assert (entry.data["with"], entry.data["perhaps_twice"]) == (20, True)


# What Slack holds


def test_looks_have_a_place_in_their_own_budget(
    story: Story, people: dict[str, User], source: AlertSource
) -> None:
    story.sandbox.admin("invite", channel=CHANNEL)
    account_id = people["olivia"].account_id or 0
    with story.app.app_context():
        for _ in range(pacing.BUDGETS[HISTORY].burst + 10):
            pacing.take(account_id, HISTORY, now())
        db.session.commit()
    story.sandbox.add_fault(effect="reset", method=POST, times=1)
    open_alerts(story, source, 1)
    story.work()
    with story.app.app_context():
        db.session.execute(delete(pacing.Outage))
        db.session.execute(update(Lane).values(next_at=now(), returns_at=None))
        channel_health.try_now(account_id, CHANNEL)
        db.session.commit()
    story.work()
    assert looks(story) == 0
    with story.app.app_context():
        assert (lane().look_at or now()) > now() + 5 * SECOND
    pass_the_pace(story)  # which gives the budget back, but not the place that was taken
    with story.app.app_context():
        db.session.execute(update(Lane).values(look_at=None))
        channel_health.try_now(account_id, CHANNEL)
        db.session.commit()
    story.work()
    assert looks(story) == 1


def test_a_plan_without_messages_left_holds_the_workspace_also_in_a_hurried_channel(
    story: Story, people: dict[str, User], source: AlertSource
) -> None:
    open_alerts(story, source, 3)
    story.work()
    story.sandbox.add_fault(effect="error", method=POST, error="message_limit_exceeded", times=1)
    open_alerts(story, source, 1)
    with story.app.app_context():
        ahead = now() + 2.5 * SECOND
        db.session.execute(update(Lane).values(paced_at=ahead, post_at=now(), returns_at=None))
        channel_health.try_now(people["olivia"].account_id or 0, CHANNEL)
        db.session.commit()
    story.work()
    with story.app.app_context():
        assert POST in pacing.holds(people["olivia"].account_id or 0, now())


@pytest.mark.parametrize(("wish", "seconds"), [(7200, 7200), (10**8, 24 * 3600)])
def test_what_slack_forbids_for_longer_is_held_for_longer_but_not_for_more_than_a_day(
    story: Story, people: dict[str, User], source: AlertSource, wish: int, seconds: int
) -> None:
    story.sandbox.add_fault(effect="rate_limited", method=POST, retry_after=wish, times=1)
    open_alerts(story, source, 1)
    story.work()
    with story.app.app_context():
        until = pacing.holds(people["olivia"].account_id or 0, now())[POST]
        assert abs((until - now()).total_seconds() - seconds) < 60


def test_how_often_slack_asked_to_wait_within_the_hour_is_said(
    story: Story, people: dict[str, User], source: AlertSource
) -> None:
    story.sandbox.add_fault(effect="rate_limited", method=POST, retry_after=5, times=1)
    open_alerts(story, source, 1)
    story.work()
    page = story.browser(people["olivia"]).get("/settings/connectors/slack").text
    assert "Slack asked us to wait 1 time within the last hour." in " ".join(page.split())


# Who waits, and who goes first


def test_the_place_in_the_lane_is_the_order_in_which_messages_go(
    story: Story, people: dict[str, User], source: AlertSource
) -> None:
    story.sandbox.add_fault(effect="rate_limited", method=POST, retry_after=600)
    ids = open_alerts(story, source, 4)
    with story.app.app_context():
        rows = {row.alert_id: row for row in db.session.scalars(select(PostedMessage))}
        rows[ids[0]].not_before = rows[ids[0]].attempted_at = now() + SECOND / 10
        rows[ids[0]].not_before = now() + 600 * SECOND  # it has to wait: the others go first
        rows[ids[0]].attempted_at = now()
        db.session.get_one(Alert, ids[1]).priority = Priority.LOW
        db.session.commit()
        told = {id: places(db.session.get_one(Alert, id))[0].detail for id in ids}
        order = []
        for _ in ids:
            there = queue.census(source.account_id, CHANNEL, now())
            first = queue.next_post(_a_lane(source), now(), there)
            assert isinstance(first, PostedMessage)
            order.append(first.alert_id)
            first.ts = "1.0"
            db.session.flush()
        db.session.rollback()
    assert order == [ids[2], ids[3], ids[1], ids[0]]
    assert told == {
        ids[2]: "Next in line.",
        ids[3]: "1 ahead of it in this channel.",
        ids[1]: "2 ahead of it in this channel.",
        ids[0]: "3 ahead of it in this channel.",
    }


def _a_lane(source: AlertSource) -> Lane:
    return Lane(account_id=source.account_id, channel_id=CHANNEL)


def test_what_a_summary_shows_does_not_wait_and_two_places_are_one_alert(
    story: Story, people: dict[str, User], source: AlertSource
) -> None:
    account_id = source.account_id
    with story.app.app_context():
        make_action(db.session.merge(source, load=False), channel_id=OTHER, channel_name="ops")
    story.sandbox.add_fault(effect="server_error", method=POST)
    open_alerts(story, source, 20)
    story.work()
    with story.app.app_context():
        seen = deliveries.overview(account_id)
        assert seen.waiting == 20
        assert link_health.of_accounts([account_id])[account_id].waiting == 40  # places
    story.sandbox.clear_faults()
    story.sandbox.clock(advance=60)
    pass_the_pace(story)
    with story.app.app_context():
        behind = select(PostedMessage.id).where(PostedMessage.ts.is_(None), PostedMessage.is_own)
        assert db.session.scalars(behind).all()  # the most important get their own messages later
        assert deliveries.overview(account_id).waiting == 0
        assert deliveries.waiting_alerts(db.session.get_one(User, people["olivia"].id)) == []


# Channels and people that change


def test_a_channel_with_a_new_id_keeps_the_storm_that_it_has_there_already(
    story: Story, people: dict[str, User], source: AlertSource
) -> None:
    account_id = source.account_id
    with story.app.app_context():
        summaries = [
            Summary(account_id=account_id, channel_id=channel_id, channel_name="alerts")
            for channel_id in (CHANNEL, "C0MOVED")
        ]
        db.session.add_all(summaries)
        db.session.flush()
        for each in summaries:
            there = {"account_id": account_id, "channel_id": each.channel_id}
            db.session.add(Lane(**there, summary_id=each.id, gathered_at=now()))
        db.session.commit()
        old, new = (each.id for each in summaries)
        ids = {"old_channel_id": CHANNEL, "new_channel_id": "C0MOVED"}
        channel_health.follow(account_id, {"type": "channel_id_changed", **ids})
        db.session.commit()
        assert lane("C0MOVED").summary_id == new
        assert db.session.get_one(Summary, old).closed_at is not None
        assert db.session.get_one(Summary, new).closed_at is None


def test_a_bulk_click_of_somebody_unlinked_meanwhile_is_answered(
    story: Story, people: dict[str, User], source: AlertSource
) -> None:
    open_alerts(story, source, 1)
    story.work()
    with story.app.app_context():
        click = SlackClick(
            account_id=source.account_id,
            slack_user_id="U0UMA",
            user_team_id="T0ACME",
            channel_id=CHANNEL,
            action_id=ACKNOWLEDGE_ALL,
            alert_id=1,
        )
        db.session.add(click)
        db.session.execute(delete(UserLink))
        db.session.commit()
        summary_clicks.carry_out(click_id=click.id)
    story.work()
    told = story.sandbox.messages(CHANNEL, as_user="U0UMA")
    assert any("no longer connected" in m["text"] for m in told if m["is_ephemeral"])


# What nobody sees


@pytest.mark.parametrize(
    "hidden", ["\u202e", "\u2066", "\u2069", "\u200b", "\u200f", "\ufeff", "\x1b", "\xad", "\u061c"]
)
def test_nothing_that_turns_around_or_hides_other_text_goes_to_slack(hidden: str) -> None:
    assert escape(f"a{hidden}b", 100) == "ab"
    assert cut(f"a{hidden}b", 100) == "ab"
    assert code(f"a{hidden}b", 100) == "```ab```"
    assert code(f"a``{hidden}`b", 100).count("```") == 2


def test_what_joins_emoji_and_breaks_lines_stays() -> None:
    text = "\U0001f469\u200d\U0001f692 one\n\ttwo می\u200cخواهم"
    assert escape(text, 100) == text
