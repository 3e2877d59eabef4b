"""Who can be told, on which ways, and who is unreachable? Seen before it matters."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app

from portal.db import now
from portal.domain.accounts.models import User
from portal.domain.alerts.models import Priority
from portal.domain.notifications import queries
from portal.domain.notifications.models import WAYS, Preferences, Way
from portal.slack import people as slack


@dataclass(frozen=True)
class Reach:
    """How an alert of high priority would reach a person now."""

    ways: list[str]  # in words, the soonest first: "Slack at once", "e-mail after 2 min"
    lacks: str  # in words, if there is no way
    muted_until: datetime | None

    @property
    def is_reachable(self) -> bool:
        return bool(self.ways) and self.muted_until is None


def of_account(viewer: User, people: Iterable[User]) -> dict[int, Reach]:
    """By the person's id; `people` are all of the viewer's account."""
    listed = list(people)
    in_slack = slack.reachable(viewer.account_id)
    chosen = queries.preferences(person.id for person in listed)
    return {person.id: _reach(chosen[person.id], person.id in in_slack) for person in listed}


def of_person(person: User) -> Reach:
    return of_account(person, [person])[person.id]


def offered() -> list[Way]:
    """The ways that this installation has at all."""
    return [Way.SLACK, Way.EMAIL] if current_app.config["SMTP_URL"] else [Way.SLACK]


def after_words(after: timedelta) -> str:
    minutes = int(after.total_seconds() // 60)
    return f"after {minutes} min" if minutes else "at once"


def _reach(chosen: Preferences, is_in_slack: bool) -> Reach:
    wanted = chosen.after(Priority.HIGH)
    possible = [way for way in offered() if way is not Way.SLACK or is_in_slack]
    in_order = sorted((way for way in possible if way in wanted), key=lambda way: wanted[way])
    return Reach(
        ways=[f"{WAYS[way]} {after_words(wanted[way])}" for way in in_order],
        lacks=", ".join(_lacks(wanted, is_in_slack)),
        muted_until=chosen.muted_at(now()),
    )


def _lacks(wanted: dict[Way, timedelta], is_in_slack: bool) -> list[str]:
    lacks = []
    if not is_in_slack:
        lacks.append("not connected to Slack")
    elif Way.SLACK not in wanted:
        lacks.append("wants no messages in Slack")
    if Way.EMAIL in offered() and Way.EMAIL not in wanted:
        lacks.append("wants no e-mail")
    return lacks
