"""Which alert sources does one channel show, and how is one added or taken out from within it?

What is added is an ordinary alert action. Each operation is one transaction.
"""

from dataclasses import replace

from sqlalchemy import Select, func

from portal.db import db
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Permission
from portal.domain.audit.actions import AuditAction
from portal.domain.routing import queries
from portal.domain.routing.changes import audit, audit_change, described, fill
from portal.domain.routing.drafts import LONGEST_NAME, ActionDraft
from portal.domain.routing.models import ActionChannel, AlertAction
from portal.domain.routing.triggers import TriggerMode
from portal.domain.sources import queries as sources
from portal.domain.sources.models import AlertSource
from portal.errors import NotFound


def sources_in(viewer: User, channel_id: str) -> list[AlertSource]:
    """The sources whose alerts an alert action sends to the channel, by name."""
    shown = _shown_in(viewer, channel_id)
    wanted = sources.visible_to(viewer).where(AlertSource.id.in_(shown))
    return list(db.session.scalars(wanted.order_by(func.lower(AlertSource.name), AlertSource.id)))


def others(viewer: User, channel_id: str, typed: str, *, limit: int) -> list[AlertSource]:
    """Sources that the channel does not show yet and whose name or number fits what was typed."""
    asked = typed.strip().lower()
    fits = func.lower(AlertSource.name).contains(asked, autoescape=True)
    if asked.isascii() and asked.isdecimal() and len(asked) < 19:
        fits |= AlertSource.id == int(asked)
    shown = _shown_in(viewer, channel_id)
    wanted = sources.visible_to(viewer).where(fits, AlertSource.id.not_in(shown))
    by_name = wanted.order_by(func.lower(AlertSource.name), AlertSource.id)
    return list(db.session.scalars(by_name.limit(limit)))


def add(
    source_id: int, *, channel_id: str, channel_name: str, by: User
) -> tuple[AlertSource, bool]:
    """Send the source's alerts to the channel. False: they were sent there already."""
    source = _locked(source_id, by)
    if source in sources_in(by, channel_id):
        db.session.commit()
        return source, False
    name = f"Added in Slack to #{channel_name} by {by.name}"[:LONGEST_NAME]
    action = AlertAction(account_id=source.account_id, created_by_id=by.id)
    fill(action, ActionDraft([source], [(channel_id, channel_name)], name=name))
    db.session.add(action)
    audit(AuditAction.ALERT_ACTION_CREATED, action, by)
    db.session.commit()
    return source, True


def remove(source_id: int, *, channel_id: str, by: User) -> tuple[AlertSource, bool]:
    """Send none of the source's alerts there any more; whatever else its actions do goes on.

    False: none were sent there.
    """
    source = _locked(source_id, by)
    found = db.session.scalars(_naming(by, channel_id).with_for_update()).all()
    concerned = [action for action in found if source in action.sources]
    for action in concerned:
        _take_out(action, source, channel_id, by)
    db.session.commit()
    return source, bool(concerned)


def _take_out(action: AlertAction, source: AlertSource, channel_id: str, by: User) -> None:
    """Of several sources in several channels, one in one channel: the rest becomes two actions."""
    before, draft = described(action), queries.draft_of(action)
    others = [channel for channel in draft.channels if channel[0] != channel_id]
    if len(draft.sources) == 1 and not others:
        audit(AuditAction.ALERT_ACTION_DELETED, action, by)
        db.session.delete(action)
        return
    if len(draft.sources) == 1:
        fill(action, replace(draft, channels=others))
    else:
        fill(action, replace(draft, sources=[each for each in draft.sources if each != source]))
        if others:
            rest = AlertAction(
                account_id=action.account_id,
                created_by_id=action.created_by_id,
                creates_channel=action.creates_channel,
                archive_channel_days=action.archive_channel_days,
            )
            fill(rest, replace(draft, sources=[source], channels=others))
            db.session.add(rest)
            audit(AuditAction.ALERT_ACTION_CREATED, rest, by)
    audit_change(action, before, by)


def _naming(viewer: User, channel_id: str) -> Select[AlertAction]:
    """The actions that send alerts to the channel by themselves."""
    named = AlertAction.channels.any(ActionChannel.channel_id == channel_id)
    wanted = queries.visible_to(viewer).where(named, AlertAction.mode == TriggerMode.AUTOMATIC)
    return wanted.order_by(AlertAction.id)


def _shown_in(viewer: User, channel_id: str) -> Select[tuple[int]]:
    actions = _naming(viewer, channel_id).order_by(None)
    return actions.join(AlertAction.sources).with_only_columns(AlertSource.id)


def _locked(source_id: int, by: User) -> AlertSource:
    """The source, so that two people who add it at one moment make one alert action."""
    by.require(Permission.MANAGE_ALERT_ACTIONS)
    wanted = sources.visible_to(by).where(AlertSource.id == source_id)
    source = db.session.scalar(wanted.with_for_update(key_share=True))
    if source is None:
        raise NotFound("There is no such alert source any more. Nothing was changed.")
    return source
