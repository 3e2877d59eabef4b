"""What follows from a button under a summary? The same as under each of its alerts, and a count.

A thousand alerts take longer than the three seconds that Slack waits: the click is stored, and a
job does the work. It may run again after a crash; what is done already is counted as such.
"""

from collections import Counter
from collections.abc import Callable

from portal.db import db
from portal.domain.accounts.models import User
from portal.domain.alerts import operations as alerts
from portal.domain.alerts import queries
from portal.domain.alerts.models import Alert, AlertStatus, Via
from portal.errors import Conflict, PortalError
from portal.jobs.engine import job
from portal.slack import people, replies, summaries
from portal.slack.clicks import SlackClick
from portal.slack.messages.summary import ACKNOWLEDGE_ALL, RESOLVE_ALL
from portal.slack.posted import Summary

NOT_AVAILABLE = "These alerts are not available here."

Operation = Callable[[int, User], Alert]


def _acknowledge(alert_id: int, by: User) -> Alert:
    return alerts.acknowledge(alert_id, by=by, via=Via.SLACK)


def _resolve(alert_id: int, by: User) -> Alert:
    return alerts.resolve(alert_id, by=by, via=Via.SLACK)


# Which alerts a button concerns, what it does to each, and how that is called.
BULK: dict[str, tuple[set[AlertStatus], Operation, str]] = {
    ACKNOWLEDGE_ALL: ({AlertStatus.PENDING}, _acknowledge, "acknowledged"),
    RESOLVE_ALL: ({AlertStatus.PENDING, AlertStatus.ACKNOWLEDGED}, _resolve, "resolved"),
}
ACTION_IDS = set(BULK)


@job("summary_click:{click_id}")
def carry_out(click_id: int) -> None:
    """Do what the button says to each alert of the summary, and tell the person what came of it."""
    click = db.session.get(SlackClick, click_id)
    person = people.linked(click.account_id, click.slack_user_id) if click else None
    if click is None or person is None:
        return
    summary = db.session.get(Summary, click.alert_id)
    action_id, person_id = click.action_id, person.id
    if summary is None or summary.account_id != person.account_id:
        _answer(click_id, NOT_AVAILABLE)
    else:
        ids = summaries.alert_ids(summary.id)
        db.session.commit()
        _answer(click_id, _done(ids, *BULK[action_id], person_id))


def _done(
    alert_ids: list[int],
    concerned: set[AlertStatus],
    operation: Operation,
    called: str,
    person_id: int,
) -> str:
    """“31 acknowledged, 4 already were, 2 not allowed.”"""
    counts: Counter[str] = Counter()
    for alert_id in alert_ids:
        person = db.session.get_one(User, person_id)  # they may lose the right meanwhile
        wanted = queries.visible_to(person).where(Alert.id == alert_id)
        alert = db.session.scalar(wanted)
        if alert is not None and alert.status not in concerned:
            counts["already were"] += 1
            db.session.rollback()
            continue
        try:
            operation(alert_id, person)
            counts[called] += 1
        except Conflict:
            db.session.rollback()
            counts["already were"] += 1
        except PortalError:
            db.session.rollback()
            counts["not allowed"] += 1
    order = (called, "already were", "not allowed")
    said = ", ".join(f"{counts[what]} {what}" for what in order if counts[what])
    return f"{said or 'Nothing was changed'}."


def _answer(click_id: int, text: str) -> None:
    click = db.session.get(SlackClick, click_id)
    if click is not None:
        replies.say(
            text,
            account_id=click.account_id,
            slack_user_id=click.slack_user_id,
            channel_id=click.channel_id,
            response_url=click.response_url,
        )
        db.session.delete(click)
    db.session.commit()
