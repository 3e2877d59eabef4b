"""Which parts is Tocsin made of? create_app() names every one, in order."""

# ruff: noqa: E402 - the imports below are the reason
import gc

gc.disable()  # what is imported stays: looking for garbage in it takes a third of every start

from pathlib import Path

from cryptography.fernet import Fernet, MultiFernet
from flask import Flask
from sqlalchemy import event
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter, Map

from portal import bodies, connections, private_postgres, subscriptions
from portal.db import db
from portal.extensions import csrf, htmx, login_manager, migrate
from portal.ingest import endpoints as ingest
from portal.jobs import alert_actions as action_timers  # noqa: F401 - likewise
from portal.jobs import clocks as clock_watch  # noqa: F401 - what a wrong clock has planned
from portal.jobs import escalations as timers  # noqa: F401 - what every worker does by the clock
from portal.jobs import upkeep  # noqa: F401 - its periodic jobs belong to every worker
from portal.jobs.schema import not_procrastinate
from portal.observability import health, logging
from portal.settings import Settings, development_secrets, load
from portal.slack import endpoints as slack
from portal.slack import oauth
from portal.slack.tokens import render_item
from portal.web import (
    access,
    alert_actions,
    alert_runs,
    alert_sources,
    alerts,
    alerts_in_bulk,
    banners,
    calendar_feeds,
    connect,
    dedicated_channels,
    errors,
    escalation_policies,
    escalations,
    headers,
    hosts,
    login,
    new_alert,
    notifications,
    oncall,
    profile,
    schedule_editor,
    schedule_exchanges,
    schedule_imports,
    schedules,
    slack_sources,
)
from portal.web.settings import audit_log, connectors, deliveries, users
from portal.web.support import workspaces

gc.enable()

ROOT = Path(__file__).parent.parent


class RowId(IntegerConverter):
    """A number in a URL that PostgreSQL's bigint can hold; any other is a 404."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, max=2**63 - 1)


def create_app(settings: Settings | None = None) -> Flask:
    """Build the portal. Raises SettingsError when the environment has a wrong setting."""
    settings = development_secrets(settings or load())
    logging.configure(settings.LOG_LEVEL)
    app = Flask(__name__, template_folder=ROOT / "templates", static_folder=ROOT / "static")
    app.config.from_mapping(settings.model_dump())
    is_https = settings.PUBLIC_URL.startswith("https://")
    app.config.update(
        SQLALCHEMY_DATABASE_URI=settings.DATABASE_URL
        or private_postgres.url(settings.TOCSIN_HOME / "postgres"),
        SQLALCHEMY_ENGINE_OPTIONS={
            "pool_events": connections.EVENTS,
            "pool_size": 10,
            "max_overflow": 10,
            # The connection that was used last has its statements prepared; at the second use each
            # is, because planning some of them takes longer than running them.
            "pool_use_lifo": True,
            "connect_args": {"connect_timeout": 5, "prepare_threshold": 1},
            "hide_parameters": True,  # a fault's trace must not hold what people typed
        },
        SESSION_COOKIE_NAME="tocsin",
        SESSION_COOKIE_SECURE=is_https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",  # Strict would be missing on the way back from Slack
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session: nothing typed is lost overnight
    )
    keys = [Fernet(key) for key in settings.ENCRYPTION_KEYS]
    app.extensions["encryption_keys"] = MultiFernet(keys)
    if settings.TRUSTED_PROXIES:
        hops = settings.TRUSTED_PROXIES
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]

    logging.init_app(app)
    bodies.init_app(app)
    hosts.init_app(app)
    db.init_app(app)
    migrate.init_app(
        app,
        db,
        directory=str(ROOT / "migrations"),
        include_name=not_procrastinate,
        render_item=render_item,
    )
    csrf.init_app(app)
    htmx.init_app(app)
    login_manager.init_app(app)
    oauth.init_app(app)
    headers.init_app(app)
    access.init_app(app)
    banners.init_app(app)
    errors.init_app(app)

    app.url_map.converters["int"] = RowId
    for part in (
        login,
        profile,
        connect,
        notifications,
        banners,
        alerts,
        alerts_in_bulk,
        new_alert,
        escalations,
        dedicated_channels,
        oncall,
        escalation_policies,
        alert_sources,
        slack_sources,
        alert_actions,
        alert_runs,
        schedules,
        schedule_editor,
        schedule_exchanges,
        schedule_imports,
        calendar_feeds,
        connectors,
        deliveries,
        users,
        audit_log,
        workspaces,
    ):
        app.register_blueprint(part.bp)
    for part in (ingest, slack, health):
        csrf.exempt(part.bp)  # signed, or with a key of its own, or without any effect
        app.register_blueprint(part.bp)

    if not event.contains(db.session, "before_commit", subscriptions.tell):
        event.listen(db.session, "before_commit", subscriptions.tell)
        event.listen(db.session, "after_soft_rollback", subscriptions.forget)
    return app
