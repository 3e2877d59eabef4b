"""How do Procrastinate's own tables come into being? Created and upgraded by our migrations."""

from pathlib import Path
from typing import Any

import psycopg
from procrastinate.schema import SchemaManager
from psycopg import sql


def upgrade(connection: psycopg.Connection[Any]) -> None:
    """Bring the tables to what the installed version needs. Safe to call again."""
    files = sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))
    done = connection.execute(
        "SELECT obj_description(t, 'pg_class') FROM to_regclass('procrastinate_jobs') AS t"
        " WHERE t IS NOT NULL"
    ).fetchone()
    if done is None:
        _run(connection, SchemaManager.get_schema(), files[-1].name)
    else:
        for file in files:
            if file.name > done[0]:
                _run(connection, file.read_text(), file.name)


def _run(connection: psycopg.Connection[Any], script: str, name: str) -> None:
    """One transaction each: a value added to an enum cannot be used before its commit."""
    with connection.transaction():
        connection.execute(script.encode())
        mark = sql.SQL("COMMENT ON TABLE procrastinate_jobs IS {}")
        connection.execute(mark.format(sql.Literal(name)))


def not_procrastinate(name: str | None, kind: str, parents: object) -> bool:
    """For Alembic: its tables are not ours to compare, or `db check` would want to drop them."""
    return not (kind == "table" and (name or "").startswith("procrastinate_"))
