"""What changes alert actions? Each function is one transaction."""

import re
from collections.abc import Collection

from portal.db import db
from portal.domain.accounts.models import Account, User
from portal.domain.accounts.permissions import Permission
from portal.domain.audit import log
from portal.domain.audit.actions import AuditAction
from portal.domain.routing import queries
from portal.domain.routing.models import AfterStorm, AlertAction
from portal.domain.sources.models import AlertSource
from portal.errors import Invalid, NotFound

LONGEST_NAME = 120
CHANNEL_ID = re.compile(r"[CGD][A-Z0-9]{2,30}")


def create(
    *,
    account: Account,
    sources: Collection[AlertSource],
    channel_id: str,
    channel_name: str,
    name: str = "",
    fallback: tuple[str, str] | None = None,
    after_storm: AfterStorm = AfterStorm.SUMMARY,
    by: User | None,
) -> AlertAction:
    """Send the alerts of these sources to a channel. `by` is None on the command line.

    `channel_id` is Slack's (C… or G…); `channel_name` is only shown. `fallback`, id and name, is the
    channel that is used as well while nothing can be posted to the first. Raises Invalid.
    """
    if by is not None:
        by.require(Permission.MANAGE_ALERT_ACTIONS)
        if by.account_id != account.id:
            raise NotFound("There is no such account.")
    action = AlertAction(account_id=account.id, created_by_id=by.id if by else None)
    _fill(action, account.id, sources, channel_id, channel_name, name)
    _fill_rest(action, fallback, after_storm)
    db.session.add(action)
    _audit(AuditAction.ALERT_ACTION_CREATED, action, by or log.COMMAND_LINE)
    db.session.commit()
    return action


def change(
    action_id: int,
    *,
    sources: Collection[AlertSource],
    channel_id: str,
    channel_name: str,
    name: str,
    fallback: tuple[str, str] | None = None,
    after_storm: AfterStorm = AfterStorm.SUMMARY,
    by: User,
) -> AlertAction:
    """Change all of it. Alerts already shown stay where they are."""
    action = _locked(action_id, by)
    before = _described(action)
    _fill(action, action.account_id, sources, channel_id, channel_name, name)
    _fill_rest(action, fallback, after_storm)
    _audit_change(action, before, by)
    db.session.commit()
    return action


def choose_channels(
    action_id: int, *, creates_channel: bool, archive_days: str, by: User
) -> AlertAction:
    """Whether its alerts of high priority get channels of their own, and when these are archived.

    `archive_days`, as typed, counts from the moment an alert is resolved; empty: never. Raises
    Invalid.
    """
    action = _locked(action_id, by)
    is_number = archive_days.isascii() and archive_days.isdecimal() and len(archive_days) < 4
    if archive_days and not (is_number and int(archive_days) >= 1):
        raise Invalid("Please enter from 1 to 999 days, or nothing.", field="archive_channel_days")
    before = _described(action)
    action.creates_channel = creates_channel
    action.archive_channel_days = int(archive_days) if archive_days else None
    _audit_change(action, before, by)
    db.session.commit()
    return action


def delete(action_id: int, *, by: User) -> None:
    """New alerts no longer appear in the channel; messages there are still kept up to date."""
    action = _locked(action_id, by)
    _audit(AuditAction.ALERT_ACTION_DELETED, action, by)
    db.session.delete(action)
    db.session.commit()


def _fill(
    action: AlertAction,
    account_id: int,
    sources: Collection[AlertSource],
    channel_id: str,
    channel_name: str,
    name: str,
) -> None:
    if not sources:
        raise Invalid("Please choose at least one alert source.", field="sources")
    if any(source.account_id != account_id for source in sources):
        raise NotFound("There is no such alert source in your account.")
    if not CHANNEL_ID.fullmatch(channel_id):
        raise Invalid("Please choose a channel.", field="channel_id")
    action.sources = list(dict.fromkeys(sources))  # one may be named twice
    action.channel_id = channel_id
    action.channel_name = channel_name.strip().removeprefix("#") or channel_id
    action.name = " ".join(name.split()) or f"Alerts to #{action.channel_name}"
    if len(action.name) > LONGEST_NAME:
        raise Invalid(f"Please give a name of up to {LONGEST_NAME} characters.", field="name")


def _fill_rest(
    action: AlertAction, fallback: tuple[str, str] | None, after_storm: AfterStorm
) -> None:
    if fallback is not None:
        if not CHANNEL_ID.fullmatch(fallback[0]):
            raise Invalid("Please choose a channel, or none.", field="fallback_channel_id")
        if fallback[0] == action.channel_id:
            raise Invalid(
                "Please choose another channel than the first.", field="fallback_channel_id"
            )
    action.fallback_channel_id, action.fallback_channel_name = fallback or (None, None)
    action.after_storm = after_storm


def _locked(action_id: int, by: User) -> AlertAction:
    by.require(Permission.MANAGE_ALERT_ACTIONS)
    wanted = queries.visible_to(by).where(AlertAction.id == action_id).with_for_update()
    action = db.session.scalar(wanted.execution_options(populate_existing=True))
    if action is None:
        raise NotFound("There is no such alert action in your account.")
    return action


def _audit_change(action: AlertAction, before: dict[str, str], by: User) -> None:
    changed = log.changes(before, _described(action))
    if changed:
        _audit(AuditAction.ALERT_ACTION_CHANGED, action, by, **changed)


def _audit(action: AuditAction, subject: AlertAction, by: User | str, **details: str) -> None:
    log.record(
        action,
        account_id=subject.account_id,
        by=by,
        subject=f"alert action {subject.name}",
        **_described(subject),
        **details,
    )


def _described(action: AlertAction) -> dict[str, str]:
    names = sorted(source.name for source in action.sources)
    days = action.archive_channel_days
    return {
        "name": action.name,
        "channel": action.channel_name,
        "channel_id": action.channel_id,
        "sources": ", ".join(names),
        "fallback": action.fallback_channel_name or "none",
        "after_storm": action.after_storm,
        "own_channels": "for high priority" if action.creates_channel else "no",
        "archived": f"after {days} days" if days else "never",
    }
