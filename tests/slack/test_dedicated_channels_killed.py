"""Does a worker that is killed at any step leave one linked channel, and none that nobody knows of?"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from portal.db import db, now
from portal.domain.alerts.models import TimelineKind
from portal.domain.dedicated_channels.models import ChannelState, DedicatedChannel
from portal.settings import Settings
from portal.slack import dedicated, upkeep
from portal.slack.posted import Lane, PostedMessage
from tests.conftest import ROOT
from tests.slack.conftest import Story
from tests.slack.test_dedicated_channels import an_alert, ask, ours, shown, told
from tests.together import until

STEPS = (
    "conversations.create",
    "conversations.invite",
    "conversations.setTopic",
    "bookmarks.add",
    "chat.postMessage",
    "pins.add",
)
HANG = 8  # seconds; the client would wait for ten

Start = Callable[[], subprocess.Popen[bytes]]


@pytest.fixture
def worker(story: Story) -> Start:
    """Start `tocsin worker` as a process of its own, on the database and the Slack of the tests."""
    values = {name: story.app.config[name] for name in Settings.model_fields}
    words = {k: ",".join(v) if isinstance(v, list) else str(v) for k, v in values.items()}
    command = [sys.executable, "-m", "portal.cli", "worker"]
    environment = {**os.environ, **words}
    return lambda: subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.DEVNULL)


@contextmanager
def running(start: Start) -> Iterator[subprocess.Popen[bytes]]:
    with start() as process:
        try:
            yield process
        finally:
            process.kill()


def a_quarter_minute_later(story: Story) -> None:
    """The dead worker has not been heard of, no answer can come any more, and the clock has looked."""
    earlier = timedelta(minutes=1)
    with story.app.app_context():
        db.session.execute(
            text("UPDATE procrastinate_workers SET last_heartbeat = now() - INTERVAL '1 min'")
        )
        begun = DedicatedChannel.step_begun_at - earlier
        db.session.execute(update(DedicatedChannel).values(step_begun_at=begun, next_try_at=now()))
        db.session.execute(update(Lane).values(returns_at=None, next_at=now()))
        upkeep.wake_behind()
        db.session.commit()


def is_settled(story: Story) -> bool:
    with story.app.app_context():
        behind = db.session.scalars(select(PostedMessage)).all()
        return not dedicated.unfinished() and not any(each.is_behind for each in behind)


@pytest.mark.parametrize("step", STEPS)
def test_a_killed_worker_leaves_one_linked_channel(story: Story, worker: Start, step: str) -> None:
    cast = story.people()
    story.link(cast["adam"])
    alert_id = an_alert(story, cast["ada"])
    fault = story.sandbox.add_fault(
        effect="hang", method=step, after_processing=True, times=1, seconds=HANG
    )
    with running(worker) as first:
        ask(story, cast["ada"], alert_id)
        until(lambda: fault.hits == 1, f"Slack has carried out {step} and does not answer")
        first.send_signal(signal.SIGKILL)
        first.wait()
    a_quarter_minute_later(story)
    with running(worker):
        until(lambda: is_settled(story), "the next worker has finished it")
    (made,) = ours(story)
    found = shown(story, alert_id)
    assert (found.state, found.name) == (ChannelState.ATTACHED, f"grafana_alert_{alert_id}")
    assert found.url is not None
    assert found.url.endswith(made["id"])
    assert "U0ADA" in made["members"]
    assert len(made["bookmarks"]) == 1
    (message,) = [m for m in story.sandbox.messages(made["id"]) if m.get("attachments")]
    assert made["pins"] == [message["ts"]]
    assert len(told(story, alert_id, TimelineKind.CHANNEL_ATTACHED)) == 1
