"""How does somebody see all of Tocsin in a minute? Everything on one machine, with a pretend Slack.

The demo keeps its database, its secrets and the pretend workspaces under TOCSIN_HOME, so that a
second run goes on where the first one ended.
"""

import fcntl
import json
import logging
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import click
import flask_migrate

from portal import create_app, demo_data, pretend_slack, private_postgres
from portal.processes import (
    CannotRun,
    Child,
    Stopped,
    end,
    require_free,
    start,
    stop_on_signals,
    wait_for,
    watch,
)

OURS = ("demo.json", "sandbox.json", "secret-key", "encryption-key")


def run(*, fresh: bool, port: int, sandbox_port: int) -> None:
    """Run the demo until it is told to stop. Raises CannotRun."""
    home = Path(os.environ.get("TOCSIN_HOME") or ".tocsin").absolute()
    home.mkdir(parents=True, exist_ok=True)
    if port == sandbox_port:
        raise CannotRun(f"--port and --sandbox-port are both {port}: please choose two ports.")
    with _alone(home):
        require_free(port, "--port")
        require_free(sandbox_port, "--sandbox-port")
        if fresh:
            _forget(home)
        kept = _kept(home / "demo.json")
        os.environ.update(_environment(home, port, sandbox_port, kept))
        click.echo("Preparing the database ...")
        app = create_app()
        logging.getLogger().setLevel(logging.WARNING)  # the children have logs of their own
        with app.app_context():
            flask_migrate.upgrade()
            demo_data.seed(kept, save=lambda: _save(home / "demo.json", kept))
        _run_children(home, port, sandbox_port, kept)


def _environment(home: Path, port: int, sandbox_port: int, kept: dict[str, Any]) -> dict[str, str]:
    """Every setting, so that neither the environment nor a `.env` reaches into the demo."""
    return {
        "APP_ENV": "development",
        "DATABASE_URL": "",
        "TOCSIN_HOME": str(home),
        "PUBLIC_URL": f"http://localhost:{port}",
        "SECRET_KEY": "",
        "ENCRYPTION_KEYS": "",
        "SLACK_CLIENT_ID": kept["client_id"],
        "SLACK_CLIENT_SECRET": kept["client_secret"],
        "SLACK_SIGNING_SECRETS": kept["signing_secret"],
        "SLACK_APP_ID": kept["app_id"],
        "TRUSTED_PROXIES": "0",
        "PYTHONUNBUFFERED": "1",
        **pretend_slack.urls(sandbox_port),
    }


def _kept(path: Path) -> dict[str, Any]:
    """The demo's secrets: made once, readable by their owner only."""
    if path.exists():
        known: dict[str, Any] = json.loads(path.read_text())
        return known
    kept = {
        "password": f"demo-{secrets.token_hex(4)}",
        "client_id": f"{secrets.randbelow(10**12)}.{secrets.randbelow(10**12)}",
        "client_secret": secrets.token_hex(16),
        "signing_secret": secrets.token_hex(16),
        "app_id": "A0TOCSIN",
        "integration_keys": {},
    }
    _save(path, kept)
    return kept


def _save(path: Path, kept: dict[str, Any]) -> None:
    draft = path.with_suffix(".new")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(kept, file, indent=2)
    draft.replace(path)


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    with open(home / "demo.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotRun(
                f"The demo in {home} is running already. Stop it first, or set TOCSIN_HOME."
            ) from None
        yield


def _forget(home: Path) -> None:
    """Delete what the demo has made, and nothing else that may lie in the folder."""
    database = private_postgres.Cluster(home / "postgres")
    if (database.data / "postmaster.pid").exists():
        with suppress(private_postgres.CannotStart):  # it was killed and only its file is left
            private_postgres.stop(home / "postgres")
    shutil.rmtree(database.folder)
    shutil.rmtree(home / "logs", ignore_errors=True)
    for name in OURS:
        (home / name).unlink(missing_ok=True)


def _run_children(home: Path, port: int, sandbox_port: int, kept: dict[str, Any]) -> None:
    portal, pretend = f"127.0.0.1:{port}", f"127.0.0.1:{sandbox_port}"
    children: list[Child] = []
    try:
        stop_on_signals()
        logs, state = home / "logs", str(home / "sandbox.json")
        children.append(start(logs, "sandbox", "--bind", pretend, "--state", state))
        children.append(start(logs, "serve", "--bind", portal))
        children.append(start(logs, "worker"))
        wait_for(f"http://{pretend}/", children)
        wait_for(f"http://{portal}/readyz", children)
        click.echo(_story(port, sandbox_port, kept))
        watch(children, _database_watch(home))
    except Stopped:
        click.echo("\nStopping ...")
    finally:
        end(children)


def _database_watch(home: Path) -> Callable[[], None]:
    """Say it when the database was killed, and have it started again if its keeper was killed too."""
    cluster = private_postgres.Cluster(home / "postgres")
    known = cluster.pid()

    def look() -> None:
        nonlocal known
        pid = cluster.pid()
        if pid is None and not cluster.is_kept():
            private_postgres.url(home / "postgres")
            pid = cluster.pid()
        if pid is not None and pid != known:
            click.echo("The database had ended and was started again. No alert is lost.")
            known = pid

    return look


def _story(port: int, sandbox_port: int, kept: dict[str, Any]) -> str:
    portal, pretend = f"http://localhost:{port}", f"http://localhost:{sandbox_port}"
    event = {
        "integrationKey": kept["integration_keys"]["Shop checkout"],
        "eventType": "ALERT",
        "summary": "Checkout is slow",
    }
    return f"""
Tocsin is running.

  The portal        {portal}
  A pretend Slack   {pretend}
  Password for all  {kept["password"]}
  People            olivia@acme.example (owner)      adam@acme.example (admin)
                    uma@acme.example (user)          ada@acme.example (responder)
                    stan@acme.example (stakeholder)  sam@tocsin.example (support staff)
                    bea@beta.example (owner of a second account)

What to do now:

  1. Sign in as adam@acme.example:
     {portal}/login
  2. Link Slack: press Authorize, then allow it in the workspace Acme, as Adam Ahmed:
     {portal}/settings/connectors/slack
  3. Send an alert from another terminal:

curl -i -H 'Content-Type: application/json' -d '{json.dumps(event)}' {portal}/api/events

  4. Look at #alerts in the pretend Slack as Ada Lovelace, and press Acknowledge:
     {pretend}/w/T0ACME/U0ADA/{demo_data.CHANNEL[0]}
     Once somebody has typed /invite @tocsin there, what is replied in an alert's thread becomes a comment on it.
  5. See the same alert, and who has it, in the portal:
     {portal}/alerts
  6. Send another alert and leave it alone: after {demo_data.TIMEOUT} min the second level is asked. Who is on call:
     {portal}/on-call
  7. Without an account: as Walter Walkin, type /il-alert in #ops. As Uma Ueda, type /ilert in #db:
     {pretend}/w/T0ACME/U0WALTER/{demo_data.OPEN_CHANNEL[0]}
  8. See all linked workspaces as support staff do: sign out, and in as sam@tocsin.example:
     {portal}/support/workspaces

Ctrl-C ends all of it; the next `make demo` goes on from here, `make demo ARGS=--fresh` anew.
"""
