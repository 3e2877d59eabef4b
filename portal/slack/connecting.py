"""How does a person confirm in their browser which Slack user they are? (product.md 3.4)

Nobody is connected by a link alone: whoever opens it is signed in, reads both names, and presses.
"""

from typing import NamedTuple

from sqlalchemy import select

from portal.db import db
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Permission
from portal.errors import Conflict, NotFound, PortalError
from portal.jobs.engine import wake
from portal.slack import actions, connects, direct_notes, home, installations, people
from portal.slack.connects import Connect
from portal.slack.installations import SlackInstallation
from portal.slack.messages.alert import ACKNOWLEDGE, RESOLVE
from portal.slack.profiles import Kind, SlackProfile

GONE = (
    "This link is no longer valid. It works once, for 15 minutes, and for whoever opened it first."
    " Press the button in Slack again, or open Tocsin’s Home there."
)
TAKEN = "This Slack user is connected to somebody else here, who can end that in their profile."
DONE = {ACKNOWLEDGE: "The alert is acknowledged.", RESOLVE: "The alert is resolved."}


class Sides(NamedTuple):
    """Who is to be connected with whom."""

    installation: SlackInstallation
    slack_user_id: str
    slack_name: str
    instead_of: str | None  # the Slack user whom the person is connected to now
    action_id: str | None
    about_id: int | None


class Outcome(NamedTuple):
    """What came of the click that started it, in words; none where there was none."""

    said: str
    is_done: bool
    alert_id: int | None


def opened(token: str, *, by: User) -> Sides:
    """What the person has to read before they confirm; the link is theirs from now on.

    Raises NotFound for a link that is over or not for them, Conflict where it cannot be done.
    """
    by.require(Permission.OWN_PROFILE)
    sides = _sides(_offer(token, by), by)
    db.session.commit()
    return sides


def confirm(token: str, *, by: User) -> Sides:
    """Connect both sides. Works once; the Slack user is told. Raises as opened() does."""
    by.require(Permission.OWN_PROFILE)
    row = _offer(token, by)
    db.session.refresh(by, with_for_update=True)  # one connection of a person at a time
    sides = _sides(row, by)
    people.link(by, sides.slack_user_id, is_by_hand=True)
    db.session.delete(row)
    wake(home.publish, account_id=row.account_id, slack_user_id=row.slack_user_id)
    direct_notes.send(
        [by],
        text=(
            f"Your Slack user is connected to {by.name} ({by.email}) now: what you press here, they"
            " do. If that was not you, tell an admin."
        ),
        path="/profile",
    )
    db.session.commit()
    return sides


def carry_out(sides: Sides, *, by: User) -> Outcome:
    """Do now what was pressed, with the person's own permission; say what came of it.

    A transaction of its own, after the connection: a refusal does not undo that.
    """
    deed = actions.BY_ACTION_ID.get(sides.action_id or "")
    if deed is None or sides.about_id is None:
        again = " Press the button in Slack again." if sides.action_id else ""
        return Outcome(again, is_done=not again, alert_id=None)
    try:
        deed(sides.about_id, by)
    except PortalError as refusal:
        db.session.rollback()
        return Outcome(f" {refusal}", is_done=False, alert_id=sides.about_id)
    return Outcome(f" {DONE[sides.action_id or '']}", is_done=True, alert_id=sides.about_id)


def _offer(token: str, by: User) -> Connect:
    """The offer, if this person may use it. It is theirs from now on."""
    row = connects.of_token(token)
    if row is None or row.account_id != by.account_id or row.opened_by_id not in (None, by.id):
        raise NotFound(GONE)
    row.opened_by_id = by.id
    return row


def _sides(row: Connect, by: User) -> Sides:
    installation = installations.of_account(row.account_id)
    wanted = select(SlackProfile).where(
        SlackProfile.account_id == row.account_id, SlackProfile.slack_user_id == row.slack_user_id
    )
    # One connection of a Slack user at a time: whoever confirms holds its row.
    profile = db.session.scalar(wanted.with_for_update())
    if installation is None or profile is None or profile.kind is Kind.OUTSIDER:
        raise NotFound(GONE)
    known = people.link_of_slack_user(row.account_id, row.slack_user_id)
    if known is not None and known.user_id != by.id and known.user.is_active:
        raise Conflict(f"{TAKEN} Nothing was changed.")
    own = people.link_of(by.id)
    is_other = own is not None and own.slack_user_id != row.slack_user_id
    return Sides(
        installation,
        row.slack_user_id,
        profile.name or row.slack_user_id,
        own.slack_user_id if own is not None and is_other else None,
        row.action_id,
        row.about_id,
    )
