"""How does an account learn that support staff looked at its link to Slack?"""

from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import select

from portal.db import db, now
from portal.domain.accounts.models import User
from portal.domain.accounts.permissions import Permission
from portal.domain.audit import log
from portal.domain.audit.actions import AuditAction
from portal.domain.audit.models import AuditEntry

ONCE_IN = timedelta(minutes=10)


class Look(StrEnum):
    LIST = "list"  # one among all workspaces
    PAGE = "page"  # the page about this workspace alone


class Seen(NamedTuple):
    account_id: int
    team_id: str
    team_name: str


def note(workspaces: Iterable[Seen], where: Look, *, by: User) -> None:
    """Write the look to the log of each account. Within the caller's transaction.

    Commit before anything is shown: a look that cannot be written down must not happen (product.md
    section 10). The list and the page follow by themselves and are loaded again and again, which
    would bury the log; so one entry says that the person looked at this workspace there, once or
    more often, within the ten minutes that follow it. No account's entry stands for another's.
    """
    by.require(Permission.SEE_ALL_WORKSPACES)
    noted = _noted_already(where, by)
    for account_id, team_id, team_name in workspaces:
        if (account_id, team_id) in noted:
            continue
        log.record(
            AuditAction.WORKSPACE_VIEWED_BY_SUPPORT,
            account_id=account_id,
            by=by,
            subject=f"workspace {team_name}",
            team_id=team_id,
            where=where.value,
        )


def _noted_already(where: Look, by: User) -> set[tuple[int | None, str]]:
    recent = select(AuditEntry.account_id, AuditEntry.details["team_id"].astext).where(
        AuditEntry.at > now() - ONCE_IN,
        AuditEntry.actor_id == by.id,
        AuditEntry.action == AuditAction.WORKSPACE_VIEWED_BY_SUPPORT,
        AuditEntry.details["where"].astext == where.value,
    )
    return {(account_id, team_id) for account_id, team_id in db.session.execute(recent)}
