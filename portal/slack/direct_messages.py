"""How is a responder told in Slack? The alert's own message, in their direct messages.

It is an ordinary PostedMessage: its channel is the person's id, its lane keeps the pace. Slack does
not ring for a change of a message, so whoever is asked once more gets a short note besides.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import delete, select, text, tuple_, update
from sqlalchemy.orm import joinedload

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Permission
from portal.domain.facts import (
    AlertAcknowledged,
    AlertRerouted,
    AlertResolved,
    NotificationDue,
    PersonChanged,
    ResponderRemoved,
    WorkspaceBroken,
    WorkspaceUnlinked,
)
from portal.domain.notifications import outcomes
from portal.domain.notifications.models import Notification, NotificationState, Way
from portal.jobs.engine import Wake
from portal.slack import direct_notes, installations, reactions
from portal.slack.errors import words
from portal.slack.people import UserLink
from portal.slack.posted import Lane, PostedMessage

NOT_CONNECTED = "They are not connected to Slack."
UNTRIED = (
    PostedMessage.user_id.is_not(None),
    PostedMessage.ts.is_(None),
    PostedMessage.attempts == 0,
    PostedMessage.uncertain_since.is_(None),
    PostedMessage.summary_id.is_(None),
)
# One that Slack refused may be tried again. Columns as arrays, as in escalation/climbing.py.
PUT = text(
    "INSERT INTO posted_messages (account_id, alert_id, user_id, channel_id, channel_name,"
    " created_at, wanted_version, shown_version, attempts, is_own, form, was_reposted)"
    " SELECT :account_id, told.*, :moment, 1, 0, 0, true, 'full', false"
    " FROM unnest(CAST(:alert_ids AS bigint[]), CAST(:user_ids AS bigint[]),"
    " CAST(:channel_ids AS text[]), CAST(:names AS text[])) AS told"
    " ON CONFLICT (alert_id, channel_id) DO UPDATE SET gave_up_at = NULL"
    " RETURNING alert_id, user_id, shown_at"
)
TEST = "This is a test: direct messages about alerts reach you."


def hand_over(facts: Sequence[NotificationDue]) -> Iterable[Wake]:
    """Have the lanes show it to those whom Slack knows; the others are told on their next way."""
    ids = [fact.notification_id for fact in facts]
    wanted = select(Notification).where(Notification.id.in_(ids), Notification.way == Way.SLACK)
    rows = list(db.session.scalars(wanted.options(joinedload(Notification.user))))
    links = _links({row.user_id for row in rows})
    lost: dict[str, list[int]] = defaultdict(list)
    by_account: dict[int, list[Notification]] = defaultdict(list)
    why_not = {
        account_id: _why_not(account_id) for account_id in {row.user.account_id for row in rows}
    }
    for row in rows:
        account_id = row.user.account_id
        because = why_not[account_id]
        if because is None and row.user_id in links:
            by_account[account_id or 0].append(row)
        else:
            lost[because or NOT_CONNECTED].append(row.id)
    for because, notification_ids in lost.items():
        outcomes.failed(notification_ids, because)
    return [
        wanted
        for account_id, told in sorted(by_account.items())
        for wanted in _show(account_id, told, links)
    ]


def hush(facts: Sequence[AlertAcknowledged | AlertResolved | AlertRerouted]) -> None:
    """A message that was not even tried need not ring any more.

    After show_alerts_anew(), which has locked the lanes: lanes first, messages after them.
    """
    alert_ids = {fact.alert_id for fact in facts}
    db.session.execute(delete(PostedMessage).where(PostedMessage.alert_id.in_(alert_ids), *UNTRIED))


def spare(facts: Sequence[ResponderRemoved]) -> None:
    """The same for one person who is not asked any more; after show_alerts_anew(), too."""
    asked = [(fact.alert_id, fact.user_id) for fact in facts]
    theirs = tuple_(PostedMessage.alert_id, PostedMessage.user_id).in_(asked)
    db.session.execute(delete(PostedMessage).where(theirs, *UNTRIED))


def forget(fact: PersonChanged) -> None:
    """Whoever may not see alerts any more is shown no further change of them."""
    if not db.session.get_one(User, fact.user_id).can(Permission.SEE_ALERTS):
        theirs = PostedMessage.user_id == fact.user_id
        channels = select(PostedMessage.channel_id).where(theirs)
        lanes = select(Lane.channel_id).where(Lane.channel_id.in_(channels))
        db.session.execute(lanes.order_by(Lane.channel_id).with_for_update()).all()
        end = update(PostedMessage).where(theirs, PostedMessage.gave_up_at.is_(None))
        db.session.execute(end.values(gave_up_at=now(), last_error="person_left"))


def link_is_gone(fact: WorkspaceBroken | WorkspaceUnlinked) -> None:
    """What is under way will not arrive in time: the next way, at once."""
    people = select(User.id).where(User.account_id == fact.account_id)
    under_way = select(Notification.id).where(
        Notification.state == NotificationState.UNDER_WAY,
        Notification.way == Way.SLACK,
        Notification.user_id.in_(people),
    )
    because = _why_not(fact.account_id) or words("not_linked")
    outcomes.failed(list(db.session.scalars(under_way)), because)


def _show(account_id: int, told: list[Notification], links: dict[int, str]) -> Iterable[Wake]:
    tests = [row for row in told if row.alert_id is None]
    for row in tests:
        direct_notes.send([row.user], text=TEST, path="/profile/notifications", tells=[row.id])
    told = [row for row in told if row.alert_id is not None]
    if not told:
        return []
    # Lanes first, messages after them: whoever delivers locks them in this order as well.
    places = {links[row.user_id] for row in told}
    wakes = reactions.lanes_of(account_id, places, posts_in=places)
    messages = {
        "account_id": account_id,
        "alert_ids": [row.alert_id for row in told],
        "user_ids": [row.user_id for row in told],
        "channel_ids": [links[row.user_id] for row in told],
        "names": [row.user.name for row in told],
        "moment": now(),
    }
    shown = {
        (alert_id, user_id)
        for alert_id, user_id, shown_at in db.session.execute(PUT, messages)
        if shown_at is not None
    }
    _ask_again([row for row in told if (row.alert_id, row.user_id) in shown])
    return wakes


def _ask_again(told: list[Notification]) -> None:
    """One note for each person, however many alerts it is about."""
    by_person: dict[User, list[Notification]] = defaultdict(list)
    for row in told:
        by_person[row.user].append(row)
    for person, rows in by_person.items():
        first = rows[0].alert
        if len(rows) == 1 and first is not None:
            text, path = f"You are asked again: “{first.summary}”.", f"/alerts/{first.id}"
        else:
            text, path = f"You are asked again about {len(rows)} alerts.", "/alerts"
        direct_notes.send([person], text=text, path=path, tells=[row.id for row in rows])


def _links(user_ids: set[int]) -> dict[int, str]:
    wanted = select(UserLink.user_id, UserLink.slack_user_id).where(UserLink.user_id.in_(user_ids))
    found: Any = db.session.execute(wanted)
    return dict(found.all())


def _why_not(account_id: int | None) -> str | None:
    """Why nobody of the account can be told in Slack now, in words."""
    installation = installations.of_account(account_id)
    if installation is None:
        return words("not_linked")
    return None if installation.is_working else words("link_broken")
