"""Which person of the account is a Slack user? By the e-mail address in Slack's own record."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, Identity, UniqueConstraint, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, db, now
from portal.domain.accounts import queries
from portal.domain.accounts.models import User
from portal.domain.escalation.models import Responder
from portal.jobs.engine import job, wake
from portal.slack import installations, profiles, workspace
from portal.slack.errors import SlackError
from portal.slack.messages.alert import Asked
from portal.slack.profiles import Kind


class UserLink(Base):
    """A Slack user ↔ one person of the account that the Slack user's workspace is linked to."""

    __tablename__ = "slack_user_links"
    __table_args__ = (UniqueConstraint("account_id", "slack_user_id"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), unique=True)
    slack_user_id: Mapped[str]
    linked_at: Mapped[datetime] = mapped_column(default=now)

    user: Mapped[User] = relationship()


def linked(account_id: int, slack_user_id: str) -> User | None:
    """The person behind a Slack user, if they are linked and still active."""
    link = db.session.scalar(
        select(UserLink).where(
            UserLink.account_id == account_id, UserLink.slack_user_id == slack_user_id
        )
    )
    return link.user if link and link.user.is_active else None


def slack_ids(user_ids: Iterable[int]) -> dict[int, str]:
    """How Slack names these people, by their id; those who are not mapped are left out."""
    wanted = select(UserLink.user_id, UserLink.slack_user_id)
    found = db.session.execute(wanted.where(UserLink.user_id.in_(list(user_ids))))
    return dict(found.all())


def names(account_id: int, slack_user_ids: Iterable[str]) -> dict[str, str]:
    """What these Slack users are called here; those who are not mapped are left out."""
    wanted = (
        select(UserLink.slack_user_id, User.name)
        .join(User, User.id == UserLink.user_id)
        .where(UserLink.account_id == account_id, UserLink.slack_user_id.in_(list(slack_user_ids)))
    )
    return dict(db.session.execute(wanted).all())


def reachable(account_id: int | None) -> set[int]:
    """The ids of the people of the account whom Slack can tell something."""
    installation = installations.of_account(account_id)
    if installation is None or not installation.is_working:
        return set()
    wanted = select(UserLink.user_id).where(UserLink.account_id == account_id)
    return set(db.session.scalars(wanted))


def person_of(record: dict[str, Any], installation: installations.SlackInstallation) -> User | None:
    """The person whom Slack's user record names, by e-mail address, ignoring letter case.

    Never a bot, a deactivated Slack user, a guest, or somebody of another workspace
    (product.md 3.4).
    """
    email = str((record.get("profile") or {}).get("email") or "")
    if profiles.kind_of(record, installation) is not Kind.MEMBER or not email:
        return None
    person = queries.by_email(email)
    if person is None or person.account_id != installation.account_id or not person.is_active:
        return None
    return person


def asked_about(alert_id: int) -> list[Asked]:
    """Who was asked about the alert, the first ones first, for its message."""
    wanted = (
        select(User.name, UserLink.slack_user_id, Responder.acknowledged_at.is_not(None))
        .select_from(Responder)
        .join(User, User.id == Responder.user_id)
        .outerjoin(UserLink, UserLink.user_id == User.id)
        .where(Responder.alert_id == alert_id)
        .order_by(Responder.added_at, Responder.user_id)
    )
    return [Asked(*row) for row in db.session.execute(wanted)]


def link(person: User, slack_user_id: str) -> None:
    """Remember the pair within the running transaction; an older pair of either side ends."""
    db.session.execute(
        delete(UserLink).where(
            UserLink.account_id == person.account_id,
            (UserLink.user_id == person.id) != (UserLink.slack_user_id == slack_user_id),
        )
    )
    pair = {"account_id": person.account_id, "user_id": person.id, "slack_user_id": slack_user_id}
    db.session.execute(insert(UserLink).values(**pair).on_conflict_do_nothing())


@job("link_people:{account_id}")
def link_people(account_id: int) -> None:
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
    people = db.session.execute(missing.order_by(User.id)).all()
    db.session.commit()
    for _, email in people:
        try:
            record = workspace.call(credentials, "users.lookupByEmail", email=email)["user"]
        except SlackError as problem:
            if problem.retry_after is None:
                continue  # not there, or not now: the first click asks again
            at = now() + timedelta(seconds=problem.retry_after)
            wake(link_people, at=at, account_id=account_id)
            db.session.commit()
            return
        present = installations.of_account(account_id)
        person = person_of(record, present) if present else None
        if person is not None and present is not None:
            link(person, str(record["id"]))
            profiles.note(record, present)
        db.session.commit()
