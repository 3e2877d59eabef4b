"""Who hears in Slack that somebody has answered an alert? Those who were shown it and asked for that.

The alert's own message changes without ringing; this is the word besides, off by default
(product.md 3.3).
"""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import select

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Permission
from portal.domain.alerts.models import Alert, AlertStatus
from portal.domain.facts import AlertAcknowledged, AlertRerouted, AlertResolved
from portal.domain.notifications.models import Preferences
from portal.slack import direct_notes
from portal.slack.posted import PostedMessage

Changed = AlertAcknowledged | AlertResolved | AlertRerouted


def tell(facts: Sequence[Changed]) -> None:
    """One note for each person, however many alerts it is about; none for what they did themselves."""
    by_person: dict[User, list[Alert]] = defaultdict(list)
    for person, alert in _wanted({fact.alert_id for fact in facts}):
        if person.can(Permission.SEE_ALERTS) and person.id != _who_did_it(alert):
            by_person[person].append(alert)
    for person, alerts in by_person.items():
        if len(alerts) == 1:
            text, path = _words(alerts[0]), f"/alerts/{alerts[0].id}"
        else:
            text, path = (
                f"{len(alerts)} of the alerts that you were asked about changed.",
                "/alerts",
            )
        direct_notes.send([person], text=text, path=path)


def _wanted(alert_ids: set[int]) -> list[tuple[User, Alert]]:
    """Who was shown which of these in their direct messages, wants updates and is not muted."""
    shown = (
        select(User, Alert)
        .join(Preferences, Preferences.user_id == User.id)
        .join(PostedMessage, PostedMessage.user_id == User.id)
        .join(Alert, Alert.id == PostedMessage.alert_id)
        .where(
            PostedMessage.alert_id.in_(alert_ids),
            PostedMessage.shown_at.is_not(None),
            Preferences.status_updates,
            Preferences.muted_until.is_(None) | (Preferences.muted_until <= now()),
        )
        .order_by(User.id, Alert.id)
    )
    return [(person, alert) for person, alert in db.session.execute(shown)]


def _who_did_it(alert: Alert) -> int | None:
    if alert.status is AlertStatus.RESOLVED:
        return alert.resolved_by_id
    return alert.acknowledged_by_id


def _words(alert: Alert) -> str:
    if alert.status is AlertStatus.RESOLVED:
        return f"{alert.resolver} resolved “{alert.summary}”."
    if alert.status is AlertStatus.ACKNOWLEDGED:
        return f"{alert.acknowledger} has “{alert.summary}” now."
    return f"“{alert.summary}” was rerouted: others are asked now."
