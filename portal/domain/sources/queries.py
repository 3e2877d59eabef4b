"""Which alert sources may somebody see, and to which does a key belong?"""

from sqlalchemy import Select, bindparam, false, func, select

from portal.db import db
from portal.domain.accounts.models import Account, User
from portal.domain.accounts.permissions import Permission
from portal.domain.accounts.secrets import token_hash
from portal.domain.sources.models import AlertSource
from portal.errors import NotFound

BY_KEY = select(AlertSource).where(AlertSource.integration_key_hash == bindparam("hash"))


def visible_to(viewer: User) -> Select[AlertSource]:
    """Sources of the viewer's account, if their role shows sources at all."""
    if not viewer.can(Permission.SEE_ALERT_SOURCES):
        return select(AlertSource).where(false())
    return select(AlertSource).where(AlertSource.account_id == viewer.account_id)


def source_named(account: Account, name: str) -> AlertSource:
    """Raises NotFound with the name that was asked for."""
    wanted = select(AlertSource).where(
        AlertSource.account_id == account.id, AlertSource.name == name
    )
    found = db.session.scalar(wanted)
    if found is None:
        raise NotFound(f"The account “{account.name}” has no alert source named “{name}”.")
    return found


def sources_of(viewer: User) -> list[AlertSource]:
    """All sources the viewer may see, by name."""
    return list(db.session.scalars(visible_to(viewer).order_by(func.lower(AlertSource.name))))


def source(viewer: User, source_id: int) -> AlertSource:
    """Raises NotFound, also for a source of another account."""
    found = db.session.scalar(visible_to(viewer).where(AlertSource.id == source_id))
    if found is None:
        raise NotFound("There is no such alert source in your account.")
    return found


def by_integration_key(key: str) -> AlertSource:
    """The source a monitoring tool speaks for. Raises NotFound, saying nothing more."""
    found = db.session.scalar(BY_KEY, {"hash": token_hash(key)})
    if found is None:
        raise NotFound("There is no alert source with this integration key.")
    return found
