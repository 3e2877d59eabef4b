"""Can an admin see at a glance what waits for Slack, and can a machine count it?"""

import pytest

from portal.db import db
from portal.domain.accounts.models import User
from portal.domain.sources.models import AlertSource
from portal.slack.posted import PostedMessage
from tests.make import make_action, make_alert, make_source
from tests.slack.conftest import Story, pass_the_pace

CHANNEL = "C0ALERTS"


@pytest.fixture
def people(story: Story) -> dict[str, User]:
    cast = story.people()
    story.link(cast["olivia"])
    return cast


def a_source(story: Story, people: dict[str, User]) -> int:
    with story.app.app_context():
        source, _ = make_source(people["olivia"].account)
        make_action(source, channel_id=CHANNEL, channel_name="alerts")
        return source.id


def an_alert(story: Story, source_id: int, summary: str) -> int:
    with story.app.app_context():
        alert_id = make_alert(db.session.get_one(AlertSource, source_id), summary=summary).id
    story.work()
    return alert_id


def page(story: Story, person: User) -> str:
    answer = story.browser(person).get("/settings/deliveries")
    assert answer.status_code == 200
    return " ".join(answer.text.split())


def metrics(story: Story) -> dict[str, float]:
    lines = story.browser().get("/metrics").text.splitlines()
    found = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: float(value) for name, _, value in found}


def test_when_all_is_well_nothing_waits(story: Story, people: dict[str, User]) -> None:
    an_alert(story, a_source(story, people), "Disk full")
    assert "Nothing waits for Slack." in page(story, people["adam"])
    assert "Last shown" in page(story, people["adam"])


def test_what_waits_is_said_with_the_reason_and_a_link(
    story: Story, people: dict[str, User]
) -> None:
    source_id = a_source(story, people)
    story.sandbox.admin("archive", channel=CHANNEL)
    alert_id = an_alert(story, source_id, "Disk full")
    an_alert(story, source_id, "Disk fuller")
    seen = page(story, people["adam"])
    assert "2 alerts wait for Slack" in seen
    assert "1 of them was tried in vain" in seen
    assert "The channel is archived" in seen
    assert f'href="/alerts/{alert_id}"' in seen
    actions = story.browser(people["uma"]).get("/alert-actions").text
    assert "The channel is archived" in actions


def test_an_alert_that_two_channels_refuse_counts_once(
    story: Story, people: dict[str, User]
) -> None:
    source_id = a_source(story, people)
    with story.app.app_context():
        source = db.session.get_one(AlertSource, source_id)
        make_action(source, channel_id="C0OPS", channel_name="ops")
    for channel in (CHANNEL, "C0OPS"):
        story.sandbox.admin("archive", channel=channel)
    an_alert(story, source_id, "Disk full")
    seen = page(story, people["adam"])
    assert "1 alert waits for Slack" in seen
    assert "1 of them was tried in vain" in seen


def test_direct_messages_that_wait_are_called_after_the_person(
    story: Story, people: dict[str, User]
) -> None:
    alert_id = an_alert(story, a_source(story, people), "Disk full")
    with story.app.app_context():
        waiting = {"channel_id": "U0ADA", "channel_name": "Ada", "alert_id": alert_id}
        db.session.add(PostedMessage(account_id=people["ada"].account_id, **waiting))
        db.session.commit()
    seen = page(story, people["adam"])
    assert "Direct messages to Ada" in seen
    assert "#U0ADA" not in seen


def test_only_admins_see_it(story: Story, people: dict[str, User]) -> None:
    for name in ("uma", "ada", "stan"):
        assert story.browser(people[name]).get("/settings/deliveries").status_code == 403


def test_an_outage_is_said_and_ends(story: Story, people: dict[str, User]) -> None:
    source_id = a_source(story, people)
    story.sandbox.add_fault(effect="server_error")
    an_alert(story, source_id, "Disk full")
    assert "Slack has trouble (HTTP 503)." in page(story, people["adam"])
    story.sandbox.clear_faults()
    story.sandbox.clock(advance=60)
    for _ in range(2):
        pass_the_pace(story)
    assert "Slack has trouble" not in page(story, people["adam"])


def test_the_metrics_count_what_happens(story: Story, people: dict[str, User]) -> None:
    source_id = a_source(story, people)
    story.sandbox.add_fault(effect="rate_limited", method="chat.postMessage", times=1)
    before = metrics(story)
    an_alert(story, source_id, "Disk full")
    waiting = metrics(story)
    assert waiting["tocsin_alerts_accepted_total"] == before["tocsin_alerts_accepted_total"] + 1
    assert waiting["tocsin_deliveries_waiting"] == 1
    assert waiting["tocsin_slack_asked_to_wait_total"] == 1
    assert waiting["tocsin_event_to_slack_seconds_count"] == 0
    story.sandbox.clock(advance=60)
    pass_the_pace(story)
    shown = metrics(story)
    assert shown["tocsin_deliveries_waiting"] == 0
    assert shown["tocsin_alerts_delivered_total"] == 1
    assert shown["tocsin_event_to_slack_seconds_count"] == 1
    assert shown['tocsin_event_to_slack_seconds_bucket{le="3600.0"}'] == 1
    assert shown['tocsin_slack_calls_total{method="chat.postMessage",outcome="ok"}'] == 1
