"""How are passwords and tokens kept, so that a leaked database reveals none of them?"""

import hashlib
import secrets
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from portal.errors import Invalid

SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 200

_hasher = PasswordHasher()  # argon2id; the library's defaults follow RFC 9106's second choice


@cache
def _nobody() -> str:
    """Verified against when no such person exists, so that both answers take equally long."""
    return _hasher.hash(secrets.token_urlsafe())


def hash_password(password: str) -> str:
    """Return an argon2id hash. Raises Invalid when the password is too short or too long."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise Invalid(
            f"Please choose a password of {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters.",
            field="password",
        )
    return _hasher.hash(password)


def password_fits(password_hash: str | None, password: str) -> bool:
    """Say whether the password belongs to the hash, in the same time whether there is one or not."""
    try:
        return _hasher.verify(password_hash or _nobody(), password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


def needs_rehash(password_hash: str) -> bool:
    return _hasher.check_needs_rehash(password_hash)


def new_token() -> str:
    """256 random bits, for a URL or a cookie."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """What the database keeps of a random token. Plain SHA-256: nothing to guess in 256 bits."""
    return hashlib.sha256(token.encode(errors="replace")).digest()
