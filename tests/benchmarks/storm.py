"""What becomes of 1,000 alerts in 10 seconds in one channel? And of the other channels meanwhile?"""

import re
import threading
import time

from tests.benchmarks import figures
from tests.benchmarks.lab import Lab

ALERTS, SECONDS, SENDERS = 1000, 10, 4


def run(lab: Lab) -> None:
    lab.control("admin/switch", posting_burst=10)
    stormy, *quiet = lab.channels(4)
    key, others = lab.source(stormy), [(each, lab.source(each)) for each in quiet]
    begun = time.time() + 0.5
    answered: list[float] = []

    def send(first: int) -> None:
        for number in range(first, ALERTS, SENDERS):
            time.sleep(max(0.0, begun + number * SECONDS / ALERTS - time.time()))
            asked = time.time()
            assert lab.send(key, f"storm {number:04d}").status_code == 202
            answered.append(time.time() - asked)

    threads = [threading.Thread(target=send, args=(first,)) for first in range(SENDERS)]
    for thread in threads:
        thread.start()
    sent: dict[str, float] = {}
    for number in range(20):
        time.sleep(max(0.0, begun + number * SECONDS / 20 - time.time()))
        summary = f"beside {number:04d}"
        sent[summary] = time.time()
        lab.send(others[number % len(others)][1], summary)
    for thread in threads:
        thread.join()
    count = "SELECT count(*) FROM posted_messages WHERE channel_id = %s AND shown_at IS NOT NULL"
    lab.until(lambda: lab.sql(count, stormy)[0][0] == ALERTS, "all are represented", 30)
    last = (
        "SELECT max(first)::float8 FROM (SELECT extract(epoch FROM min(entry.at)) AS first"
        " FROM posted_messages JOIN timeline_entries AS entry USING (alert_id)"
        " WHERE entry.kind = 'slack_posted' AND channel_id = %s GROUP BY alert_id) AS each"
    )
    took = lab.sql(last, stormy)[0][0] - begun
    figures.say(f"all {ALERTS} represented {took:.1f} s after the first", "11 s")
    figures.times("event answered 202", answered)
    figures.times("event → represented", lab.waits(stormy), "p99 ≤ 1,500 ms")
    beside = [
        float(message["ts"]) - sent[summary]
        for channel, _ in others
        for message in lab.messages(channel)
        for summary in sent
        if summary in message["text"]
    ]
    figures.times("other channels meanwhile", beside, "p99 ≤ 100 ms")
    _what_slack_saw(lab, stormy)


def _what_slack_saw(lab: Lab, channel: str) -> None:
    refused = [each for each in lab.calls() if each["status"] == 429]
    figures.say(f"429s: {len(refused)}", "at most 1")
    shown = lab.messages(channel)
    counts = [
        int(number) for each in shown for number in re.findall(r"^(\d+) new alerts", each["text"])
    ]
    figures.say(f"messages in the channel: {len(shown)}, a summary counts {counts}")
    longest = max(len(str(each["text"])) for each in shown)
    figures.say(f"longest text {longest} characters, violations: {len(lab.violations())}")
    for violation in lab.violations()[:5]:
        figures.say(f"violation {violation['rule']}: {violation['detail']}")
