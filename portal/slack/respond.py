"""What can be done with an alert from its message, beside acknowledging and resolving? Its menu.

product.md 3.3 and 3.4. A window and not one of Slack's overflow menus, which end at five entries and
cannot know who opens them: this one holds what is possible at that moment, for that person.
"""

from collections.abc import Callable

from portal.domain.alerts import operations as alerts
from portal.domain.alerts.models import Alert, Priority, Via
from portal.domain.dedicated_channels import names
from portal.domain.dedicated_channels import operations as channels
from portal.domain.dedicated_channels import queries as dedicated
from portal.domain.dedicated_channels.models import ChannelState
from portal.domain.escalation import queries as escalation
from portal.domain.routing import queries as routing
from portal.domain.routing import runs
from portal.errors import Conflict, Invalid, NotFound
from portal.slack import dedicated_view, steering
from portal.slack.alert_windows import alert_id_of, alert_of, open_alert, said, url_of
from portal.slack.errors import words
from portal.slack.messages import alert_modals as messages
from portal.slack.messages.alert import MORE
from portal.slack.messages.alert_modals import Entry, Verb
from portal.slack.messages.modal import notice
from portal.slack.windows import SAID, Kind, Next, Values, View, Window

COMMENT, CHANNEL = "alert_comment", "alert_channel"
RAISE, DETACH, RUN = "alert_raise", "alert_detach", messages.RUN
RAISE_ASKS = (
    "Raise the priority?",
    "The alert becomes high priority for good, and its policy begins to escalate.",
    "Raise priority",
)
DETACH_ASKS = (
    "Detach the channel?",
    "It stays in Slack, with a line that says so, and no longer follows the alert.",
    "Detach",
)
COMMENT_ON_THE_PAGE = "You can still comment on the alert’s page in the portal."


def _more(window: Window) -> View:
    alert = open_alert(window)
    channel = dedicated_view.shown(alert)
    return messages.more(
        alert, url_of(alert), _verbs(alert), said(window), channel, _manual_actions(alert)
    )


def _verbs(alert: Alert) -> list[Verb]:
    """What is possible with an open alert in its present state."""
    verbs = []
    if alert.priority is Priority.LOW:
        verbs.append(Verb(RAISE, "Raise priority", asks=RAISE_ASKS))
    elif escalation.escalation_of(alert) is not None:
        verbs.append(Verb(steering.ESCALATE, "Escalate"))
    verbs += [
        Verb(steering.REROUTE, "Reroute"),
        Verb(COMMENT, "Comment"),
        Verb(steering.ADD_RESPONDER, "Add responder"),
    ]
    channel = dedicated.current(alert)
    if channel is None or channel.state not in channels.UNDER_WAY:
        verbs.append(Verb(CHANNEL, "Create channel"))
    elif channel.state is ChannelState.ATTACHED:
        verbs.append(Verb(DETACH, "Detach channel", asks=DETACH_ASKS))
    return verbs


def _manual_actions(alert: Alert) -> list[Entry]:
    """What can be run, and what was: product.md 3.2."""
    return [
        Entry(
            action.id,
            action.name,
            by=run.run_by.name if run and run.problem is None else None,
            problem=words(run.problem) if run and run.problem else None,
        )
        for action, run in routing.manual_actions(alert)
    ]


def _run(window: Window, value: str) -> Next:
    if not (value.isascii() and value.isdecimal() and len(value) < 19):
        raise NotFound("There is no such action for this alert.")
    runs.run(alert_id_of(window), int(value), by=window.person, via=Via.SLACK)
    return Next(MORE, window.subject)


def _raise(window: Window, value: str) -> Next:
    alerts.raise_priority(alert_id_of(window), by=window.person, via=Via.SLACK)
    return Next(MORE, window.subject)


def _detach(window: Window, value: str) -> Next:
    channels.detach(alert_id_of(window), by=window.person, via=Via.SLACK)
    return Next(MORE, window.subject | {SAID: "The channel no longer follows this alert."})


def _comment(window: Window) -> View:
    alert = open_alert(window)
    return messages.comment(alert, url_of(alert), said(window))


def _submit_comment(window: Window, values: Values) -> None:
    alert = alert_of(window)
    if not alert.is_open:  # product.md 7.1
        raise Conflict(f"{alert.resolver} has resolved this alert. {COMMENT_ON_THE_PAGE}")
    alerts.comment(alert.id, values.get("content", ""), by=window.person, via=Via.SLACK)


def _channel(window: Window) -> View:
    alert = open_alert(window)
    offer = dedicated_view.offer(alert, window.person)
    return messages.channel(alert, url_of(alert), offer, said(window))


def _submit_channel(window: Window, values: Values) -> View:
    """The proposed name counts as none: it is numbered where it is taken."""
    alert = open_alert(window)
    offer = dedicated_view.offer(alert, window.person)
    name = _fitting_name(values.get("name", ""), proposed=offer.name)
    # Where there was no choice, the window said which of the two it will be.
    is_private = values.get("private", "" if offer.may_be_public else "private") == "private"
    made = channels.create(
        alert.id, name=name, is_private=is_private, by=window.person, via=Via.SLACK
    )
    return notice("Create channel", messages.channel_on_its_way(made.channel_name))


def _fitting_name(typed: str, *, proposed: str) -> str:
    """The name as Slack would take it; "" for the proposed one.

    Raises Invalid with the corrected name: it is shown before it is used (product.md section 6).
    """
    name = typed.strip()
    if name in ("", proposed):
        return ""
    fitting = names.clean(name)
    if not fitting:
        raise Invalid("Please use letters or digits in the name.", field="name")
    if fitting != name.removeprefix("#"):
        raise Invalid(f"Slack does not take this name. It would take: {fitting}", field="name")
    return fitting


def _leads_to(name: str) -> Callable[[Window, str], Next]:
    return lambda window, value: Next(name, window.subject)


MODALS: dict[str, Kind] = {
    COMMENT: Kind(_comment, _submit_comment, errors_at="content"),
    CHANNEL: Kind(_channel, _submit_channel, errors_at="name"),
    **steering.MODALS,
}
# An entry of the menu that asks for more is named as the modal it leads to.
MODALS[MORE] = Kind(
    _more,
    actions={
        **{name: _leads_to(name) for name in MODALS},
        RAISE: _raise,
        DETACH: _detach,
        RUN: _run,
    },
)
