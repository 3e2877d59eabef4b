"""How people want to be told, what became of telling them, and whose direct message a message is.

The new columns have defaults that the version still running can live with.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0007'
down_revision = '0006'


def upgrade() -> None:
    op.create_table(
        'notification_preferences',
        sa.Column('user_id', sa.BigInteger(), nullable=False),
        sa.Column('slack_high', sa.BigInteger(), nullable=True),
        sa.Column('email_high', sa.BigInteger(), nullable=True),
        sa.Column('slack_low', sa.BigInteger(), nullable=True),
        sa.Column('email_low', sa.BigInteger(), nullable=True),
        sa.Column('muted_until', sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_notification_preferences_user_id_users'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('user_id', name=op.f('pk_notification_preferences')),
    )
    op.create_table(
        'notifications',
        sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column('user_id', sa.BigInteger(), nullable=False),
        sa.Column('alert_id', sa.BigInteger(), nullable=True),
        sa.Column('way', sa.Enum('slack', 'email', name='way', native_enum=False, length=40), nullable=False),
        sa.Column('state', sa.Enum('planned', 'under_way', 'sent', 'failed', 'cancelled', name='notificationstate', native_enum=False, length=40), nullable=False),
        sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('attempts', sa.BigInteger(), nullable=False),
        sa.Column('last_error', sa.Text(), nullable=True),
        sa.Column('done_at', sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(['alert_id'], ['alerts.id'], name=op.f('fk_notifications_alert_id_alerts')),
        sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_notifications_user_id_users')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_notifications')),
    )
    with op.batch_alter_table('notifications', schema=None) as batch_op:
        batch_op.create_index('ix_notifications_alert_id_user_id', ['alert_id', 'user_id'], unique=False)
        batch_op.create_index('ix_notifications_due', ['due_at'], unique=False, postgresql_where=sa.text("state = 'planned'"))
        batch_op.create_index('ix_notifications_under_way', ['id'], unique=False, postgresql_where=sa.text("state = 'under_way'"))
        batch_op.create_index(batch_op.f('ix_notifications_user_id'), ['user_id'], unique=False)

    with op.batch_alter_table('posted_messages', schema=None) as batch_op:
        batch_op.add_column(sa.Column('user_id', sa.BigInteger(), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_posted_messages_user_id_users'), 'users', ['user_id'], ['id'])
        batch_op.create_index('ix_posted_messages_user_id', ['user_id'], unique=False, postgresql_where=sa.text('user_id IS NOT NULL'))

    with op.batch_alter_table('slack_direct_notes', schema=None) as batch_op:
        batch_op.add_column(sa.Column('tells', postgresql.ARRAY(sa.BigInteger()), nullable=False, server_default='{}'))


def downgrade() -> None:
    with op.batch_alter_table('slack_direct_notes', schema=None) as batch_op:
        batch_op.drop_column('tells')

    with op.batch_alter_table('posted_messages', schema=None) as batch_op:
        batch_op.drop_index('ix_posted_messages_user_id', postgresql_where=sa.text('user_id IS NOT NULL'))
        batch_op.drop_constraint(batch_op.f('fk_posted_messages_user_id_users'), type_='foreignkey')
        batch_op.drop_column('user_id')

    with op.batch_alter_table('notifications', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_notifications_user_id'))
        batch_op.drop_index('ix_notifications_under_way', postgresql_where=sa.text("state = 'under_way'"))
        batch_op.drop_index('ix_notifications_due', postgresql_where=sa.text("state = 'planned'"))
        batch_op.drop_index('ix_notifications_alert_id_user_id')

    op.drop_table('notifications')
    op.drop_table('notification_preferences')
