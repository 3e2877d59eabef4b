"""What follows from one of our shortcuts? A modal; the urgent job opens it.

https://docs.slack.dev/interactivity/implementing-shortcuts: the global one carries no channel, the
one on a message carries the whole message.
"""

from portal.db import db
from portal.slack import installations, modals, new_alert, people, replies
from portal.slack.installations import SlackInstallation
from portal.slack.payloads import Shortcut
from portal.slack.refusals import NOT_LINKED, only_members, our_fault

CREATE, CREATE_FROM_MESSAGE = "create_alert", "create_alert_from_message"


def run(shortcut: Shortcut) -> None:
    """Have the modal opened, or say why not. Shortcuts that we do not know change nothing."""
    if not shortcut.user_id or shortcut.callback_id not in (CREATE, CREATE_FROM_MESSAGE):
        return
    installation = installations.of_team(shortcut.team_id)
    if installation is None:
        _tell(shortcut, None, NOT_LINKED)
    elif shortcut.user_team_id not in (installation.team_id, installation.enterprise_id):
        _tell(shortcut, installation.account_id, only_members(installation.team_name))
    else:
        account_id = installation.account_id
        modals.ask(
            new_alert.kind_for(account_id, shortcut.channel_id),
            new_alert.subject(
                account_id, shortcut.text, shortcut.user_name, _origin(shortcut, installation)
            ),
            account_id=account_id,
            slack_user_id=shortcut.user_id,
            channel_id=shortcut.channel_id,
            trigger_id=shortcut.trigger_id,
            response_url=shortcut.response_url,
        )
    db.session.commit()


def apologize(shortcut: Shortcut, reference: str) -> None:
    """Tell the person that the fault is ours, with the id under which the log has it."""
    installation = installations.of_team(shortcut.team_id)
    _tell(shortcut, installation.account_id if installation else None, our_fault(reference))
    db.session.commit()


def _origin(shortcut: Shortcut, installation: SlackInstallation) -> str:
    """Who wrote the message, and where it is; not what its channel is called, which may be private."""
    if not shortcut.message_ts:
        return ""
    author = shortcut.author
    names = people.names(installation.account_id, [author])
    who = names.get(author) or shortcut.author_name or (f"@{author}" if author else "An app")
    base = installation.team_url.rstrip("/")
    number = shortcut.message_ts.replace(".", "")
    thread = f"?thread_ts={shortcut.thread_ts}&cid={shortcut.channel_id}"
    permalink = f"{base}/archives/{shortcut.channel_id}/p{number}"
    return f"{who} wrote this in Slack: {permalink}{thread if shortcut.is_reply else ''}"


def _tell(shortcut: Shortcut, account_id: int | None, text: str) -> None:
    replies.say(
        text,
        account_id=account_id,
        slack_user_id=shortcut.user_id,
        channel_id=shortcut.channel_id,
        response_url=shortcut.response_url,
    )
