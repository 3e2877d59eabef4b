"""What do the whole stories run on? `tocsin demo` as a user starts it, and Debian's Chromium."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

PATIENCE = 60  # seconds for the whole demo to come up


@dataclass
class Demo:
    """A running demo: its addresses, its password, and the key of one source."""

    portal: str
    slack: str
    password: str
    integration_key: str
    process: subprocess.Popen[str]
    home: Path

    def screen(self, user_id: str, channel_id: str = "C0ALERTS") -> str:
        return f"{self.slack}/w/T0ACME/{user_id}/{channel_id}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Portal, worker and sandbox as processes of their own, on data of their own."""
    home = tmp_path_factory.mktemp("demo")
    for folder in (home, *home.parents[:2]):
        folder.chmod(0o711)  # so that PostgreSQL's user gets through
    portal, slack = free_port(), free_port()
    command = [
        sys.executable,
        "-m",
        "portal.cli",
        "demo",
        f"--port={portal}",
        f"--sandbox-port={slack}",
    ]
    environment = {
        **{k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "APP_ENV")},
        "TOCSIN_HOME": str(home),
        "LOG_LEVEL": "DEBUG",
        "PYTHONUNBUFFERED": "1",
    }
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        said = ""
        for line in process.stdout or []:
            said += line
            if "Ctrl-C" in line:
                break
        else:
            pytest.fail(f"the demo did not start:\n{said}")
        event = json.loads(re.search(r"-d '(\{.*\})'", said).group(1))  # type: ignore[union-attr]
        password = re.search(r"Password for all\s+(\S+)", said).group(1)  # type: ignore[union-attr]
        yield Demo(
            portal=f"http://localhost:{portal}",
            slack=f"http://localhost:{slack}",
            password=password,
            integration_key=event["integrationKey"],
            process=process,
            home=home,
        )
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)


class Visitor:
    """One person with a browser of their own; collects what their console complains about."""

    def __init__(self, context: BrowserContext, demo: Demo) -> None:
        self.page: Page = context.new_page()
        self.demo = demo
        self.complaints: list[str] = []
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _heard(self, message: object) -> None:
        kind, text = message.type, message.text  # type: ignore[attr-defined]
        if kind in ("error", "warning"):
            self.complaints.append(f"{kind}: {text}")

    def sign_in(self, email: str) -> None:
        self.page.goto(f"{self.demo.portal}/login")
        self.page.get_by_label("E-mail").fill(email)
        self.page.get_by_label("Password").fill(self.demo.password)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(lambda url: "/login" not in url)


@pytest.fixture
def visitor(chromium: Browser, demo: Demo) -> Iterator[Visitor]:
    context = chromium.new_context()
    context.set_default_timeout(15_000)
    yield Visitor(context, demo)
    context.close()
