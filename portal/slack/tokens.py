"""How are Slack tokens kept? Encrypted with a ring of keys, the newest first."""

from typing import Any, ClassVar

from cryptography.fernet import InvalidToken, MultiFernet
from sqlalchemy import LargeBinary, TypeDecorator


class EncryptedStr(TypeDecorator[str]):
    """Text that only the keys in ENCRYPTION_KEYS open.

    What none of them opens reads as "", so that a lost key takes down no page: the link says what
    is wrong with it (SlackInstallation.is_working), and `tocsin doctor` names the rows.
    """

    impl = LargeBinary
    cache_ok = True
    ring: ClassVar[MultiFernet]  # set once by create_app(), from ENCRYPTION_KEYS

    def process_bind_param(self, value: str | None, dialect: Any) -> bytes | None:
        return None if value is None else self.ring.encrypt(value.encode())

    def process_result_value(self, value: bytes | None, dialect: Any) -> str | None:
        if value is None:
            return None
        try:
            return self.ring.decrypt(value).decode()
        except InvalidToken:
            return ""


def render_item(kind: str, item: object, context: object) -> str | bool:
    """For Alembic: a migration sees the plain column type."""
    return "sa.LargeBinary()" if kind == "type" and isinstance(item, EncryptedStr) else False
