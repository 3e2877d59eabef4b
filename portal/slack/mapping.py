"""How do people of the account come to their Slack users, and what if those change there?

By the e-mail address in Slack's own record: when the workspace is linked, when somebody joins here
or there, changes there, presses something, or asks for it (product.md 3.4). connecting.py: by hand.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Permission
from portal.errors import Conflict
from portal.jobs.engine import job, wake
from portal.slack import installations, payloads, people, profiles, unlinked, workspace
from portal.slack.errors import Meaning, SlackError
from portal.slack.installations import SlackInstallation
from portal.slack.people import UserLink
from portal.slack.profiles import Kind
from portal.slack.unlinked import Why

NOT_LINKED = "No Slack workspace is linked, or its link is broken."


@job("link_people:{account_id}")
def look_up(account_id: int) -> None:
    """Look up everybody of the account who is not linked yet; wait when Slack asks to.

    Slack hides deactivated people from users.lookupByEmail; the others are checked by their flags.
    """
    installation = installations.of_account(account_id)
    if installation is None or not installation.is_working:
        return
    credentials = installation.credentials
    linked_ids = select(UserLink.user_id).where(UserLink.account_id == account_id)
    missing = select(User.id, User.email).where(
        User.account_id == account_id, User.deactivated_at.is_(None), User.id.not_in(linked_ids)
    )
    found = db.session.execute(missing.order_by(User.id)).all()
    db.session.commit()
    for user_id, email in found:
        try:
            record = workspace.call(credentials, "users.lookupByEmail", email=email)["user"]
        except SlackError as problem:
            if problem.meaning is Meaning.LINK_DEAD:
                return
            if problem.retry_after is not None:
                at = now() + timedelta(seconds=problem.retry_after)
                wake(look_up, at=at, account_id=account_id)
                db.session.commit()
                return
            is_nobody = problem.meaning is Meaning.PERSON
            unlinked.note(user_id, account_id, Why.NOT_FOUND if is_nobody else Why.NOT_ASKED)
            db.session.commit()
            continue
        present = installations.of_account(account_id)
        if present is not None:
            recognise(record, present)
        db.session.commit()


def recognise(record: dict[str, Any], installation: SlackInstallation) -> User | None:
    """Link whom Slack's record names, or write down why not. Within the caller's transaction."""
    profiles.note(record, installation)
    person = people.person_of(record, installation)
    if person is not None:
        people.link(person, payloads.text(record, "id"))
    addressed = people.by_address(record, installation)
    if addressed is not None and addressed != person and people.link_of(addressed.id) is None:
        unlinked.note(addressed.id, installation.account_id, _why_not(record, installation))
    return person


def follow(record: dict[str, Any], installation: SlackInstallation) -> None:
    """Somebody joined the workspace or changed there (`team_join`, `user_change`).

    A link by e-mail address ends where the address no longer says so; one made by hand only where
    Slack knows the user no more as one of the workspace. Within the caller's transaction.
    """
    if not profiles.note(record, installation):
        return
    known = people.link_of_slack_user(installation.account_id, payloads.text(record, "id"))
    if known is not None and (why := _why_no_more(known, record, installation)) is not None:
        people.unlink(known, why)
    recognise(record, installation)


def look_again(*, by: User) -> None:
    """Look for everybody who is not linked, on an admin's demand. Raises Conflict."""
    by.require(Permission.MANAGE_USERS)
    _look(by)


def look_for_oneself(*, by: User) -> None:
    """Be looked for by one's own e-mail address, also after one removed the link."""
    by.require(Permission.OWN_PROFILE)
    unlinked.forget(by.id)
    _look(by)


def remove(*, by: User) -> None:
    """End one's own link. It comes back only if one wants it oneself."""
    by.require(Permission.OWN_PROFILE)
    known = people.link_of(by.id)
    if known is None:
        raise Conflict("You are not connected to Slack. Nothing was changed.")
    people.unlink(known, Why.REMOVED, by=by)
    db.session.commit()


def _look(by: User) -> None:
    installation = installations.of_account(by.account_id)
    if installation is None or not installation.is_working:
        raise Conflict(f"{NOT_LINKED} Nothing was changed.")
    wake(look_up, account_id=installation.account_id)
    db.session.commit()


def _why_not(record: dict[str, Any], installation: SlackInstallation) -> Why:
    if record.get("deleted"):
        return Why.DEACTIVATED
    match profiles.kind_of(record, installation):
        case Kind.OUTSIDER:
            return Why.NOT_A_MEMBER
        case Kind.GUEST:
            return Why.GUEST
        case Kind.MEMBER:
            return Why.TAKEN if profiles.is_confirmed(record) else Why.UNCONFIRMED


def _why_no_more(
    known: UserLink, record: dict[str, Any], installation: SlackInstallation
) -> Why | None:
    kind = profiles.kind_of(record, installation)
    if kind is Kind.OUTSIDER or (kind is Kind.GUEST and not known.is_by_hand):
        return _why_not(record, installation)
    profile = record.get("profile")
    has_address = isinstance(profile, dict) and bool(payloads.text(profile, "email"))
    if known.is_by_hand or not has_address:  # without users:read.email Slack tells none
        return None
    person = people.by_address(record, installation)
    return None if person is not None and person.id == known.user_id else Why.ADDRESS_CHANGED
