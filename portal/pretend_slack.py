"""Where does the portal find a pretend Slack, and how does one run?"""

import signal
from pathlib import Path

import click

from portal.settings import Settings
from portal.slack import manifest


def serve(settings: Settings, host: str, port: int, state: str | None) -> None:
    """Run a pretend Slack for the portal with these settings, and print what the portal needs."""
    from portal.slack_sandbox import Sandbox  # only this command needs it

    app = {
        "SLACK_CLIENT_ID": settings.SLACK_CLIENT_ID or "1111.2222",
        "SLACK_CLIENT_SECRET": settings.SLACK_CLIENT_SECRET or "pretend-client-secret",
        "SLACK_SIGNING_SECRETS": (settings.SLACK_SIGNING_SECRETS or ["pretend-signing-secret"])[0],
        "SLACK_APP_ID": settings.SLACK_APP_ID or "A0TOCSIN",
    }
    if not settings.is_slack_configured:
        click.echo("The portal finds this pretend Slack with the settings:\n")
        for name, value in {"APP_ENV": "development", **app, **urls(port)}.items():
            click.echo(f"{name}={value}")
    signal.signal(
        signal.SIGTERM, signal.default_int_handler
    )  # end like at Ctrl-C: what is new is kept
    Sandbox(
        manifest.build(settings.PUBLIC_URL),
        client_id=app["SLACK_CLIENT_ID"],
        client_secret=app["SLACK_CLIENT_SECRET"],
        signing_secret=app["SLACK_SIGNING_SECRETS"],
        app_id=app["SLACK_APP_ID"],
        host=host,
        port=port,
        state_file=Path(state) if state else None,
    ).serve_forever()


def urls(port: int) -> dict[str, str]:
    return {
        "SLACK_API_URL": f"http://127.0.0.1:{port}/api/",
        "SLACK_AUTHORIZE_URL": f"http://localhost:{port}/oauth/v2/authorize",
        "SLACK_RESPONSE_HOSTS": f"127.0.0.1:{port},localhost:{port}",
    }
