"""Does an alert get one channel of its own, whatever happens meanwhile, and does it follow it?"""

from typing import Any

import pytest
from sqlalchemy import select, update

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.alerts import operations as alerts
from portal.domain.alerts.models import Alert, TimelineEntry, TimelineKind, Via
from portal.domain.dedicated_channels import operations, queries
from portal.domain.dedicated_channels.models import ChannelState, DedicatedChannel
from portal.domain.escalation import operations as escalation
from portal.slack import dedicated
from tests.make import make_alert, make_source
from tests.slack.conftest import Story, pass_the_pace
from tests.slack.links import account_of, methods

BOT_MADE = "grafana_alert_"


@pytest.fixture
def cast(story: Story) -> dict[str, User]:
    """The people of Acme, whose workspace is linked."""
    people = story.people()
    story.link(people["adam"])
    return people


def an_alert(story: Story, person: User, **more: Any) -> int:
    with story.app.app_context():
        source, _ = make_source(person.account, name="Grafana")
        return make_alert(source, **more).id


def ask(story: Story, person: User, alert_id: int, **more: Any) -> int:
    with story.app.app_context():
        by = db.session.get_one(User, person.id)
        return operations.create(alert_id, by=by, via=Via.WEB, **more).id


def settle(story: Story) -> None:
    """As if some minutes had gone by: whatever waits, for its pace or for a retry, is done."""
    for _ in range(12):
        with story.app.app_context():
            soon = {"next_try_at": now()}
            db.session.execute(update(DedicatedChannel).values(**soon))
            db.session.commit()
        pass_the_pace(story)
        with story.app.app_context():
            if not [at for _, at in dedicated.unfinished()]:
                return


def channel(story: Story, alert_id: int) -> DedicatedChannel:
    with story.app.app_context():
        found = queries.current(db.session.get_one(Alert, alert_id))
        assert found is not None
        [invitation.user.name for invitation in found.invitations]
        return found


def in_slack(story: Story) -> list[dict[str, Any]]:
    """The channels that our bot has made."""
    state = story.sandbox.state()
    print(type(state), list(state)[:20])
    return [each for each in state["channels"].values() if "alert_" in each["name"]]


def test_a_channel_is_made_furnished_and_shown(story: Story, cast: dict[str, User]) -> None:
    alert_id = an_alert(story, cast["ada"])
    ask(story, cast["ada"], alert_id)
    settle(story)
    made = channel(story, alert_id)
    print(vars(made))
    print([ (r.method, r.decision) for r in story.sandbox.requests()][-15:])
    print(in_slack(story))
    assert made.state is ChannelState.ATTACHED
    assert story.sandbox.violations() == []
