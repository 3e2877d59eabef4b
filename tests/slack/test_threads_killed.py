"""Does a worker that is killed while Slack takes a reply leave it in the thread exactly once?"""

import signal

from portal.db import db
from portal.domain.alerts import operations as alerts
from portal.slack.posted import ThreadReply
from tests.slack.conftest import Story
from tests.slack.test_dedicated_channels_killed import (
    HANG,
    Start,
    a_quarter_minute_later,
    running,
    worker,
)
from tests.slack.test_threads import CHANNEL, POST, an_action, an_alert, do, thread
from tests.together import until

__all__ = ["worker"]  # a fixture


def is_told(story: Story) -> bool:
    with story.app.app_context():
        replies = db.session.query(ThreadReply).all()
        return bool(replies) and not any(each.is_behind for each in replies)


def test_a_killed_worker_does_not_repeat_a_reply(story: Story, worker: Start) -> None:
    people = story.people()
    story.link(people["olivia"])
    story.sandbox.admin("invite", channel=CHANNEL)
    alert_id = an_alert(story, an_action(story, people))
    fault = story.sandbox.add_fault(
        effect="hang", method=POST, after_processing=True, times=1, seconds=HANG
    )
    with running(worker) as first:
        do(story, people["ada"], alerts.acknowledge, alert_id)
        until(lambda: fault.hits == 1, "Slack has the reply and does not answer")
        first.send_signal(signal.SIGKILL)
        first.wait()
    a_quarter_minute_later(story)
    with running(worker):
        until(lambda: is_told(story), "the next worker has found it")
    assert thread(story) == ["*Ada* acknowledged"]
    assert len(story.sandbox.requests(method="conversations.replies")) >= 1
