"""Alerts opened by hand: one per submission.

The column is empty for every alert there is, so that the version that still runs can go on writing
its own.
"""

import sqlalchemy as sa
from alembic import op

revision = '0013'
down_revision = '0010'


def upgrade() -> None:
    op.add_column('alerts', sa.Column('creation_key', sa.Text(), nullable=True))
    op.create_index(
        'uq_alerts_creation_key', 'alerts', ['account_id', 'creation_key'], unique=True,
        postgresql_where=sa.text('creation_key IS NOT NULL'),
    )


def downgrade() -> None:
    op.drop_index('uq_alerts_creation_key', table_name='alerts')
    op.drop_column('alerts', 'creation_key')
