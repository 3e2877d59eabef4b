"""What does every test of the pretend Slack stand on? A running one, and an app that it can call."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from slack_sdk import WebClient

from portal.slack_sandbox import Sandbox

CALLBACK = "http://app.example/callback"
REQUIRED = ["commands", "chat:write", "channels:read", "users:read", "users:read.email"]
OPTIONAL = ["chat:write.public", "groups:read"]


@dataclass
class App:
    """The app that is installed in the pretend Slack: takes what is sent, answers what it is told."""

    url: str = ""
    status: int = 200
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def app() -> Iterator[App]:
    told = App()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.received.append(({k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(told.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Keep the output of the tests quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    told.url = f"http://127.0.0.1:{server.server_port}"
    yield told
    server.shutdown()
    server.server_close()


def manifest(url: str) -> dict[str, Any]:
    return {
        "display_information": {"name": "Tocsin"},
        "features": {"app_home": {"messages_tab_enabled": True}},
        "oauth_config": {
            "redirect_urls": [CALLBACK],
            "scopes": {"bot": [*REQUIRED, *OPTIONAL], "bot_optional": OPTIONAL},
        },
        "settings": {"interactivity": {"is_enabled": True, "request_url": f"{url}/interactions"}},
    }


@pytest.fixture
def sandbox(app: App) -> Iterator[Sandbox]:
    with Sandbox(manifest(app.url)) as running:
        yield running


def authorize_url(sandbox: Sandbox, **changes: str) -> str:
    asked = {
        "client_id": sandbox.client_id,
        "scope": ",".join([*REQUIRED, *OPTIONAL]),
        "redirect_uri": CALLBACK,
        "state": "a state/with=signs&more",
    }
    return f"{sandbox.authorize_url}?{urlencode({**asked, **changes})}"


def code_in(callback: str) -> str:
    return parse_qs(urlsplit(callback).query)["code"][0]


Install = Callable[..., WebClient]


@pytest.fixture
def install(sandbox: Sandbox) -> Install:
    """Install the app the way an admin does, and give its client the token."""

    def run(team_id: str = "T0ACME", user_id: str = "U0OLIVIA", **changes: str) -> WebClient:
        callback = sandbox.consent(authorize_url(sandbox, **changes), team_id, user_id)
        answer = WebClient(base_url=sandbox.api_url).oauth_v2_access(
            client_id=sandbox.client_id,
            client_secret=sandbox.client_secret,
            code=code_in(callback),
            redirect_uri=CALLBACK,
        )
        return WebClient(
            token=answer["access_token"], base_url=sandbox.api_url, retry_handlers=[], timeout=5
        )

    return run


@pytest.fixture
def slack(install: Install) -> WebClient:
    return install()
