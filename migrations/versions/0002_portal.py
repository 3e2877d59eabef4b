"""The first tables: accounts and people, sources, alerts, alert actions, the Slack link and its messages."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0002'
down_revision = '0001'


def upgrade() -> None:
    op.create_table('accounts',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_accounts')),
    sa.UniqueConstraint('name', name=op.f('uq_accounts_name'))
    )
    op.create_table('rate_counters',
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('window_start', sa.DateTime(timezone=True), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('refused', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('key', 'window_start', name=op.f('pk_rate_counters'))
    )
    op.create_table('alert_sources',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('integration_key_hash', sa.LargeBinary(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('key_created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('disabled_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_alert_sources_account_id_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_alert_sources')),
    sa.UniqueConstraint('account_id', 'name', name=op.f('uq_alert_sources_account_id')),
    sa.UniqueConstraint('integration_key_hash', name=op.f('uq_alert_sources_integration_key_hash'))
    )
    op.create_table('slack_channel_lists',
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('channels', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('fetched_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('found', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('cursor', sa.Text(), nullable=False),
    sa.Column('pages', sa.BigInteger(), nullable=False),
    sa.Column('problem', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_slack_channel_lists_account_id_accounts')),
    sa.PrimaryKeyConstraint('account_id', name=op.f('pk_slack_channel_lists'))
    )
    op.create_table('slack_clicks',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('slack_user_id', sa.Text(), nullable=False),
    sa.Column('user_team_id', sa.Text(), nullable=False),
    sa.Column('channel_id', sa.Text(), nullable=False),
    sa.Column('action_id', sa.Text(), nullable=False),
    sa.Column('alert_id', sa.BigInteger(), nullable=False),
    sa.Column('response_url', sa.LargeBinary(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_slack_clicks_account_id_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_slack_clicks'))
    )
    op.create_table('slack_ephemeral_replies',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=True),
    sa.Column('slack_user_id', sa.Text(), nullable=False),
    sa.Column('channel_id', sa.Text(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('response_url', sa.LargeBinary(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('attempts', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_slack_ephemeral_replies_account_id_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_slack_ephemeral_replies'))
    )
    op.create_table('slack_lanes',
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('channel_id', sa.Text(), nullable=False),
    sa.Column('next_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('paced_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('failures', sa.BigInteger(), nullable=False),
    sa.Column('held_reason', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_slack_lanes_account_id_accounts')),
    sa.PrimaryKeyConstraint('account_id', 'channel_id', name=op.f('pk_slack_lanes'))
    )
    op.create_table('slack_revocations',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('team_id', sa.Text(), nullable=False),
    sa.Column('bot_token', sa.LargeBinary(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('attempts', sa.BigInteger(), nullable=False),
    sa.Column('next_try_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_error', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_slack_revocations_account_id_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_slack_revocations'))
    )
    with op.batch_alter_table('slack_revocations', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_slack_revocations_team_id'), ['team_id'], unique=False)

    op.create_table('users',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=True),
    sa.Column('email', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('role', sa.Enum('stakeholder', 'responder', 'user', 'admin', 'owner', 'support', name='role', native_enum=False, length=40), nullable=False),
    sa.Column('password_hash', sa.Text(), nullable=True),
    sa.Column('time_zone', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('deactivated_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("(role = 'support') = (account_id IS NULL)", name=op.f('ck_users_support_has_no_account')),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_users_account_id_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_users'))
    )
    with op.batch_alter_table('users', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_users_account_id'), ['account_id'], unique=False)
        batch_op.create_index('uq_users_email', [sa.literal_column('lower(email)')], unique=True)

    op.create_table('alert_actions',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('channel_id', sa.Text(), nullable=False),
    sa.Column('channel_name', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('created_by_id', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_alert_actions_account_id_accounts')),
    sa.ForeignKeyConstraint(['created_by_id'], ['users.id'], name=op.f('fk_alert_actions_created_by_id_users')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_alert_actions'))
    )
    with op.batch_alter_table('alert_actions', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_alert_actions_account_id'), ['account_id'], unique=False)

    op.create_table('alerts',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('source_id', sa.BigInteger(), nullable=False),
    sa.Column('alert_key', sa.Text(), nullable=True),
    sa.Column('summary', sa.Text(), nullable=False),
    sa.Column('details', sa.Text(), nullable=False),
    sa.Column('priority', sa.Enum('high', 'low', name='priority', native_enum=False, length=40), nullable=False),
    sa.Column('severity', sa.BigInteger(), nullable=True),
    sa.Column('links', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('images', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('labels', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('custom_details', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('status', sa.Enum('pending', 'acknowledged', 'resolved', name='alertstatus', native_enum=False, length=40), nullable=False),
    sa.Column('event_count', sa.BigInteger(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_event_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('acknowledged_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('acknowledged_by_id', sa.BigInteger(), nullable=True),
    sa.Column('resolved_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('resolved_by_id', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_alerts_account_id_accounts')),
    sa.ForeignKeyConstraint(['acknowledged_by_id'], ['users.id'], name=op.f('fk_alerts_acknowledged_by_id_users')),
    sa.ForeignKeyConstraint(['resolved_by_id'], ['users.id'], name=op.f('fk_alerts_resolved_by_id_users')),
    sa.ForeignKeyConstraint(['source_id'], ['alert_sources.id'], name=op.f('fk_alerts_source_id_alert_sources')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_alerts'))
    )
    with op.batch_alter_table('alerts', schema=None) as batch_op:
        batch_op.create_index('ix_alerts_account_id_id', ['account_id', 'id'], unique=False)
        batch_op.create_index('ix_alerts_account_open', ['account_id', 'id'], unique=False, postgresql_where=sa.text("status <> 'resolved'"))
        batch_op.create_index('uq_alerts_open_key', ['source_id', 'alert_key'], unique=True, postgresql_where=sa.text("status <> 'resolved'"))

    op.create_table('audit_entries',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=True),
    sa.Column('actor_id', sa.BigInteger(), nullable=True),
    sa.Column('actor_name', sa.Text(), nullable=False),
    sa.Column('action', sa.Enum('account_created', 'user_created', 'user_invited', 'invitation_accepted', 'role_changed', 'user_deactivated', 'user_reactivated', 'password_changed', 'sign_in_revoked', 'source_created', 'source_changed', 'source_disabled', 'source_enabled', 'integration_key_rotated', 'alert_action_created', 'alert_action_changed', 'alert_action_deleted', 'workspace_linked', 'workspace_reauthorized', 'workspace_unlinked', 'workspace_broken', 'workspace_viewed_by_support', name='auditaction', native_enum=False, length=40), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('details', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_audit_entries_account_id_accounts')),
    sa.ForeignKeyConstraint(['actor_id'], ['users.id'], name=op.f('fk_audit_entries_actor_id_users')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_entries'))
    )
    with op.batch_alter_table('audit_entries', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_audit_entries_account_id'), ['account_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_audit_entries_at'), ['at'], unique=False)

    op.create_table('invitations',
    sa.Column('user_id', sa.BigInteger(), nullable=False),
    sa.Column('token_hash', sa.LargeBinary(), nullable=False),
    sa.Column('invited_by_id', sa.BigInteger(), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['invited_by_id'], ['users.id'], name=op.f('fk_invitations_invited_by_id_users')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_invitations_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('user_id', name=op.f('pk_invitations')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_invitations_token_hash'))
    )
    op.create_table('sign_ins',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('user_id', sa.BigInteger(), nullable=False),
    sa.Column('token_hash', sa.LargeBinary(), nullable=False),
    sa.Column('user_agent', sa.Text(), nullable=False),
    sa.Column('address', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_sign_ins_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sign_ins')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_sign_ins_token_hash'))
    )
    with op.batch_alter_table('sign_ins', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sign_ins_user_id'), ['user_id'], unique=False)

    op.create_table('slack_installations',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('team_id', sa.Text(), nullable=False),
    sa.Column('team_name', sa.Text(), nullable=False),
    sa.Column('team_url', sa.Text(), nullable=False),
    sa.Column('enterprise_id', sa.Text(), nullable=True),
    sa.Column('app_id', sa.Text(), nullable=False),
    sa.Column('bot_user_id', sa.Text(), nullable=False),
    sa.Column('bot_id', sa.Text(), nullable=False),
    sa.Column('bot_token', sa.LargeBinary(), nullable=False),
    sa.Column('scopes', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('state', sa.Enum('linked', 'broken', name='linkstate', native_enum=False, length=40), nullable=False),
    sa.Column('state_since', sa.DateTime(timezone=True), nullable=False),
    sa.Column('state_reason', sa.Text(), nullable=True),
    sa.Column('installed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('installed_by_id', sa.BigInteger(), nullable=False),
    sa.Column('last_success_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_slack_installations_account_id_accounts')),
    sa.ForeignKeyConstraint(['installed_by_id'], ['users.id'], name=op.f('fk_slack_installations_installed_by_id_users')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_slack_installations')),
    sa.UniqueConstraint('account_id', name=op.f('uq_slack_installations_account_id')),
    sa.UniqueConstraint('team_id', name=op.f('uq_slack_installations_team_id'))
    )
    op.create_table('slack_user_links',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('user_id', sa.BigInteger(), nullable=False),
    sa.Column('slack_user_id', sa.Text(), nullable=False),
    sa.Column('linked_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_slack_user_links_account_id_accounts')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_slack_user_links_user_id_users')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_slack_user_links')),
    sa.UniqueConstraint('account_id', 'slack_user_id', name=op.f('uq_slack_user_links_account_id')),
    sa.UniqueConstraint('user_id', name=op.f('uq_slack_user_links_user_id'))
    )
    op.create_table('alert_action_sources',
    sa.Column('action_id', sa.BigInteger(), nullable=False),
    sa.Column('source_id', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['action_id'], ['alert_actions.id'], name=op.f('fk_alert_action_sources_action_id_alert_actions'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['source_id'], ['alert_sources.id'], name=op.f('fk_alert_action_sources_source_id_alert_sources')),
    sa.PrimaryKeyConstraint('action_id', 'source_id', name=op.f('pk_alert_action_sources'))
    )
    with op.batch_alter_table('alert_action_sources', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_alert_action_sources_source_id'), ['source_id'], unique=False)

    op.create_table('posted_messages',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('alert_id', sa.BigInteger(), nullable=False),
    sa.Column('channel_id', sa.Text(), nullable=False),
    sa.Column('channel_name', sa.Text(), nullable=False),
    sa.Column('ts', sa.Text(), nullable=True),
    sa.Column('wanted_version', sa.BigInteger(), nullable=False),
    sa.Column('shown_version', sa.BigInteger(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('shown_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('attempts', sa.BigInteger(), nullable=False),
    sa.Column('attempted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_error', sa.Text(), nullable=True),
    sa.Column('gave_up_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_posted_messages_account_id_accounts')),
    sa.ForeignKeyConstraint(['alert_id'], ['alerts.id'], name=op.f('fk_posted_messages_alert_id_alerts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_posted_messages')),
    sa.UniqueConstraint('alert_id', 'channel_id', name=op.f('uq_posted_messages_alert_id'))
    )
    with op.batch_alter_table('posted_messages', schema=None) as batch_op:
        batch_op.create_index('ix_posted_messages_behind', ['account_id', 'channel_id', 'id'], unique=False, postgresql_where=sa.text('shown_version < wanted_version AND gave_up_at IS NULL'))

    op.create_table('received_events',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('source_id', sa.BigInteger(), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('type', sa.Enum('ALERT', 'ACCEPT', 'RESOLVE', 'COMMENT', name='eventtype', native_enum=False, length=40), nullable=False),
    sa.Column('alert_key', sa.Text(), nullable=True),
    sa.Column('summary', sa.Text(), nullable=False),
    sa.Column('outcome', sa.Enum('opened', 'joined', 'acknowledged', 'resolved', 'commented', 'already_acknowledged', 'no_open_alert', 'source_disabled', name='outcome', native_enum=False, length=40), nullable=False),
    sa.Column('alert_id', sa.BigInteger(), nullable=True),
    sa.Column('notes', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.ForeignKeyConstraint(['alert_id'], ['alerts.id'], name=op.f('fk_received_events_alert_id_alerts')),
    sa.ForeignKeyConstraint(['source_id'], ['alert_sources.id'], name=op.f('fk_received_events_source_id_alert_sources')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_received_events'))
    )
    with op.batch_alter_table('received_events', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_received_events_received_at'), ['received_at'], unique=False)
        batch_op.create_index('ix_received_events_source_id_received_at', ['source_id', 'received_at'], unique=False)

    op.create_table('slack_oauth_states',
    sa.Column('state_hash', sa.LargeBinary(), nullable=False),
    sa.Column('user_id', sa.BigInteger(), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('sign_in_id', sa.BigInteger(), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_slack_oauth_states_account_id_accounts')),
    sa.ForeignKeyConstraint(['sign_in_id'], ['sign_ins.id'], name=op.f('fk_slack_oauth_states_sign_in_id_sign_ins'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_slack_oauth_states_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('state_hash', name=op.f('pk_slack_oauth_states'))
    )
    op.create_table('timeline_entries',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('alert_id', sa.BigInteger(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('kind', sa.Enum('created', 'event_received', 'acknowledged', 'resolved', 'comment_added', 'slack_posted', 'slack_failed', 'slack_held', name='timelinekind', native_enum=False, length=40), nullable=False),
    sa.Column('actor_id', sa.BigInteger(), nullable=True),
    sa.Column('actor_name', sa.Text(), nullable=False),
    sa.Column('via', sa.Enum('web', 'slack', 'event', name='via', native_enum=False, length=40), nullable=True),
    sa.Column('data', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.ForeignKeyConstraint(['actor_id'], ['users.id'], name=op.f('fk_timeline_entries_actor_id_users')),
    sa.ForeignKeyConstraint(['alert_id'], ['alerts.id'], name=op.f('fk_timeline_entries_alert_id_alerts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_timeline_entries'))
    )
    with op.batch_alter_table('timeline_entries', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_timeline_entries_alert_id'), ['alert_id'], unique=False)



def downgrade() -> None:
    with op.batch_alter_table('timeline_entries', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_timeline_entries_alert_id'))

    op.drop_table('timeline_entries')
    op.drop_table('slack_oauth_states')
    with op.batch_alter_table('received_events', schema=None) as batch_op:
        batch_op.drop_index('ix_received_events_source_id_received_at')
        batch_op.drop_index(batch_op.f('ix_received_events_received_at'))

    op.drop_table('received_events')
    with op.batch_alter_table('posted_messages', schema=None) as batch_op:
        batch_op.drop_index('ix_posted_messages_behind', postgresql_where=sa.text('shown_version < wanted_version AND gave_up_at IS NULL'))

    op.drop_table('posted_messages')
    with op.batch_alter_table('alert_action_sources', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_alert_action_sources_source_id'))

    op.drop_table('alert_action_sources')
    op.drop_table('slack_user_links')
    op.drop_table('slack_installations')
    with op.batch_alter_table('sign_ins', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_sign_ins_user_id'))

    op.drop_table('sign_ins')
    op.drop_table('invitations')
    with op.batch_alter_table('audit_entries', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_audit_entries_at'))
        batch_op.drop_index(batch_op.f('ix_audit_entries_account_id'))

    op.drop_table('audit_entries')
    with op.batch_alter_table('alerts', schema=None) as batch_op:
        batch_op.drop_index('uq_alerts_open_key', postgresql_where=sa.text("status <> 'resolved'"))
        batch_op.drop_index('ix_alerts_account_open', postgresql_where=sa.text("status <> 'resolved'"))
        batch_op.drop_index('ix_alerts_account_id_id')

    op.drop_table('alerts')
    with op.batch_alter_table('alert_actions', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_alert_actions_account_id'))

    op.drop_table('alert_actions')
    with op.batch_alter_table('users', schema=None) as batch_op:
        batch_op.drop_index('uq_users_email')
        batch_op.drop_index(batch_op.f('ix_users_account_id'))

    op.drop_table('users')
    with op.batch_alter_table('slack_revocations', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_slack_revocations_team_id'))

    op.drop_table('slack_revocations')
    op.drop_table('slack_lanes')
    op.drop_table('slack_ephemeral_replies')
    op.drop_table('slack_clicks')
    op.drop_table('slack_channel_lists')
    op.drop_table('alert_sources')
    op.drop_table('rate_counters')
    op.drop_table('accounts')
