"""Do modals open, take what was typed once, and lose nothing? The portal's edge on the sandbox."""

from typing import Any

import pytest

from portal.db import db
from portal.domain.accounts.models import User
from portal.domain.alerts import queries
from portal.domain.alerts.models import Alert
from tests.make import make_action, make_alert, make_source
from tests.slack.conftest import Story

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
    (message,) = [m for m in story.sandbox.messages(CHANNEL) if not m["is_ephemeral"]]
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
