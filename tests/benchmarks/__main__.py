"""How long from an event to its message in Slack, and how long does a signed click wait?

Starts `tocsin demo` on data of its own, links the pretend workspace, and measures from outside:

- 5 events a second for 30 s, spread over the channels: the time between sending the event and the
  moment Slack gives the message (its `ts`), on one machine and one clock;
- 100 signed clicks while the pretend Slack holds every Web API answer for 10 s.
"""

import hashlib
import hmac
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import requests

from tests.scenarios.conftest import free_port

CHANNELS = {
    "C0ALERTS": "alerts",
    "C0OPS": "ops",
    "C0DB": "db",
    "C0GENERAL": "general",
    "C0PARTNERS": "partners",
}
EVENTS, PER_SECOND, CLICKS = 150, 5, 100


class Bench:
    def __init__(self, home: Path) -> None:
        self.home = home
        ports = free_port(), free_port()
        self.portal, self.slack = (f"http://127.0.0.1:{port}" for port in ports)
        self.environment = {**os.environ, "TOCSIN_HOME": str(home), "APP_ENV": "development"}
        self.environment.pop("DATABASE_URL", None)
        command = [sys.executable, "-m", "portal.cli", "demo", "--port", str(ports[0])]
        command += ["--sandbox-port", str(ports[1])]
        self.process = subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, text=True
        )
        said = ""
        for line in self.process.stdout or []:
            said += line
            if "Ctrl-C" in line:
                break
        self.password = re.findall(r"Password for all\s+(\S+)", said)[0]

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=60)

    def tocsin(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "portal.cli", *arguments]
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def source(self, channel_id: str, purpose: str = "events") -> str:
        """A source that posts to one channel; returns its integration key."""
        name = f"bench {purpose} {channel_id}"
        key = self.tocsin("source", "create", "--account", "Acme", "--name", name)
        self.tocsin(
            "action", "create", "--account", "Acme", "--source", name, "--channel", channel_id
        )
        return key

    def link(self) -> None:
        portal = self.portal.replace("127.0.0.1", "localhost")
        browser = requests.Session()
        page = browser.get(f"{portal}/login")
        form = {"email": "olivia@acme.example", "password": self.password}
        browser.post(f"{portal}/login", data={**form, "csrf_token": csrf(page.text)})
        page = browser.get(f"{portal}/settings/connectors/slack")
        to_slack = browser.post(
            f"{portal}/settings/connectors/slack/authorize",
            data={"csrf_token": csrf(page.text)},
            allow_redirects=False,
        )
        asked = {"authorize_url": to_slack.headers["Location"]}
        back = self.control("consent", **asked)["answer"]
        browser.get(back).raise_for_status()

    def control(self, what: str, **arguments: Any) -> Any:
        answer = requests.post(f"{self.slack}/_sandbox/{what}", json=arguments, timeout=20)
        answer.raise_for_status()
        return answer.json()

    def messages(self, channel_id: str) -> list[dict[str, Any]]:
        found = requests.get(
            f"{self.slack}/_sandbox/messages", params={"channel": channel_id}, timeout=20
        )
        found.raise_for_status()
        return list(found.json())


def csrf(page: str) -> str:
    return page.split('"X-CSRFToken":"')[1].split('"')[0]


def print_figures(name: str, seconds: list[float]) -> None:
    ordered = sorted(seconds)
    at = {
        p: 1000 * ordered[min(len(ordered) - 1, int(len(ordered) * p / 100))] for p in (50, 95, 99)
    }
    figures = "  ".join(f"p{p} {value:.0f} ms" for p, value in at.items())
    mean = 1000 * statistics.mean(ordered)
    print(
        f"{name}: n={len(ordered)}  {figures}  mean {mean:.0f} ms  max {1000 * ordered[-1]:.0f} ms"
    )


def events_to_slack(bench: Bench) -> None:
    keys = {channel_id: bench.source(channel_id) for channel_id in CHANNELS}
    sender, sent, answered = requests.Session(), {}, []
    begun = time.time()
    for number in range(EVENTS):
        time.sleep(max(0.0, begun + number / PER_SECOND - time.time()))
        channel_id = list(CHANNELS)[number % len(CHANNELS)]
        summary = f"bench {number:04d}"
        event = {"integrationKey": keys[channel_id], "eventType": "ALERT", "summary": summary}
        sent[summary] = time.time()
        answer = sender.post(f"{bench.portal}/api/events", json=event, timeout=20)
        answered.append(time.time() - sent[summary])
        assert answer.status_code == 202, answer.text
    time.sleep(5)
    shown: dict[str, float] = {}
    for channel_id in CHANNELS:
        for message in bench.messages(channel_id):
            for summary in re.findall(r"bench \d{4}", message["text"]):
                shown[summary] = float(message["ts"])
    print_figures("event answered 202", answered)
    print_figures("event → message in Slack", [shown[s] - sent[s] for s in sent if s in shown])
    print(f"shown {len(shown)} of {len(sent)}")


def clicks_while_slack_hangs(bench: Bench) -> None:
    secret = json.loads((bench.home / "demo.json").read_text())["signing_secret"]
    key = bench.source("C0ALERTS", "clicks")
    for number in range(CLICKS):
        event = {"integrationKey": key, "eventType": "ALERT", "summary": f"click {number}"}
        requests.post(f"{bench.portal}/api/events", json=event, timeout=20).raise_for_status()
    bench.control("faults", effect="hang", seconds=10, method="*")
    newest = EVENTS + CLICKS
    waited = []
    for number in range(CLICKS):
        click = {
            "type": "block_actions",
            "api_app_id": "A0TOCSIN",
            "team": {"id": "T0ACME"},
            "user": {"id": "U0ADA", "team_id": "T0ACME"},
            "channel": {"id": "C0ALERTS"},
            "actions": [{"action_id": "alert_acknowledge", "value": str(newest - number)}],
        }
        body = urlencode({"payload": json.dumps(click)}).encode()
        timestamp = str(int(time.time()))
        mac = hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256)
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": f"v0={mac.hexdigest()}",
        }
        begun = time.time()
        answer = requests.post(
            f"{bench.portal}/slack/interactions", data=body, headers=headers, timeout=20
        )
        waited.append(time.time() - begun)
        assert answer.status_code == 200
        time.sleep(0.05)
    print_figures("signed click while Slack hangs for 10 s", waited)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="tocsin-bench-") as folder:
        home = Path(folder)
        home.chmod(0o711)
        bench = Bench(home)
        try:
            bench.link()
            events_to_slack(bench)
            clicks_while_slack_hangs(bench)
        finally:
            bench.stop()


if __name__ == "__main__":
    main()
