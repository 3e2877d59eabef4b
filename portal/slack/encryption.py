"""Which rows hold something encrypted, who can still open it, and how do they get a newer key?

Every column of the type EncryptedStr, in whatever table, so that none is forgotten.
"""

from collections.abc import Iterator
from typing import Any

from cryptography.fernet import InvalidToken
from sqlalchemy import Column, LargeBinary, Table, cast, select, type_coerce, update

from portal.db import Base, db
from portal.slack.tokens import EncryptedStr, ring

AT_A_TIME = 200


def rotate() -> int:
    """Encrypt everything with the first key of ENCRYPTION_KEYS; returns how many values changed.

    Safe while the portal runs and safe to repeat: a value that somebody else has just replaced is
    left alone, since a new value is encrypted with the first key already. Values that no key opens
    are left as they are; closed() names them.
    """
    changed = 0
    for table, column in _columns():
        for number, (key, stored) in enumerate(_values(table, column), start=1):
            changed += _encrypt_anew(table, column, key, stored)
            if number % AT_A_TIME == 0:
                db.session.commit()
        db.session.commit()
    return changed


def closed() -> Iterator[str]:
    """Name each value that no key opens: "bot_token of slack_installations 3"."""
    for table, column in _columns():
        for key, stored in _values(table, column):
            try:
                ring().decrypt(stored)
            except InvalidToken:
                yield f"{column.name} of {table.name} {key}"


def _columns() -> Iterator[tuple[Table, Column[Any]]]:
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, EncryptedStr):
                yield table, column


def _values(table: Table, column: Column[Any]) -> list[tuple[int, bytes]]:
    (key,) = table.primary_key.columns
    wanted = select(key, type_coerce(column, LargeBinary)).where(column.is_not(None)).order_by(key)
    return [(number, bytes(stored)) for number, stored in db.session.execute(wanted)]


def _encrypt_anew(table: Table, column: Column[Any], number: int, stored: bytes) -> int:
    (key,) = table.primary_key.columns
    try:
        anew = ring().rotate(stored)
    except InvalidToken:
        return 0
    is_unchanged = type_coerce(column, LargeBinary) == stored
    statement = update(table).where(key == number, is_unchanged)
    result = db.session.execute(statement.values({column.name: cast(anew, LargeBinary)}))
    return int(result.rowcount)  # type: ignore[attr-defined]
