"""Alert actions with several channels, triggers, conditions, runs and tests; threads under messages."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0011'
down_revision = '0010'

# What an action published that was made before there was a choice.
DEFAULT_TRIGGERS = sa.text(
    '\'["alert-created", "alert-acknowledged", "alert-assigned", "alert-auto-escalated",'
    ' "alert-resolved", "alert-comment-added"]\''
)


def upgrade() -> None:
    op.create_table('alert_action_channels',
    sa.Column('action_id', sa.BigInteger(), nullable=False),
    sa.Column('channel_id', sa.Text(), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('channel_name', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_alert_action_channels_account_id_accounts')),
    sa.ForeignKeyConstraint(['action_id'], ['alert_actions.id'], name=op.f('fk_alert_action_channels_action_id_alert_actions'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('action_id', 'channel_id', name=op.f('pk_alert_action_channels'))
    )
    op.create_index('ix_alert_action_channels_channel', 'alert_action_channels', ['account_id', 'channel_id'])
    op.create_table('alert_action_tests',
    sa.Column('action_id', sa.BigInteger(), nullable=False),
    sa.Column('channel_id', sa.Text(), nullable=False),
    sa.Column('channel_name', sa.Text(), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('problem', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['action_id'], ['alert_actions.id'], name=op.f('fk_alert_action_tests_action_id_alert_actions'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('action_id', 'channel_id', name=op.f('pk_alert_action_tests'))
    )
    op.create_table('alert_action_runs',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('alert_id', sa.BigInteger(), nullable=False),
    sa.Column('action_id', sa.BigInteger(), nullable=False),
    sa.Column('run_by_id', sa.BigInteger(), nullable=False),
    sa.Column('via', sa.Enum('web', 'slack', 'event', name='via', native_enum=False, length=40), nullable=False),
    sa.Column('run_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('succeeded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('problem', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['action_id'], ['alert_actions.id'], name=op.f('fk_alert_action_runs_action_id_alert_actions'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['alert_id'], ['alerts.id'], name=op.f('fk_alert_action_runs_alert_id_alerts'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['run_by_id'], ['users.id'], name=op.f('fk_alert_action_runs_run_by_id_users')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_alert_action_runs')),
    sa.UniqueConstraint('alert_id', 'action_id', name=op.f('uq_alert_action_runs_alert_id'))
    )
    op.create_index(op.f('ix_alert_action_runs_action_id'), 'alert_action_runs', ['action_id'])
    op.create_table('alert_action_timers',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('alert_id', sa.BigInteger(), nullable=False),
    sa.Column('action_id', sa.BigInteger(), nullable=False),
    sa.Column('trigger', sa.Enum('alert-created', 'alert-acknowledged', 'alert-assigned', 'alert-auto-escalated', 'alert-raised', 'alert-resolved', 'alert-comment-added', 'alert-responder-added', 'alert-responder-removed', 'alert-channel-attached', 'alert-channel-detached', 'alert-escalation-ended', 'v-alert-not-resolved', name='trigger', native_enum=False, length=40), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['action_id'], ['alert_actions.id'], name=op.f('fk_alert_action_timers_action_id_alert_actions'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['alert_id'], ['alerts.id'], name=op.f('fk_alert_action_timers_alert_id_alerts'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_alert_action_timers')),
    sa.UniqueConstraint('alert_id', 'action_id', 'trigger', name=op.f('uq_alert_action_timers_alert_id'))
    )
    op.create_index(op.f('ix_alert_action_timers_action_id'), 'alert_action_timers', ['action_id'])
    op.create_index(op.f('ix_alert_action_timers_due_at'), 'alert_action_timers', ['due_at'])
    op.create_table('slack_thread_comments',
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('channel_id', sa.Text(), nullable=False),
    sa.Column('ts', sa.Text(), nullable=False),
    sa.Column('entry_id', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_slack_thread_comments_account_id_accounts')),
    sa.ForeignKeyConstraint(['entry_id'], ['timeline_entries.id'], name=op.f('fk_slack_thread_comments_entry_id_timeline_entries')),
    sa.PrimaryKeyConstraint('account_id', 'channel_id', 'ts', name=op.f('pk_slack_thread_comments'))
    )
    op.create_index(op.f('ix_slack_thread_comments_entry_id'), 'slack_thread_comments', ['entry_id'])
    op.create_table('slack_thread_replies',
    sa.Column('posted_message_id', sa.BigInteger(), nullable=False),
    sa.Column('entry_id', sa.BigInteger(), nullable=False),
    sa.Column('told_by_id', sa.BigInteger(), nullable=True),
    sa.Column('thread_ts', sa.Text(), nullable=True),
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
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_slack_thread_replies_account_id_accounts')),
    sa.ForeignKeyConstraint(['entry_id'], ['timeline_entries.id'], name=op.f('fk_slack_thread_replies_entry_id_timeline_entries')),
    sa.ForeignKeyConstraint(['posted_message_id'], ['posted_messages.id'], name=op.f('fk_slack_thread_replies_posted_message_id_posted_messages'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['told_by_id'], ['slack_thread_replies.id'], name=op.f('fk_slack_thread_replies_told_by_id_slack_thread_replies'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_slack_thread_replies')),
    sa.UniqueConstraint('posted_message_id', 'entry_id', name=op.f('uq_slack_thread_replies_posted_message_id'))
    )
    op.create_index('ix_slack_thread_replies_behind', 'slack_thread_replies', ['account_id', 'channel_id', 'id'], postgresql_where=sa.text('shown_version < wanted_version AND gave_up_at IS NULL AND told_by_id IS NULL'))
    op.create_index(op.f('ix_slack_thread_replies_entry_id'), 'slack_thread_replies', ['entry_id'])
    op.create_index(op.f('ix_slack_thread_replies_told_by_id'), 'slack_thread_replies', ['told_by_id'])
    op.add_column('alert_actions', sa.Column('mode', sa.Enum('automatic', 'manual', name='triggermode', native_enum=False, length=40), server_default='automatic', nullable=False))
    op.add_column('alert_actions', sa.Column('triggers', postgresql.JSONB(astext_type=sa.Text()), server_default=DEFAULT_TRIGGERS, nullable=False))
    op.add_column('alert_actions', sa.Column('ended_after', sa.BigInteger(), server_default=sa.text('0'), nullable=False))
    op.add_column('alert_actions', sa.Column('not_resolved_after', sa.BigInteger(), nullable=True))
    op.add_column('alert_actions', sa.Column('conditions', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False))
    op.add_column('alert_actions', sa.Column('needs_all', sa.Boolean(), server_default=sa.text('true'), nullable=False))
    op.execute(
        'INSERT INTO alert_action_channels (action_id, channel_id, account_id, channel_name)'
        ' SELECT id, channel_id, account_id, channel_name FROM alert_actions'
    )
    op.drop_column('alert_actions', 'channel_id')
    op.drop_column('alert_actions', 'channel_name')
    op.add_column('posted_messages', sa.Column('run_id', sa.BigInteger(), nullable=True))
    op.create_index('ix_posted_messages_run_id', 'posted_messages', ['run_id'], postgresql_where=sa.text('run_id IS NOT NULL'))
    op.create_index('ix_posted_messages_ts', 'posted_messages', ['channel_id', 'ts'], postgresql_where=sa.text('ts IS NOT NULL'))
    op.create_foreign_key(op.f('fk_posted_messages_run_id_alert_action_runs'), 'posted_messages', 'alert_action_runs', ['run_id'], ['id'], ondelete='SET NULL')
    op.add_column('slack_lanes', sa.Column('replied_at', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column('slack_lanes', 'replied_at')
    op.drop_table('slack_thread_replies')
    op.drop_table('slack_thread_comments')
    op.drop_index('ix_posted_messages_ts', 'posted_messages')
    op.drop_column('posted_messages', 'run_id')
    op.add_column('alert_actions', sa.Column('channel_name', sa.Text(), nullable=True))
    op.add_column('alert_actions', sa.Column('channel_id', sa.Text(), nullable=True))
    op.execute(
        'UPDATE alert_actions SET channel_id = first.channel_id, channel_name = first.channel_name'
        ' FROM (SELECT DISTINCT ON (action_id) * FROM alert_action_channels'
        ' ORDER BY action_id, channel_name) AS first WHERE first.action_id = alert_actions.id'
    )
    op.alter_column('alert_actions', 'channel_name', nullable=False)
    op.alter_column('alert_actions', 'channel_id', nullable=False)
    for name in ('needs_all', 'conditions', 'not_resolved_after', 'ended_after', 'triggers', 'mode'):
        op.drop_column('alert_actions', name)
    for name in ('timers', 'runs', 'tests', 'channels'):
        op.drop_table(f'alert_action_{name}')
