"""How does Alembic reach the database? On the application's own engine, with short lock waits."""

from alembic import context
from flask import current_app

from portal.db import Base

# A migration must not queue behind a long transaction and block everybody behind itself.
LOCK_TIMEOUT = "4s"

migrate = current_app.extensions["migrate"]


def run() -> None:
    """Run each revision in a transaction of its own."""
    with migrate.db.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            transaction_per_migration=True,
            compare_type=True,
            **{k: v for k, v in migrate.configure_args.items() if k != "compare_type"},
        )
        with context.begin_transaction():
            connection.exec_driver_sql(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
            context.run_migrations()


run()
