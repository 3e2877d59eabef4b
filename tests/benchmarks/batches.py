"""How many alerts a second are stored, when a hundred come in one body of Alertmanager's?"""

import secrets
import statistics
from typing import Any

from tests.benchmarks import figures, senders
from tests.benchmarks.lab import Lab

TIMES, TOGETHER, SENDERS = 3, 100, 4


def run(lab: Lab) -> None:
    (channel,) = lab.channels(1)
    url = f"{lab.portal}/api/ingest/alertmanager/{lab.source(channel)}"
    rates, waited = [], []
    for _ in range(TIMES):
        run_id = secrets.token_hex(4)
        bodies, answered = senders.rate(url, lambda n, id=run_id: _body(id, n), senders=SENDERS)
        rates.append(bodies * TOGETHER)
        waited += answered
    figures.say(f"distinct alerts: {statistics.median(rates):.0f}/s", "≥ 3,000/s")
    figures.times(f"a body of {TOGETHER} answered 202", waited)


def _body(run_id: str, number: int) -> dict[str, Any]:
    return {
        "version": "4",
        "status": "firing",
        "externalURL": "http://alertmanager.example.com",
        "alerts": [
            {
                "status": "firing",
                "labels": {"alertname": "DiskFull", "instance": f"db-{number}-{each}"},
                "annotations": {"summary": f"Disk of db-{number}-{each} is full"},
                "startsAt": "2026-11-24T12:00:00Z",
                "generatorURL": "http://prometheus.example.com/graph",
                "fingerprint": f"{run_id}{number:04x}{each:04x}",
            }
            for each in range(TOGETHER)
        ],
    }
