"""Escalation policies, how far each alert has climbed its own, and the people who were asked.

Two nullable columns on tables in use; the version that still runs leaves them empty, and its alerts
ask nobody, as before.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0006'
down_revision = '0005'


def upgrade() -> None:
    op.create_table('escalation_policies',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('delay_minutes', sa.BigInteger(), nullable=False),
    sa.Column('repeats', sa.BigInteger(), nullable=False),
    sa.Column('routing_key', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_escalation_policies_account_id_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_escalation_policies')),
    sa.UniqueConstraint('account_id', 'id', name='uq_escalation_policies_account_id_id'),
    sa.UniqueConstraint('account_id', 'name', name=op.f('uq_escalation_policies_account_id'))
    )
    with op.batch_alter_table('escalation_policies', schema=None) as batch_op:
        batch_op.create_index('uq_escalation_policies_routing_key', ['account_id', sa.literal_column('lower(routing_key)')], unique=True)

    op.create_table('escalation_rules',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('policy_id', sa.BigInteger(), nullable=False),
    sa.Column('level', sa.BigInteger(), nullable=False),
    sa.Column('timeout_minutes', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['policy_id'], ['escalation_policies.id'], name=op.f('fk_escalation_rules_policy_id_escalation_policies'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_escalation_rules')),
    sa.UniqueConstraint('policy_id', 'level', name=op.f('uq_escalation_rules_policy_id'))
    )
    op.create_table('escalation_targets',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('rule_id', sa.BigInteger(), nullable=False),
    sa.Column('user_id', sa.BigInteger(), nullable=True),
    sa.Column('schedule_id', sa.BigInteger(), nullable=True),
    sa.CheckConstraint('num_nonnulls(user_id, schedule_id) = 1', name=op.f('ck_escalation_targets_person_or_schedule')),
    sa.ForeignKeyConstraint(['rule_id'], ['escalation_rules.id'], name=op.f('fk_escalation_targets_rule_id_escalation_rules'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['schedule_id'], ['schedules.id'], name=op.f('fk_escalation_targets_schedule_id_schedules')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_escalation_targets_user_id_users')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_escalation_targets'))
    )
    with op.batch_alter_table('escalation_targets', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_escalation_targets_rule_id'), ['rule_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_escalation_targets_schedule_id'), ['schedule_id'], unique=False)

    op.create_table('alert_escalations',
    sa.Column('alert_id', sa.BigInteger(), nullable=False),
    sa.Column('policy_id', sa.BigInteger(), nullable=True),
    sa.Column('policy_name', sa.Text(), nullable=False),
    sa.Column('rules', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('repeats', sa.BigInteger(), nullable=False),
    sa.Column('level', sa.BigInteger(), nullable=False),
    sa.Column('lap', sa.BigInteger(), nullable=False),
    sa.Column('has_asked', sa.Boolean(), nullable=False),
    sa.Column('next_step_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['alert_id'], ['alerts.id'], name=op.f('fk_alert_escalations_alert_id_alerts')),
    sa.ForeignKeyConstraint(['policy_id'], ['escalation_policies.id'], name=op.f('fk_alert_escalations_policy_id_escalation_policies'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('alert_id', name=op.f('pk_alert_escalations'))
    )
    with op.batch_alter_table('alert_escalations', schema=None) as batch_op:
        batch_op.create_index('ix_alert_escalations_due', ['next_step_at'], unique=False, postgresql_where=sa.text('next_step_at IS NOT NULL'))
        batch_op.create_index(batch_op.f('ix_alert_escalations_policy_id'), ['policy_id'], unique=False)

    op.create_table('alert_responders',
    sa.Column('alert_id', sa.BigInteger(), nullable=False),
    sa.Column('user_id', sa.BigInteger(), nullable=False),
    sa.Column('added_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('acknowledged_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['alert_id'], ['alerts.id'], name=op.f('fk_alert_responders_alert_id_alerts')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_alert_responders_user_id_users')),
    sa.PrimaryKeyConstraint('alert_id', 'user_id', name=op.f('pk_alert_responders'))
    )
    with op.batch_alter_table('alert_responders', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_alert_responders_user_id'), ['user_id'], unique=False)

    with op.batch_alter_table('alert_sources', schema=None) as batch_op:
        batch_op.add_column(sa.Column('escalation_policy_id', sa.BigInteger(), nullable=True))
        batch_op.create_index('ix_alert_sources_escalation_policy_id', ['escalation_policy_id'], unique=False)
        batch_op.create_foreign_key('fk_alert_sources_escalation_policy', 'escalation_policies', ['account_id', 'escalation_policy_id'], ['account_id', 'id'])

    with op.batch_alter_table('alerts', schema=None) as batch_op:
        batch_op.add_column(sa.Column('routing_key', sa.Text(), nullable=True))



def downgrade() -> None:
    with op.batch_alter_table('alerts', schema=None) as batch_op:
        batch_op.drop_column('routing_key')

    with op.batch_alter_table('alert_sources', schema=None) as batch_op:
        batch_op.drop_constraint('fk_alert_sources_escalation_policy', type_='foreignkey')
        batch_op.drop_index('ix_alert_sources_escalation_policy_id')
        batch_op.drop_column('escalation_policy_id')

    with op.batch_alter_table('alert_responders', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_alert_responders_user_id'))

    op.drop_table('alert_responders')
    with op.batch_alter_table('alert_escalations', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_alert_escalations_policy_id'))
        batch_op.drop_index('ix_alert_escalations_due', postgresql_where=sa.text('next_step_at IS NOT NULL'))

    op.drop_table('alert_escalations')
    with op.batch_alter_table('escalation_targets', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_escalation_targets_schedule_id'))
        batch_op.drop_index(batch_op.f('ix_escalation_targets_rule_id'))

    op.drop_table('escalation_targets')
    op.drop_table('escalation_rules')
    with op.batch_alter_table('escalation_policies', schema=None) as batch_op:
        batch_op.drop_index('uq_escalation_policies_routing_key')

    op.drop_table('escalation_policies')
