"""Which alert sources does one channel show, and how is one added or taken out from within it?

What is added is an ordinary alert action. Each operation is one transaction.
"""

from sqlalchemy import Select, func

from portal.db import db
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Permission
from portal.domain.audit.actions import AuditAction
from portal.domain.routing import queries
from portal.domain.routing.models import AlertAction
from portal.domain.routing.operations import LONGEST_NAME, _audit_change, _described
from portal.domain.routing.operations import _audit as audit
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
    if source.id in _shown_ids(by, channel_id):
        db.session.commit()
        return source, False
    name = f"Added in Slack to #{channel_name} by {by.name}"
    action = AlertAction(
        account_id=source.account_id,
        name=name[:LONGEST_NAME],
        channel_id=channel_id,
        channel_name=channel_name,
        created_by_id=by.id,
        sources=[source],
    )
    db.session.add(action)
    audit(AuditAction.ALERT_ACTION_CREATED, action, by)
    db.session.commit()
    return source, True


def remove(source_id: int, *, channel_id: str, by: User) -> tuple[AlertSource, bool]:
    """Send none of the source's alerts there any more; whatever else its actions do goes on.

    False: none were sent there. An action that has no other source left is deleted.
    """
    source = _locked(source_id, by)
    wanted = queries.visible_to(by).where(AlertAction.channel_id == channel_id)
    found = db.session.scalars(wanted.order_by(AlertAction.id).with_for_update()).all()
    concerned = [action for action in found if source in action.sources]
    for action in concerned:
        if action.sources == [source]:
            audit(AuditAction.ALERT_ACTION_DELETED, action, by)
            db.session.delete(action)
            continue
        before = _described(action)
        action.sources.remove(source)
        _audit_change(action, before, by)
    db.session.commit()
    return source, bool(concerned)


def _shown_in(viewer: User, channel_id: str) -> Select[tuple[int]]:
    wanted = queries.visible_to(viewer).where(AlertAction.channel_id == channel_id)
    return wanted.join(AlertAction.sources).with_only_columns(AlertSource.id)


def _shown_ids(viewer: User, channel_id: str) -> set[int]:
    return set(db.session.scalars(_shown_in(viewer, channel_id)))


def _locked(source_id: int, by: User) -> AlertSource:
    """The source, so that two people who add it at one moment make one alert action."""
    by.require(Permission.MANAGE_ALERT_ACTIONS)
    wanted = sources.visible_to(by).where(AlertSource.id == source_id)
    source = db.session.scalar(wanted.with_for_update(key_share=True))
    if source is None:
        raise NotFound("There is no such alert source any more. Nothing was changed.")
    return source
