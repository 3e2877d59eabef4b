"""How many events a second are stored, against the least that any Flask view would cost?"""

import secrets
import statistics
import subprocess
import sys

from tests.benchmarks import figures, senders
from tests.benchmarks.lab import Lab
from tests.scenarios.conftest import free_port

TIMES = 3


def run(lab: Lab) -> None:
    port = free_port()
    bare = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}"),
            *("--worker-class", "gthread", "--workers", "2", "--threads", "8"),
            *("--log-level", "error", "--no-control-socket", "tests.benchmarks.bare:app()"),
        ]
    )
    try:
        _compare(lab, f"http://127.0.0.1:{port}/")
    finally:
        bare.terminate()
        bare.wait()


def _compare(lab: Lab, bare_url: str) -> None:
    """The three take turns, so that all of them meet the same machine."""
    (channel,) = lab.channels(1)
    key, url = lab.source(channel), f"{lab.portal}/api/events"
    lab.until(lambda: _answers(bare_url), "the bare view answers")
    rates: dict[str, list[float]] = {"bare": [], "distinct": [], "repeated": []}
    for number in range(TIMES):
        run_id = secrets.token_hex(3)

        def distinct(n: int, run_id: str = run_id) -> dict[str, str]:
            return _event(key, f"{run_id} {n}")

        def repeated(n: int, run_id: str = run_id) -> dict[str, str]:
            return _event(key, "again", alertKey=f"{run_id} {n % 20}")

        rates["bare"].append(senders.rate(bare_url, distinct)[0])
        rates["distinct"].append(senders.rate(url, distinct)[0])
        rates["repeated"].append(senders.rate(url, repeated)[0])
        lab.sql("UPDATE alerts SET status = 'resolved' WHERE status = 'pending'")
        figures.say(
            f"run {number + 1}: " + ", ".join(f"{k} {v[-1]:.0f}/s" for k, v in rates.items())
        )
    bare, distinct_rate, repeated_rate = (statistics.median(each) for each in rates.values())
    figures.say(
        f"distinct alerts: {distinct_rate:.0f}/s = {distinct_rate / bare:.2f} × bare", "≥ 0.4"
    )
    figures.say(
        f"repeated events: {repeated_rate:.0f}/s = {repeated_rate / bare:.2f} × bare", "≥ 0.5"
    )


def _event(key: str, summary: str, **more: str) -> dict[str, str]:
    return {"integrationKey": key, "eventType": "ALERT", "summary": summary, **more}


def _answers(url: str) -> bool:
    try:
        senders.rate(url, lambda n: {}, senders=1, seconds=0.1)
    except AssertionError:
        return False
    return True
