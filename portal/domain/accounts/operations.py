"""What changes accounts and people? Each function is one transaction."""

import re
from datetime import timedelta
from zoneinfo import available_timezones

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError

from portal.db import db, now
from portal.domain.accounts import queries
from portal.domain.accounts.models import Account, Invitation, SignIn, User
from portal.domain.accounts.permissions import Permission, Role
from portal.domain.accounts.secrets import hash_password, new_token, token_hash
from portal.domain.audit import log
from portal.domain.audit.actions import AuditAction
from portal.domain.facts import PersonChanged, PersonJoined, announce
from portal.errors import Conflict, Invalid, NotFound

E164 = re.compile(r"\+[1-9][0-9]{6,14}")
INVITATION_LASTS = timedelta(days=7)
SIGN_IN_LINK_LASTS = timedelta(hours=24)
GIVEN_BY_ADMINS = (Role.STAKEHOLDER, Role.RESPONDER, Role.USER, Role.ADMIN)


def create_account(name: str, *, admin_email: str, admin_name: str, password: str) -> Account:
    """Create a tenant and its first person, who is the owner (product.md section 10).

    Raises Conflict when the name or the e-mail address is taken, Invalid for bad input.
    """
    account = Account(name=_text(name, "name", 80))
    owner = User(
        account=account,
        email=_email(admin_email),
        name=_text(admin_name, "name", 120),
        role=Role.OWNER,
        password_hash=hash_password(password),
    )
    _insert(account, "An account with this name exists already.")
    _insert(owner, f"{owner.email} is already used by somebody.")
    log.record(
        AuditAction.ACCOUNT_CREATED,
        account_id=account.id,
        by=log.COMMAND_LINE,
        subject=f"account {account.name}",
        owner=owner.email,
    )
    db.session.commit()
    return account


def create_user(
    *, account: Account | None, email: str, name: str, role: Role, password: str
) -> User:
    """Create a person with a password, from the command line. `role` support takes no account.

    Raises Conflict when the address is taken, Invalid for bad input.
    """
    if (role is Role.SUPPORT) != (account is None):
        raise Invalid("Support staff belong to no account, everybody else to one.", field="role")
    if role is Role.OWNER:
        raise Invalid("An account has one owner, who is created with it.", field="role")
    person = User(
        account=account,
        email=_email(email),
        name=_text(name, "name", 120),
        role=role,
        password_hash=hash_password(password),
    )
    _insert(person, f"{person.email} is already used by somebody.")
    log.record(
        AuditAction.USER_CREATED,
        account_id=person.account_id,
        by=log.COMMAND_LINE,
        subject=f"person {person.name}",
        role=role.value,
    )
    if person.account_id is not None:
        announce(PersonJoined(person.account_id))
    db.session.commit()
    return person


def invite(*, by: User, email: str, name: str, role: Role) -> tuple[User, str]:
    """Add a person who has no password yet, and return them with the token of their link."""
    by.require(Permission.MANAGE_USERS)
    _check_given(role)
    person = User(
        account_id=by.account_id, email=_email(email), name=_text(name, "name", 120), role=role
    )
    _insert(person, f"{person.email} is already used by somebody.")
    token = _new_link(person, by, INVITATION_LASTS)
    _audit(AuditAction.USER_INVITED, by, person, role=role.value)
    announce(PersonJoined(person.account_id or 0))
    db.session.commit()
    return person, token


def invite_again(user_id: int, *, by: User) -> tuple[User, str]:
    """Make a new link for a person who has not chosen a password yet; the old one ends."""
    by.require(Permission.MANAGE_USERS)
    person = _locked(user_id, by)
    if person.password_hash is not None:
        raise Conflict(f"{person.name} has already accepted an invitation.")
    token = _new_link(person, by, INVITATION_LASTS)
    _audit(AuditAction.USER_INVITED_AGAIN, by, person, role=person.role.value)
    db.session.commit()
    return person, token


def make_sign_in_link(user_id: int, *, by: User) -> tuple[User, str]:
    """Let a person who has forgotten the password choose a new one; an earlier link ends.

    Until the link is used nothing changes for them. Raises Conflict for the owner, whose account
    an admin could take over that way, and for whoever could not sign in anyway.
    """
    by.require(Permission.MANAGE_USERS)
    person = _locked(user_id, by)
    _refuse_owner_and_self(person, by)
    if person.password_hash is None:
        raise Conflict(
            f"{person.name} has not accepted the invitation yet. Make a new link for it."
        )
    if not person.is_active:
        raise Conflict(f"{person.name} is deactivated. Reactivate them first.")
    token = _new_link(person, by, SIGN_IN_LINK_LASTS)
    _audit(AuditAction.SIGN_IN_LINK_CREATED, by, person)
    db.session.commit()
    return person, token


def accept_invitation(token: str, *, password: str) -> User:
    """Set the password of the person whose link this is, and sign them out everywhere.

    The link works once. Raises NotFound, Invalid.
    """
    person = queries.invitation_by(token).user
    is_first = person.password_hash is None
    person.password_hash = hash_password(password)
    used = delete(Invitation).where(Invitation.token_hash == token_hash(token))
    if db.session.execute(used.returning(Invitation.user_id)).first() is None:
        raise NotFound("This link is no longer valid. Ask an admin for a new link.")
    db.session.execute(delete(SignIn).where(SignIn.user_id == person.id))
    deed = AuditAction.INVITATION_ACCEPTED if is_first else AuditAction.SIGN_IN_LINK_USED
    _audit(deed, person, person)
    db.session.commit()
    return person


def change_role(user_id: int, role: Role, *, by: User) -> User:
    """Give another role. It counts from the person's next request on, in Slack too."""
    by.require(Permission.MANAGE_USERS)
    _check_given(role)
    person = _locked(user_id, by)
    _refuse_owner_and_self(person, by)
    if person.role is not role:
        _audit(AuditAction.ROLE_CHANGED, by, person, before=person.role.value, after=role.value)
        person.role = role
        announce(PersonChanged(person.id))
    db.session.commit()
    return person


def deactivate(user_id: int, *, by: User) -> User:
    """Sign the person out everywhere and let them do nothing more. Their past deeds stay."""
    by.require(Permission.MANAGE_USERS)
    person = _locked(user_id, by)
    _refuse_owner_and_self(person, by)
    if person.is_active:
        person.deactivated_at = now()
        db.session.execute(delete(SignIn).where(SignIn.user_id == person.id))
        _audit(AuditAction.USER_DEACTIVATED, by, person)
        announce(PersonChanged(person.id))
    db.session.commit()
    return person


def reactivate(user_id: int, *, by: User) -> User:
    """Undo a deactivation."""
    by.require(Permission.MANAGE_USERS)
    person = _locked(user_id, by)
    if not person.is_active:
        person.deactivated_at = None
        _audit(AuditAction.USER_REACTIVATED, by, person)
        announce(PersonChanged(person.id))
    db.session.commit()
    return person


def change_time_zone(name: str, *, by: User) -> None:
    """The zone in which the person reads schedules and gets calendars. Raises Invalid."""
    by.require(Permission.OWN_PROFILE)
    if name not in available_timezones():
        raise Invalid("Please choose a time zone, such as Europe/Berlin.", field="time_zone")
    by.time_zone = name
    _audit(AuditAction.TIME_ZONE_CHANGED, by, by, time_zone=name)
    db.session.commit()


def change_phone(number: str, *, by: User) -> User:
    """Keep the person's own phone number, or none for an empty text. Raises Invalid.

    Shown to the person and to admins, and in Slack only where a Slack alert source says so.
    """
    by.require(Permission.OWN_PROFILE)
    phone = _phone(number)
    if phone != by.phone:
        by.phone = phone
        _audit(AuditAction.PHONE_CHANGED, by, by)
    db.session.commit()
    return by


def _new_link(person: User, by: User, lasts: timedelta) -> str:
    token = new_token()
    db.session.execute(delete(Invitation).where(Invitation.user_id == person.id))
    db.session.add(
        Invitation(
            user_id=person.id,
            token_hash=token_hash(token),
            invited_by_id=by.id,
            expires_at=now() + lasts,
        )
    )
    return token


def _locked(user_id: int, by: User) -> User:
    wanted = queries.visible_to(by).where(User.id == user_id).with_for_update()
    person = db.session.scalar(wanted.execution_options(populate_existing=True))
    if person is None:
        raise NotFound("There is no such person in your account.")
    return person


def _refuse_owner_and_self(person: User, by: User) -> None:
    if person.id == by.id:
        raise Conflict("You cannot do this to yourself. Ask another admin.")
    if person.role is Role.OWNER:
        raise Conflict(f"{person.name} is the owner. Only the owner can hand over the account.")


def _check_given(role: Role) -> None:
    if role not in GIVEN_BY_ADMINS:
        raise Invalid(
            f"Please choose one of: {', '.join(role.value for role in GIVEN_BY_ADMINS)}.",
            field="role",
        )


def _insert(row: Account | User, taken: str) -> None:
    try:
        with db.session.begin_nested():
            db.session.add(row)
    except IntegrityError as problem:
        raise Conflict(taken) from problem


def _audit(action: AuditAction, by: User, person: User, **details: str) -> None:
    subject = f"person {person.name}"
    log.record(action, account_id=by.account_id, by=by, subject=subject, **details)


def _email(raw: str) -> str:
    email = raw.strip()
    local, at, domain = email.partition("@")
    if not (local and at and "." in domain) or len(email) > 254 or any(map(str.isspace, email)):
        raise Invalid("Please give an e-mail address like ada@example.com.", field="email")
    return email


def _phone(raw: str) -> str | None:
    """ITU-T E.164: a plus, the country's code and the rest, at most 15 digits."""
    digits = re.sub(r"[\s()./-]", "", raw)
    if digits and not E164.fullmatch(digits):
        raise Invalid(
            "Please give the number with its country code, like +44 20 7946 0958.", field="phone"
        )
    return digits or None


def _text(raw: str, field: str, longest: int) -> str:
    value = " ".join(raw.split())
    if not 0 < len(value) <= longest:
        raise Invalid(f"Please give a {field} of 1 to {longest} characters.", field=field)
    return value
