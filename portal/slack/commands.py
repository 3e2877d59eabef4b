"""What follows from a slash command? One function per command, answered from the database alone.

https://docs.slack.dev/interactivity/implementing-slash-commands: within three seconds, whatever
Slack's own API does. So nobody asks Slack within the request: who is not known yet gets what can be
said to anybody, and a job asks who they are and sends the rest through the command's response_url.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import structlog

from portal.db import db, now
from portal.jobs.engine import job, wake
from portal.slack import (
    channel_menu,
    installations,
    mapping,
    modals,
    new_alert,
    oncall,
    workspace,
)
from portal.slack.answers import Answer, finish
from portal.slack.askers import Asker
from portal.slack.clicks import SlackCommand
from portal.slack.errors import Meaning, SlackError
from portal.slack.installations import SlackInstallation
from portal.slack.payloads import SlashCommand
from portal.slack.refusals import NOT_LINKED

MENU, ALERT, ONCALL = "/ilert", "/il-alert", "/il-oncall"
BY_FIRST_WORD = {"alert": ALERT, "oncall": ONCALL}  # what `/ilert` does instead of its menu
NOBODY = {MENU: channel_menu.NOT_CONNECTED, ONCALL: oncall.NOT_SWITCHED_ON}  # Slack knows no such
NO_COMMAND = "Tocsin has no such command. Alerts are answered with the buttons of their messages."
ONE_MOMENT = "One moment: asking Slack who you are …"
SLACK_AWAY = "Slack could not say who you are just now. Please ask again in a minute."
LOOK_AGAIN = timedelta(days=1)  # people change their zone, and guests become members

BY_COMMAND: dict[str, Callable[[Asker, str], Answer]] = {
    MENU: channel_menu.asked,
    ONCALL: oncall.asked,
}

log = structlog.get_logger()


def run(command: SlashCommand) -> dict[str, Any]:
    """Carry a command out; what Slack shows to the one who typed it. Nothing: a job will say it."""
    command = _meant(command)
    if command.command not in (ALERT, *BY_COMMAND):
        return {"text": NO_COMMAND}
    installation = installations.of_team(command.team_id)
    if installation is None:
        return {"text": NOT_LINKED}
    if command.command == ALERT:
        return _new_alert(command, installation)
    asker = Asker.find(installation, command.user_id, command.channel_id)
    answer = _answer(asker, command.command, command.text)
    if answer.then is not None:
        wake(answer.then, command_id=_note(command, installation, is_owed=True))
    elif answer.is_owed or asker.profile is None or now() - asker.profile.noted_at > LOOK_AGAIN:
        _ask_slack(command, installation, is_owed=answer.is_owed)
    db.session.commit()
    return answer.message or ({} if answer.then else {"text": ONE_MOMENT})


def _meant(command: SlashCommand) -> SlashCommand:
    """`/ilert oncall database` means `/il-oncall database`."""
    first, _, rest = command.text.partition(" ")
    other = BY_FIRST_WORD.get(first.lower()) if command.command == MENU else None
    return replace(command, command=other, text=rest.strip()) if other else command


def _new_alert(command: SlashCommand, installation: SlackInstallation) -> dict[str, Any]:
    """A modal with what was typed; nothing more to say, then."""
    if command.text.lower() in ("help", "?"):
        return {"text": new_alert.USAGE}
    account_id = installation.account_id
    modals.ask(
        new_alert.kind_for(account_id, command.channel_id),
        new_alert.subject(account_id, command.text, command.user_name),
        account_id=account_id,
        slack_user_id=command.user_id,
        channel_id=command.channel_id,
        trigger_id=command.trigger_id,
        response_url=command.response_url,
    )
    db.session.commit()
    return {}


def _answer(asker: Asker, command: str, text: str) -> Answer:
    if asker.is_outsider:
        return Answer({"text": f"Only members of {asker.installation.team_name} can ask here."})
    return BY_COMMAND[command](asker, text)


def _ask_slack(command: SlashCommand, installation: SlackInstallation, *, is_owed: bool) -> None:
    wake(identify_asker, command_id=_note(command, installation, is_owed=is_owed))


def _note(command: SlashCommand, installation: SlackInstallation, *, is_owed: bool) -> int:
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
    return noted.id


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
        finish(command_id, {"text": NOBODY[noted.command] if is_nobody else SLACK_AWAY})
        return
    installation = installations.of_account(credentials.account_id)
    noted = db.session.get(SlackCommand, command_id)
    if installation is None or noted is None:
        return
    mapping.recognise(record, installation)
    asker = Asker.find(installation, slack_user_id, noted.channel_id, has_been_asked=True)
    answer = _answer(asker, noted.command, noted.text)
    if answer.then is None:
        finish(command_id, answer.message)
    else:
        wake(answer.then, command_id=command_id)
        db.session.commit()
