"""Which alert sources does this channel show? What `/ilert` answers, and what its menu's clicks do.

product.md 3.1. What is added here is an ordinary alert action, and stands on the web as well.
"""

from collections.abc import Callable
from functools import cache
from importlib import metadata
from typing import Any

import structlog
from flask import current_app

from portal.db import db
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import REFUSALS, Permission
from portal.domain.routing import in_channel
from portal.domain.sources.models import AlertSource
from portal.errors import PortalError
from portal.jobs.engine import job
from portal.slack import channels, installations, replies, workspace
from portal.slack.answers import Answer, Message, finish
from portal.slack.askers import Asker
from portal.slack.channels import Place
from portal.slack.clicks import SlackCommand, Way
from portal.slack.errors import SlackError, words
from portal.slack.installations import Credentials, SlackInstallation
from portal.slack.messages import channel_menu as messages
from portal.slack.messages.channel_menu import ADD, MOST_OPTIONS, REMOVE, Menu
from portal.slack.messages.text import escape
from portal.slack.payloads import BlockAction
from portal.slack.refusals import lacks_scope

USAGE = (
    "`/ilert` shows which alert sources this channel shows, and lets you add and remove them.\n"
    "`/ilert alert` opens a new alert, as `/il-alert` does.\n"
    "`/ilert oncall` says who is on call, as `/il-oncall` does.\n"
    "`/ilert help` shows this."
)
NOT_CONNECTED = (
    "Your Slack user is not connected to an account here. Press *Connect*, or ask an admin for an"
    " account with the e-mail address of your Slack profile."
)
DIRECT = "Alert sources belong to channels. Type /ilert in the channel that should show alerts."
NOT_INVITED = (
    "Tocsin is not in this private channel, so it could not post alerts here. Type /invite @Tocsin,"
    " then try again."
)
GONE = "This choice is no longer offered. Nothing was changed."
CHANNEL_SCOPES = ("channels:read", "groups:read")

log = structlog.get_logger()


def asked(asker: Asker, text: str) -> Answer:
    """The answer to `/ilert`; its menu has to wait for what Slack says of the channel."""
    if text:
        is_help = text.lower() in ("help", "?")
        return Answer({"text": USAGE if is_help else f"`/ilert` knows no such word.\n{USAGE}"})
    if asker.channel_id.startswith("D"):
        return Answer({"text": DIRECT})
    if asker.person is None and not asker.has_been_asked:
        return Answer(None, is_owed=True)  # they may have got an account since
    if refusal := _refusal(asker.person):
        return Answer({"text": refusal})
    return Answer(None, then=show)


@job("channel_menu:{command_id}", queue="urgent")
def show(command_id: int) -> None:
    """Ask Slack what channel this is, and show the menu, or why there is none."""
    noted = db.session.get(SlackCommand, command_id)
    installation = installations.of_account(noted.account_id) if noted else None
    if noted is None or installation is None:
        return
    credentials, channel_id, slack_user_id = (
        installation.credentials,
        noted.channel_id,
        noted.slack_user_id,
    )
    db.session.commit()
    try:
        answer = workspace.call(credentials, "conversations.info", channel=channel_id)
    except SlackError as problem:
        log.warning("channel_not_described", command_id=command_id, slack_error=problem.code)
        finish(command_id, {"text": _why_not(problem.code, credentials)})
        return
    place = Place.parse(answer.get("channel") or {})
    installation = installations.of_account(credentials.account_id)
    if installation is None:
        return
    finish(command_id, _menu(Asker.find(installation, slack_user_id, channel_id), place))


def press(click: BlockAction, installation: SlackInstallation) -> None:
    """Add or remove a source, tell the channel, and show the menu as it is now.

    Within the caller's transaction, which its own changes end.
    """
    asker = Asker.find(installation, click.user_id, click.channel_id)
    known = channels.of(installation.account_id, click.channel_id)
    refusal = _refusal(asker.person)
    if asker.person is None or known is None or refusal:
        _say(click, installation, {"text": refusal or GONE}, Way.REPLACE)
        return
    news, is_public = _changed(click, asker.person, known.channel_name)
    if is_public:
        _say(click, installation, {"text": news}, Way.PUBLIC)
    menu = _of(asker.person, click.channel_id, known.channel_name, known.is_shared, news)
    _say(click, installation, messages.message(menu), Way.REPLACE)


def choices(person: User, typed: str, channel_id: str) -> dict[str, Any]:
    """The sources that can be added to the channel, for the menu's select."""
    if not person.can(Permission.MANAGE_ALERT_ACTIONS):
        return messages.options([])
    found = in_channel.others(person, channel_id, typed, limit=MOST_OPTIONS)
    return messages.options(found)


def _menu(asker: Asker, place: Place) -> Message:
    refusal = _refusal(asker.person)
    if asker.person is None or refusal:
        return {"text": refusal}
    if place.is_conversation:
        return {"text": DIRECT}
    if not place.is_open_to_us:
        return {"text": NOT_INVITED}
    channels.note(place, asker.installation.account_id)
    return messages.message(_of(asker.person, place.id, place.name, place.is_shared))


def _why_not(code: str, credentials: Credentials) -> str:
    """Slack does not describe the channel: for want of what?"""
    missing = [scope for scope in CHANNEL_SCOPES if scope not in credentials.scopes]
    if code in ("channel_not_found", "missing_scope") and missing:
        return lacks_scope(missing[0])
    if code == "channel_not_found":
        return NOT_INVITED  # to us, a private channel without our bot does not exist
    if code == "missing_scope":
        return DIRECT  # of several people: we ask for no permission to look at these
    return f"{words(code)} Please try again."


def _of(person: User, channel_id: str, name: str, is_shared: bool, news: str = "") -> Menu:
    return Menu(
        channel_name=name,
        is_shared=is_shared,
        sources=in_channel.sources_in(person, channel_id),
        portal=current_app.config["PUBLIC_URL"],
        version=_version(),
        news=news,
    )


def _changed(click: BlockAction, person: User, channel_name: str) -> tuple[str, bool]:
    """A line that says what the click did, and whether the channel should read it."""
    who, number = f"<@{click.user_id}>", click.value
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return GONE, False
    try:
        source, is_change, line = DEEDS[click.action_id](
            int(number), click.channel_id, channel_name, person
        )
    except PortalError as refusal:
        db.session.rollback()
        return escape(str(refusal), 500), False
    named = messages.linked(source, current_app.config["PUBLIC_URL"])
    return line.format(who=who, source=named), is_change


def _add(
    source_id: int, channel_id: str, channel_name: str, by: User
) -> tuple[AlertSource, bool, str]:
    source, is_new = in_channel.add(
        source_id, channel_id=channel_id, channel_name=channel_name, by=by
    )
    added = "✅ {who}: alert source {source} added to the channel"
    return source, is_new, added if is_new else "The channel shows {source} already."


def _remove(
    source_id: int, channel_id: str, channel_name: str, by: User
) -> tuple[AlertSource, bool, str]:
    source, was_there = in_channel.remove(source_id, channel_id=channel_id, by=by)
    removed = "{who}: alert source {source} removed from the channel"
    return source, was_there, removed if was_there else "The channel shows {source} no more."


DEEDS: dict[str, Callable[[int, str, str, User], tuple[AlertSource, bool, str]]] = {
    ADD: _add,
    REMOVE: _remove,
}


def _refusal(person: User | None) -> str:
    if person is None:
        return NOT_CONNECTED
    may = person.can(Permission.MANAGE_ALERT_ACTIONS)
    return "" if may else REFUSALS[Permission.MANAGE_ALERT_ACTIONS]


def _say(click: BlockAction, installation: SlackInstallation, message: Message, way: Way) -> None:
    replies.say(
        message["text"],
        blocks=message.get("blocks"),
        way=way,
        account_id=installation.account_id,
        slack_user_id=click.user_id,
        channel_id=click.channel_id,
        response_url=click.response_url,
    )


@cache
def _version() -> str:
    return metadata.version("tocsin")
