"""What does every test of the pretend Slack stand on? A running one, and an app that it can call."""

import json
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
    answers: dict[str, Any] = field(default_factory=dict)  # by path: a text, or what becomes JSON
    react: Callable[[str, dict[str, Any]], None] | None = None  # called before it answers

    def sent(self, number: int = -1) -> dict[str, Any]:
        """The payload, or the fields, of a request it got."""
        fields = {key: each[0] for key, each in parse_qs(self._body(number), True).items()}
        payload: dict[str, Any] = json.loads(fields["payload"]) if "payload" in fields else fields
        return payload

    def _body(self, number: int) -> str:
        return self.received[number][1].decode()


@pytest.fixture
def app() -> Iterator[App]:
    told = App()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.received.append(({k.lower(): v for k, v in self.headers.items()}, body))
            if told.react is not None:
                told.react(self.path, told.sent())
            answer = told.answers.get(self.path, "")
            said = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
            self.send_response(told.status)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

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
        "features": features(url),
        "oauth_config": {
            "redirect_urls": [CALLBACK],
            "scopes": {"bot": [*REQUIRED, *OPTIONAL], "bot_optional": OPTIONAL},
        },
        "settings": {
            "interactivity": {
                "is_enabled": True,
                "request_url": f"{url}/interactions",
                "message_menu_options_url": f"{url}/options",
            }
        },
    }


def features(url: str) -> dict[str, Any]:
    return {
        "app_home": {"home_tab_enabled": True, "messages_tab_enabled": True},
        "slash_commands": [
            {
                "command": "/on-call",
                "url": f"{url}/commands",
                "description": "Who is on call?",
                "usage_hint": "[policy or source]",
                "should_escape": True,
            },
            {"command": "/raw", "url": f"{url}/commands", "description": "Unescaped"},
        ],
        "shortcuts": [
            {"name": "Create alert", "type": "global", "callback_id": "create"},
            {"name": "Create alert from it", "type": "message", "callback_id": "create_from"},
        ],
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
