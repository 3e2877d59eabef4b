"""Which alert is a modal about, and may this person act on it? Asked when it opens and at submission."""

from flask import current_app

from portal.domain.accounts.permissions import Permission
from portal.domain.alerts import queries
from portal.domain.alerts.models import Alert
from portal.errors import Conflict, NotFound
from portal.slack.refusals import NOT_AVAILABLE
from portal.slack.windows import SAID, Window


def alert_id_of(window: Window) -> int:
    return int(window.subject["alert_id"])


def alert_of(window: Window) -> Alert:
    """Raises Denied for whoever may not change alerts, NotFound also for another account's."""
    window.person.require(Permission.RESPOND_TO_ALERTS)
    try:
        return queries.alert(window.person, alert_id_of(window))
    except NotFound:
        raise NotFound(NOT_AVAILABLE) from None


def open_alert(window: Window) -> Alert:
    """The same, while something can still be done. Raises Conflict."""
    alert = alert_of(window)
    if not alert.is_open:
        raise Conflict(f"{alert.resolver} has resolved this alert. Nothing was changed.")
    return alert


def url_of(alert: Alert) -> str:
    return f"{current_app.config['PUBLIC_URL']}/alerts/{alert.id}"


def said(window: Window) -> str:
    """What came of the last press in it, for its reader."""
    return str(window.subject.get(SAID, ""))
