"""Slack user groups that follow who is on call."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0009'
down_revision = '0008'


def upgrade() -> None:
    op.create_table('slack_user_groups',
    sa.Column('policy_id', sa.BigInteger(), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('handle', sa.Text(), nullable=False),
    sa.Column('members', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('problem', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_slack_user_groups_account_id_accounts')),
    sa.ForeignKeyConstraint(['policy_id'], ['escalation_policies.id'], name=op.f('fk_slack_user_groups_policy_id_escalation_policies'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('policy_id', name=op.f('pk_slack_user_groups'))
    )
    op.create_index(op.f('ix_slack_user_groups_account_id'), 'slack_user_groups', ['account_id'])


def downgrade() -> None:
    op.drop_table('slack_user_groups')
