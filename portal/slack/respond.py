"""What can be done with an alert from its message, beside acknowledging and resolving? Its modals.

product.md 3.3 and 3.4. The menu holds only what is possible now, and every function checks once more.
"""

from collections.abc import Callable

from flask import current_app

from portal.domain.accounts.permissions import Permission
from portal.domain.alerts import operations as alerts
from portal.domain.alerts import queries
from portal.domain.alerts.models import Alert, Via
from portal.errors import Conflict, NotFound
from portal.slack.messages import alert_modals as messages
from portal.slack.messages.alert_modals import Verb
from portal.slack.refusals import NOT_AVAILABLE
from portal.slack.windows import SAID, Kind, Next, Values, View, Window

MORE, COMMENT = "alert_more", "alert_comment"


def _alert(window: Window) -> Alert:
    """The alert, for somebody who may change it. Raises Denied or NotFound."""
    window.person.require(Permission.RESPOND_TO_ALERTS)
    try:
        return queries.alert(window.person, _alert_id(window))
    except NotFound:
        raise NotFound(NOT_AVAILABLE) from None


def _open_alert(window: Window) -> Alert:
    """The same, while something can still be done. Raises Conflict."""
    alert = _alert(window)
    if not alert.is_open:
        raise Conflict(f"{alert.resolver} has resolved this alert. Nothing was changed.")
    return alert


def _alert_id(window: Window) -> int:
    return int(window.subject["alert_id"])


def _url(alert: Alert) -> str:
    return f"{current_app.config['PUBLIC_URL']}/alerts/{alert.id}"


def _said(window: Window) -> str:
    return str(window.subject.get(SAID, ""))


def _more(window: Window) -> View:
    alert = _open_alert(window)
    verbs = [Verb(COMMENT, "Comment")]
    return messages.more(alert, _url(alert), verbs, _said(window))


def _comment(window: Window) -> View:
    alert = _open_alert(window)
    return messages.comment(alert, _url(alert), _said(window))


def _submit_comment(window: Window, values: Values) -> None:
    alerts.comment(_alert_id(window), values["content"], by=window.person, via=Via.SLACK)


MODALS: dict[str, Kind] = {
    COMMENT: Kind(_comment, _submit_comment, errors_at="content"),
}


def _leads_to(name: str) -> Callable[[Window, str], Next]:
    return lambda window, value: Next(name, window.subject)


# An entry of the menu is named as the modal it leads to.
MODALS[MORE] = Kind(_more, actions={name: _leads_to(name) for name in MODALS})
