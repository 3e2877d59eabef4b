"""What follows from a pressed button? One function per action_id; changes now, talk later."""

from collections.abc import Callable
from typing import Any

import structlog

from portal.db import db
from portal.domain.accounts.models import User
from portal.domain.alerts import operations as alerts
from portal.domain.alerts.models import Alert, Via
from portal.errors import PortalError
from portal.jobs.engine import job, wake
from portal.slack import (
    channel_menu,
    connects,
    installations,
    mapping,
    modals,
    oncall_clicks,
    people,
    probes,
    replies,
    summary_clicks,
    workspace,
)
from portal.slack.clicks import SlackClick
from portal.slack.errors import Meaning, SlackError
from portal.slack.installations import SlackInstallation
from portal.slack.messages.alert import ACKNOWLEDGE, MORE, RESOLVE
from portal.slack.messages.summary import LIST
from portal.slack.payloads import BlockAction
from portal.slack.refusals import (
    NO_SUCH_USER,
    NOT_AVAILABLE,
    NOT_CONNECTED,
    NOT_LINKED,
    OLD_BUTTON,
    SLACK_AWAY,
    only_members,
    our_fault,
)

log = structlog.get_logger()


def _acknowledge(alert_id: int, by: User) -> Alert:
    return alerts.acknowledge(alert_id, by=by, via=Via.SLACK)


def _resolve(alert_id: int, by: User) -> Alert:
    return alerts.resolve(alert_id, by=by, via=Via.SLACK)


BY_ACTION_ID: dict[str, Callable[[int, User], Alert]] = {
    ACKNOWLEDGE: _acknowledge,
    RESOLVE: _resolve,
}
# Buttons that open a modal: which one, and what the number on the button is.
OPENS: dict[str, tuple[str, str]] = {MORE: (MORE, "alert_id"), LIST: (LIST, "summary_id")}


def press(click: BlockAction) -> None:
    """Carry out a click of a linked person; of anybody else, note it and ask Slack who they are."""
    installation = installations.of_team(click.team_id)
    if click.action_id == connects.CONNECT:
        pass  # it opens an address in the browser
    elif installation is None:
        _tell(click, None, NOT_LINKED)
    elif click.user_team_id not in (installation.team_id, installation.enterprise_id):
        _tell(click, installation.account_id, only_members(installation.team_name))
    elif click.action_id in oncall_clicks.ACTION_IDS:
        oncall_clicks.press(click, installation)
    elif click.action_id in channel_menu.DEEDS:
        channel_menu.press(click, installation)
    elif click.action_id not in (*BY_ACTION_ID, *OPENS, *summary_clicks.ACTION_IDS):
        _tell(click, installation.account_id, OLD_BUTTON)
    elif not (click.value.isascii() and click.value.isdigit() and len(click.value) < 19):
        _tell(click, installation.account_id, NOT_AVAILABLE)
    elif click.action_id in OPENS:
        kind, about = OPENS[click.action_id]
        _open(click, kind, {about: int(click.value)}, installation.account_id)
    else:
        probes.notice_domain(installation, click.team_domain)
        person = people.linked(installation.account_id, click.user_id)
        is_bulk = click.action_id in summary_clicks.ACTION_IDS
        if person is None or is_bulk:
            noted = _remember(click, installation.account_id)
            then = summary_clicks.carry_out if is_bulk and person else identify_clicker
            wake(then, click_id=noted.id)
        else:
            _act(click.action_id, int(click.value), person, click, installation.account_id)
    db.session.commit()


def apologize(click: BlockAction, reference: str) -> None:
    """Tell the person that the fault is ours, with the id under which the log has it."""
    installation = installations.of_team(click.team_id)
    _tell(click, installation.account_id if installation else None, our_fault(reference))
    db.session.commit()


def _open(click: BlockAction, kind: str, subject: dict[str, Any], account_id: int) -> None:
    modals.ask(
        kind,
        subject,
        account_id=account_id,
        slack_user_id=click.user_id,
        channel_id=click.channel_id,
        trigger_id=click.trigger_id,
        response_url=click.response_url,
    )


def _act(
    action_id: str,
    alert_id: int,
    person: User,
    click: BlockAction | SlackClick,
    account_id: int,
) -> None:
    try:
        BY_ACTION_ID[action_id](alert_id, person)
    except PortalError as refusal:
        db.session.rollback()
        _tell(click, account_id, str(refusal))


def _remember(click: BlockAction, account_id: int) -> SlackClick:
    noted = SlackClick(
        account_id=account_id,
        slack_user_id=click.user_id,
        user_team_id=click.user_team_id,
        channel_id=click.channel_id,
        action_id=click.action_id,
        alert_id=int(click.value),
        response_url=click.response_url or None,
    )
    db.session.add(noted)
    db.session.flush()
    return noted


@job("identify:{click_id}", queue="urgent")
def identify_clicker(click_id: int) -> None:
    """Ask Slack who pressed; carry the click out if it is a person of ours, else explain."""
    click = db.session.get(SlackClick, click_id)
    installation = installations.of_account(click.account_id) if click else None
    if click is None or installation is None:
        return
    credentials, slack_user_id = installation.credentials, click.slack_user_id
    db.session.commit()
    try:
        record = workspace.call(credentials, "users.info", user=slack_user_id).get("user") or {}
    except SlackError as problem:
        log.warning("clicker_not_identified", click_id=click_id, slack_error=problem.code)
        _finish(click_id, NO_SUCH_USER if problem.meaning is Meaning.PERSON else SLACK_AWAY)
        return
    click = db.session.get(SlackClick, click_id)
    installation = installations.of_account(click.account_id) if click else None
    person = mapping.recognise(record, installation) if click and installation else None
    if click is None or installation is None:
        return
    if person is None:
        _not_connected(click, installation)
        return
    if click.action_id in summary_clicks.ACTION_IDS:
        wake(summary_clicks.carry_out, click_id=click_id)
        db.session.commit()
        return
    db.session.commit()
    _act(click.action_id, click.alert_id, person, click, click.account_id)
    _finish(click_id, None)


def _not_connected(click: SlackClick, installation: SlackInstallation) -> None:
    """Offer to connect, and keep what was pressed for then; not to whom we would never connect."""
    alert_id = click.alert_id if click.action_id in BY_ACTION_ID else None  # else of a summary
    offered = connects.offer_to_stranger(
        click.account_id, click.slack_user_id, action_id=click.action_id, about_id=alert_id
    )
    if offered is None:
        _finish(click.id, only_members(installation.team_name))
        return
    db.session.delete(click)
    db.session.flush()
    _tell(click, click.account_id, NOT_CONNECTED, connect_id=offered)
    db.session.commit()


def _finish(click_id: int, explanation: str | None) -> None:
    click = db.session.get(SlackClick, click_id)
    if click is not None:
        db.session.delete(click)
        db.session.flush()
        if explanation:
            _tell(click, click.account_id, explanation)
    db.session.commit()


def _tell(
    click: BlockAction | SlackClick,
    account_id: int | None,
    text: str,
    connect_id: int | None = None,
) -> None:
    replies.say(
        text,
        account_id=account_id,
        slack_user_id=click.slack_user_id if isinstance(click, SlackClick) else click.user_id,
        channel_id=click.channel_id,
        response_url=click.response_url,
        connect_id=connect_id,
    )
