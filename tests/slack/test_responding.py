"""Can everything be done with an alert from its message that can be done with it on its page?"""

import re
from typing import Any

import pytest

from portal.db import db
from portal.domain.accounts.models import User
from portal.domain.alerts import operations as alerts
from portal.domain.alerts import queries
from portal.domain.alerts.models import Alert, AlertStatus, Priority, TimelineKind, Via
from portal.domain.dedicated_channels import queries as dedicated
from portal.domain.escalation import queries as escalation
from portal.domain.escalation.models import EscalationPolicy
from portal.domain.routing.models import TriggerMode
from portal.slack import probes
from tests.make import make_action, make_alert, make_policy, make_source, make_user
from tests.slack.conftest import Story
from tests.slack.test_modals import go_to, press, told, view_of
from tests.web import pages

CHANNEL = "C0ALERTS"


@pytest.fixture
def people(story: Story) -> dict[str, User]:
    """Acme's people, with the workspace linked."""
    cast = story.people()
    story.link(cast["olivia"])
    return cast


def shown_alert(story: Story, people: dict[str, User], **alert: Any) -> int:
    """An alert in #alerts whose policy asks Ada first, then Uma, then nobody who is there."""
    with story.app.app_context():
        account = people["olivia"].account
        source, _ = make_source(account, name="Prometheus")
        levels = ([people["ada"]], [people["uma"]], [people["adam"]])
        make_policy(account, *levels, name="Database", source=source)
        make_action(source, channel_id=CHANNEL, channel_name="alerts")
        made = make_alert(source, **alert).id
    story.work()
    return made


def entries(story: Story, user_id: str = "U0ADA") -> list[str]:
    """What the menu offers."""
    press(story, user_id)
    view = view_of(story, user_id)
    (actions,) = [block for block in view["blocks"] if block["type"] == "actions"]
    return [each["text"]["text"] for each in actions["elements"]]


def of(story: Story, alert_id: int) -> Alert:
    with story.app.app_context():
        return db.session.get_one(Alert, alert_id)


def responders(story: Story, alert_id: int) -> list[str]:
    with story.app.app_context():
        alert = db.session.get_one(Alert, alert_id)
        return [each.user.name for each in escalation.responders_of(alert)]


def last_entry(story: Story, alert_id: int, kind: TimelineKind) -> dict[str, Any]:
    with story.app.app_context():
        alert = db.session.get_one(Alert, alert_id)
        entry = [each for each in queries.timeline(alert) if each.kind is kind][-1]
        return {"by": entry.actor_name, "via": entry.via, **entry.data}


def markdown(shown: Any) -> list[str]:
    """Every text of a view in which Slack would make mentions and links."""
    if isinstance(shown, list):
        return [text for each in shown for text in markdown(each)]
    if not isinstance(shown, dict):
        return []
    own = [str(shown["text"])] if shown.get("type") == "mrkdwn" else []
    return own + [text for each in shown.values() for text in markdown(each)]


def errors(story: Story, user_id: str = "U0ADA") -> dict[str, str]:
    view = story.sandbox.open_view_of(user_id)
    assert view is not None
    return dict(view["errors"])


def test_the_menu_holds_only_what_is_possible_now(story: Story, people: dict[str, User]) -> None:
    shown_alert(story, people)
    high = ["Escalate", "Reroute", "Comment", "Add responder", "Create channel"]
    assert entries(story) == high


def test_the_menu_of_a_low_alert_raises_instead_of_escalating(
    story: Story, people: dict[str, User]
) -> None:
    alert_id = shown_alert(story, people, priority="LOW")
    assert entries(story)[0] == "Raise priority"
    story.sandbox.act_in_view("U0ADA", "Raise priority")
    assert of(story, alert_id).priority is Priority.HIGH
    assert last_entry(story, alert_id, TimelineKind.PRIORITY_RAISED)["via"] is Via.SLACK
    view = view_of(story)
    assert "Priority: High" in str(view)
    assert "Escalate" in str(view)


def test_escalating_shows_whom_each_level_reaches_and_asks_the_chosen_one(
    story: Story, people: dict[str, User]
) -> None:
    alert_id = shown_alert(story, people)
    view = go_to(story, "Escalate")
    said = str(view)
    assert "*Level 1* (reached): Ada" in said
    assert "*Level 2*: Uma" in said
    assert view["state"]["values"]["level"]["level"]["selected_option"]["value"] == "2"
    story.sandbox.submit_view("U0ADA", {"level": "3"})
    assert story.sandbox.open_view_of("U0ADA") is None
    assert "Adam" in responders(story, alert_id)
    entry = last_entry(story, alert_id, TimelineKind.ESCALATED)
    assert (entry["by"], entry["via"], entry["level"]) == ("Ada", Via.SLACK, 3)
    assert story.sandbox.violations() == []


def test_escalating_what_was_acknowledged_makes_it_pending_again(
    story: Story, people: dict[str, User]
) -> None:
    alert_id = shown_alert(story, people)
    with story.app.app_context():
        alerts.acknowledge(alert_id, by=db.session.merge(people["ada"], load=False), via=Via.WEB)
    story.work()
    assert "pending again" in str(go_to(story, "Escalate"))
    story.sandbox.submit_view("U0ADA")
    assert of(story, alert_id).status is AlertStatus.PENDING


def test_an_alert_resolved_meanwhile_is_not_escalated(
    story: Story, people: dict[str, User]
) -> None:
    alert_id = shown_alert(story, people)
    go_to(story, "Escalate")
    with story.app.app_context():
        alerts.resolve(alert_id, by=db.session.merge(people["uma"], load=False), via=Via.WEB)
    story.sandbox.submit_view("U0ADA")
    assert "Uma has resolved this alert" in errors(story)["level"]


def test_rerouting_suggests_who_is_on_call_and_finds_the_others(
    story: Story, people: dict[str, User]
) -> None:
    alert_id = shown_alert(story, people)
    with story.app.app_context():
        make_policy(people["olivia"].account, [people["adam"]], name="Network")
        make_user(name="Ada of another account")
    go_to(story, "Reroute")
    where = {"user_id": "U0ADA", "action_id": "alert_choose_target"}
    first = story.sandbox.suggest(**where, typed="")
    names = [each["text"]["text"] for each in first]
    assert names[:2] == ["Uma (level 2)", "Adam (level 3)"]
    assert names.count("Uma (level 2)") == 1
    assert "Uma" not in names  # no choice twice
    found = story.sandbox.suggest(**where, typed="net")
    assert [each["text"]["text"] for each in found] == ["Network"]
    assert story.sandbox.suggest(**where, typed="another account") == []
    story.sandbox.submit_view("U0ADA", {"to": found[0]["value"]})
    assert responders(story, alert_id) == ["Adam"]
    assert last_entry(story, alert_id, TimelineKind.REROUTED)["to"] == "Network"
    assert story.sandbox.violations() == []


def test_a_policy_deleted_before_the_submission_is_an_error_at_the_field(
    story: Story, people: dict[str, User]
) -> None:
    shown_alert(story, people)
    with story.app.app_context():
        gone = make_policy(people["olivia"].account, name="Short-lived")
    go_to(story, "Reroute")
    where = {"user_id": "U0ADA", "action_id": "alert_choose_target"}
    (choice,) = story.sandbox.suggest(**where, typed="short")
    with story.app.app_context():
        db.session.delete(db.session.get_one(EscalationPolicy, gone.id))
        db.session.commit()
    story.sandbox.submit_view("U0ADA", {"to": choice["value"]})
    assert "no such escalation policy" in errors(story)["to"]


def test_adding_a_responder_leaves_out_those_present(story: Story, people: dict[str, User]) -> None:
    alert_id = shown_alert(story, people)
    go_to(story, "Add responder")
    where = {"user_id": "U0ADA", "action_id": "alert_choose_person"}
    offered = story.sandbox.suggest(**where, typed="")
    names = [each["text"]["text"] for each in offered]
    assert names == ["Uma (level 2)", "Adam (level 3)", "Olivia"]  # Ada is present, Stan may not
    story.sandbox.submit_view("U0ADA", {"person": offered[2]["value"]})
    assert responders(story, alert_id) == ["Ada", "Olivia"]
    assert last_entry(story, alert_id, TimelineKind.RESPONDER_ADDED)["person"] == "Olivia"


def test_a_channel_is_created_with_the_proposed_name(story: Story, people: dict[str, User]) -> None:
    alert_id = shown_alert(story, people)
    view = go_to(story, "Create channel")
    assert f"prometheus_alert_{alert_id}" in str(view)
    assert "Not connected to Slack" not in str(view)
    story.sandbox.submit_view("U0ADA")
    assert "is on its way" in str(story.sandbox.open_view_of("U0ADA"))
    story.work()
    with story.app.app_context():
        channel = dedicated.current(db.session.get_one(Alert, alert_id))
        assert channel is not None
        assert channel.channel_name == f"prometheus_alert_{alert_id}"
    story.sandbox.close_view("U0ADA")
    assert "Detach channel" in entries(story)


def test_a_name_that_slack_does_not_take_is_corrected_before_it_is_used(
    story: Story, people: dict[str, User]
) -> None:
    alert_id = shown_alert(story, people)
    go_to(story, "Create channel")
    story.sandbox.submit_view("U0ADA", {"name": "DB down!", "private": ["private"]})
    assert "It would take: db_down" in errors(story)["name"]
    story.sandbox.submit_view("U0ADA", {"name": "db_down"})
    with story.app.app_context():
        channel = dedicated.current(db.session.get_one(Alert, alert_id))
        assert channel is not None
        assert (channel.channel_name, channel.is_private) == ("db_down", True)


@pytest.mark.parametrize(
    ("scope", "said", "is_private"),
    [("channels:manage", "It will be private", True), ("groups:write", "It will be public", False)],
)
def test_where_only_one_kind_of_channel_can_be_made_the_window_says_which(
    story: Story, people: dict[str, User], scope: str, said: str, is_private: bool
) -> None:
    alert_id = shown_alert(story, people)
    story.sandbox.admin("take_scope", team_id="T0ACME", scope=scope)
    with story.app.app_context():
        probes.probe(account_id=people["olivia"].account_id)  # finds what was taken
    assert said in str(go_to(story, "Create channel"))
    story.sandbox.submit_view("U0ADA")
    with story.app.app_context():
        channel = dedicated.current(db.session.get_one(Alert, alert_id))
        assert channel is not None
        assert channel.is_private is is_private


def test_a_channel_meant_to_be_public_does_not_become_private_unnoticed(
    story: Story, people: dict[str, User]
) -> None:
    alert_id = shown_alert(story, people)
    go_to(story, "Create channel")
    story.sandbox.admin("take_scope", team_id="T0ACME", scope="channels:manage")
    with story.app.app_context():
        probes.probe(account_id=people["olivia"].account_id)
    story.sandbox.submit_view("U0ADA")
    with story.app.app_context():
        channel = dedicated.current(db.session.get_one(Alert, alert_id))
        assert channel is not None
        assert channel.is_private is False


def test_a_channel_is_detached_from_the_menu(story: Story, people: dict[str, User]) -> None:
    alert_id = shown_alert(story, people)
    go_to(story, "Create channel")
    story.sandbox.submit_view("U0ADA")
    story.work()
    story.sandbox.close_view("U0ADA")
    entries(story)
    story.sandbox.act_in_view("U0ADA", "Detach channel")
    assert "no longer follows" in str(view_of(story))
    with story.app.app_context():
        assert dedicated.current(db.session.get_one(Alert, alert_id)) is None


HOSTILE = "🔥<!channel> @here <@U0ADA> &amp; *bold* `code` <https://evil.example|x> " * 140


@pytest.mark.parametrize(
    "entry", ["Escalate", "Reroute", "Comment", "Add responder", "Create channel"]
)
def test_ten_thousand_hostile_characters_leave_every_modal_whole(
    story: Story, people: dict[str, User], entry: str
) -> None:
    alert_id = shown_alert(story, people, summary="short", details=HOSTILE)
    with story.app.app_context():
        alert = db.session.get_one(Alert, alert_id)
        alert.summary = HOSTILE
        alert.source.name = HOSTILE[:500]
        for person in people.values():
            db.session.get_one(User, person.id).name = HOSTILE[:1000]
        db.session.commit()
    view = go_to(story, entry)
    live = [text for text in markdown(view) if "<!channel>" in text or "<@U0ADA>" in text]
    assert live == []
    assert told(story) == []
    assert story.sandbox.violations() == []


def manual_action(story: Story, people: dict[str, User], alert_id: int) -> None:
    with story.app.app_context():
        source = db.session.get_one(Alert, alert_id).source
        make_action(source, channel_id="C0DB", channel_name="db", mode=TriggerMode.MANUAL)


def test_a_manual_action_is_run_once_and_then_says_by_whom(
    story: Story, people: dict[str, User]
) -> None:
    alert_id = shown_alert(story, people)
    manual_action(story, people, alert_id)
    press(story, "U0ADA")
    assert "Alerts to #db" in str(view_of(story))
    story.sandbox.act_in_view("U0ADA", "Run action")
    view = view_of(story)
    assert "Alerts to #db (by Ada)" in str(view)
    assert "Run action" not in str(view)
    assert [m for m in story.sandbox.messages("C0DB") if "Disk full" in m["text"]] != []
    entry = last_entry(story, alert_id, TimelineKind.ACTION_SUCCEEDED)
    assert (entry["by"], entry["via"]) == ("Ada", Via.SLACK)
    assert story.sandbox.violations() == []


def test_a_manual_action_is_on_the_alert_page_too(story: Story, people: dict[str, User]) -> None:
    alert_id = shown_alert(story, people)
    manual_action(story, people, alert_id)
    browser = story.browser(people["uma"])
    path = f"/alerts/{alert_id}"
    (action_id,) = re.findall(r"/actions/(\d+)/run\" hx-post", browser.get(path).text)
    pages.post(browser, f"{path}/actions/{action_id}/run", on=path)
    story.work()
    page = pages.text_of(browser.get(path))
    assert "Alerts to #db (by Uma)" in page
    again = pages.post(browser, f"{path}/actions/{action_id}/run", on=path)
    assert "Uma has done this already" in pages.text_of(browser.get(again.location))
