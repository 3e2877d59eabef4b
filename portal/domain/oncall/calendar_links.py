"""Who may read shifts in a calendar program? Whoever holds a secret, revocable address."""

from sqlalchemy import ColumnElement, delete, select

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Permission
from portal.domain.accounts.secrets import new_token, token_hash
from portal.domain.audit import log
from portal.domain.audit.actions import AuditAction
from portal.domain.oncall import queries
from portal.domain.oncall.models import CalendarLink
from portal.errors import NotFound


def create(schedule_id: int | None, *, by: User) -> tuple[CalendarLink, str]:
    """Make an address of the schedule's calendar, or of the person's own shifts, with its token.

    The token is never shown again. An address the person had for the same calendar ends.
    """
    by.require(Permission.SEE_SCHEDULES)
    if schedule_id is not None:
        queries.schedule(by, schedule_id)
    # One at a time, or two clicks would make two addresses.
    db.session.execute(select(User.id).where(User.id == by.id).with_for_update())
    db.session.execute(delete(CalendarLink).where(*_of(by, schedule_id)))
    token = new_token()
    link = CalendarLink(user_id=by.id, schedule_id=schedule_id, token_hash=token_hash(token))
    db.session.add(link)
    _audit(AuditAction.CALENDAR_LINK_CREATED, schedule_id, by)
    db.session.commit()
    return link, token


def revoke(schedule_id: int | None, *, by: User) -> None:
    """End the person's address of that calendar. Ending it twice is no error."""
    by.require(Permission.SEE_SCHEDULES)
    ended = delete(CalendarLink).where(*_of(by, schedule_id)).returning(CalendarLink.id)
    if db.session.execute(ended).first() is not None:
        _audit(AuditAction.CALENDAR_LINK_REVOKED, schedule_id, by)
    db.session.commit()


def link_of(viewer: User, schedule_id: int | None) -> CalendarLink | None:
    """The viewer's own address of that calendar, if they have one."""
    return db.session.scalar(select(CalendarLink).where(*_of(viewer, schedule_id)))


def opened_by(token: str) -> CalendarLink:
    """The calendar that a program asks for. Raises NotFound, also when its owner may not see it."""
    link = db.session.scalar(
        select(CalendarLink).where(CalendarLink.token_hash == token_hash(token))
    )
    if link is None or not link.user.can(Permission.SEE_SCHEDULES):
        raise NotFound("There is no such calendar. Make a new link on the schedule's page.")
    link.last_read_at = now()
    db.session.commit()
    return link


def _of(person: User, schedule_id: int | None) -> tuple[ColumnElement[bool], ...]:
    return (
        CalendarLink.user_id == person.id,
        CalendarLink.schedule_id.is_not_distinct_from(schedule_id),
    )


def _audit(action: AuditAction, schedule_id: int | None, by: User) -> None:
    found = None if schedule_id is None else queries.schedule(by, schedule_id)
    subject = f"schedule {found.name}" if found else "their own shifts"
    log.record(action, account_id=by.account_id, by=by, subject=subject)
