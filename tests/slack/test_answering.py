"""Do alerts reach Slack, and do clicks change both sides? The portal's edge on the sandbox."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from portal.db import db, now
from portal.domain.accounts import operations as accounts
from portal.domain.accounts.models import User
from portal.domain.alerts import operations as alerts
from portal.domain.alerts import queries
from portal.domain.alerts.models import Alert, AlertStatus, TimelineKind, Via
from portal.slack.places import places
from tests.make import make_action, make_alert, make_source
from tests.slack.conftest import Story, pass_the_pace

CHANNEL = "C0ALERTS"


@pytest.fixture
def people(story: Story) -> dict[str, User]:
    """Acme's people, with the workspace linked."""
    cast = story.people()
    story.link(cast["olivia"])
    return cast


def shown(story: Story, channel_id: str = CHANNEL) -> list[dict[str, Any]]:
    said = story.sandbox.messages(channel_id)
    return [m for m in said if not m["is_ephemeral"] and not m.get("thread_ts")]


def told(story: Story, user_id: str) -> list[str]:
    seen = story.sandbox.messages(CHANNEL, as_user=user_id)
    return [message["text"] for message in seen if message["is_ephemeral"]]


def an_alert_in_slack(story: Story, people: dict[str, User], **alert: Any) -> int:
    with story.app.app_context():
        source, _ = make_source(people["olivia"].account)
        make_action(source, channel_id=CHANNEL, channel_name="alerts")
        alert_id = make_alert(source, **alert).id
    story.work()
    return alert_id


def press(story: Story, user_id: str, button: str) -> Any:
    (message,) = shown(story)
    delivery = story.sandbox.click(
        user_id=user_id, channel_id=CHANNEL, ts=message["ts"], action_id=f"alert_{button.lower()}"
    )
    assert delivery.status == 200
    story.work()
    return delivery


def status_of(story: Story, alert_id: int) -> AlertStatus:
    with story.app.app_context():
        return db.session.get_one(Alert, alert_id).status


def test_an_alert_appears_once_with_its_buttons(story: Story, people: dict[str, User]) -> None:
    an_alert_in_slack(story, people, summary="Disk full")
    story.work()
    (message,) = shown(story)
    assert message["text"].startswith("[Pending] Disk full")
    assert story.sandbox.violations() == []


def test_acknowledging_in_slack_changes_slack_and_the_portal(
    story: Story, people: dict[str, User]
) -> None:
    alert_id = an_alert_in_slack(story, people)
    press(story, "U0ADA", "Acknowledge")
    assert status_of(story, alert_id) is AlertStatus.ACKNOWLEDGED
    with story.app.app_context():
        alert = db.session.get_one(Alert, alert_id)
        kinds = [entry.kind for entry in queries.timeline(alert)]
        assert alert.acknowledger == "Ada"
        assert kinds == [TimelineKind.CREATED, TimelineKind.SLACK_POSTED, TimelineKind.ACKNOWLEDGED]
        (place,) = places(alert)
        assert place.is_up_to_date
    (message,) = shown(story)
    assert message["text"].startswith("[Acknowledged]")
    assert "alert_acknowledge" not in str(message)
    assert "alert_resolve" in str(message)
    assert story.sandbox.violations() == []


def test_resolving_straight_from_pending_leaves_no_button(
    story: Story, people: dict[str, User]
) -> None:
    alert_id = an_alert_in_slack(story, people)
    press(story, "U0ADA", "Resolve")
    assert status_of(story, alert_id) is AlertStatus.RESOLVED
    (message,) = shown(story)
    assert "'button'" not in str(message)


def test_a_slack_user_without_an_account_is_told_so(story: Story, people: dict[str, User]) -> None:
    alert_id = an_alert_in_slack(story, people)
    press(story, "U0WALTER", "Acknowledge")
    assert status_of(story, alert_id) is AlertStatus.PENDING
    assert "not connected to an account" in told(story, "U0WALTER")[0]
    assert told(story, "U0ADA") == []


def test_a_stakeholder_may_not_and_is_told_so(story: Story, people: dict[str, User]) -> None:
    alert_id = an_alert_in_slack(story, people)
    press(story, "U0STAN", "Resolve")
    assert status_of(story, alert_id) is AlertStatus.PENDING
    assert "may not change alerts" in told(story, "U0STAN")[0]


def test_somebody_demoted_or_deactivated_loses_it_at_the_next_click(
    story: Story, people: dict[str, User]
) -> None:
    alert_id = an_alert_in_slack(story, people)
    with story.app.app_context():
        olivia = db.session.merge(people["olivia"], load=False)
        accounts.deactivate(people["ada"].id, by=olivia)
    press(story, "U0ADA", "Resolve")
    assert status_of(story, alert_id) is AlertStatus.PENDING
    assert "not connected" in told(story, "U0ADA")[0]


def test_somebody_invited_later_is_recognised_at_the_first_click(
    story: Story, people: dict[str, User]
) -> None:
    alert_id = an_alert_in_slack(story, people)
    with story.app.app_context():
        olivia = db.session.merge(people["olivia"], load=False)
        from portal.domain.accounts.permissions import Role

        accounts.invite(by=olivia, email="WALTER@acme.example", name="Walter", role=Role.RESPONDER)
    press(story, "U0WALTER", "Acknowledge")
    assert status_of(story, alert_id) is AlertStatus.ACKNOWLEDGED
    assert told(story, "U0WALTER") == []


def test_the_loser_of_a_race_hears_who_was_faster(story: Story, people: dict[str, User]) -> None:
    an_alert_in_slack(story, people)
    (message,) = shown(story)

    def click(user_id: str) -> int:
        button = {"channel_id": CHANNEL, "ts": message["ts"], "action_id": "alert_acknowledge"}
        return int(story.sandbox.click(user_id=user_id, **button).status)

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(click, ["U0ADA", "U0UMA"])) == [200, 200]
    story.work()
    answers = told(story, "U0ADA") + told(story, "U0UMA")
    assert len(answers) == 1
    assert "acknowledged this" in answers[0]
    assert "Nothing was changed" in answers[0]


def test_a_double_click_by_one_person_is_silent(story: Story, people: dict[str, User]) -> None:
    an_alert_in_slack(story, people)
    (message,) = shown(story)
    for _ in range(2):
        story.sandbox.click(
            user_id="U0ADA", channel_id=CHANNEL, ts=message["ts"], action_id="alert_acknowledge"
        )
    story.work()
    assert told(story, "U0ADA") == []


def test_twenty_changes_become_few_calls_and_the_last_state_is_shown(
    story: Story, people: dict[str, User]
) -> None:
    alert_id = an_alert_in_slack(story, people, alert_key="disk")
    with story.app.app_context():
        source = db.session.get_one(Alert, alert_id).source
        for _ in range(20):
            make_alert(source, alert_key="disk")
    story.work()
    pass_the_pace(story)
    updates = story.sandbox.requests(method="chat.update")
    assert 1 <= len(updates) <= 3
    (message,) = shown(story)
    assert "Events: 21" in str(message)


def test_retry_after_is_obeyed_and_nothing_is_lost(story: Story, people: dict[str, User]) -> None:
    story.sandbox.add_fault(
        effect="rate_limited", method="chat.postMessage", retry_after=7, times=1
    )
    alert_id = an_alert_in_slack(story, people)
    story.work()
    assert len(story.sandbox.requests(method="chat.postMessage")) == 1
    with story.app.app_context():
        (place,) = places(db.session.get_one(Alert, alert_id))
        assert place.state == "asked to wait"
        assert place.next_try_at is not None
        assert 3 < (place.next_try_at - now()).total_seconds() <= 7
    story.sandbox.clear_faults()
    story.sandbox.clock(advance=8)
    pass_the_pace(story)
    assert len(shown(story)) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"effect": "server_error"},
        {"effect": "not_json", "variant": "truncated"},
        {"effect": "not_json", "variant": "array"},
        {"effect": "reset"},
        {"effect": "error", "error": "fatal_error"},
        {"effect": "rate_limited", "variant": "not_a_number"},
    ],
)
def test_a_failing_slack_only_delays(
    story: Story, people: dict[str, User], fault: dict[str, Any]
) -> None:
    story.sandbox.add_fault(method="chat.postMessage", times=1, **fault)
    alert_id = an_alert_in_slack(story, people)
    with story.app.app_context():
        (place,) = places(db.session.get_one(Alert, alert_id))
        assert not place.is_up_to_date
        assert place.attempts == 1
    story.sandbox.clear_faults()
    story.sandbox.clock(advance=60)
    pass_the_pace(story)
    assert len(shown(story)) == 1


def test_a_closed_channel_is_said_in_words_and_resumes_when_opened(
    story: Story, people: dict[str, User]
) -> None:
    story.sandbox.admin("archive", channel=CHANNEL)
    alert_id = an_alert_in_slack(story, people)
    with story.app.app_context():
        alert = db.session.get_one(Alert, alert_id)
        (place,) = places(alert)
        assert place.state == "held"
        assert "archived" in place.detail
        assert queries.timeline(alert)[-1].kind is TimelineKind.SLACK_HELD
    story.sandbox.admin("unarchive", channel=CHANNEL)
    pass_the_pace(story)
    assert len(shown(story)) == 1


def test_refused_blocks_become_a_plain_message_with_a_link(
    story: Story, people: dict[str, User]
) -> None:
    story.sandbox.add_fault(
        effect="error", error="invalid_blocks", method="chat.postMessage", times=1
    )
    an_alert_in_slack(story, people, summary="Disk full")
    (message,) = shown(story)
    assert "Disk full" in message["text"]
    assert "|Open>" in message["text"]


def test_a_message_that_somebody_deleted_is_posted_anew(
    story: Story, people: dict[str, User]
) -> None:
    alert_id = an_alert_in_slack(story, people)
    story.sandbox.add_fault(
        effect="error", error="message_not_found", method="chat.update", times=1
    )
    with story.app.app_context():
        uma = db.session.merge(people["uma"], load=False)
        alerts.acknowledge(alert_id, by=uma, via=Via.WEB)
    story.work()
    pass_the_pace(story)
    assert any(m["text"].startswith("[Acknowledged]") for m in shown(story))


def test_a_dead_token_holds_everything_until_the_link_is_authorized_again(
    story: Story, people: dict[str, User]
) -> None:
    story.sandbox.add_fault(effect="token_revoked", method="chat.postMessage", times=1)
    alert_id = an_alert_in_slack(story, people)
    installation = story.installation(people["olivia"].account_id or 0)
    assert installation is not None
    assert not installation.is_working
    with story.app.app_context():
        (place,) = places(db.session.get_one(Alert, alert_id))
        assert "re-authorize" in place.detail
    story.sandbox.clear_faults()
    story.link(people["olivia"])
    story.work()
    assert len(shown(story)) == 1


def test_a_click_for_another_accounts_alert_is_not_available(
    story: Story, people: dict[str, User]
) -> None:
    an_alert_in_slack(story, people)
    with story.app.app_context():
        foreign = make_alert().id
    (message,) = shown(story)
    payload = {
        "type": "block_actions",
        "api_app_id": "A0TOCSIN",
        "team": {"id": "T0ACME"},
        "user": {"id": "U0ADA", "team_id": "T0ACME"},
        "channel": {"id": CHANNEL},
        "container": {"message_ts": message["ts"], "channel_id": CHANNEL},
        "actions": [{"action_id": "alert_resolve", "value": str(foreign)}],
    }
    assert story.sandbox.deliver(payload=payload).status == 200
    story.work()
    assert status_of(story, foreign) is AlertStatus.PENDING
    assert told(story, "U0ADA") == ["This alert is not available here."]


def test_a_person_of_another_company_is_refused(story: Story, people: dict[str, User]) -> None:
    alert_id = an_alert_in_slack(story, people)
    payload = {
        "type": "block_actions",
        "api_app_id": "A0TOCSIN",
        "team": {"id": "T0ACME"},
        "user": {"id": "U0BORIS", "team_id": "T0BETA"},
        "channel": {"id": CHANNEL},
        "actions": [{"action_id": "alert_resolve", "value": str(alert_id)}],
    }
    assert story.sandbox.deliver(payload=payload).status == 200
    story.work()
    assert status_of(story, alert_id) is AlertStatus.PENDING


def test_a_click_is_answered_at_once_while_slack_hangs(
    story: Story, people: dict[str, User]
) -> None:
    alert_id = an_alert_in_slack(story, people)
    story.sandbox.add_fault(effect="hang", seconds=10, method="*")
    (message,) = shown(story)
    calls = len(story.sandbox.requests())
    story.sandbox.click(
        user_id="U0ADA", channel_id=CHANNEL, ts=message["ts"], action_id="alert_resolve"
    )
    assert status_of(story, alert_id) is AlertStatus.RESOLVED
    assert len(story.sandbox.requests()) == calls  # nobody asked Slack within the request
