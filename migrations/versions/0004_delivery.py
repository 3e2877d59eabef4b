"""Delivery: budgets and holds, outages, summaries, attempts of unknown outcome, channel health, counters.

The new columns of `posted_messages` have defaults, so that no row is rewritten. Its index of what is
behind is made anew (a summary may stand for a row now); it holds few rows, so this is short.
"""

import sqlalchemy as sa
from alembic import op


revision = '0004'
down_revision = '0003'


def upgrade() -> None:
    op.create_table('counters',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('label', sa.Text(), nullable=False),
    sa.Column('shard', sa.BigInteger(), nullable=False),
    sa.Column('value', sa.Float(), nullable=False),
    sa.PrimaryKeyConstraint('name', 'label', 'shard', name=op.f('pk_counters'))
    )
    op.create_table('slack_direct_notes',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('slack_user_id', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('path', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('attempts', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_slack_direct_notes_account_id_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_slack_direct_notes'))
    )
    with op.batch_alter_table('slack_direct_notes', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_slack_direct_notes_account_id'), ['account_id'], unique=False)

    op.create_table('slack_outages',
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('since', sa.DateTime(timezone=True), nullable=False),
    sa.Column('failures', sa.BigInteger(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('next_try_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_slack_outages_account_id_accounts')),
    sa.PrimaryKeyConstraint('account_id', name=op.f('pk_slack_outages'))
    )
    op.create_table('slack_paces',
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('method', sa.Text(), nullable=False),
    sa.Column('paced_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('held_until', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_slack_paces_account_id_accounts')),
    sa.PrimaryKeyConstraint('account_id', 'method', name=op.f('pk_slack_paces'))
    )
    op.create_table('slack_summaries',
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('channel_id', sa.Text(), nullable=False),
    sa.Column('channel_name', sa.Text(), nullable=False),
    sa.Column('conversation_id', sa.Text(), nullable=True),
    sa.Column('ts', sa.Text(), nullable=True),
    sa.Column('wanted_version', sa.BigInteger(), nullable=False),
    sa.Column('shown_version', sa.BigInteger(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('shown_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('attempts', sa.BigInteger(), nullable=False),
    sa.Column('attempted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('uncertain_since', sa.DateTime(timezone=True), nullable=True),
    sa.Column('not_before', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_error', sa.Text(), nullable=True),
    sa.Column('gave_up_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('form', sa.Text(), nullable=False),
    sa.Column('was_reposted', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_slack_summaries_account_id_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_slack_summaries'))
    )
    with op.batch_alter_table('slack_summaries', schema=None) as batch_op:
        batch_op.create_index('ix_slack_summaries_behind', ['account_id', 'channel_id', 'id'], unique=False, postgresql_where=sa.text('shown_version < wanted_version AND gave_up_at IS NULL'))

    with op.batch_alter_table('alert_actions', schema=None) as batch_op:
        batch_op.add_column(sa.Column('fallback_channel_id', sa.Text(), nullable=True))
        batch_op.add_column(sa.Column('fallback_channel_name', sa.Text(), nullable=True))
        batch_op.add_column(sa.Column('after_storm', sa.Enum('summary', 'own', name='afterstorm', native_enum=False, length=40), nullable=False, server_default='summary'))

    with op.batch_alter_table('posted_messages', schema=None) as batch_op:
        batch_op.add_column(sa.Column('is_own', sa.Boolean(), nullable=False, server_default='true'))
        batch_op.add_column(sa.Column('summary_id', sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column('summary_version', sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column('conversation_id', sa.Text(), nullable=True))
        batch_op.add_column(sa.Column('uncertain_since', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('not_before', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('form', sa.Text(), nullable=False, server_default='full'))
        batch_op.add_column(sa.Column('was_reposted', sa.Boolean(), nullable=False, server_default='false'))
        batch_op.drop_index('ix_posted_messages_behind', postgresql_where=sa.text('shown_version < wanted_version AND gave_up_at IS NULL'))
        batch_op.create_index('ix_posted_messages_behind', ['account_id', 'channel_id', 'id'], unique=False, postgresql_where=sa.text('shown_version < wanted_version AND gave_up_at IS NULL AND is_own'))
        batch_op.create_index('ix_posted_messages_summary_id', ['summary_id'], unique=False, postgresql_where=sa.text('summary_id IS NOT NULL'))
        batch_op.create_foreign_key(batch_op.f('fk_posted_messages_summary_id_slack_summaries'), 'slack_summaries', ['summary_id'], ['id'])

    with op.batch_alter_table('slack_lanes', schema=None) as batch_op:
        batch_op.add_column(sa.Column('post_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('update_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('returns_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('summary_id', sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column('gathered_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('problem', sa.Text(), nullable=True))
        batch_op.add_column(sa.Column('problem_since', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('last_success_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_slack_lanes_summary_id_slack_summaries'), 'slack_summaries', ['summary_id'], ['id'])



def downgrade() -> None:
    with op.batch_alter_table('slack_lanes', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_slack_lanes_summary_id_slack_summaries'), type_='foreignkey')
        batch_op.drop_column('last_success_at')
        batch_op.drop_column('problem_since')
        batch_op.drop_column('problem')
        batch_op.drop_column('gathered_at')
        batch_op.drop_column('summary_id')
        batch_op.drop_column('returns_at')
        batch_op.drop_column('update_at')
        batch_op.drop_column('post_at')

    with op.batch_alter_table('posted_messages', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_posted_messages_summary_id_slack_summaries'), type_='foreignkey')
        batch_op.drop_index('ix_posted_messages_summary_id', postgresql_where=sa.text('summary_id IS NOT NULL'))
        batch_op.drop_index('ix_posted_messages_behind', postgresql_where=sa.text('shown_version < wanted_version AND gave_up_at IS NULL AND is_own'))
        batch_op.create_index('ix_posted_messages_behind', ['account_id', 'channel_id', 'id'], unique=False, postgresql_where=sa.text('shown_version < wanted_version AND gave_up_at IS NULL'))
        batch_op.drop_column('was_reposted')
        batch_op.drop_column('form')
        batch_op.drop_column('not_before')
        batch_op.drop_column('uncertain_since')
        batch_op.drop_column('conversation_id')
        batch_op.drop_column('summary_version')
        batch_op.drop_column('summary_id')
        batch_op.drop_column('is_own')

    with op.batch_alter_table('alert_actions', schema=None) as batch_op:
        batch_op.drop_column('after_storm')
        batch_op.drop_column('fallback_channel_name')
        batch_op.drop_column('fallback_channel_id')

    with op.batch_alter_table('slack_summaries', schema=None) as batch_op:
        batch_op.drop_index('ix_slack_summaries_behind', postgresql_where=sa.text('shown_version < wanted_version AND gave_up_at IS NULL'))

    op.drop_table('slack_summaries')
    op.drop_table('slack_paces')
    op.drop_table('slack_outages')
    with op.batch_alter_table('slack_direct_notes', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_slack_direct_notes_account_id'))

    op.drop_table('slack_direct_notes')
    op.drop_table('counters')
