"""Which person of the account is a Slack user? By the e-mail address in Slack's own record."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ForeignKey,
    Identity,
    UniqueConstraint,
    delete,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, db, now
from portal.domain.accounts import queries
from portal.domain.accounts.models import User
from portal.domain.audit import log
from portal.domain.audit.actions import AuditAction
from portal.domain.escalation.models import Responder
from portal.slack import installations, payloads, profiles, unlinked
from portal.slack.messages.alert import Asked
from portal.slack.posted import Lane, PostedMessage
from portal.slack.profiles import Kind
from portal.slack.unlinked import Why


class UserLink(Base):
    """A Slack user ↔ one person of the account that the Slack user's workspace is linked to."""

    __tablename__ = "slack_user_links"
    __table_args__ = (UniqueConstraint("account_id", "slack_user_id"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), unique=True)
    slack_user_id: Mapped[str]
    linked_at: Mapped[datetime] = mapped_column(default=now)
    # Confirmed by the person in their browser: no e-mail address changes that.
    is_by_hand: Mapped[bool] = mapped_column(default=False)

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
    """The person whom Slack's user record names: linked by hand, else by e-mail address.

    Never a bot, a deactivated Slack user or somebody of another workspace; a guest only where they
    confirmed it themselves; and nobody who is linked to another Slack user by hand, or who removed
    the link (product.md 3.4).
    """
    kind = profiles.kind_of(record, installation)
    if kind is Kind.OUTSIDER:
        return None
    known = link_of_slack_user(installation.account_id, payloads.text(record, "id"))
    if known is not None and known.is_by_hand:
        return known.user if known.user.is_active else None
    person = by_address(record, installation)
    if kind is not Kind.MEMBER or person is None or not profiles.is_confirmed(record):
        return None
    own = link_of(person.id)
    is_elsewhere = own is not None and own.is_by_hand
    return None if is_elsewhere or unlinked.has_removed(person.id) else person


def by_address(
    record: dict[str, Any], installation: installations.SlackInstallation
) -> User | None:
    """The active person of the account with the e-mail address of the record, ignoring case."""
    profile = record.get("profile")
    email = payloads.text(profile, "email") if isinstance(profile, dict) else ""
    person = queries.by_email(email) if email else None
    if person is None or person.account_id != installation.account_id or not person.is_active:
        return None
    return person


def link_of(user_id: int) -> UserLink | None:
    return db.session.scalar(select(UserLink).where(UserLink.user_id == user_id))


def link_of_slack_user(account_id: int, slack_user_id: str) -> UserLink | None:
    wanted = select(UserLink).where(
        UserLink.account_id == account_id, UserLink.slack_user_id == slack_user_id
    )
    return db.session.scalar(wanted)


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


def link(person: User, slack_user_id: str, *, is_by_hand: bool = False) -> bool:
    """Remember the pair within the running transaction; an older pair of either side ends.

    Returns whether they were not a pair before. For a person whom person_of() named, or who
    confirmed it in their browser.
    """
    ended = delete(UserLink).where(
        UserLink.account_id == person.account_id,
        (UserLink.user_id == person.id) != (UserLink.slack_user_id == slack_user_id),
    )
    if not is_by_hand:
        ended = ended.where(~UserLink.is_by_hand)
    for earlier in db.session.scalars(ended.returning(UserLink.slack_user_id)).all():
        _show_no_more(person.account_id, earlier)
    pair = {"account_id": person.account_id, "user_id": person.id, "slack_user_id": slack_user_id}
    put = insert(UserLink).values(**pair, is_by_hand=is_by_hand)
    if is_by_hand:
        put = put.on_conflict_do_update(index_elements=["user_id"], set_={"is_by_hand": True})
    else:
        put = put.on_conflict_do_nothing()
    # xmax is zero in a row that was just inserted: an update of an old one is no new pair.
    is_new = db.session.scalar(put.returning(literal_column("xmax = 0")))
    unlinked.forget(person.id)
    if is_new:
        how = "by themselves" if is_by_hand else "by e-mail address"
        _audit(AuditAction.SLACK_USER_CONNECTED, person, how, by=person)
    return bool(is_new)


def unlink(known: UserLink, why: Why, *, by: User | str = log.SLACK) -> None:
    """End a pair within the running transaction, and say why on the person's and admins' pages."""
    person = known.user
    _show_no_more(known.account_id, known.slack_user_id)
    db.session.delete(known)
    db.session.flush()
    unlinked.note(person.id, known.account_id, why)
    how = "by themselves" if why is Why.REMOVED else unlinked.WORDS[why]
    _audit(AuditAction.SLACK_USER_DISCONNECTED, person, how, by=by)


def _show_no_more(account_id: int | None, slack_user_id: str) -> None:
    """No alert changes any more in direct messages of which we no longer know whose they are.

    The lane first, as whoever delivers does.
    """
    lane = select(Lane.channel_id).where(
        Lane.account_id == account_id, Lane.channel_id == slack_user_id
    )
    db.session.execute(lane.with_for_update()).all()
    end = update(PostedMessage).where(
        PostedMessage.account_id == account_id,
        PostedMessage.channel_id == slack_user_id,
        PostedMessage.gave_up_at.is_(None),
    )
    db.session.execute(end.values(gave_up_at=now(), last_error="person_disconnected"))


def _audit(action: AuditAction, person: User, how: str, by: User | str) -> None:
    """Without the Slack user's id: of people in Slack nothing is kept longer than the link."""
    subject = f"person {person.name}"
    log.record(action, account_id=person.account_id, by=by, subject=subject, how=how)
