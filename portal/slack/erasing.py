"""What do we keep of a linked workspace, and how does all of it go?

Every table of this package that names an account, so that none is forgotten.
"""

from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Table, delete, select

from portal.db import Base, db
from portal.domain.routing.models import ActionChannel
from portal.slack.installations import OAuthState, Revocation, SlackInstallation
from portal.slack.posted import Lane

NOT_THE_WORKSPACES = (OAuthState, Revocation)  # what is on its way to Slack or back


def erase(account_id: int) -> None:
    """Delete all of the account's Slack data, the link as well. Within the caller's transaction.

    The lanes are locked first, as whoever delivers does: two that lock in opposite order would
    wait for each other.
    """
    lanes = select(Lane.channel_id).where(Lane.account_id == account_id).order_by(Lane.channel_id)
    db.session.execute(lanes.with_for_update()).all()
    for table in tables():
        db.session.execute(delete(table).where(table.c.account_id == account_id))


def sweep(account_id: int | None = None) -> None:
    """Delete what a job or an alert that ran beside an unlinking has left behind.

    An account without a link keeps what waits in the channels of its alert actions.
    """
    for table in tables():
        is_linked = select(SlackInstallation.id).where(
            SlackInstallation.account_id == table.c.account_id
        )
        conditions = [table.c.account_id.is_not(None), ~is_linked.exists(), *_is_unused(table)]
        if account_id is not None:
            conditions.append(table.c.account_id == account_id)
        db.session.execute(delete(table).where(*conditions))


@cache
def tables() -> tuple[Table, ...]:
    """The tables with what we know of workspaces; those that refer to others come first."""
    ours = {
        mapper.local_table
        for mapper in Base.registry.mappers
        if mapper.class_.__module__.startswith("portal.slack.")
        and mapper.class_ not in NOT_THE_WORKSPACES
    }
    in_order = reversed(Base.metadata.sorted_tables)
    return tuple(table for table in in_order if table in ours and "account_id" in table.columns)


def _is_unused(table: Table) -> list[ColumnElement[Any]]:
    if "channel_id" not in table.columns:
        return []
    has_action = select(ActionChannel.action_id).where(
        ActionChannel.account_id == table.c.account_id,
        ActionChannel.channel_id == table.c.channel_id,
    )
    return [~has_action.exists()]
