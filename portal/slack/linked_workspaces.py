"""Which workspaces are linked, over all accounts? Read by support staff, changed by nobody here."""

from collections import Counter
from typing import Any

from sqlalchemy import Select, and_, false, or_, select
from sqlalchemy.orm import joinedload

from portal.db import db
from portal.domain.accounts.models import Account, User
from portal.domain.accounts.permissions import Permission
from portal.errors import NOTHING_HERE, NotFound
from portal.slack.installations import LinkState, SlackInstallation

PAGE = 50
SEARCHED = (
    Account.name,
    SlackInstallation.team_name,
    SlackInstallation.team_url,
    SlackInstallation.team_id,
)


def visible_to(viewer: User) -> Select[SlackInstallation]:
    """Every link for support staff, none for anybody else: an account knows its own by other ways."""
    if not viewer.can(Permission.SEE_ALL_WORKSPACES):
        return select(SlackInstallation).where(false())
    parts = joinedload(SlackInstallation.account), joinedload(SlackInstallation.installed_by)
    return select(SlackInstallation).options(*parts)


def workspaces(
    viewer: User, *, state: LinkState | None = None, search: str = "", before_id: int | None = None
) -> list[SlackInstallation]:
    """The newest links first, one more than a page holds if there are more.

    `search` is a part of the account's name, or of the workspace's name, address or id.
    """
    wanted = visible_to(viewer).join(SlackInstallation.account)
    if state is not None:
        unreadable = SlackInstallation.id.in_(_unreadable(viewer))
        is_broken = or_(SlackInstallation.state == LinkState.BROKEN, unreadable)
        in_state = and_(SlackInstallation.state == state, ~unreadable)
        wanted = wanted.where(is_broken if state is LinkState.BROKEN else in_state)
    if search:
        fits = [column.icontains(search, autoescape=True) for column in SEARCHED]
        wanted = wanted.where(or_(*fits))
    if before_id is not None:
        wanted = wanted.where(SlackInstallation.id < before_id)
    newest_first = wanted.order_by(SlackInstallation.id.desc())
    return list(db.session.scalars(newest_first.limit(PAGE + 1)))


def workspace(viewer: User, workspace_id: int) -> SlackInstallation:
    """Raises NotFound when it is not linked (any more)."""
    found = db.session.scalar(visible_to(viewer).where(SlackInstallation.id == workspace_id))
    if found is None:
        raise NotFound(NOTHING_HERE)
    return found


def counts(viewer: User) -> dict[LinkState, int]:
    """How many links are in each state; one whose token no key opens is broken."""
    seen = visible_to(viewer).subquery()
    rows: Any = db.session.execute(select(seen.c.id, seen.c.state))
    unreadable = set(_unreadable(viewer))
    known = Counter(LinkState.BROKEN if id in unreadable else state for id, state in rows)
    return {state: known[state] for state in LinkState}


def _unreadable(viewer: User) -> list[int]:
    """The links whose token no key opens: only trying tells."""
    columns = SlackInstallation.id, SlackInstallation.bot_token
    rows = db.session.execute(visible_to(viewer).with_only_columns(*columns))
    return [id for id, token in rows if token == ""]
