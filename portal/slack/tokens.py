"""How are Slack tokens kept? Encrypted with a ring of keys, the newest first."""

from typing import Any, cast

from cryptography.fernet import InvalidToken, MultiFernet
from flask import current_app
from sqlalchemy import LargeBinary, TypeDecorator


def ring() -> MultiFernet:
    """The keys of the running app, from ENCRYPTION_KEYS."""
    return cast(MultiFernet, current_app.extensions["encryption_keys"])


class EncryptedStr(TypeDecorator[str]):
    """Text that only the keys in ENCRYPTION_KEYS open.

    What none of them opens reads as "", so that a lost key takes down no page: the link says what
    is wrong with it (SlackInstallation.is_working), and `tocsin doctor` names the rows.
    """

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> bytes | None:
        return None if value is None else ring().encrypt(value.encode())

    def process_result_value(self, value: bytes | None, dialect: Any) -> str | None:
        if value is None:
            return None
        try:
            return ring().decrypt(value).decode()
        except InvalidToken:
            return ""


def render_item(kind: str, item: object, context: object) -> str | bool:
    """For Alembic: a migration sees the plain column type."""
    return "sa.LargeBinary()" if kind == "type" and isinstance(item, EncryptedStr) else False
