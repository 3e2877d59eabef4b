"""Does every event of Slack's move the link once, however late, doubled or odd it comes?

slack.md 1.8 and 2.3: events come late, twice and out of order.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import shake_128
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select, text, update

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.audit.actions import AuditAction
from portal.domain.audit.models import AuditEntry
from portal.slack import conversations, upkeep
from portal.slack.conversations import ChannelList
from portal.slack.events import SlackEvent
from portal.slack.installations import SlackInstallation
from portal.slack.people import UserLink
from tests.slack.conftest import Story
from tests.slack.links import account_of, last_call, methods, shown_state, state
from tests.slack.signed import JSON, signed
from tests.together import beside, until, waiting

BOT = "U0BOTT0ACME"
UNINSTALLED = {"type": "app_uninstalled"}
REVOKED = {"type": "tokens_revoked", "tokens": {"oauth": ["U0ADA"], "bot": [BOT]}}


@pytest.fixture
def cast(story: Story) -> dict[str, User]:
    """Acme's people, with the workspace linked an hour ago."""
    made = story.people()
    story.link(made["olivia"])
    was_linked(story, timedelta(hours=1))
    return made


def was_linked(story: Story, before: timedelta) -> None:
    with story.app.app_context():
        db.session.execute(update(SlackInstallation).values(installed_at=now() - before))
        db.session.commit()


def tell(story: Story, event: dict[str, Any], **more: Any) -> None:
    for delivery in story.sandbox.send_event("T0ACME", event, **more):
        assert delivery.status == 200
    story.work()


def envelope(**changes: Any) -> dict[str, Any]:
    return {
        "type": "event_callback",
        "team_id": "T0ACME",
        "api_app_id": "A0TOCSIN",
        "event_id": "Ev1",
        "event_time": int(now().timestamp()),
        "event": UNINSTALLED,
    } | changes


def send(story: Story, body: str) -> int:
    return story.browser().post("/slack/events", **signed(body, JSON)).status_code


def count(story: Story, table: Any, *conditions: Any) -> int:
    with story.app.app_context():
        counted = select(func.count()).select_from(table).where(*conditions)
        return int(db.session.execute(counted).scalar_one())


def test_either_event_breaks_the_link_and_the_other_adds_nothing(
    story: Story, cast: dict[str, User]
) -> None:
    for order in ("tokens_revoked app_uninstalled", "app_uninstalled tokens_revoked"):
        story.sandbox.admin("switch", uninstall_events=order)
        story.sandbox.hold_events()
        story.sandbox.admin("uninstall", team_id="T0ACME")
        since = last_call(story)
        for delivery in story.sandbox.release_events([0, 1, 0, 1]):
            assert delivery.status == 200
        assert state(story, cast["adam"]) == ("broken", order.split()[0])
        assert methods(story, since) == []  # the token is dead: nobody is asked
        assert shown_state(story, cast["adam"]) == "broken"
        story.link(cast["adam"])
        was_linked(story, timedelta(hours=1))
    assert count(story, AuditEntry, AuditEntry.action == AuditAction.WORKSPACE_BROKEN) == 2


def test_only_our_bots_token_concerns_the_link(story: Story, cast: dict[str, User]) -> None:
    odd: list[Any] = [
        {"oauth": ["U0ADA", BOT]},
        {"bot": ["U0OTHERBOT"]},
        {"bot": []},
        {"bot": BOT},
        {"bot": {BOT: 1}},
        {"bot": [[BOT], None, 7]},
        [BOT],
        None,
    ]
    for tokens in odd:
        tell(story, {"type": "tokens_revoked", "tokens": tokens})
        assert state(story, cast["adam"]) == ("linked", None), tokens
    tell(story, REVOKED)
    assert state(story, cast["adam"]) == ("broken", "tokens_revoked")


def test_an_event_older_than_the_installation_breaks_nothing(
    story: Story, cast: dict[str, User]
) -> None:
    story.sandbox.hold_events()
    story.sandbox.admin("uninstall", team_id="T0ACME")
    story.link(cast["adam"])  # at once, in the same second
    was_linked(story, timedelta(0))
    for delivery in story.sandbox.release_events([1, 0, 1]):
        assert delivery.status == 200
    story.work()
    assert state(story, cast["adam"]) == ("linked", None)
    for older in (3600, 60, 3, 2, 1, 0, -1):
        was_linked(story, timedelta(0))
        at = now().timestamp() - older
        tell(story, UNINSTALLED, event_time=at)
        assert state(story, cast["adam"]) == ("linked", None), older


def test_an_uninstallation_is_found_though_our_clock_runs_ahead(
    story: Story, cast: dict[str, User]
) -> None:
    was_linked(story, timedelta(hours=-1))
    story.sandbox.hold_events()
    story.sandbox.admin("uninstall", team_id="T0ACME")
    story.sandbox.release_events()
    story.work()
    assert state(story, cast["adam"])[0] == "broken"


def test_an_event_is_carried_out_once_however_often_it_comes(
    story: Story, cast: dict[str, User]
) -> None:
    tell(story, UNINSTALLED, event_id="EvSame", times=3)
    story.link(cast["adam"])
    was_linked(story, timedelta(hours=1))
    tell(story, UNINSTALLED, event_id="EvSame", times=5, at_once=True)
    assert state(story, cast["adam"]) == ("linked", None)
    assert count(story, SlackEvent) == 1
    tell(story, UNINSTALLED, event_id="EvOther", times=8, at_once=True)
    assert state(story, cast["adam"]) == ("broken", "app_uninstalled")
    assert count(story, AuditEntry, AuditEntry.action == AuditAction.WORKSPACE_BROKEN) == 2


def test_what_is_not_for_us_changes_nothing(story: Story, cast: dict[str, User]) -> None:
    assert send(story, json.dumps(envelope(team_id="T0BETA"))) == 200
    assert send(story, json.dumps(envelope(api_app_id="A0OTHER"))) == 200
    assert send(story, json.dumps(envelope(event={"type": "no_such_event"}))) == 200
    assert send(story, json.dumps({"type": "app_rate_limited", "team_id": "T0ACME"})) == 200
    assert state(story, cast["adam"]) == ("linked", None)
    assert count(story, SlackEvent) == 1  # of our own workspace only


def test_odd_shapes_are_answered_calmly(story: Story, cast: dict[str, User]) -> None:
    endless = shake_128(b"an id").hexdigest(4000)
    odd: list[Any] = [None, True, 0, -1, 1.5, "", "x", "\x00", "\ud800", [], {}, endless, [[{}]]]
    with story.app.app_context():
        before = db.session.scalar(select(SlackInstallation.last_event_at))
    assert before is None
    for name in ("type", "team_id", "event_id", "event_time", "event", "api_app_id"):
        for value in odd:
            harmless = envelope(event={"type": "tokens_revoked"}, event_id="") | {name: value}
            assert send(story, json.dumps(harmless)) == 200, (name, value)
    for value in odd:
        for event in ({"type": value}, {"type": "tokens_revoked", "tokens": value}):
            assert send(story, json.dumps(envelope(event=event, event_id=""))) == 200, value
    for moment in (10**30, -(10**12), 253_402_300_799, -62_135_596_800):
        body = json.dumps(envelope(event={"type": "tokens_revoked"}, event_time=moment))
        assert send(story, body) == 200, moment
    for body in ("", "{", "[]", "null", "[" * 5000, '{"type": NaN}', "é", '{"event_id": 1e999}'):
        assert send(story, body) == 200, body[:20]
    assert state(story, cast["adam"]) == ("linked", None)


def test_a_crash_between_the_mark_and_the_work_loses_nothing(
    story: Story, cast: dict[str, User]
) -> None:
    body = json.dumps(envelope(event_id="EvCrash"))
    with ThreadPoolExecutor(1) as pool, beside(story.app) as other:
        other.execute(text("LOCK TABLE audit_entries IN ACCESS EXCLUSIVE MODE"))
        story.app.testing = False  # so that the failure is an answer, as in production
        try:
            answer = pool.submit(send, story, body)
            until(lambda: len(waiting(story.app)) == 1, "the work waits")
            (crashing,) = waiting(story.app)
            other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": crashing})
            assert answer.result(20) == 500
        finally:
            story.app.testing = True
        other.rollback()
    assert count(story, SlackEvent) == 0
    assert state(story, cast["adam"]) == ("linked", None)
    assert send(story, body) == 200  # Slack's repetition
    assert state(story, cast["adam"]) == ("broken", "app_uninstalled")


def test_people_data_is_erased_two_weeks_after_the_end_and_old_marks_are_pruned(
    story: Story, cast: dict[str, User]
) -> None:
    with story.app.app_context():
        conversations.ask_refresh(account_of(cast["olivia"]))
    story.work()
    tell(story, UNINSTALLED)
    assert count(story, UserLink) > 0
    assert count(story, ChannelList) == 1
    began = datetime.now(UTC)
    for days, is_kept in ((1, True), (13.9, True), (14.1, False)):
        with time_machine.travel(began + timedelta(days=days)), story.app.app_context():
            upkeep.prune(now())
            db.session.commit()
        assert (count(story, UserLink) > 0) is is_kept, days
        assert (count(story, ChannelList) > 0) is is_kept, days
        assert count(story, SlackEvent) == (1 if days < 2 else 0)
    assert state(story, cast["adam"])[0] == "broken"  # the link itself, and its actions, stay
    story.link(cast["adam"])
    assert count(story, UserLink) > 0
