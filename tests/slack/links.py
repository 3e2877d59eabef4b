"""What do the tests of the link ask again and again? Its state, what its page says, what was sent."""

from typing import Any

from sqlalchemy import update

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.slack import upkeep
from portal.slack.installations import Credentials
from portal.slack.pacing import Outage
from portal.slack.posted import Lane, PostedMessage
from tests.make import make_action, make_alert, make_source
from tests.slack.conftest import Story

BADGES = {
    "Connected, permissions missing": "limited",
    "Connected": "linked",
    "Disconnected, re-authorize": "broken",
    "Disconnected": "unlinked",
}


def account_of(person: User) -> int:
    assert person.account_id is not None
    return person.account_id


def state(story: Story, person: User) -> tuple[str, str | None]:
    """The link's state and Slack's reason, as they are stored."""
    installation = story.installation(account_of(person))
    if installation is None:
        return "unlinked", None
    return installation.state.value, installation.state_reason


def page(story: Story, person: User, path: str = "/settings/connectors/slack") -> str:
    answer = story.browser(person).get(path)
    assert answer.status_code == 200, path
    return str(answer.text)


def shown_state(story: Story, person: User) -> str:
    """The state that the badge on the Slack page says."""
    text = page(story, person)
    found = [name for badge, name in BADGES.items() if f">{badge}</span>" in text]
    assert len(found) == 1, found
    return found[0]


def credentials(story: Story, person: User) -> Credentials:
    installation = story.installation(account_of(person))
    assert installation is not None
    return installation.credentials


def alert(story: Story, person: User, channel_id: str = "C0ALERTS", **more: Any) -> int:
    """An alert of a new source that an alert action sends to the channel."""
    with story.app.app_context():
        source, _ = make_source(person.account)
        make_action(source, channel_id=channel_id, channel_name="alerts")
        return make_alert(source, **more).id


def texts(story: Story, channel_id: str = "C0ALERTS") -> list[str]:
    said = story.sandbox.messages(channel_id)
    return [m["text"] for m in said if not m["is_ephemeral"] and not m.get("thread_ts")]


def methods(story: Story, since: int = 0) -> list[str]:
    """The Web API methods that were called."""
    return [request.method for request in story.sandbox.requests(since=since)]


def last_call(story: Story) -> int:
    return max((request.seq for request in story.sandbox.requests()), default=0)


def catch_up(story: Story) -> None:
    """As if a while had gone by in every lane, and the clock had woken what is behind."""
    with story.app.app_context():
        free = update(Lane).values(next_at=now(), paced_at=now(), held_reason=None)
        db.session.execute(free.values(returns_at=None))
        db.session.execute(update(Outage).values(next_try_at=now()))
        db.session.execute(update(PostedMessage).values(not_before=None))
        upkeep.wake_behind()
        db.session.commit()
    story.work()
