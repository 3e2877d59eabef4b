"""How does the sandbox listen? One Flask app on a threaded server that can cut connections."""

import os
import socket
import struct
import threading
from contextlib import closing
from typing import TYPE_CHECKING

from flask import Flask, abort, request
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from . import consent, control, links, screen
from .platform import Platform
from .web_api import endpoint
from .web_api.misbehaviour import CUT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

MOST_BYTES = 1_000_000


def _refuse_other_sites() -> None:
    """A page of another site must not press buttons here through somebody's browser."""
    came_from = request.headers.get("Sec-Fetch-Site", "none")
    if request.method != "GET" and came_from not in ("same-origin", "none"):
        abort(403, "The sandbox takes forms from its own pages only.")


def create_app(platform: Platform) -> Flask:
    app = Flask(__name__)
    app.extensions["world"] = platform
    app.config["MAX_CONTENT_LENGTH"] = MOST_BYTES
    app.json.sort_keys = False  # type: ignore[attr-defined]
    for part in (endpoint, consent, control, links, screen):
        app.register_blueprint(part.bp)
    app.before_request(_refuse_other_sites)
    serve = app.wsgi_app

    def answer_or_cut(
        environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> "Iterable[bytes]":
        # As a whole: Werkzeug's server forgets to close a file whose reader has gone away.
        with closing(serve(environ, start_response)) as answer:  # type: ignore[type-var]
            body = b"".join(answer)
        if environ.get(CUT):
            raise ConnectionResetError
        return [body]

    app.wsgi_app = answer_or_cut  # type: ignore[method-assign]
    return app


class Handler(WSGIRequestHandler):
    """Quiet, and able to reset the connection instead of answering."""

    def connection_dropped(
        self, error: BaseException, environ: "WSGIEnvironment | None" = None
    ) -> None:
        """Where a fault cut the connection: close with RST, as a failing network does."""
        self.close_connection = True
        if environ is not None and environ.get(CUT):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(self.connection.detach())

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """The journal has every request already."""


class Server:
    """The listening socket and the thread that serves it. It can go away and come back."""

    def __init__(self, platform: Platform, host: str, port: int) -> None:
        self._app, self._host = create_app(platform), host
        self._turn = threading.Lock()
        self._server: BaseWSGIServer | None = self._listen(port)
        self.port: int = self._server.server_port
        self._thread = threading.Thread()

    def _listen(self, port: int) -> BaseWSGIServer:
        return make_server(self._host, port, self._app, threaded=True, request_handler=Handler)

    def start(self) -> None:
        with self._turn:
            self._serve(self._server or self._listen(self.port))

    def _serve(self, server: BaseWSGIServer) -> None:
        self._server = server
        self._thread = threading.Thread(
            target=server.serve_forever,
            kwargs={"poll_interval": 0.02},
            name="slack-sandbox",
            daemon=True,
        )
        self._thread.start()

    def stop(self) -> None:
        """Refuse connections from now on; `start` takes them again on the same port."""
        with self._turn:
            if self._server is not None:
                self._server.shutdown()
                self._thread.join()
                self._server.server_close()
                self._server = None
