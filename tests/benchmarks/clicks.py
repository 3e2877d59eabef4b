"""How long does a signed click wait for its answer, while Slack itself takes 0 to 10,000 ms?"""

import hashlib
import hmac
import json
import time
from urllib.parse import urlencode

import requests

from tests.benchmarks import figures
from tests.benchmarks.lab import OWNER, TEAM, Lab

CLICKS = 60


def run(lab: Lab) -> None:
    key = lab.source(lab.channels(1)[0])
    for slow in (0.0, 0.5, 2.5, 10.0):
        for number in range(CLICKS):
            lab.send(key, f"click {slow} {number}")
        ids = [id for (id,) in lab.sql("SELECT id FROM alerts WHERE status = 'pending'")][-CLICKS:]
        if slow:
            lab.control("faults", effect="hang", seconds=slow, after_processing=True)
        waited = []
        with requests.Session() as slack:
            for alert_id in ids:
                waited.append(acknowledge(lab, slack, alert_id))
                time.sleep(0.02)
        lab.clear_faults()
        figures.times(f"click, Slack takes {1000 * slow:.0f} ms", waited, "p50 ≤ 5 ms, p99 ≤ 15 ms")


def acknowledge(lab: Lab, slack: requests.Session, alert_id: int) -> float:
    """Press the button as Slack would say it; returns the seconds until the answer."""
    click = {
        "type": "block_actions",
        "api_app_id": "A0TOCSIN",
        "team": {"id": TEAM},
        "user": {"id": OWNER, "team_id": TEAM},
        "channel": {"id": "C0ALERTS"},
        "actions": [{"action_id": "alert_acknowledge", "value": str(alert_id)}],
    }
    body = urlencode({"payload": json.dumps(click)}).encode()
    timestamp = str(int(time.time()))
    signed = b"v0:" + timestamp.encode() + b":" + body
    mac = hmac.new(lab.signing_secret.encode(), signed, hashlib.sha256)
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": f"v0={mac.hexdigest()}",
    }
    begun = time.monotonic()
    url = f"{lab.portal}/slack/interactions"
    answer = slack.post(url, data=body, headers=headers, timeout=20)
    assert answer.status_code == 200
    return time.monotonic() - begun
