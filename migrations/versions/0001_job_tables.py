"""Procrastinate's own tables, so that jobs live in the transactions that cause them."""

from alembic import op

from portal.jobs import schema

revision = "0001"
down_revision = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        schema.upgrade(op.get_bind().connection.driver_connection)


def downgrade() -> None:
    raise NotImplementedError("There is nothing before the first revision.")
