"""How are pages and webhooks served? By gunicorn, with settings that fit the portal."""

import logging
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from portal.db import db


class JSONLines(Logger):  # type: ignore[misc]
    """Gunicorn's few words, in our log's form."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.setLevel(logging.NOTSET)
        self.error_log.propagate = True


class Server(BaseApplication):  # type: ignore[misc]
    """The app is built before the workers are forked: what is wrong with it is said once."""

    def __init__(self, app: Flask, bind: str) -> None:
        self.app, self.bind = app, bind
        super().__init__()

    def load_config(self) -> None:
        options = {
            "bind": self.bind,
            "worker_class": "gthread",
            "workers": 2,
            "threads": 8,
            "graceful_timeout": 10,
            "logger_class": JSONLines,
            "control_socket_disable": True,
            "post_fork": self._own_connections,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return self.app

    def _own_connections(self, arbiter: Any, worker: Any) -> None:
        """Two processes must never speak on one connection."""
        with self.app.app_context():
            db.engine.dispose(close=False)
