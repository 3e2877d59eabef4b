"""What follows from a button under a summary? The same as under each of its alerts, and a count.

A thousand alerts take longer than the three seconds that Slack waits: the click is stored, and a
job does the work. It may run again after a crash; what is done already is counted as such.
"""

from collections import Counter

from portal.db import db
from portal.domain.alerts import bulk
from portal.domain.alerts.bulk import Bulk, Fate
from portal.domain.alerts.models import Via
from portal.jobs.engine import job
from portal.slack import people, replies, summaries
from portal.slack.clicks import SlackClick
from portal.slack.messages.summary import ACKNOWLEDGE_ALL, RESOLVE_ALL
from portal.slack.posted import Summary

NOT_AVAILABLE = "These alerts are not available here."
NO_LONGER_CONNECTED = (
    "Your Slack user is no longer connected to an account here. Nothing was changed; press again to"
    " be looked up."
)

# What a button does to each alert, and how that is called.
BULK: dict[str, tuple[Bulk, str]] = {
    ACKNOWLEDGE_ALL: (Bulk.ACKNOWLEDGE, "acknowledged"),
    RESOLVE_ALL: (Bulk.RESOLVE, "resolved"),
}
ACTION_IDS = set(BULK)


@job("summary_click:{click_id}")
def carry_out(click_id: int) -> None:
    """Do what the button says to each alert of the summary, and tell the person what came of it."""
    click = db.session.get(SlackClick, click_id)
    if click is None:
        return
    person = people.linked(click.account_id, click.slack_user_id)
    if person is None:
        _answer(click_id, NO_LONGER_CONNECTED)
        return
    summary = db.session.get(Summary, click.alert_id)
    action_id, person_id = click.action_id, person.id
    if summary is None or summary.account_id != person.account_id:
        _answer(click_id, NOT_AVAILABLE)
    else:
        ids = summaries.alert_ids(summary.id)
        db.session.commit()
        _answer(click_id, _done(ids, *BULK[action_id], person_id))


def _done(alert_ids: list[int], verb: Bulk, called: str, person_id: int) -> str:
    """“31 acknowledged, 4 already were, 2 not allowed.”"""
    outcomes = bulk.each(alert_ids, verb, by_id=person_id, via=Via.SLACK)
    counts = Counter(outcome.fate for outcome in outcomes)
    words = {Fate.DONE: called, Fate.ALREADY: "already were", Fate.REFUSED: "not allowed"}
    said = ", ".join(f"{counts[fate]} {word}" for fate, word in words.items() if counts[fate])
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
