"""Delivery: clocks that are set back, looks into channels, messages given up.

The new columns have defaults, so that the version that still runs can go on writing its rows.
"""

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0014'


def upgrade() -> None:
    op.add_column('slack_lanes', sa.Column('seen_at', sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()))
    op.add_column('slack_lanes', sa.Column('look_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('slack_lanes', sa.Column('look_outcome', sa.Text(), nullable=True))
    op.add_column('slack_paces', sa.Column('noted_at', sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()))
    op.create_index('ix_posted_messages_gave_up', 'posted_messages', ['account_id', 'gave_up_at'], postgresql_where=sa.text('gave_up_at IS NOT NULL'))


def downgrade() -> None:
    op.drop_index('ix_posted_messages_gave_up', table_name='posted_messages')
    op.drop_column('slack_paces', 'noted_at')
    op.drop_column('slack_lanes', 'look_outcome')
    op.drop_column('slack_lanes', 'look_at')
    op.drop_column('slack_lanes', 'seen_at')
