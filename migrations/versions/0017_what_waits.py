"""Which messages wait, as a column that PostgreSQL keeps statistics of."""

from alembic import op

revision = '0017'
down_revision = '0016'


def upgrade() -> None:
    op.drop_index('ix_posted_messages_behind', table_name='posted_messages')
    op.execute(
        'ALTER TABLE posted_messages ADD COLUMN waits boolean NOT NULL GENERATED ALWAYS AS'
        ' (shown_version < wanted_version AND gave_up_at IS NULL AND is_own) STORED'
    )
    op.execute(
        'CREATE INDEX ix_posted_messages_behind ON posted_messages (account_id, channel_id, id)'
        ' WHERE waits'
    )
    op.execute('ANALYZE posted_messages')


def downgrade() -> None:
    op.drop_index('ix_posted_messages_behind', table_name='posted_messages')
    op.drop_column('posted_messages', 'waits')
    op.execute(
        'CREATE INDEX ix_posted_messages_behind ON posted_messages (account_id, channel_id, id)'
        ' WHERE shown_version < wanted_version AND gave_up_at IS NULL AND is_own'
    )
