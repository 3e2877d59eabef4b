"""What follows from a slash command? One function per command, answered from the database alone.

https://docs.slack.dev/interactivity/implementing-slash-commands: within three seconds, whatever
Slack's own API does. So nobody asks Slack within the request: who is not known yet gets what can be
said to anybody, and a job asks who they are and sends the rest through the command's response_url.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import structlog

from portal.db import db, now
from portal.jobs.engine import job, wake
from portal.slack import installations, mapping, oncall, replies, workspace
from portal.slack.actions import NOT_LINKED
from portal.slack.askers import Asker
from portal.slack.clicks import SlackCommand
from portal.slack.errors import Meaning, SlackError
from portal.slack.installations import SlackInstallation
from portal.slack.oncall import Answer
from portal.slack.payloads import SlashCommand

ONCALL = "/il-oncall"
NO_COMMAND = "Tocsin has no such command. Alerts are answered with the buttons of their messages."
ONE_MOMENT = "One moment: asking Slack who you are …"
SLACK_AWAY = "Slack could not say who you are just now. Please ask again in a minute."
LOOK_AGAIN = timedelta(days=1)  # people change their zone, and guests become members

BY_COMMAND: dict[str, Callable[[Asker, str], Answer]] = {ONCALL: oncall.asked}

log = structlog.get_logger()


def run(command: SlashCommand) -> dict[str, Any]:
    """Carry a command out; what Slack shows to the one who typed it."""
    if command.command not in BY_COMMAND:
        return {"text": NO_COMMAND}
    installation = installations.of_team(command.team_id)
    if installation is None:
        return {"text": NOT_LINKED}
    asker = Asker.find(installation, command.user_id, command.channel_id)
    answer = _answer(asker, command.command, command.text)
    if answer.is_owed or asker.profile is None or now() - asker.profile.noted_at > LOOK_AGAIN:
        _ask_slack(command, installation, is_owed=answer.is_owed)
    db.session.commit()
    return answer.message or {"text": ONE_MOMENT}


def _answer(asker: Asker, command: str, text: str) -> Answer:
    if asker.is_outsider:
        return Answer({"text": f"Only members of {asker.installation.team_name} can ask here."})
    return BY_COMMAND[command](asker, text)


def _ask_slack(command: SlashCommand, installation: SlackInstallation, *, is_owed: bool) -> None:
    noted = SlackCommand(
        account_id=installation.account_id,
        slack_user_id=command.user_id,
        channel_id=command.channel_id,
        command=command.command,
        text=command.text,
        is_owed=is_owed,
        response_url=command.response_url or None,
    )
    db.session.add(noted)
    db.session.flush()
    wake(identify_asker, command_id=noted.id)


@job("identify_asker:{command_id}", queue="urgent")
def identify_asker(command_id: int) -> None:
    """Ask Slack who typed the command, remember it, and say what is still owed to them."""
    noted = db.session.get(SlackCommand, command_id)
    installation = installations.of_account(noted.account_id) if noted else None
    if noted is None or installation is None:
        return
    credentials, slack_user_id = installation.credentials, noted.slack_user_id
    db.session.commit()
    try:
        record = workspace.call(credentials, "users.info", user=slack_user_id).get("user") or {}
    except SlackError as problem:
        log.warning("asker_not_identified", command_id=command_id, slack_error=problem.code)
        is_nobody = problem.meaning is Meaning.PERSON
        _finish(command_id, {"text": oncall.NOT_SWITCHED_ON if is_nobody else SLACK_AWAY})
        return
    installation = installations.of_account(credentials.account_id)
    noted = db.session.get(SlackCommand, command_id)
    if installation is None or noted is None:
        return
    mapping.recognise(record, installation)
    asker = Asker.find(installation, slack_user_id, noted.channel_id, has_been_asked=True)
    _finish(command_id, _answer(asker, noted.command, noted.text).message)


def _finish(command_id: int, message: dict[str, Any] | None) -> None:
    """Forget the command, and say what is still owed."""
    noted = db.session.get(SlackCommand, command_id)
    if noted is not None:
        db.session.delete(noted)
        db.session.flush()
        if noted.is_owed and message is not None:
            replies.say(
                message["text"],
                blocks=message.get("blocks"),
                account_id=noted.account_id,
                slack_user_id=noted.slack_user_id,
                channel_id=noted.channel_id,
                response_url=noted.response_url,
            )
    db.session.commit()
