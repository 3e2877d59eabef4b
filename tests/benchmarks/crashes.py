"""Is an accepted alert ever lost, or shown twice, when processes are killed in the middle of a storm?"""

import os
import random
import threading
import time
from collections import Counter

import requests

from tests.benchmarks import figures
from tests.benchmarks.lab import Lab

ROUNDS = int(os.environ.get("CRASH_ROUNDS", "50"))
VICTIMS = ("worker", "serve", "postgres")  # in turns: each is killed at a random moment
RESUMED = 20  # seconds


def run(lab: Lab) -> None:
    figures.say(f"{ROUNDS} rounds of kill -9 during a storm")
    lost, twice, slowest = rounds(lab, ROUNDS)
    figures.say(
        f"lost {lost}, shown twice {twice}, resumed after {slowest:.1f} s at most", "0, 0, 20 s"
    )


def rounds(lab: Lab, number: int, seed: int = 1) -> tuple[int, int, float]:
    """Kill one process in each round. Returns alerts lost, messages twice, the slowest recovery."""
    chance = random.Random(seed)
    lab.control("admin/switch", rate_limits=False)
    (channel,) = lab.channels(1)
    lab.control("admin/invite", channel=channel)  # so that the app may look into its history
    key = lab.source(channel)
    accepted: set[str] = set()
    slowest = 0.0
    for each in range(number):
        victim = VICTIMS[each % len(VICTIMS)]
        storm = threading.Thread(target=_storm, args=(lab, key, each, accepted))
        storm.start()
        time.sleep(chance.uniform(0.1, 0.7))
        if victim == "postgres":
            lab.kill_postgres()
            lab.until(lab.postgres_answers, "its keeper has started it again")
        else:
            lab.kill(victim)
            lab.start(victim)
        storm.join()
        slowest = max(slowest, lab.until(lambda: _all_shown(lab), "the storm is shown", 90))
    return _lost(lab, channel, accepted), _twice(lab, channel), slowest


def _storm(lab: Lab, key: str, number: int, accepted: set[str]) -> None:
    """Thirty alerts in a second and a half. An answer other than 202 promises nothing."""
    with requests.Session() as sender:
        for each in range(30):
            summary = f"crash {number:02d}-{each:02d}"
            event = {"integrationKey": key, "eventType": "ALERT", "summary": summary}
            try:
                answer = sender.post(f"{lab.portal}/api/events", json=event, timeout=20)
            except requests.RequestException:
                time.sleep(0.1)
                continue
            assert answer.status_code in (202, 503), answer.text
            if answer.status_code == 202:
                accepted.add(summary)
            else:
                assert answer.headers["Retry-After"]
            time.sleep(0.05)


def _all_shown(lab: Lab) -> bool:
    shown, total = lab.represented()
    return shown == total


def _lost(lab: Lab, channel: str, accepted: set[str]) -> int:
    """Accepted, and yet not stored, or stored and neither shown nor named in Slack."""
    stored = {summary for (summary,) in lab.sql("SELECT summary FROM alerts")}
    unshown = lab.sql(
        "SELECT count(*) FROM posted_messages AS p LEFT JOIN slack_summaries AS s"
        " ON s.id = p.summary_id WHERE p.ts IS NULL"
        " AND (s.ts IS NULL OR s.shown_version < p.summary_version)"
    )
    return len(accepted - stored) + int(unshown[0][0])


def _twice(lab: Lab, channel: str) -> int:
    """Messages that Slack has twice: by what each says it is, in its metadata."""
    names: Counter[str] = Counter()
    for call in lab.calls("chat.postMessage"):
        if call["arguments"].get("channel") == channel and '"ok":true' in call["answer"]:
            names[str(call["arguments"]["metadata"]["event_payload"])] += 1
    assert names, "nothing was posted at all"
    rows: Counter[str] = Counter()
    for name, count in names.items():
        rows[name.partition(", 'version'")[0]] += count
    return sum(count - 1 for count in rows.values())
