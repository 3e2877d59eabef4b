"""People and their Slack users: links made by hand, why somebody has none, and offers to connect."""

import sqlalchemy as sa
from alembic import op

revision = '0016'
down_revision = '0015'


def upgrade() -> None:
    op.create_table('slack_home_tabs',
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('slack_user_id', sa.Text(), nullable=False),
    sa.Column('chosen', sa.Text(), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_slack_home_tabs_account_id_accounts')),
    sa.PrimaryKeyConstraint('account_id', 'slack_user_id', name=op.f('pk_slack_home_tabs'))
    )
    op.add_column('slack_user_links', sa.Column('is_by_hand', sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column('slack_profiles', sa.Column('name', sa.Text(), nullable=False, server_default=''))
    op.add_column('slack_profiles', sa.Column('updated', sa.BigInteger(), nullable=False, server_default='0'))
    op.create_table('slack_unlinked_people',
    sa.Column('user_id', sa.BigInteger(), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('why', sa.Enum('not_found', 'unconfirmed', 'guest', 'deactivated', 'not_a_member', 'taken', 'address_changed', 'removed', 'not_asked', name='why', native_enum=False, length=40), nullable=False),
    sa.Column('noted_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_slack_unlinked_people_account_id_accounts')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_slack_unlinked_people_user_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('user_id', name=op.f('pk_slack_unlinked_people'))
    )
    op.create_index(op.f('ix_slack_unlinked_people_account_id'), 'slack_unlinked_people', ['account_id'])
    op.create_table('slack_connects',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('account_id', sa.BigInteger(), nullable=False),
    sa.Column('slack_user_id', sa.Text(), nullable=False),
    sa.Column('token_hash', sa.LargeBinary(), nullable=True),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('opened_by_id', sa.BigInteger(), nullable=True),
    sa.Column('action_id', sa.Text(), nullable=True),
    sa.Column('about_id', sa.BigInteger(), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_slack_connects_account_id_accounts')),
    sa.ForeignKeyConstraint(['opened_by_id'], ['users.id'], name=op.f('fk_slack_connects_opened_by_id_users'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_slack_connects')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_slack_connects_token_hash'))
    )
    op.create_index(op.f('ix_slack_connects_account_id'), 'slack_connects', ['account_id'])
    op.add_column('slack_ephemeral_replies', sa.Column('connect_id', sa.BigInteger(), nullable=True))
    op.create_foreign_key(op.f('fk_slack_ephemeral_replies_connect_id_slack_connects'), 'slack_ephemeral_replies', 'slack_connects', ['connect_id'], ['id'], ondelete='SET NULL')


def downgrade() -> None:
    op.drop_table('slack_home_tabs')
    op.drop_column('slack_ephemeral_replies', 'connect_id')
    op.drop_table('slack_connects')
    op.drop_table('slack_unlinked_people')
    op.drop_column('slack_profiles', 'updated')
    op.drop_column('slack_profiles', 'name')
    op.drop_column('slack_user_links', 'is_by_hand')
