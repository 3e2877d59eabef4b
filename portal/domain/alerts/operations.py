"""What do people do to alerts? Each function is one transaction, whatever edge it came from."""

from datetime import datetime

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Permission
from portal.domain.alerts import queries, timeline
from portal.domain.alerts.models import (
    LONGEST_SUMMARY,
    Alert,
    AlertStatus,
    Priority,
    TimelineKind,
    Via,
)
from portal.domain.facts import (
    AlertAcknowledged,
    AlertPriorityRaised,
    AlertResolved,
    AlertSummaryChanged,
    announce,
)
from portal.errors import Conflict, Invalid

LONGEST_COMMENT = 4000


def acknowledge(alert_id: int, *, by: User, via: Via) -> Alert:
    """Say "I am on it".

    A second click of the same person changes nothing. Raises Conflict with who was faster, or that
    it is resolved; NotFound and Denied as always. Nothing is changed by any of these.
    """
    alert = _locked(alert_id, by)
    if alert.status is AlertStatus.RESOLVED:
        _refuse_resolved(alert, "Your acknowledgement came too late; nothing was changed.")
    if alert.status is AlertStatus.ACKNOWLEDGED:
        if alert.acknowledged_by_id != by.id:
            ago = _ago(alert.acknowledged_at)
            raise Conflict(f"{alert.acknowledger} acknowledged this {ago}. Nothing was changed.")
        db.session.commit()
        return alert
    alert.status = AlertStatus.ACKNOWLEDGED
    alert.acknowledged_at, alert.acknowledged_by_id = now(), by.id
    timeline.record(alert, TimelineKind.ACKNOWLEDGED, by=by, via=via)
    announce(AlertAcknowledged(alert.id))
    db.session.commit()
    return alert


def resolve(alert_id: int, *, by: User, via: Via, comment: str = "") -> Alert:
    """Say that it is done for good, also straight from pending; with a remark, if there is one.

    A second click of the same person changes nothing; Conflict says who was faster. Raises Invalid
    for a remark that is too long.
    """
    alert = _locked(alert_id, by)
    remark = check_comment(comment) if comment.strip() else ""
    if alert.status is AlertStatus.RESOLVED:
        if alert.resolved_by_id != by.id:
            _refuse_resolved(alert, "Nothing was changed.")
        db.session.commit()
        return alert
    if remark:
        timeline.record(alert, TimelineKind.COMMENT_ADDED, by=by, via=via, content=remark)
    alert.status = AlertStatus.RESOLVED
    alert.resolved_at, alert.resolved_by_id = now(), by.id
    timeline.record(alert, TimelineKind.RESOLVED, by=by, via=via)
    announce(AlertResolved(alert.id))
    db.session.commit()
    return alert


def raise_priority(alert_id: int, *, by: User, via: Via) -> Alert:
    """Make a low alert high, so that it escalates. Raises Conflict when there is nothing to raise."""
    alert = _locked(alert_id, by)
    if alert.status is AlertStatus.RESOLVED:
        _refuse_resolved(alert, "Nothing was changed.")
    if alert.priority is Priority.HIGH:
        raise Conflict("This alert has high priority already. Nothing was changed.")
    alert.priority = Priority.HIGH
    timeline.record(alert, TimelineKind.PRIORITY_RAISED, by=by, via=via)
    announce(AlertPriorityRaised(alert.id))
    db.session.commit()
    return alert


def comment(alert_id: int, text: str, *, by: User, via: Via) -> Alert:
    """Add a remark to the timeline. Raises Invalid when it is empty or too long."""
    alert = _locked(alert_id, by)
    content = check_comment(text)
    timeline.record(alert, TimelineKind.COMMENT_ADDED, by=by, via=via, content=content)
    db.session.commit()
    return alert


def edit_summary(alert_id: int, summary: str, *, by: User, via: Via) -> Alert:
    """Put an open alert in other words; the timeline keeps both. The same words change nothing.

    Raises Invalid when it is empty or too long, Conflict when the alert is resolved.
    """
    alert = _locked(alert_id, by)
    after = " ".join(summary.replace("\x00", "").split())
    if alert.status is AlertStatus.RESOLVED:
        _refuse_resolved(alert, "Nothing was changed.")
    if not 0 < len(after) <= LONGEST_SUMMARY:
        words = f"Please give a summary of at most {LONGEST_SUMMARY} characters."
        raise Invalid(words, field="summary")
    before, alert.summary = alert.summary, after
    if after != before:
        changed = {"before": before, "after": after}
        timeline.record(alert, TimelineKind.SUMMARY_CHANGED, by=by, via=via, **changed)
        announce(AlertSummaryChanged(alert.id))
    db.session.commit()
    return alert


def check_comment(text: str) -> str:
    """The remark as it is kept. Raises Invalid when it is empty or too long."""
    content = text.strip().replace("\x00", "")
    if not 0 < len(content) <= LONGEST_COMMENT:
        raise Invalid(
            f"Please write a comment of 1 to {LONGEST_COMMENT} characters.", field="content"
        )
    return content


def _locked(alert_id: int, by: User) -> Alert:
    by.require(Permission.RESPOND_TO_ALERTS)
    return queries.locked(by, alert_id)


def _refuse_resolved(alert: Alert, consequence: str) -> None:
    raise Conflict(f"Resolved {_ago(alert.resolved_at)} by {alert.resolver}. {consequence}")


def _ago(moment: datetime | None) -> str:
    seconds = max(0, int((now() - (moment or now())).total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"
