"""What follows from a click in an answer to `/il-oncall`? The message changes, for its reader only."""

from typing import Any

from portal.domain.accounts.permissions import Permission
from portal.slack import oncall, replies
from portal.slack.askers import Asker
from portal.slack.clicks import Way
from portal.slack.installations import SlackInstallation
from portal.slack.messages.oncall import CANCEL, CHANGE, CHOOSE, prompt
from portal.slack.payloads import BlockAction

ACTION_IDS = (CANCEL, CHANGE, CHOOSE)
NO_LONGER = "You may no longer search policies and sources. Ask an admin."


def press(click: BlockAction, installation: SlackInstallation) -> None:
    """Have the message replaced or taken away. Within the caller's transaction."""
    if click.action_id == CANCEL:
        _say(click, installation, {"text": "Cancelled."}, Way.DELETE)
        return
    asker = Asker.find(installation, click.user_id, click.channel_id)
    if asker.person is None or not asker.person.can(Permission.SEE_ESCALATION_POLICIES):
        message: dict[str, Any] = {"text": NO_LONGER}
    elif click.action_id == CHANGE:
        message = prompt()
    else:
        message = oncall.chosen(asker, asker.person, click.value)
    _say(click, installation, message, Way.REPLACE)


def _say(
    click: BlockAction, installation: SlackInstallation, message: dict[str, Any], way: Way
) -> None:
    replies.say(
        message["text"],
        blocks=message.get("blocks"),
        way=way,
        account_id=installation.account_id,
        slack_user_id=click.user_id,
        channel_id=click.channel_id,
        response_url=click.response_url,
    )
