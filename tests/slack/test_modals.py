"""Do modals open, take what was typed once, and lose nothing? The portal's edge on the sandbox."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select

from portal.db import db
from portal.domain.accounts import operations as accounts
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Role
from portal.domain.alerts import operations as alerts
from portal.domain.alerts import queries
from portal.domain.alerts.models import Alert, Via
from portal.slack import linking
from portal.slack.windows import SlackModal
from tests.make import make_action, make_alert, make_source
from tests.slack.conftest import Story
from tests.slack.signed import click_payload, interaction, signed
from tests.together import until

CHANNEL = "C0ALERTS"


@pytest.fixture
def people(story: Story) -> dict[str, User]:
    """Acme's people, with the workspace linked."""
    cast = story.people()
    story.link(cast["olivia"])
    return cast


@pytest.fixture
def alert_id(story: Story, people: dict[str, User]) -> int:
    """An alert that #alerts shows."""
    with story.app.app_context():
        source, _ = make_source(people["olivia"].account)
        make_action(source, channel_id=CHANNEL, channel_name="alerts")
        made = make_alert(source).id
    story.work()
    return made


def press(story: Story, user_id: str = "U0ADA", action_id: str = "alert_more") -> None:
    (message,) = [m for m in story.sandbox.messages(CHANNEL) if action_id in str(m)]
    where = {"channel_id": CHANNEL, "ts": message["ts"], "action_id": action_id}
    assert story.sandbox.click(user_id=user_id, **where).status == 200


def view_of(story: Story, user_id: str = "U0ADA") -> dict[str, Any]:
    story.work()
    view = story.sandbox.open_view_of(user_id)
    assert view is not None
    return view


def go_to(story: Story, entry: str, user_id: str = "U0ADA") -> dict[str, Any]:
    """Open the menu under the message and press an entry of it."""
    press(story, user_id)
    view_of(story, user_id)
    story.sandbox.act_in_view(user_id, entry)
    return view_of(story, user_id)


def told(story: Story, user_id: str = "U0ADA") -> list[str]:
    seen = story.sandbox.messages(CHANNEL, as_user=user_id)
    return [message["text"] for message in seen if message["is_ephemeral"]]


def comments(story: Story, alert_id: int) -> list[str]:
    with story.app.app_context():
        alert = db.session.get_one(Alert, alert_id)
        return [entry.data["content"] for entry in queries.comments(alert)]


def test_a_comment_typed_in_slack_is_on_the_alert(story: Story, alert_id: int) -> None:
    view = go_to(story, "Comment")
    assert "Disk full on db-1" in str(view)
    story.sandbox.fill_view("U0ADA", {"content": "looking into it"})
    story.sandbox.submit_view("U0ADA")
    assert comments(story, alert_id) == ["looking into it"]
    assert story.sandbox.open_view_of("U0ADA") is None
    assert story.sandbox.violations() == []


def submission(story: Story, user_id: str = "U0ADA", **changes: Any) -> dict[str, Any]:
    """The request that Slack would send for the modal on top, as often as wanted."""
    view = story.sandbox.open_view_of(user_id)
    assert view is not None
    return {
        "type": "view_submission",
        "api_app_id": "A0TOCSIN",
        "team": {"id": "T0ACME", "domain": "acme"},
        "user": {"id": user_id, "team_id": "T0ACME"},
        "view": view,
        **changes,
    }


def send(story: Story, payload: dict[str, Any]) -> Any:
    """Have Slack deliver a request, signed, and return its answer."""
    answer = story.browser().post("/slack/interactions", **signed(interaction(payload)))
    assert answer.status_code == 200
    return answer.get_json(silent=True)


def test_the_same_submission_three_times_comments_once(story: Story, alert_id: int) -> None:
    go_to(story, "Comment")
    story.sandbox.fill_view("U0ADA", {"content": "on it"})
    payload = submission(story)
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: send(story, payload), range(3)))
    assert answers == [{"response_action": "clear"}] * 3
    assert comments(story, alert_id) == ["on it"]


def test_a_submission_that_comes_after_the_modal_was_closed_changes_nothing(
    story: Story, alert_id: int
) -> None:
    go_to(story, "Comment")
    story.sandbox.fill_view("U0ADA", {"content": "never mind"})
    payload = submission(story)
    story.sandbox.close_view("U0ADA")
    answer = send(story, payload)
    assert "too old" in answer["errors"]["content"]
    assert comments(story, alert_id) == []


def test_one_click_delivered_twice_opens_one_modal(story: Story, alert_id: int) -> None:
    payload = click_payload("alert_more", str(alert_id))
    assert send(story, payload) is None
    assert send(story, payload) is None
    with story.app.app_context():
        assert db.session.scalar(select(func.count()).select_from(SlackModal)) == 1


def test_a_modal_of_somebody_else_takes_nothing(story: Story, alert_id: int) -> None:
    go_to(story, "Comment")
    story.sandbox.fill_view("U0ADA", {"content": "in her name"})
    uma = submission(story, user={"id": "U0UMA", "team_id": "T0ACME"})
    answer = send(story, uma)
    assert "too old" in answer["errors"]["content"]
    assert comments(story, alert_id) == []


def test_who_lost_their_role_while_typing_is_refused_and_loses_nothing(
    story: Story, people: dict[str, User], alert_id: int
) -> None:
    go_to(story, "Comment")
    with story.app.app_context():
        olivia = db.session.merge(people["olivia"], load=False)
        accounts.change_role(people["ada"].id, Role.STAKEHOLDER, by=olivia)
    story.sandbox.fill_view("U0ADA", {"content": "half a page"})
    story.sandbox.submit_view("U0ADA")
    view = story.sandbox.open_view_of("U0ADA")
    assert view is not None
    assert "may not change alerts" in view["errors"]["content"]
    assert view["state"]["values"]["content"]["content"]["value"] == "half a page"
    assert comments(story, alert_id) == []


def test_who_was_deactivated_while_typing_is_refused(
    story: Story, people: dict[str, User], alert_id: int
) -> None:
    go_to(story, "Comment")
    with story.app.app_context():
        olivia = db.session.merge(people["olivia"], load=False)
        accounts.deactivate(people["ada"].id, by=olivia)
    story.sandbox.submit_view("U0ADA", {"content": "too late"})
    view = story.sandbox.open_view_of("U0ADA")
    assert view is not None
    assert "not connected" in view["errors"]["content"]


def test_what_is_typed_about_an_alert_resolved_meanwhile_is_not_lost(
    story: Story, people: dict[str, User], alert_id: int
) -> None:
    go_to(story, "Comment")
    with story.app.app_context():
        alerts.resolve(alert_id, by=db.session.merge(people["uma"], load=False), via=Via.WEB)
    story.sandbox.submit_view("U0ADA", {"content": "found it"})
    view = story.sandbox.open_view_of("U0ADA")
    assert view is not None
    assert "Uma has resolved this alert" in view["errors"]["content"]


def test_an_unlinked_workspace_is_said_at_submission(
    story: Story, people: dict[str, User], alert_id: int
) -> None:
    go_to(story, "Comment")
    story.sandbox.fill_view("U0ADA", {"content": "hello"})
    payload = submission(story)
    with story.app.app_context():
        linking.unlink(by=db.session.merge(people["olivia"], load=False))
    assert "not linked" in send(story, payload)["errors"]["content"]


def test_nobody_of_another_company_opens_or_submits(story: Story, alert_id: int) -> None:
    outsider = {"user_id": "U9BOB", "user_team_id": "T0OTHER"}
    send(story, click_payload("alert_more", str(alert_id), **outsider))
    story.work()
    with story.app.app_context():
        assert db.session.scalar(select(func.count()).select_from(SlackModal)) == 0
    go_to(story, "Comment")
    story.sandbox.fill_view("U0ADA", {"content": "hello"})
    payload = submission(story, user={"id": "U0ADA", "team_id": "T0OTHER"})
    assert "Only members of" in send(story, payload)["errors"]["content"]
    assert comments(story, alert_id) == []


def test_somebody_without_an_account_is_told_so_and_sees_no_modal(
    story: Story, alert_id: int
) -> None:
    press(story, "U0WALTER")
    story.work()
    assert story.sandbox.open_view_of("U0WALTER") is None
    assert "not connected to an account" in told(story, "U0WALTER")[0]


def test_a_stakeholder_is_told_so_and_sees_no_modal(story: Story, alert_id: int) -> None:
    press(story, "U0STAN")
    story.work()
    assert story.sandbox.open_view_of("U0STAN") is None
    assert "may not change alerts" in told(story, "U0STAN")[0]


def test_somebody_invited_later_is_recognised_and_gets_the_modal(
    story: Story, people: dict[str, User], alert_id: int
) -> None:
    with story.app.app_context():
        olivia = db.session.merge(people["olivia"], load=False)
        accounts.invite(by=olivia, email="walter@acme.example", name="W.", role=Role.RESPONDER)
    press(story, "U0WALTER")
    story.work()
    assert story.sandbox.open_view_of("U0WALTER") is not None


def test_an_alert_of_another_account_is_not_available(
    story: Story, people: dict[str, User], alert_id: int
) -> None:
    with story.app.app_context():
        foreign = make_alert(summary="secret of Globex").id
    press(story)
    with story.app.app_context():
        (modal,) = db.session.scalars(select(SlackModal)).all()
        modal.subject = {"alert_id": foreign}  # as a button would say that was forged
        db.session.commit()
    story.work()
    assert story.sandbox.open_view_of("U0ADA") is None
    assert told(story) == ["This alert is not available here."]


def test_a_trigger_that_has_expired_is_said_in_the_channel(story: Story, alert_id: int) -> None:
    press(story)
    story.sandbox.clock(advance=4)
    story.work()
    assert story.sandbox.open_view_of("U0ADA") is None
    assert told(story) == ["Slack closed the window before it opened. Please press again."]


def test_a_modal_that_slack_does_not_let_us_change_is_changed_later(
    story: Story, alert_id: int
) -> None:
    press(story)
    view_of(story)
    story.sandbox.add_fault(effect="rate_limited", method="views.update", retry_after=1, times=1)
    story.sandbox.act_in_view("U0ADA", "Comment")

    def is_changed() -> bool:
        story.work()
        return "content" in str(story.sandbox.open_view_of("U0ADA"))

    until(is_changed, "the modal was changed")


def test_a_menu_says_that_the_alert_was_resolved_meanwhile(
    story: Story, people: dict[str, User], alert_id: int
) -> None:
    press(story)
    view_of(story)
    with story.app.app_context():
        alerts.resolve(alert_id, by=db.session.merge(people["uma"], load=False), via=Via.WEB)
    story.sandbox.act_in_view("U0ADA", "Comment")
    assert "Uma has resolved this alert" in str(view_of(story))
