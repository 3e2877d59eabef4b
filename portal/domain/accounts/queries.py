"""Which people and sign-ins may somebody see?"""

from sqlalchemy import Select, func, select

from portal.db import db, now
from portal.domain.accounts.models import Account, Invitation, SignIn, User
from portal.domain.accounts.permissions import PERMISSIONS, Permission, Role
from portal.domain.accounts.secrets import token_hash
from portal.errors import NotFound


def visible_to(viewer: User) -> Select[User]:
    """People of the viewer's account; support staff see only themselves here."""
    if viewer.account_id is None:
        return select(User).where(User.id == viewer.id)
    return select(User).where(User.account_id == viewer.account_id)


def people_of(viewer: User) -> list[User]:
    """Everybody of the viewer's account, by name."""
    return list(db.session.scalars(visible_to(viewer).order_by(func.lower(User.name), User.id)))


def person(viewer: User, user_id: int) -> User:
    """Raises NotFound, also for a person of another account."""
    found = db.session.scalar(visible_to(viewer).where(User.id == user_id))
    if found is None:
        raise NotFound("There is no such person in your account.")
    return found


def who_may(permission: Permission, account_id: int | None) -> Select[User]:
    """The account's active people whose role allows it, by name."""
    roles = [role for role, granted in PERMISSIONS.items() if permission in granted]
    allowed = select(User).where(
        User.account_id == account_id, User.role.in_(roles), User.deactivated_at.is_(None)
    )
    return allowed.order_by(func.lower(User.name), User.id)


def admins_of(account_id: int) -> list[User]:
    """The active people whom somebody without the permission can ask."""
    asked = (
        select(User)
        .where(
            User.account_id == account_id,
            User.role.in_([Role.ADMIN, Role.OWNER]),
            User.deactivated_at.is_(None),
        )
        .order_by(func.lower(User.name))
    )
    return list(db.session.scalars(asked))


def by_email(email: str) -> User | None:
    """The person with this address, whatever its letter case."""
    return db.session.scalar(select(User).where(func.lower(User.email) == email.strip().lower()))


def account_named(name: str) -> Account:
    """Raises NotFound with the name that was asked for."""
    found = db.session.scalar(select(Account).where(Account.name == name))
    if found is None:
        raise NotFound(f"There is no account named “{name}”.")
    return found


def sign_in_of(token: str) -> SignIn | None:
    """The live sign-in that a browser's token names; none if it ended or the person is inactive."""
    found = db.session.scalar(select(SignIn).where(SignIn.token_hash == token_hash(token)))
    if found is None or found.expires_at <= now() or not found.user.is_active:
        return None
    return found


def sign_ins_of(person: User) -> list[SignIn]:
    """Where the person is signed in, the most recently seen first."""
    live = select(SignIn).where(SignIn.user_id == person.id, SignIn.expires_at > now())
    return list(db.session.scalars(live.order_by(SignIn.last_seen_at.desc(), SignIn.id)))


def invitation_by(token: str) -> Invitation:
    """Raises NotFound when the link is unknown, used or expired."""
    found = db.session.scalar(select(Invitation).where(Invitation.token_hash == token_hash(token)))
    if found is None or found.expires_at <= now() or not found.user.is_active:
        raise NotFound("This link is no longer valid. Ask an admin for a new link.")
    return found


def may_change_role_of(viewer: User, person: User) -> bool:
    """The owner's role is handed over, never taken; nobody changes their own role."""
    return (
        viewer.can(Permission.MANAGE_USERS)
        and person.role is not Role.OWNER
        and person.id != viewer.id
    )
