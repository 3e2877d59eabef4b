"""What changes alert actions? Each function is one transaction."""

from dataclasses import replace

from portal.db import db, now
from portal.domain.accounts.models import Account, User
from portal.domain.accounts.permissions import Permission
from portal.domain.audit import log
from portal.domain.audit.actions import AuditAction
from portal.domain.facts import AlertActionTested, announce
from portal.domain.routing import queries
from portal.domain.routing.changes import audit, audit_change, described, fill
from portal.domain.routing.drafts import ActionDraft
from portal.domain.routing.models import ActionTest, AlertAction
from portal.domain.sources.models import AlertSource
from portal.errors import Conflict, Invalid, NotFound


def create(draft: ActionDraft, *, account: Account, by: User | None) -> AlertAction:
    """Have alerts published as the draft says. `by` is None on the command line. Raises Invalid."""
    if by is not None:
        by.require(Permission.MANAGE_ALERT_ACTIONS)
        if by.account_id != account.id:
            raise NotFound("There is no such account.")
    action = AlertAction(account_id=account.id, created_by_id=by.id if by else None)
    fill(action, draft)
    db.session.add(action)
    audit(AuditAction.ALERT_ACTION_CREATED, action, by or log.COMMAND_LINE)
    db.session.commit()
    return action


def change(action_id: int, draft: ActionDraft, *, by: User) -> AlertAction:
    """Change all of it. Alerts already shown stay where they are. Raises Invalid."""
    action = _locked(action_id, by)
    before = described(action)
    fill(action, draft)
    audit_change(action, before, by)
    db.session.commit()
    return action


def clone(action_id: int, *, sources: list[AlertSource], by: User) -> AlertAction:
    """The same once more, for other sources; without any, for its own. Raises Conflict if a name
    such as this one is too long."""
    before = _locked(action_id, by)
    draft = queries.draft_of(before)
    copy = AlertAction(account_id=before.account_id, created_by_id=by.id)
    name = f"Copy of {draft.called}"
    copy.creates_channel = before.creates_channel
    copy.archive_channel_days = before.archive_channel_days
    fill(copy, replace(draft, name=name, sources=sources or draft.sources))
    db.session.add(copy)
    audit(AuditAction.ALERT_ACTION_CREATED, copy, by)
    db.session.commit()
    return copy


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
    before = described(action)
    action.creates_channel = creates_channel
    action.archive_channel_days = int(archive_days) if archive_days else None
    audit_change(action, before, by)
    db.session.commit()
    return action


def test(action_id: int, *, by: User) -> AlertAction:
    """Have a marked message posted to each of its channels; queries.tests_of() has Slack's answers.

    Raises Conflict while a test is still under way.
    """
    action = _locked(action_id, by)
    under_way = [each for each in queries.tests_of(action) if each.answered_at is None]
    if under_way:
        raise Conflict("A test is still under way. Please wait for Slack's answer.")
    queries.forget_tests(action)
    for channel in action.channels:
        place = {"channel_id": channel.channel_id, "channel_name": channel.channel_name}
        db.session.add(ActionTest(action_id=action.id, asked_at=now(), **place))
    audit(AuditAction.ALERT_ACTION_TESTED, action, by)
    announce(AlertActionTested(action.id))
    db.session.commit()
    return action


def delete(action_id: int, *, by: User) -> None:
    """New alerts no longer appear because of it; messages there are still kept up to date."""
    action = _locked(action_id, by)
    audit(AuditAction.ALERT_ACTION_DELETED, action, by)
    db.session.delete(action)
    db.session.commit()


def _locked(action_id: int, by: User) -> AlertAction:
    by.require(Permission.MANAGE_ALERT_ACTIONS)
    wanted = queries.visible_to(by).where(AlertAction.id == action_id).with_for_update()
    action = db.session.scalar(wanted.execution_options(populate_existing=True))
    if action is None:
        raise NotFound("There is no such alert action in your account.")
    return action
