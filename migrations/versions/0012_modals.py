"""Modals in Slack, from the click that asks for one to its submission."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0012'
down_revision = '0011'


def upgrade() -> None:
    op.create_table('slack_modals',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('token', sa.Text(), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('slack_user_id', sa.Text(), nullable=False),
    sa.Column('channel_id', sa.Text(), nullable=False),
    sa.Column('response_url', sa.LargeBinary(), nullable=True),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('subject', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('trigger_id', sa.Text(), nullable=False),
    sa.Column('view_id', sa.Text(), nullable=True),
    sa.Column('is_behind', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('submitted_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_slack_modals_account_id_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_slack_modals')),
    sa.UniqueConstraint('account_id', 'trigger_id', name=op.f('uq_slack_modals_account_id')),
    sa.UniqueConstraint('token', name=op.f('uq_slack_modals_token'))
    )


def downgrade() -> None:
    op.drop_table('slack_modals')
