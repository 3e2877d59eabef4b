"""Does what happens to a channel in Slack reach the alert actions that post there?"""

from sqlalchemy import select

from portal.db import db
from portal.domain.alerts.models import Alert
from portal.domain.notices.models import Notice
from portal.domain.routing.models import ActionChannel
from portal.slack.places import places
from tests.slack.conftest import Story
from tests.slack.links import alert, texts


def heard(story: Story, kind: str) -> None:
    """Slack's event has come, and what follows from it is done."""
    assert story.sandbox.deliveries(kind, wait=10, count=1)
    story.work()


def test_a_renamed_channel_is_shown_under_its_new_name(story: Story) -> None:
    people = story.people()
    story.link(people["olivia"])
    alert_id = alert(story, people["olivia"], "C0OPS")
    story.work()
    story.sandbox.admin("rename", channel="C0OPS", name="operations")
    heard(story, "channel_rename")
    with story.app.app_context():
        assert db.session.scalars(select(ActionChannel.channel_name)).all() == ["operations"]
        assert [p.label for p in places(db.session.get_one(Alert, alert_id))] == ["#operations"]


def test_an_archived_channel_is_told_at_once_and_goes_on_when_it_is_opened_again(
    story: Story,
) -> None:
    people = story.people()
    story.link(people["olivia"])
    alert(story, people["olivia"], "C0OPS", summary="Before")
    story.work()
    story.sandbox.admin("archive", channel="C0OPS")
    heard(story, "channel_archive")
    with story.app.app_context():
        told = db.session.scalars(select(Notice.user_id).where(Notice.text.contains("#"))).all()
        assert {people["olivia"].id, people["adam"].id} <= set(told)
    alert(story, people["olivia"], "C0OPS", summary="While it was archived")
    story.work()
    assert not any("While it was archived" in said for said in texts(story, "C0OPS"))
    story.sandbox.admin("unarchive", channel="C0OPS")
    story.sandbox.admin("invite", channel="C0OPS")
    heard(story, "channel_unarchive")
    assert any("While it was archived" in said for said in texts(story, "C0OPS"))
    with story.app.app_context():
        assert db.session.scalars(select(Notice)).all() == []
