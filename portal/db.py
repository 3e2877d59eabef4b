"""What does the rest need of the database? A session, a base class, UTC times."""

from datetime import UTC, datetime

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger, DateTime, Enum, MetaData, Text
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    """Every table inherits this. Constraints get names, so that a migration can drop them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: DateTime(timezone=True), str: Text(), int: BigInteger()}


db = SQLAlchemy(metadata=Base.metadata)


def now() -> datetime:
    """The present moment, aware, in UTC. Python's clock, so that tests can move it."""
    return datetime.now(UTC)


def closed_list(kind: type) -> Enum:
    """A column for a StrEnum: stored as its lower-case value, in text with a check.

    Text, because adding a value to a PostgreSQL enum type cannot be undone by a migration.
    """
    return Enum(
        kind,
        values_callable=lambda members: [member.value for member in members],
        native_enum=False,
        create_constraint=False,
        length=40,
    )
