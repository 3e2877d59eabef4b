"""Names of escalation policies and schedules are unique ignoring letter case.

Of names that differ in case only the older one stays; the others get their own number after it, as
in "platform (7)". The version that still runs goes on: it knows the old rule, which is weaker.
"""

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0013'

TABLES = ('escalation_policies', 'schedules')
TELL_APART = """
    UPDATE {table} AS later SET name = later.name || ' (' || later.id || ')'
    WHERE EXISTS (
        SELECT 1 FROM {table} AS earlier
        WHERE earlier.account_id = later.account_id AND earlier.id < later.id
        AND lower(earlier.name) = lower(later.name)
    )
"""


def upgrade() -> None:
    op.add_column('notification_preferences', sa.Column('status_updates', sa.Boolean(), nullable=False, server_default=sa.false()))
    for table in TABLES:
        while op.get_bind().execute(sa.text(TELL_APART.format(table=table))).rowcount:
            pass  # somebody may have called another one just that
        op.drop_constraint(f'uq_{table}_account_id', table)
        op.create_index(f'uq_{table}_name', table, ['account_id', sa.text('lower(name)')], unique=True)


def downgrade() -> None:
    op.drop_column('notification_preferences', 'status_updates')
    for table in TABLES:
        op.drop_index(f'uq_{table}_name', table)
        op.create_unique_constraint(f'uq_{table}_account_id', table, ['account_id', 'name'])
