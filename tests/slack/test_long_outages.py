"""What becomes of alerts when Slack misbehaves for ten minutes? The clock is moved, not waited for.

tests/faults does the same for seconds with real processes, and has a Slack that hangs.
"""

from datetime import timedelta

import time_machine
from sqlalchemy import text

from portal.db import db, now
from portal.domain.sources.models import AlertSource
from tests.make import make_action, make_alert, make_source
from tests.slack.conftest import Story

CHANNEL = "C0ALERTS"
MINUTES, STEP = 10, 10.0
STEPS = int(MINUTES * 60 / STEP)
# One lane asks for all each time we look, and each message finds out for itself once.
MOST_CALLS = STEPS + 20
FAULTS: list[dict[str, object]] = [
    {"effect": "reset", "after_processing": True},  # first: the rest of the alerts is not posted
    {"effect": "server_error"},
    {"effect": "not_json", "variant": "html"},
    {"effect": "reset"},
]

DUE = text(
    "UPDATE procrastinate_jobs SET scheduled_at = NULL"
    " WHERE status = 'todo' AND scheduled_at <= :moment"
)


def test_ten_bad_minutes_lose_nothing_and_end_within_five_seconds(story: Story) -> None:
    people = story.people()
    story.link(people["olivia"])
    story.sandbox.admin("invite", channel=CHANNEL)  # so that the app may look before it repeats
    with story.app.app_context():
        source, _ = make_source(people["olivia"].account)
        source_id = source.id
        make_action(source, channel_id=CHANNEL, channel_name="alerts")
    story.work()
    before = len(story.sandbox.requests())
    begun = now()
    with time_machine.travel(begun) as clock:
        for number in range(STEPS):
            if number % (STEPS // len(FAULTS)) == 0:  # one kind after the other, and no break
                story.sandbox.clear_faults()
                story.sandbox.add_fault(**FAULTS[number * len(FAULTS) // STEPS])
            if number % 12 == 0:  # one alert every two minutes
                with story.app.app_context():
                    source = db.session.get_one(AlertSource, source_id)
                    make_alert(source, summary=f"Bad minute {number}")
            work_that_is_due(story)
            clock.shift(timedelta(seconds=STEP))
        assert len(story.sandbox.requests()) - before <= MOST_CALLS
        story.sandbox.clear_faults()
        back = now()
        while len(texts(story)) < 5 and now() - back < timedelta(seconds=30):
            work_that_is_due(story)
            clock.shift(timedelta(seconds=0.5))
        assert now() - back <= timedelta(seconds=5.5)
    assert sorted(texts(story)) == sorted(f"Bad minute {number}" for number in range(0, 60, 12))


def work_that_is_due(story: Story) -> None:
    """By the moved clock: the database, which starts jobs, has its own."""
    with story.app.app_context():
        db.session.execute(DUE, {"moment": now()})
        db.session.commit()
    story.work()


def texts(story: Story) -> list[str]:
    said = (message["text"] for message in story.sandbox.messages(CHANNEL))
    return [each.partition("] ")[2].partition(" – ")[0] for each in said]
