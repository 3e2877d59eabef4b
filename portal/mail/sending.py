"""How is a notification sent by e-mail? Intent first, then the server, then what came of it."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from email.message import EmailMessage
from typing import NamedTuple

import structlog
from flask import current_app
from sqlalchemy import select

from portal.db import db, now
from portal.domain.accounts.permissions import Permission
from portal.domain.facts import NotificationDue
from portal.domain.notifications import outcomes
from portal.domain.notifications.models import Notification, NotificationState, Way
from portal.jobs.engine import Wake, job, wake
from portal.mail import letters, smtp
from portal.mail.smtp import MailError

GIVE_UP_AFTER = timedelta(hours=1)  # by then somebody else was asked, or it is no news
LONGEST_BACKOFF = 300  # seconds

log = structlog.get_logger()


class Attempt(NamedTuple):
    letter: EmailMessage
    perhaps_twice: bool  # an earlier attempt may have got through


def hand_over(facts: Sequence[NotificationDue]) -> Iterable[Wake]:
    """Wake a job for each that goes by e-mail; without a mail server there is no such way."""
    ids = [fact.notification_id for fact in facts]
    wanted = select(Notification.id).where(Notification.id.in_(ids), Notification.way == Way.EMAIL)
    by_mail = list(db.session.scalars(wanted.order_by(Notification.id)))
    if not smtp.is_configured():
        outcomes.cancelled(by_mail, "No mail server is set up.")
        return []
    return [Wake(send, {"notification_id": notification_id}) for notification_id in by_mail]


@job("mail:{notification_id}", queue="mail")
def send(notification_id: int) -> None:
    """One attempt. A crash in the middle costs at most a second letter, and the timeline says so."""
    attempt = _begun(notification_id)
    if attempt is None:
        return
    try:
        smtp.send(attempt.letter)
    except MailError as problem:
        _went_wrong(notification_id, problem)
        return
    outcomes.sent([notification_id], perhaps_twice=attempt.perhaps_twice)
    db.session.commit()


def wake_under_way() -> None:
    """Wake what is under way and, for whatever reason, has no job. The caller commits."""
    under_way = select(Notification.id, Notification.due_at).where(
        Notification.state == NotificationState.UNDER_WAY, Notification.way == Way.EMAIL
    )
    for notification_id, at in db.session.execute(under_way.order_by(Notification.id)).all():
        wake(send, at=at if at > now() else None, notification_id=notification_id)


def _begun(notification_id: int) -> Attempt | None:
    """Write down that we try, if that is still wanted, and the letter as things are now."""
    row = _locked(notification_id)
    if row is None or row.state is not NotificationState.UNDER_WAY:
        return None
    if row.due_at > now() and row.attempts:
        wake(send, at=row.due_at, notification_id=row.id)
        db.session.commit()
        return None
    may = Permission.OWN_PROFILE if row.alert_id is None else Permission.RESPOND_TO_ALERTS
    if not row.user.can(may) or not smtp.is_configured():
        outcomes.cancelled([row.id])
        db.session.commit()
        return None
    is_unsure = row.attempts > 0 and row.last_error is None
    row.attempts += 1
    row.last_error = None
    try:
        letter = _letter(row)
    except ValueError:
        outcomes.failed([row.id], "The e-mail address is not valid.")
        db.session.commit()
        return None
    db.session.commit()
    return Attempt(letter, is_unsure)


def _letter(row: Notification) -> EmailMessage:
    """What follows about the same alert is filed by mail programs under the first letter."""
    public_url, sender = current_app.config["PUBLIC_URL"], current_app.config["MAIL_FROM"]
    own = letters.message_id(f"notification-{row.id}", public_url)
    common = {"to": row.user.email, "sender": sender, "at": now(), "message_id": own}
    if row.alert is None:
        return letters.written(letters.of_test(public_url), **common)
    earlier = select(Notification.id).where(
        Notification.alert_id == row.alert_id,
        Notification.user_id == row.user_id,
        Notification.way == Way.EMAIL,
        Notification.state == NotificationState.SENT,
        Notification.id < row.id,
    )
    first = db.session.scalar(earlier.order_by(Notification.id).limit(1))
    answers = letters.message_id(f"notification-{first}", public_url) if first else None
    letter = letters.of_alert(row.alert, public_url, is_again=first is not None)
    return letters.written(letter, **common, answers=answers)


def _went_wrong(notification_id: int, problem: MailError) -> None:
    row = _locked(notification_id)
    if row is None or row.state is not NotificationState.UNDER_WAY:
        db.session.rollback()  # answered, or somebody else's
        return
    log.warning("mail_failed", notification_id=row.id, said=str(problem))
    if problem.is_final or now() - row.created_at > GIVE_UP_AFTER:
        outcomes.failed([row.id], str(problem))
    else:
        row.last_error = None if problem.may_have_happened else str(problem)
        row.due_at = now() + timedelta(seconds=min(LONGEST_BACKOFF, 2**row.attempts))
        wake(send, at=row.due_at, notification_id=row.id)
    db.session.commit()


def _locked(notification_id: int) -> Notification | None:
    wanted = select(Notification).where(Notification.id == notification_id).with_for_update()
    return db.session.scalar(wanted.execution_options(populate_existing=True))
