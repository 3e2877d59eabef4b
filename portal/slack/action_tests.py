"""Does an alert action get through? Post a marked message to each of its channels, and keep Slack's
answer for its page."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from portal.db import db, now
from portal.domain.routing.models import ActionTest, AlertAction
from portal.jobs.engine import job, wake
from portal.slack import installations, lanes, pacing, workspace
from portal.slack.errors import SlackError
from portal.slack.installations import Credentials
from portal.slack.messages.text import escape

GIVEN_UP_AFTER = timedelta(minutes=2)  # somebody is looking at the page


@job("action_test:{action_id}")
def post(action_id: int) -> None:
    """Post to the first channel that has not answered yet; then come back for the next one."""
    action = db.session.get(AlertAction, action_id)
    waiting = select(ActionTest).where(
        ActionTest.action_id == action_id, ActionTest.answered_at.is_(None)
    )
    test = db.session.scalar(waiting.order_by(ActionTest.channel_id).with_for_update())
    if action is None or test is None:
        return
    installation = installations.of_account(action.account_id)
    if installation is None or not installation.is_working:
        code = "link_broken" if installation is not None else "not_linked"
        _answered(action_id, test.channel_id, code)
        return
    channel_id, moment, credentials = test.channel_id, now(), installation.credentials
    lane = lanes.locked(action.account_id, channel_id)
    at = max(
        pacing.channel_place(lane, moment), pacing.take(action.account_id, pacing.POST, moment)
    )
    text = f"This is a test of the alert action “{escape(action.name, 300)}”. Nothing is wrong."
    if at > moment:
        # The places are left to others, or a test that waits would slow the channel down.
        db.session.rollback()
        if at > test.asked_at + GIVEN_UP_AFTER:
            _answered(action_id, channel_id, "ratelimited")
            return
        wake(post, at=at, action_id=action_id)
        db.session.commit()
        return
    db.session.commit()
    _answered(action_id, channel_id, _ask(credentials, channel_id, text))


def _ask(credentials: Credentials, channel_id: str, text: str) -> str | None:
    """Slack's code, or none where the message is there."""
    message: dict[str, Any] = {
        "channel": channel_id,
        "text": f":information_source: *[Test]* {text}",
        "parse": "none",
        "unfurl_links": False,
        "unfurl_media": False,
    }
    try:
        workspace.call(credentials, pacing.POST, **message)
    except SlackError as problem:
        return problem.code
    return None


def _answered(action_id: int, channel_id: str, code: str | None) -> None:
    """Keep the answer, and go on with the next channel."""
    test = db.session.get(ActionTest, (action_id, channel_id), populate_existing=True)
    if test is not None:
        test.answered_at, test.problem = now(), code
        wake(post, action_id=action_id)
    db.session.commit()
