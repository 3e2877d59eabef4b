"""Which audit entries may somebody see, and which of them are asked for?"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, false, select

from portal.db import db
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Permission
from portal.domain.audit import log
from portal.domain.audit.actions import AuditAction
from portal.domain.audit.models import AuditEntry

PAGE = 50
LINK_HISTORY = (
    AuditAction.WORKSPACE_LINKED,
    AuditAction.WORKSPACE_REAUTHORIZED,
    AuditAction.WORKSPACE_LIMITED,
    AuditAction.WORKSPACE_COMPLETE,
    AuditAction.WORKSPACE_BROKEN,
    AuditAction.WORKSPACE_UNLINKED,
)


class Outsider(StrEnum):
    """Who acts in an account without being one of its people."""

    SUPPORT = "support"
    SLACK = "slack"
    COMMAND_LINE = "command-line"


@dataclass(frozen=True)
class Asked:
    """What to look for; a field left out asks for everything."""

    who: int | Outsider | None = None  # a person's id
    actions: Collection[AuditAction] = ()
    since: datetime | None = None
    until: datetime | None = None  # the first moment that no longer counts
    subject: str = ""  # any part of it, in any letter case


def visible_to(viewer: User) -> Select[AuditEntry]:
    """What was done to the viewer's account; nothing for people who may not read the log."""
    if not viewer.can(Permission.SEE_AUDIT_LOG):
        return select(AuditEntry).where(false())
    return select(AuditEntry).where(AuditEntry.account_id == viewer.account_id)


def entries_of(
    viewer: User, asked: Asked, *, before_id: int | None = None, limit: int = PAGE + 1
) -> list[AuditEntry]:
    """The newest entries first: by default one more than a page holds, if there are more."""
    wanted = visible_to(viewer)
    if asked.who is not None:
        wanted = wanted.where(_done_by(asked.who))
    if asked.actions:
        wanted = wanted.where(AuditEntry.action.in_(asked.actions))
    if asked.since is not None:
        wanted = wanted.where(AuditEntry.at >= asked.since)
    if asked.until is not None:
        wanted = wanted.where(AuditEntry.at < asked.until)
    if asked.subject:
        wanted = wanted.where(AuditEntry.subject.icontains(asked.subject, autoescape=True))
    if before_id is not None:
        wanted = wanted.where(AuditEntry.id < before_id)
    return list(db.session.scalars(wanted.order_by(AuditEntry.id.desc()).limit(limit)))


def link_history(viewer: User, account_id: int, *, limit: int) -> list[AuditEntry]:
    """What happened to an account's link to Slack, the newest first; for support staff."""
    viewer.require(Permission.SEE_ALL_WORKSPACES)
    wanted = select(AuditEntry).where(
        AuditEntry.account_id == account_id, AuditEntry.action.in_(LINK_HISTORY)
    )
    return list(db.session.scalars(wanted.order_by(AuditEntry.id.desc()).limit(limit)))


def _done_by(who: int | Outsider) -> ColumnElement[bool]:
    match who:
        case Outsider.SUPPORT:
            staff = select(User.id).where(User.account_id.is_(None))
            return AuditEntry.actor_id.in_(staff)
        case Outsider.SLACK | Outsider.COMMAND_LINE:
            name = log.SLACK if who is Outsider.SLACK else log.COMMAND_LINE
            return AuditEntry.actor_id.is_(None) & (AuditEntry.actor_name == name)
        case _:
            return AuditEntry.actor_id == who
