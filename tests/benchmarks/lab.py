"""What do benchmarks and fault tests run on? Real processes on data of their own, one by one."""

import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import requests
from sqlalchemy import select

from portal import create_app, private_postgres, processes
from portal.db import db
from portal.domain.accounts.models import Account
from portal.domain.routing import operations as routing
from portal.domain.routing.drafts import ActionDraft
from portal.domain.sources import operations as sources
from tests.scenarios.conftest import free_port

PASSWORD = "correct horse battery"
TEAM, OWNER = "T0ACME", "U0OLIVIA"


class Lab:
    """PostgreSQL, the pretend Slack, `tocsin serve` and `tocsin worker`, and what is done to them."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.ports = {"serve": free_port(), "sandbox": free_port()}
        self.portal = f"http://localhost:{self.ports['serve']}"
        self.slack = f"http://127.0.0.1:{self.ports['sandbox']}"
        self.database = private_postgres.url(home / "postgres")
        self.cluster = private_postgres.Cluster(home / "postgres")
        self.children: dict[str, processes.Child] = {}
        self.signing_secret = secrets.token_hex(16)
        os.environ.update(self._environment())
        self.http = requests.Session()
        self.app = create_app()
        self.tocsin("db", "upgrade")
        self.tocsin(
            *("account", "create", "Acme", "--admin-email", "olivia@acme.example"),
            "--password-stdin",
        )
        for name in ("sandbox", "serve", "worker"):
            self.start(name)
        processes.wait_for(f"{self.slack}/", list(self.children.values()))
        processes.wait_for(f"{self.portal}/readyz", list(self.children.values()))

    def _environment(self) -> dict[str, str]:
        return {
            "APP_ENV": "development",
            "DATABASE_URL": self.database,
            "TOCSIN_HOME": str(self.home),
            "PUBLIC_URL": self.portal,
            "LOG_LEVEL": "WARNING",
            "SLACK_CLIENT_ID": "1111.2222",
            "SLACK_CLIENT_SECRET": secrets.token_hex(16),
            "SLACK_SIGNING_SECRETS": self.signing_secret,
            "SLACK_APP_ID": "A0TOCSIN",
            "SLACK_API_URL": f"{self.slack}/api/",
            "SLACK_AUTHORIZE_URL": f"{self.slack}/oauth/v2/authorize",
            "SLACK_RESPONSE_HOSTS": self.slack.removeprefix("http://"),
            "EVENTS_PER_MINUTE": "1000000",
            "TRUSTED_PROXIES": "0",
        }

    def start(self, name: str) -> None:
        port = self.ports.get(name)
        options = [] if port is None else ["--bind", f"127.0.0.1:{port}"]
        self.children[name] = processes.start(self.home / "logs", name, *options)

    def kill(self, name: str) -> None:
        """kill -9, the whole process group."""
        child = self.children.pop(name)
        os.killpg(child.process.pid, signal.SIGKILL)
        child.process.wait()

    def kill_postgres(self) -> None:
        """kill -9 of PostgreSQL's main process; its keeper starts it again."""
        self._kill_postgres(self._postgres())

    def _kill_postgres(self, pid: int) -> None:
        """The processes that serve connections outlive it for a moment, and answer meanwhile."""
        os.kill(pid, signal.SIGSTOP)  # so that it starts no others meanwhile
        family = _family(pid)
        os.kill(pid, signal.SIGKILL)
        self.until(lambda: not any(_runs(each) for each in family), "PostgreSQL is gone")

    @contextmanager
    def without_postgres(self) -> Iterator[None]:
        """So long as the keeper does nothing either."""
        pid, keeper = self._postgres(), self._keeper()
        os.kill(keeper, signal.SIGSTOP)
        try:
            self._kill_postgres(pid)
            yield
        finally:
            os.kill(keeper, signal.SIGCONT)
            self.until(self.postgres_answers, "PostgreSQL runs again")

    def postgres_answers(self) -> bool:
        try:
            self.sql("SELECT 1")
        except psycopg.Error:
            return False
        return True

    def _postgres(self) -> int:
        self.until(lambda: self.cluster.pid() is not None, "PostgreSQL is ready")
        return self.cluster.pid() or 0

    def _keeper(self) -> int:
        """The parent of PostgreSQL's main process."""
        status = Path(f"/proc/{self._postgres()}/status").read_text()
        return int(re.findall(r"PPid:\s+(\d+)", status)[0])

    def stop(self) -> None:
        with self.app.app_context():
            db.engine.dispose()
        processes.end(list(self.children.values()))
        private_postgres.stop(self.home / "postgres")

    def tocsin(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "portal.cli", *arguments]
        done = subprocess.run(
            command, input=f"{PASSWORD}\n", capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        url = self.database.replace("postgresql+psycopg", "postgresql")
        with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
            done = connection.execute(statement.encode(), values)
            return list(done) if done.description else []

    def source(self, channel_id: str, name: str = "") -> str:
        """A source that posts to one channel; returns its integration key."""
        with self.app.app_context():
            account = db.session.execute(select(Account)).scalar_one()
            name = name or f"bench {channel_id} {secrets.token_hex(3)}"
            made, key = sources.create(account=account, name=name, type="api", by=None)
            draft = ActionDraft([made], [(channel_id, channel_id.lower())])
            routing.create(draft, account=account, by=None)
        return str(key)

    def channels(self, number: int) -> list[str]:
        """New channels in the pretend workspace; returns their ids."""
        known = {each["name"]: id for id, each in self.state()["channels"].items()}
        names = [f"bench-{len(known)}-{each}" for each in range(number)]
        for name in names:
            self.control("admin/create", team_id=TEAM, name=name)
        found = {each["name"]: id for id, each in self.state()["channels"].items()}
        return [found[name] for name in names]

    def state(self) -> dict[str, Any]:
        return dict(self.http.get(f"{self.slack}/_sandbox/state", timeout=20).json())

    def sign_in(self) -> requests.Session:
        """The owner's browser."""
        browser = requests.Session()
        page = browser.get(f"{self.portal}/login", timeout=20)
        form = {"email": "olivia@acme.example", "password": PASSWORD}
        browser.post(f"{self.portal}/login", data={**form, "csrf_token": csrf(page.text)})
        return browser

    def link(self) -> None:
        browser = self.sign_in()
        page = browser.get(f"{self.portal}/settings/connectors/slack", timeout=20)
        to_slack = browser.post(
            f"{self.portal}/settings/connectors/slack/authorize",
            data={"csrf_token": csrf(page.text)},
            allow_redirects=False,
        )
        asked = {"authorize_url": to_slack.headers["Location"]}
        back = self.control("consent", **asked)["answer"]
        browser.get(back, timeout=20).raise_for_status()
        self.until(lambda: self.sql("SELECT 1 FROM slack_user_links") != [], "people are linked")

    def control(self, what: str, **arguments: Any) -> Any:
        answer = self.http.post(f"{self.slack}/_sandbox/{what}", json=arguments, timeout=20)
        answer.raise_for_status()
        return answer.json()

    def clear_faults(self) -> None:
        self.http.delete(f"{self.slack}/_sandbox/faults", timeout=20).raise_for_status()

    def calls(self, method: str = "") -> list[dict[str, Any]]:
        """What the pretend Slack was asked, the newest few thousand."""
        found = self.http.get(f"{self.slack}/_sandbox/requests", params={"method": method})
        return list(found.json())

    def violations(self) -> list[dict[str, Any]]:
        return list(self.http.get(f"{self.slack}/_sandbox/violations", timeout=20).json())

    def messages(self, channel_id: str) -> list[dict[str, Any]]:
        found = self.http.get(
            f"{self.slack}/_sandbox/messages", params={"channel": channel_id}, timeout=20
        )
        return list(found.json())

    def send(self, key: str, summary: str, **more: Any) -> requests.Response:
        event = {"integrationKey": key, "eventType": "ALERT", "summary": summary, **more}
        return self.http.post(f"{self.portal}/api/events", json=event, timeout=20)

    def until(self, condition: Callable[[], bool], what: str, patience: float = 60) -> float:
        """Wait until it holds; returns the seconds it took."""
        begun = time.monotonic()
        while not condition():
            waited = time.monotonic() - begun
            assert waited < patience, f"waited {patience} s in vain until {what}"
            time.sleep(0.05)
        return time.monotonic() - begun

    def represented(self) -> tuple[int, int]:
        """How many alerts Slack shows, by themselves or in a summary; and how many there are."""
        ((shown, total),) = self.sql(
            "SELECT count(*) FILTER (WHERE shown_at IS NOT NULL), count(*) FROM posted_messages"
        )
        return shown, total

    def waits(self, channel_id: str = "%") -> list[float]:
        """From event to the first message that shows or names it, in seconds, for every alert."""
        rows = self.sql(
            "SELECT extract(epoch FROM min(entry.at) - min(posted.created_at))::float8"
            " FROM posted_messages AS posted JOIN timeline_entries AS entry USING (alert_id)"
            " WHERE entry.kind = 'slack_posted' AND channel_id LIKE %s GROUP BY alert_id",
            channel_id,
        )
        return [seconds for (seconds,) in rows]

    def cpu_seconds(self) -> dict[str, float]:
        """CPU used so far by the portal's processes and PostgreSQL, children included."""
        used = {name: _cpu(child.process.pid) for name, child in self.children.items()}
        return used | {"postgres": _cpu(self._postgres())}

    def memory(self) -> dict[str, int]:
        """Resident memory in MB of each process, the largest of its group."""
        return {name: _memory(child.process.pid) for name, child in self.children.items()}


@contextmanager
def lab() -> Iterator[Lab]:
    """A linked portal; everything is gone afterwards."""
    home = Path(tempfile.mkdtemp(prefix="tocsin-lab-"))
    home.chmod(0o711)
    before = dict(os.environ)
    made = Lab(home)
    try:
        made.link()
        yield made
    finally:
        made.stop()
        os.environ.clear()
        os.environ.update(before)
        shutil.rmtree(home, ignore_errors=True)


def csrf(page: str) -> str:
    return page.split('"X-CSRFToken":"')[1].split('"')[0]


def _family(pid: int) -> list[int]:
    kids: list[str] = []
    with suppress(FileNotFoundError, ProcessLookupError):
        kids = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for kid in kids for each in _family(int(kid)))]


def _runs(pid: int) -> bool:
    with suppress(FileNotFoundError, ProcessLookupError):
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    return False


def _cpu(pid: int) -> float:
    ticks = 0
    for each in _family(pid):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended: its parent counts it
            fields = re.sub(r"^.*\) ", "", Path(f"/proc/{each}/stat").read_text()).split()
            ticks += int(fields[11]) + int(fields[12]) + (int(fields[13]) + int(fields[14]))
    return ticks / os.sysconf("SC_CLK_TCK")


def _memory(pid: int) -> int:
    sizes = [
        int(re.findall(r"VmRSS:\s+(\d+)", Path(f"/proc/{each}/status").read_text())[0])
        for each in _family(pid)
    ]
    return max(sizes) // 1024
