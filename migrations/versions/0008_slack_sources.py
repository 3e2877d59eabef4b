"""Slack alert sources, phone numbers, and what is remembered to answer slash commands.

One nullable column on people, and two on replies that the version still running leaves to their
defaults.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0008'
down_revision = '0007'


def upgrade() -> None:
    op.create_table('slack_sources',
    sa.Column('source_id', sa.BigInteger(), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('label', sa.Text(), nullable=False),
    sa.Column('anyone_may_ask', sa.Boolean(), nullable=False),
    sa.Column('shows_phone', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_slack_sources_account_id_accounts')),
    sa.ForeignKeyConstraint(['source_id'], ['alert_sources.id'], name=op.f('fk_slack_sources_source_id_alert_sources'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('source_id', name=op.f('pk_slack_sources'))
    )
    op.create_index(op.f('ix_slack_sources_account_id'), 'slack_sources', ['account_id'])
    op.create_table('slack_source_channels',
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('channel_id', sa.Text(), nullable=False),
    sa.Column('channel_name', sa.Text(), nullable=False),
    sa.Column('source_id', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_slack_source_channels_account_id_accounts')),
    sa.ForeignKeyConstraint(['source_id'], ['slack_sources.source_id'], name=op.f('fk_slack_source_channels_source_id_slack_sources'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('account_id', 'channel_id', name=op.f('pk_slack_source_channels'))
    )
    op.create_index(op.f('ix_slack_source_channels_source_id'), 'slack_source_channels', ['source_id'])
    op.create_table('slack_source_policies',
    sa.Column('source_id', sa.BigInteger(), nullable=False),
    sa.Column('position', sa.BigInteger(), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('policy_id', sa.BigInteger(), nullable=False),
    sa.Column('display_name', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['account_id', 'policy_id'], ['escalation_policies.account_id', 'escalation_policies.id'], name='fk_slack_source_policies_escalation_policy'),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_slack_source_policies_account_id_accounts')),
    sa.ForeignKeyConstraint(['source_id'], ['slack_sources.source_id'], name=op.f('fk_slack_source_policies_source_id_slack_sources'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('source_id', 'position', name=op.f('pk_slack_source_policies')),
    sa.UniqueConstraint('source_id', 'policy_id', name=op.f('uq_slack_source_policies_source_id'))
    )
    op.create_index(op.f('ix_slack_source_policies_policy_id'), 'slack_source_policies', ['policy_id'])
    op.create_table('slack_profiles',
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('slack_user_id', sa.Text(), nullable=False),
    sa.Column('kind', sa.String(length=40), nullable=False),
    sa.Column('time_zone', sa.Text(), nullable=False),
    sa.Column('noted_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_slack_profiles_account_id_accounts')),
    sa.PrimaryKeyConstraint('account_id', 'slack_user_id', name=op.f('pk_slack_profiles'))
    )
    op.create_table('slack_commands',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('slack_user_id', sa.Text(), nullable=False),
    sa.Column('channel_id', sa.Text(), nullable=False),
    sa.Column('command', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('is_owed', sa.Boolean(), nullable=False),
    sa.Column('response_url', sa.LargeBinary(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_slack_commands_account_id_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_slack_commands'))
    )
    op.add_column('slack_ephemeral_replies', sa.Column('blocks', postgresql.JSONB(), nullable=True))
    op.add_column('slack_ephemeral_replies', sa.Column('way', sa.String(length=40), server_default='new', nullable=False))
    op.add_column('users', sa.Column('phone', sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column('users', 'phone')
    op.drop_column('slack_ephemeral_replies', 'way')
    op.drop_column('slack_ephemeral_replies', 'blocks')
    op.drop_table('slack_commands')
    op.drop_table('slack_profiles')
    op.drop_table('slack_source_policies')
    op.drop_table('slack_source_channels')
    op.drop_table('slack_sources')
