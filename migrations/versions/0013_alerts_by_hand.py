"""Alerts opened by hand, one per submission, and the channels in which Slack's commands are used.

The new column is empty for every alert there is, so that the version that still runs can go on writing
its own.
"""

import sqlalchemy as sa
from alembic import op

revision = '0013'
down_revision = '0012'


def upgrade() -> None:
    op.add_column('alerts', sa.Column('creation_key', sa.Text(), nullable=True))
    op.create_index(
        'uq_alerts_creation_key', 'alerts', ['account_id', 'creation_key'], unique=True,
        postgresql_where=sa.text('creation_key IS NOT NULL'),
    )
    op.create_table('slack_channels',
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('channel_id', sa.Text(), nullable=False),
    sa.Column('channel_name', sa.Text(), nullable=False),
    sa.Column('is_shared', sa.Boolean(), nullable=False),
    sa.Column('noted_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_slack_channels_account_id_accounts')),
    sa.PrimaryKeyConstraint('account_id', 'channel_id', name=op.f('pk_slack_channels'))
    )


def downgrade() -> None:
    op.drop_table('slack_channels')
    op.drop_index('uq_alerts_creation_key', table_name='alerts')
    op.drop_column('alerts', 'creation_key')
