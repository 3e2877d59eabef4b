"""Who may come in, and where are they signed in? Each function is one transaction."""

from datetime import timedelta

from sqlalchemy import delete, update

from portal.db import db, now
from portal.domain import rate_limits
from portal.domain.accounts import queries
from portal.domain.accounts.models import Invitation, SignIn, User
from portal.domain.accounts.permissions import Permission
from portal.domain.accounts.secrets import (
    hash_password,
    needs_rehash,
    new_token,
    password_fits,
    token_hash,
)
from portal.domain.audit import log
from portal.domain.audit.actions import AuditAction
from portal.errors import Denied, Invalid, NotFound, TooMany

LASTS = timedelta(days=14)
SEEN_EVERY = timedelta(minutes=5)
WINDOW = timedelta(minutes=15)
# Per pair, so that a stranger elsewhere cannot lock somebody out with a handful of tries.
TRIES_PER_PAIR = 10
TRIES_PER_ADDRESS = 50
TRIES_PER_EMAIL = 200


def sign_in(email: str, password: str, *, address: str, user_agent: str) -> tuple[User, str]:
    """Return the person and the token for their browser.

    Raises Denied with one sentence for every wrong combination, so that nobody learns which
    addresses exist, and TooMany when this address or this person was tried too often. The counts
    are kept in the database and hold over all processes.
    """
    _throttle(email, address)
    person = queries.by_email(email)
    fits = password_fits(person.password_hash if person else None, password)
    if person is None or not fits or not person.is_active:
        raise Denied("This e-mail address and password do not fit together.")
    if needs_rehash(person.password_hash or ""):
        person.password_hash = hash_password(password)
    rate_limits.forget(_pair_key(email, address))
    return person, _start(person, address, user_agent)


def sign_in_invited(person: User, *, address: str, user_agent: str) -> str:
    """Sign in somebody who has just accepted an invitation; returns the browser's token."""
    return _start(person, address, user_agent)


def sign_out(token: str) -> None:
    """End the sign-in that this browser holds. Safe to call twice."""
    db.session.execute(delete(SignIn).where(SignIn.token_hash == token_hash(token)))
    db.session.commit()


def revoke(sign_in_id: int, *, by: User) -> None:
    """End one of the person's own sign-ins, for instance of a lost laptop. Safe to call twice."""
    by.require(Permission.OWN_PROFILE)
    ended = delete(SignIn).where(SignIn.id == sign_in_id, SignIn.user_id == by.id)
    if db.session.execute(ended.returning(SignIn.id)).first():
        _audit(AuditAction.SIGN_IN_REVOKED, by)
    db.session.commit()


def change_password(old: str, new: str, *, by: User, keep: str) -> None:
    """Replace the password and end every sign-in but the one whose token is `keep`.

    Raises Invalid when the old password is wrong or the new one does not fit.
    """
    by.require(Permission.OWN_PROFILE)
    if not password_fits(by.password_hash, old):
        raise Invalid("This is not your present password.", field="old_password")
    by.password_hash = hash_password(new)
    others = delete(SignIn).where(SignIn.user_id == by.id, SignIn.token_hash != token_hash(keep))
    db.session.execute(others)
    _end_links(by)
    _audit(AuditAction.PASSWORD_CHANGED, by)
    db.session.commit()


def reset_password(email: str, new: str) -> User:
    """Replace a forgotten password from the command line, which is the only way for an owner.

    Ends every sign-in of the person. Raises NotFound, Invalid.
    """
    person = queries.by_email(email)
    if person is None:
        raise NotFound(f"Nobody has the e-mail address {email}.")
    person.password_hash = hash_password(new)
    db.session.execute(delete(SignIn).where(SignIn.user_id == person.id))
    _end_links(person)
    log.record(
        AuditAction.PASSWORD_RESET,
        account_id=person.account_id,
        by=log.COMMAND_LINE,
        subject=f"person {person.name}",
    )
    db.session.commit()
    return person


def seen(found: SignIn) -> None:
    """Note that the browser is in use; written every five minutes at most."""
    moment = now()
    if moment - found.last_seen_at >= SEEN_EVERY:
        mark = update(SignIn).where(SignIn.id == found.id)
        db.session.execute(mark.values(last_seen_at=moment, expires_at=moment + LASTS))
        db.session.commit()


def _throttle(email: str, address: str) -> None:
    limits = {
        _pair_key(email, address): TRIES_PER_PAIR,
        f"login:address:{address}": TRIES_PER_ADDRESS,
        f"login:email:{_folded(email)}": TRIES_PER_EMAIL,
    }
    for key, limit in limits.items():
        verdict = rate_limits.hit(key, limit=limit, window=WINDOW)
        if not verdict.is_allowed:
            minutes = -(-verdict.retry_after // 60)
            raise TooMany(
                f"Too many attempts. Please try again in {minutes} minute{'s'[: minutes != 1]}.",
                retry_after=verdict.retry_after,
            )


def _pair_key(email: str, address: str) -> str:
    return f"login:pair:{address}:{_folded(email)}"


def _folded(email: str) -> str:
    return email.strip().lower()[:254]


def _start(person: User, address: str, user_agent: str) -> str:
    token = new_token()
    started = SignIn(
        user_id=person.id,
        token_hash=token_hash(token),
        address=address,
        user_agent=user_agent[:300],
        expires_at=now() + LASTS,
    )
    db.session.add(started)
    db.session.execute(
        delete(SignIn).where(SignIn.user_id == person.id, SignIn.expires_at <= now())
    )
    db.session.commit()
    return token


def _end_links(person: User) -> None:
    """A sign-in link that still waits must not undo the password that was chosen since."""
    db.session.execute(delete(Invitation).where(Invitation.user_id == person.id))


def _audit(action: AuditAction, by: User) -> None:
    log.record(action, account_id=by.account_id, by=by, subject=f"person {by.name}")
