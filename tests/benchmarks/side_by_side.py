"""What becomes of the same storm and the same outage with Debian's Alertmanager, on the same pretend
Slack? Skipped, with a sentence, where it is not installed."""

import json
import os
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from portal.db import db
from portal.slack.installations import SlackInstallation
from tests.benchmarks import figures
from tests.benchmarks.lab import Lab
from tests.scenarios.conftest import free_port

ALERTS = int(os.environ.get("SIDE_ALERTS", "1000"))
SECONDS, AWAY, PATIENCE = ALERTS / 100, 15, 60
CONFIG = """
route: {receiver: slack, group_by: [alertname], group_wait: 1s, group_interval: 5s, repeat_interval: 4h}
receivers:
  - name: slack
    slack_configs:
      - api_url: %(slack)s/api/chat.postMessage
        http_config: {authorization: {credentials: %(token)s}}
        channel: %(channel)s
        title: '{{ .Alerts | len }} alerts'
        text: '{{ range .Alerts }}{{ .Annotations.summary }}; {{ end }}'
"""
Send = Callable[[str], bool]


def run(lab: Lab) -> None:
    lab.control("admin/switch", posting_burst=10)
    for outage in (False, True):
        what = f"a storm of {ALERTS} in {SECONDS:.0f} s"
        figures.say(f"{what}, Slack away for {AWAY} s" if outage else what)
        (channel,) = lab.channels(1)
        key = lab.source(channel)
        _compare(lab, "Tocsin", channel, lambda name, key=key: _sent(lab, key, name), outage)
        if shutil.which("prometheus-alertmanager") is None:
            figures.say("Alertmanager is not installed: apt-get install prometheus-alertmanager")
            continue
        (channel,) = lab.channels(1)
        with _alertmanager(lab, channel) as send:
            _compare(lab, "Alertmanager", channel, send, outage)


def _compare(lab: Lab, name: str, channel: str, send: Send, outage: bool) -> None:
    before = len([each for each in lab.calls() if each["status"] == 429])
    names = [f"{channel}-{number:04d}" for number in range(ALERTS)]
    if outage:
        lab.control("faults", effect="server_error")
    begun, accepted = time.monotonic(), 0
    for number, each in enumerate(names):
        time.sleep(max(0.0, begun + number * SECONDS / ALERTS - time.monotonic()))
        accepted += send(each)
    if outage:
        time.sleep(max(0.0, begun + AWAY - time.monotonic()))
        lab.clear_faults()
    asked = time.monotonic()
    shown, twice = _in_slack(lab, name, channel, names)
    while shown < accepted and time.monotonic() - asked < PATIENCE:
        time.sleep(0.25)
        shown, twice = _in_slack(lab, name, channel, names)
    took = f"{time.monotonic() - begun:.1f} s" if shown >= accepted else "never"
    refused = len([each for each in lab.calls() if each["status"] == 429]) - before
    figures.say(
        f"{name:<13} accepted {accepted}, represented {shown}, lost {accepted - shown},"
        f" twice {twice}, 429s {refused}, all represented after {took}"
    )


def _in_slack(lab: Lab, name: str, channel: str, names: list[str]) -> tuple[int, int]:
    """How many of them Slack shows or names, and how many of them more than once.

    A summary of ours counts its alerts and shows the first ten, so that our own rows say the rest.
    """
    texts = [json.dumps(message) for message in lab.messages(channel)]
    if name == "Tocsin":
        count = (
            "SELECT count(*) FROM posted_messages WHERE channel_id = %s AND shown_at IS NOT NULL"
        )
        own = Counter(each for each in names for text in texts if f"[Pending] {each} " in text)
        return lab.sql(count, channel)[0][0], sum(n > 1 for n in own.values())
    found = Counter(each for each in names for text in texts if each in text)
    return len(found), sum(number > 1 for number in found.values())


def _sent(lab: Lab, key: str, name: str) -> bool:
    return lab.send(key, name).status_code == 202


@contextmanager
def _alertmanager(lab: Lab, channel: str) -> Iterator[Send]:
    home, port = lab.home / f"alertmanager-{channel}", free_port()
    home.mkdir()
    with lab.app.app_context():
        token = db.session.scalars(db.select(SlackInstallation)).one().bot_token
    config = {"slack": lab.slack, "token": token, "channel": channel}
    Path(home / "config.yml").write_text(CONFIG % config)
    process = subprocess.Popen(
        [
            "prometheus-alertmanager",
            f"--config.file={home / 'config.yml'}",
            f"--storage.path={home / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
        ],
        stdout=subprocess.DEVNULL,
        stderr=(home / "log").open("wb"),
    )
    url, http = f"http://127.0.0.1:{port}", requests.Session()
    try:
        lab.until(lambda: _is_ready(url), "Alertmanager is ready")

        def send(name: str) -> bool:
            labels = {"alertname": "Storm", "instance": name}
            alert = {"labels": labels, "annotations": {"summary": name}}
            return http.post(f"{url}/api/v2/alerts", json=[alert], timeout=20).status_code == 200

        yield send
    finally:
        process.terminate()
        process.wait()


def _is_ready(url: str) -> bool:
    try:
        return requests.get(f"{url}/-/ready", timeout=2).status_code == 200
    except requests.RequestException:
        return False
