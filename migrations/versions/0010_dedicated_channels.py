"""Dedicated channels, their invitations, and what an alert action wants of them.

The new columns of alert_actions have defaults, so that the version that still runs can go on
writing its own.
"""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'


def upgrade() -> None:
    op.add_column('alert_actions', sa.Column('creates_channel', sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column('alert_actions', sa.Column('archive_channel_days', sa.BigInteger(), nullable=True))
    op.create_table('dedicated_channels',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('alert_id', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.Enum('creating', 'attached', 'not_created', 'closed', 'detached', name='channelstate', native_enum=False, length=40), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('channel_name', sa.Text(), nullable=False),
    sa.Column('is_name_typed', sa.Boolean(), nullable=False),
    sa.Column('is_private', sa.Boolean(), nullable=False),
    sa.Column('requested_by_id', sa.BigInteger(), nullable=True),
    sa.Column('via', sa.Enum('web', 'slack', 'event', name='via', native_enum=False, length=40), nullable=True),
    sa.Column('requested_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('step', sa.Text(), nullable=True),
    sa.Column('step_begun_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('attempts', sa.BigInteger(), nullable=False),
    sa.Column('next_try_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('problem', sa.Text(), nullable=True),
    sa.Column('place_for', sa.Text(), nullable=True),
    sa.Column('uncertain_since', sa.DateTime(timezone=True), nullable=True),
    sa.Column('must_look', sa.Boolean(), nullable=False),
    sa.Column('channel_id', sa.Text(), nullable=True),
    sa.Column('attached_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('is_told', sa.Boolean(), nullable=False),
    sa.Column('topic', sa.Text(), nullable=True),
    sa.Column('message_ts', sa.Text(), nullable=True),
    sa.Column('topic_outcome', sa.Text(), nullable=True),
    sa.Column('bookmark_outcome', sa.Text(), nullable=True),
    sa.Column('pin_outcome', sa.Text(), nullable=True),
    sa.Column('farewell_outcome', sa.Text(), nullable=True),
    sa.Column('archive_outcome', sa.Text(), nullable=True),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('closed_reason', sa.Text(), nullable=True),
    sa.Column('archive_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('detached_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('detached_by_id', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_dedicated_channels_account_id_accounts')),
    sa.ForeignKeyConstraint(['alert_id'], ['alerts.id'], name=op.f('fk_dedicated_channels_alert_id_alerts')),
    sa.ForeignKeyConstraint(['detached_by_id'], ['users.id'], name=op.f('fk_dedicated_channels_detached_by_id_users')),
    sa.ForeignKeyConstraint(['requested_by_id'], ['users.id'], name=op.f('fk_dedicated_channels_requested_by_id_users')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_dedicated_channels')),
    sa.UniqueConstraint('account_id', 'channel_id', name='uq_dedicated_channels_channel')
    )
    op.create_index('ix_dedicated_channels_alert_id', 'dedicated_channels', ['alert_id'])
    op.create_index('uq_dedicated_channels_current', 'dedicated_channels', ['alert_id'], unique=True, postgresql_where=sa.text("state <> 'detached'"))
    op.create_table('channel_invitations',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('dedicated_channel_id', sa.BigInteger(), nullable=False),
    sa.Column('user_id', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.Enum('wanted', 'invited', 'refused', name='invitationstate', native_enum=False, length=40), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['dedicated_channel_id'], ['dedicated_channels.id'], name=op.f('fk_channel_invitations_dedicated_channel_id_dedicated_channels'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_channel_invitations_user_id_users')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_channel_invitations')),
    sa.UniqueConstraint('dedicated_channel_id', 'user_id', name=op.f('uq_channel_invitations_dedicated_channel_id'))
    )


def downgrade() -> None:
    op.drop_table('channel_invitations')
    op.drop_table('dedicated_channels')
    op.drop_column('alert_actions', 'archive_channel_days')
    op.drop_column('alert_actions', 'creates_channel')
